//! What other implementations do that ours does not, found by running against them.

#[path = "common/pair.rs"]
mod pair;
#[path = "common/raw.rs"]
mod raw;

use pair::*;
use raw::{Script, chunk, chunks, words};
use sctp::*;

/// Messages of which the last fragment leaves a few bytes of its packet, too few for the next message.
fn send_all(end: &mut Association, now: std::time::Instant) {
    for rest in 20..60 {
        let message = message(bytes(1_132 * 4 - rest));
        end.send(now, StreamId(0), message, SendOptions::new()).expect("room for it");
    }
}

fn is_pad(packet: &[u8]) -> bool {
    chunks(packet).iter().any(|(kind, ..)| *kind == 132)
}

/// A peer that drops packets with chunks it does not know must get none: PAD (RFC 4820) is only for one that has
/// announced it. `sctp-proto` 0.10.8 is such a peer: a packet with PAD was lost to it at every repetition, until the
/// association was given up.
#[test]
fn no_padding_for_a_peer_that_has_not_announced_it() {
    let mut script = Script::established();
    send_all(&mut script.end, script.now);
    let mut count = 0;
    loop {
        let mut packet = Vec::new();
        let promised = script.end.next_len(script.now);
        let Some(len) = script.end.poll_transmit(script.now, &mut packet) else { break };
        assert!(promised.is_none_or(|promised| promised == len.get()), "{promised:?}, and then {len}");
        assert!(!is_pad(&packet));
        count += 1;
        if let Some((.., value)) = chunks(&packet).iter().rfind(|(kind, ..)| *kind == 0) {
            script.say(&[chunk(3, 0, &words(&[raw::word(value, 0), 1 << 20, 0]))]);
        }
    }
    assert!(count > 150, "{count}");
}

/// Between two of ours bursts are of equal packets.
#[test]
fn padding_for_a_peer_that_has_announced_it() {
    let mut pair = Pair::connected(1, Link::new(ms(10)));
    let now = pair.now;
    send_all(&mut pair.ends[A], now);
    assert!(pair.packets(A).iter().any(|packet| is_pad(packet)));
}

/// A datagram longer than what the peer reads at once ends the call: Chromium gives up DTLS at a record of more than
/// 2,048 bytes, aiortc reads 1,500 and takes the rest for the next one. So to a peer that has not announced PAD nothing
/// longer than Ethernet carries is sent, not even a probe, however willingly it answers.
#[test]
fn nothing_above_1500_bytes_for_a_peer_that_has_not_announced_padding() {
    const OVERHEAD: usize = 65;
    let mut script = Script::established();
    let path = PathInfo::new(1_160).with_overhead(OVERHEAD).with_search_up_to(16_000);
    script.end.set_path(script.now, path);
    let mut longest = 0;
    for round in 0..200 {
        let packets = script.written();
        longest = packets.iter().map(Vec::len).fold(longest, usize::max);
        for (kind, _, value) in packets.iter().flat_map(|packet| chunks(packet)) {
            if kind == 4 {
                script.say(&[chunk(5, 0, &value)]);
            }
        }
        // And when the search begins again.
        script.pass(ms(if round == 100 { 700_000 } else { 100 }));
    }
    assert_eq!(longest, (1_500 - OVERHEAD) & !3, "and Ethernet's size is found");
    assert_eq!(script.end.packet_len(), longest);
}
