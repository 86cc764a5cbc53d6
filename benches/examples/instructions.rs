//! Pieces of work whose instructions are counted: `cargo xtask bench --instructions`.
//!
//! `instructions --list` names them, `instructions NAME` runs one and says how often. Only what happens inside
//! [`measured`] is counted. Everything random comes from seeds, so that two runs do the same.

#![expect(clippy::print_stdout, reason = "a command-line tool talks on standard output")]

#[path = "../rigs/stack.rs"]
#[allow(dead_code, unreachable_pub, reason = "the benches use the rest")]
mod stack;

use media::PacketToSend;
use peerconnection::{Datagram, bytes::Bytes, datachannel::Payload};
use rtp::{
    HeaderView, SequenceNumber, Ssrc, Timestamp,
    rtcp::{Compound, Nack, ReportBlock, RtcpPacket, SenderInfo, SenderReport, SourceDescription},
};
use srtp::{Config, Profile, Protector, Unprotector};
use std::{env, hint::black_box, num::NonZeroUsize, process::ExitCode, sync::Arc, time::Duration};
use stun::{
    Builder, IntegrityKey, Message, Method, TransactionId,
    attr::{Username, XorMappedAddress},
};

/// How often each runs, and how often before that.
const TIMES: u32 = 200;
const WARM_UP: u32 = 50;

/// Something that prepares its next input, and then does the work that counts.
struct Kernel {
    prepare: Box<dyn FnMut()>,
    work: Box<dyn FnMut()>,
}

impl Kernel {
    fn new(work: impl FnMut() + 'static) -> Self {
        Self { prepare: Box::new(|| ()), work: Box::new(work) }
    }

    /// `state` is shared between the preparation and the work.
    fn with<S: 'static>(
        state: S,
        mut prepare: impl FnMut(&mut S) + 'static,
        mut work: impl FnMut(&mut S) + 'static,
    ) -> Self {
        let shared = std::rc::Rc::new(std::cell::RefCell::new(state));
        let other = std::rc::Rc::clone(&shared);
        Self {
            prepare: Box::new(move || prepare(&mut shared.borrow_mut())),
            work: Box::new(move || work(&mut other.borrow_mut())),
        }
    }
}

/// How a kernel is called and how it is made.
struct Named(&'static str, fn() -> Kernel);

const KERNELS: &[Named] = &[
    Named("dtls record, seal and open 1,150 B", dtls_record),
    Named("rtcp parse, SR SDES NACK", rtcp_parse),
    Named("rtp parse, 1,000 B", rtp_parse),
    Named("sctp DATA in, 1,100 B", sctp_in),
    Named("sctp DATA out, 1,100 B", sctp_out),
    Named("sdp parse, offer of a browser", sdp_parse),
    Named("session data out, 16 KiB", session_data_out),
    Named("session forward, one packet", session_forward),
    Named("srtp protect CM SHA1, 1,000 B", || protect(Profile::Aes128CmHmacSha1_80)),
    Named("srtp protect GCM, 1,000 B", || protect(Profile::AeadAes128Gcm)),
    Named("srtp unprotect GCM, 1,000 B", unprotect),
    Named("stun answer", stun_answer),
    Named("stun parse and verify", stun_verify),
];

fn main() -> ExitCode {
    let name = env::args().nth(1).unwrap_or_default();
    if name == "--list" {
        for Named(name, _) in KERNELS {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    }
    let Some(Named(_, make)) = KERNELS.iter().find(|Named(known, _)| *known == name) else {
        eprintln!("there is no kernel {name:?}; --list names them");
        return ExitCode::FAILURE;
    };
    let mut kernel = make();
    for _ in 0..WARM_UP {
        (kernel.prepare)();
        (kernel.work)();
    }
    for _ in 0..TIMES {
        (kernel.prepare)();
        measured(&mut *kernel.work);
    }
    println!("{TIMES}");
    ExitCode::SUCCESS
}

/// The counter runs while this is on the stack, and is found by this name.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
}

fn check() -> (Vec<u8>, IntegrityKey) {
    let key = IntegrityKey::new(&stack::provider(), b"VOkJxbRl1RmTxUk/WvJxBt").expect("a key");
    let mut request = Vec::new();
    let id = TransactionId::random(&mut testkit::Seed::new(1).random());
    let mut builder = Builder::request(&mut request, Method::BINDING, id);
    builder.attribute(&Username::new("evtj:h6vY").expect("short")).message_integrity(&key).fingerprint();
    builder.finish().expect("built");
    (request, key)
}

fn stun_verify() -> Kernel {
    let (request, key) = check();
    Kernel::new(move || {
        let message = Message::parse(black_box(&request)).expect("readable");
        message.check_fingerprint().expect("intact");
        message.verify(&key).expect("authentic");
        black_box(message.require::<Username<'_>>().expect("there"));
    })
}

fn stun_answer() -> Kernel {
    let (request, key) = check();
    let address = "192.0.2.1:5000".parse().expect("an address");
    let mut answer = Vec::with_capacity(200);
    Kernel::new(move || {
        let message = Message::parse(black_box(&request)).expect("readable");
        answer.clear();
        let mut builder = Builder::success(&mut answer, &message);
        builder.attribute(&XorMappedAddress::new(address)).message_integrity(&key).fingerprint();
        builder.finish().expect("short");
    })
}

fn rtp(number: u16, packet: &mut Vec<u8>) {
    packet.clear();
    packet.extend_from_slice(&[0x80, 96]);
    packet.extend_from_slice(&number.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 2]);
    packet.resize(1_000, 7);
}

fn protector(profile: Profile) -> Protector {
    let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
    Protector::new(&stack::provider(), profile, &key, &salt, Config::new()).expect("keys fit")
}

fn protect(profile: Profile) -> Kernel {
    let state = (0, Vec::with_capacity(1_500), protector(profile));
    Kernel::with(
        state,
        |(number, packet, _)| {
            *number += 1;
            rtp(*number, packet);
        },
        |(_, packet, protector)| protector.protect_rtp(packet, 0).expect("protected"),
    )
}

fn unprotect() -> Kernel {
    let profile = Profile::AeadAes128Gcm;
    let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
    let unprotector =
        Unprotector::new(&stack::provider(), profile, &key, &salt, Config::new()).expect("keys fit");
    let state = (0, Vec::with_capacity(1_500), protector(profile), unprotector);
    Kernel::with(
        state,
        |(number, packet, protector, _)| {
            *number += 1;
            rtp(*number, packet);
            protector.protect_rtp(packet, 0).expect("protected");
        },
        |(_, packet, _, unprotector)| {
            unprotector.unprotect_rtp(packet).expect("authentic");
        },
    )
}

fn rtp_parse() -> Kernel {
    let mut packet = Vec::new();
    rtp(1, &mut packet);
    Kernel::new(move || {
        let view = HeaderView::parse(black_box(&packet)).expect("readable");
        black_box((view.header(), view.payload()));
    })
}

fn rtcp_parse() -> Kernel {
    let mut datagram = Vec::new();
    let ntp = rtp::ntp::NtpTime::from_unix(Duration::from_secs(1_800_000_000));
    let info = SenderInfo::new(Ssrc(7), ntp, Timestamp(90_000)).with_counts(1_000, 1_000_000);
    SenderReport::write(&mut datagram, &info, &[ReportBlock::new(Ssrc(8)), ReportBlock::new(Ssrc(9))]);
    SourceDescription::write(&mut datagram, &[Ssrc(7)], "0123456789abcdef");
    Nack::write(&mut datagram, Ssrc(7), Ssrc(8), (0..20).map(|step| SequenceNumber(step * 5)), 16);
    Kernel::new(move || {
        let mut sum = 0_u32;
        for packet in Compound::new(black_box(&datagram)) {
            let packet = packet.expect("readable");
            if let RtcpPacket::SenderReport(report) = packet {
                sum += report.blocks.map(|block| block.jitter).sum::<u32>();
            } else if let RtcpPacket::Nack(nack) = packet {
                sum += nack.lost().map(|lost| u32::from(lost.0)).sum::<u32>();
            }
        }
        black_box(sum);
    })
}

fn sdp_parse() -> Kernel {
    let offer = include_str!("../../crates/sdp/tests/vectors/chromium-offer-candidates.sdp");
    Kernel::new(move || {
        black_box(sdp::Description::parse(black_box(offer)).expect("readable"));
    })
}

fn dtls_record() -> Kernel {
    let now = testkit::start();
    let mut pair = stack::dtls_pair(now);
    let mut out = Vec::with_capacity(1_500);
    Kernel::new(move || stack::seal_and_open(now, &mut pair, 1_150, &mut out))
}

/// Two associations, and a packet between them.
struct Associations {
    now: std::time::Instant,
    a: sctp::Association,
    b: sctp::Association,
    message: Bytes,
    packet: Vec<u8>,
    other: Vec<u8>,
}

impl Associations {
    fn new() -> Self {
        let now = testkit::start();
        let config = Arc::new(sctp::Config::new(&stack::provider()).expect("HMAC is there"));
        let end = |name: &str| {
            sctp::Association::new(Arc::clone(&config), now, testkit::Seed::new(4).boxed_random(name))
        };
        let (a, b) = (end("a"), end("b"));
        let message = Bytes::from(vec![7; 1_100]);
        let mut pair =
            Self { now, a, b, message, packet: Vec::with_capacity(2_000), other: Vec::with_capacity(2_000) };
        pair.a.connect(now);
        while !(pair.a.is_connected() && pair.b.is_connected()) {
            pair.carry();
        }
        pair
    }

    /// Everything from either to the other.
    fn carry(&mut self) {
        let Self { now, a, b, other, .. } = self;
        other.clear();
        while a.poll_transmit(*now, other).is_some() {
            b.handle_packet(*now, other);
            other.clear();
        }
        while b.poll_transmit(*now, other).is_some() {
            a.handle_packet(*now, other);
            other.clear();
        }
        while b.recv().is_some() {}
        while a.poll_event().is_some() || b.poll_event().is_some() {}
        *now += Duration::from_millis(1);
    }

    fn queue(&mut self) {
        let message = sctp::Message { ppid: sctp::Ppid(53), payload: self.message.clone() };
        self.a.send(self.now, sctp::StreamId(1), message, sctp::SendOptions::new()).expect("room");
    }

    fn write(&mut self) {
        self.packet.clear();
        self.a.poll_transmit(self.now, &mut self.packet).expect("a packet");
    }
}

/// The message into the queue, and the packet out of it.
fn sctp_out() -> Kernel {
    Kernel::with(
        Associations::new(),
        |pair| {
            let packet = std::mem::take(&mut pair.packet);
            pair.b.handle_packet(pair.now, &packet);
            pair.packet = packet;
            pair.now += Duration::from_millis(250);
            pair.b.handle_timeout(pair.now);
            pair.carry();
        },
        |pair| {
            pair.queue();
            pair.write();
        },
    )
}

/// The packet in, and the message out of the queue.
fn sctp_in() -> Kernel {
    Kernel::with(
        Associations::new(),
        |pair| {
            pair.now += Duration::from_millis(250);
            pair.b.handle_timeout(pair.now);
            pair.carry();
            pair.queue();
            pair.write();
        },
        |pair| {
            pair.b.handle_packet(pair.now, &pair.packet);
            assert!(pair.b.recv().is_some(), "it came");
        },
    )
}

fn drain(stack: &mut stack::Stack) {
    stack.step();
    while stack.b.recv_data(stack.now, stack.other).is_some() {}
    while stack.a.poll_event().is_some() || stack.b.poll_event().is_some() {}
}

/// A message of 16 KiB through the session, sealed into datagrams.
fn session_data_out() -> Kernel {
    let message = Bytes::from(vec![7; 16_384]);
    let state = (stack::Stack::new(testkit::start()), Vec::with_capacity(1 << 16), Vec::new());
    Kernel::with(
        state,
        |(stack, _, sent): &mut (stack::Stack, Vec<u8>, Vec<Datagram>)| {
            for datagram in sent.drain(..) {
                stack.b.handle_datagram(stack.now, datagram);
            }
            drain(stack);
            drain(stack);
        },
        move |(stack, out, sent)| {
            stack.a.send_data(stack.now, stack.channel, Payload::binary(message.clone())).expect("room");
            while let Some(transmit) = stack.a.poll_transmit(stack.now, NonZeroUsize::MIN, out) {
                sent.push(stack::datagram(stack.now, transmit, out));
                out.clear();
            }
        },
    )
}

/// A packet given to a session, and its datagram.
fn session_forward() -> Kernel {
    let payload = Bytes::from(vec![0x10; 1_000]);
    let state = (stack::Stack::new(testkit::start()), Vec::with_capacity(1 << 16), 0_u32);
    Kernel::with(
        state,
        |(stack, _, time)| {
            *time += 3_000;
            stack.step();
            while stack.a.poll_event().is_some() || stack.b.poll_event().is_some() {}
        },
        move |(stack, out, time)| {
            let packet = PacketToSend::new(payload.clone(), Timestamp(*time));
            stack.a.send_packet(stack.now, stack.video, packet.with_marker()).expect("connected");
            // Now and then a check of the path goes first.
            let is_packet = |length: usize| length > 1_000;
            while !is_packet(
                stack.a.poll_transmit(stack.now, NonZeroUsize::MIN, out).expect("that packet").len,
            ) {}
            out.clear();
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The short form of counting: every kernel does its work, and none has the name of another.
    #[test]
    fn every_kernel_runs() {
        let names: BTreeSet<&str> = KERNELS.iter().map(|Named(name, _)| *name).collect();
        assert!(names.len() >= 10 && names.len() == KERNELS.len(), "{names:?}");
        for Named(_, make) in KERNELS {
            let mut kernel = make();
            for _ in 0..WARM_UP + TIMES {
                (kernel.prepare)();
                (kernel.work)();
            }
        }
    }
}
