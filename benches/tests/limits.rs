//! How much memory strangers and peers can make us hold, measured at the allocator. `docs/limits.md` is the table.

#[path = "limits/channels.rs"]
mod channels;
#[path = "limits/handshake.rs"]
mod handshake;
#[path = "../rigs/heap.rs"]
#[allow(unreachable_pub, reason = "shared by several tests")]
mod heap;
#[path = "limits/media.rs"]
mod media_limits;
#[path = "limits/paths.rs"]
mod paths;
#[path = "limits/relay.rs"]
mod relay;
#[path = "limits/sessions.rs"]
mod sessions;
#[path = "../rigs/stack.rs"]
#[allow(dead_code, unreachable_pub, reason = "the benches use the rest")]
mod stack;

/// Bytes in a KiB and a MiB.
const KIB: isize = 1 << 10;
const MIB: isize = 1 << 20;

#[test]
fn the_allocator_counts() {
    let (grown, kept) = heap::growth(|| std::hint::black_box(vec![0_u8; 1_000]));
    assert_eq!(grown, 1_000);
    let (shrunk, ()) = heap::growth(|| drop(kept));
    assert_eq!(shrunk, -1_000);
    assert_eq!(heap::growth(|| drop(std::hint::black_box(Box::new([7; 50])))).0, 0);
}
