//! A whole DTLS handshake, both sides.

#[path = "../rigs/stack.rs"]
#[allow(dead_code, unreachable_pub, reason = "each bench uses a part of it")]
mod stack;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn handshake(c: &mut Criterion) {
    let now = testkit::start();
    let certificates = [stack::certificate("a"), stack::certificate("b")];
    c.bench_function("dtls handshake", |b| {
        b.iter_batched_ref(
            || stack::dtls_ends(now, &certificates),
            |pair| stack::shake_hands(now, pair),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, handshake);
criterion_main!(benches);
