//! What the path carries, and how SCTP begins on it.

use crate::call::{Call, Who, ms, secs};
use peerconnection::Configuration;
use testkit::Link;

/// What an IPv4 packet of this size leaves to SCTP behind UDP and DTLS 1.2.
const fn packet_of(ip: usize) -> usize {
    (ip - 28 - 37) & !3
}

fn carrying(seed: u64, ip: usize, configuration: &Configuration) -> Call {
    let link = Link::new().latency(ms(10)).mtu(ip);
    Call::with(seed, link, [configuration.clone(), configuration.clone()])
}

fn packet_len(call: &Call, who: Who) -> usize {
    call.session(who).stats().data.packet_len
}

/// RFC 8899 above DTLS: every size is found, from a path of old tunnels to one of jumbo frames.
#[test]
fn rfc8899_the_largest_packet_is_found() {
    for (ip, found) in [(576, 576), (1_280, 1_280), (1_400, 1_400), (1_500, 1_500), (9_000, 9_000)] {
        let mut call = carrying(1, ip, &Configuration::default());
        let channels = call.with_channel();
        let expected = packet_of(found).max(packet_of(576));
        let is_found = |call: &Call| Who::BOTH.iter().all(|who| packet_len(call, *who) == expected);
        assert!(call.until(secs(20), is_found).is_some(), "{ip}: {}", packet_len(&call, Who::Alice));
        let large = vec![7; 100_000];
        assert!(call.send(Who::Alice, channels.0, large.clone()));
        let begin = call.world.now();
        let arrived = loop {
            if let Some(arrived) = call.recv(Who::Bob, channels.1) {
                break arrived;
            }
            assert!(call.world.now() < begin + secs(10), "{ip}");
            call.world.run_for(ms(5));
        };
        assert_eq!(arrived, large);
    }
}

/// A path that is not to be searched stays as it is.
#[test]
fn a_path_is_left_alone_on_request() {
    let mut call = carrying(1, 9_000, &Configuration::default().with_max_mtu(1_200));
    call.with_channel();
    call.world.run_for(secs(20));
    assert_eq!(packet_len(&call, Who::Alice), (1_200 - 37) & !3);
}

#[cfg(feature = "snap")]
mod snap {
    use super::*;
    use peerconnection::{DataChannelState, Description, SctpSetup};

    fn snap() -> Configuration {
        Configuration::default().with_sctp_setup(SctpSetup::Description)
    }

    /// How long after DTLS was up the channel was open, and whether the answer had the attribute.
    fn setup(configurations: [Configuration; 2]) -> (Call, std::time::Duration, [bool; 2]) {
        let mut call = Call::with(1, Link::new().latency(ms(20)), configurations);
        let channel = call.open(Who::Alice, "chat");
        let offer = call.offer(Who::Alice);
        let offered = offer.sdp().contains("a=sctp-init:");
        call.take(Who::Bob, offer);
        let answer = call.answer(Who::Bob);
        let answered = answer.sdp().contains("a=sctp-init:");
        call.take(Who::Alice, answer);
        call.connect();
        let open =
            |call: &Call| call.session(Who::Alice).data_channel_state(channel) == DataChannelState::Open;
        let took = call.until(secs(10), open).expect("the channel opens");
        (call, took, [offered, answered])
    }

    /// Two ends that know it open a channel without the two round trips of the handshake; otherwise there is one.
    #[test]
    fn a_channel_opens_without_a_handshake() {
        let (_, slow, said) = setup([Configuration::default(), Configuration::default()]);
        assert_eq!(said, [false, false]);
        let (mut call, fast, said) = setup([snap(), snap()]);
        assert_eq!(said, [true, true]);
        assert!(fast + ms(60) < slow, "{fast:?} and {slow:?}");
        // The value stays the same in later descriptions, and those change nothing.
        let line = |call: &Call| {
            let local = call.local(Who::Alice);
            local.lines().find(|line| line.starts_with("a=sctp-init:")).map(str::to_owned)
        };
        let before = line(&call);
        call.negotiate(Who::Alice);
        assert!(before.is_some() && line(&call) == before);
        call.world.run_for(secs(5));
        assert!(call.are_connected());
        for configurations in [[snap(), Configuration::default()], [Configuration::default(), snap()]] {
            let offers = configurations[0].clone();
            let (_, took, said) = setup(configurations);
            let _ = offers;
            assert!(!said[1], "an answer has it only if both know it");
            assert_eq!(took, slow);
        }
    }

    /// What is no INIT, or no base 64, is refused with the whole description.
    #[test]
    fn what_is_no_init_is_refused() {
        for value in ["AQAAHols", "%%%%", "AgAAHols3R0AUAAA/////+B5ZR3AAAAEgAgABoLA"] {
            let mut call = Call::with(1, Link::new().latency(ms(20)), [snap(), snap()]);
            call.open(Who::Alice, "chat");
            let text = call.offer(Who::Alice).sdp().to_owned();
            let lines = text.lines().map(|line| {
                if line.starts_with("a=sctp-init:") {
                    format!("a=sctp-init:{value}\r\n")
                } else {
                    format!("{line}\r\n")
                }
            });
            let broken: String = lines.collect();
            let taken = Description::offer(&broken).and_then(|offer| {
                call.act(Who::Bob, |session, now| session.set_remote_description(now, offer))
            });
            assert!(taken.is_err(), "{value}");
        }
    }
}
