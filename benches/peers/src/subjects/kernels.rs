//! Loops in memory that are not media.

use crate::{
    associations, kernel, limits,
    measure::{Effort, Group, Probe, Row, Who},
    ours, rustrtc_rs, str0m_rs, webrtc_rs,
};
use crypto::AeadId;

pub fn stack(_: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    let mut groups: Vec<Box<dyn FnOnce() -> Group>> = Vec::new();
    for (bytes, label) in [(100, "100 B"), (1 << 10, "1 KiB"), (16 << 10, "16 KiB"), (64 << 10, "64 KiB")] {
        groups.push(Box::new(move || Group {
            rows: vec![
                Row::higher(format!("SCTP alone, {label}"), "GB/s"),
                Row::lower(format!("SCTP alone, {label}, both ends"), "cycles/B"),
            ],
            probes: vec![
                kernel::gigabytes(Who::Ours, bytes, move || associations::ours::messages(bytes)),
                kernel::gigabytes(Who::SctpProto, bytes, move || {
                    associations::sctp_proto_rs::messages(bytes)
                }),
                kernel::gigabytes(Who::Dcsctp, bytes, move || associations::dcsctp_rs::messages(bytes)),
            ],
            repetitions: None,
        }));
    }
    for (bytes, label) in [(1 << 10, "1 KiB"), (64 << 10, "64 KiB")] {
        groups.push(Box::new(move || Group {
            rows: vec![Row::higher(format!("whole stack in memory, {label}"), "Mbit/s")],
            probes: vec![
                kernel::megabits(Who::Ours, bytes, move || ours::session::messages(Who::Ours, bytes)),
                kernel::megabits(Who::OursAwsLc, bytes, move || {
                    ours::session::messages(Who::OursAwsLc, bytes)
                }),
            ],
            repetitions: None,
        }));
    }
    groups
}

const NO_DTLS: &str = "its DTLS cannot be called without its ICE transport and tokio";

pub fn dtls(_: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    vec![
        Box::new(|| {
            let probes = vec![
                kernel::per_second(Who::Ours, || ours::handshake(ours::provider(Who::Ours))),
                kernel::per_second(Who::OursAwsLc, || ours::handshake(ours::provider(Who::OursAwsLc))),
                kernel::per_second(Who::Webrtc, webrtc_rs::handshake),
                kernel::per_second(Who::Str0m, str0m_rs::handshake),
                Probe::without(Who::Rustrtc, NO_DTLS),
            ];
            Group {
                rows: vec![Row::higher("DTLS 1.2 handshake, both ends", "1/s")],
                probes,
                repetitions: None,
            }
        }),
        Box::new(|| {
            let row = Row::lower("DTLS record 1,150 B, seal and open", "ns");
            let probes = vec![
                kernel::nanoseconds(Who::Ours, || ours::record(ours::provider(Who::Ours), 1_150)),
                kernel::nanoseconds(Who::OursAwsLc, || ours::record(ours::provider(Who::OursAwsLc), 1_150)),
                kernel::nanoseconds(Who::Webrtc, || webrtc_rs::record(1_150)),
                kernel::nanoseconds(Who::Str0m, || str0m_rs::record(1_150)),
                Probe::without(Who::Rustrtc, NO_DTLS),
                kernel::nanoseconds(Who::Limit, || {
                    let mut seal = limits::seal(AeadId::Aes128Gcm, 1_150);
                    let mut open = limits::open(AeadId::Aes128Gcm, 1_150);
                    Box::new(move |times| seal(times) + open(times))
                }),
            ];
            Group { rows: vec![row], probes, repetitions: None }
        }),
    ]
}

pub fn stun(_: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    vec![Box::new(|| Group {
        rows: vec![Row::lower("STUN check: parse, verify, answer", "ns")],
        probes: vec![
            kernel::nanoseconds(Who::Ours, || ours::check(&ours::provider(Who::Ours))),
            kernel::nanoseconds(Who::OursAwsLc, || ours::check(&ours::provider(Who::OursAwsLc))),
            kernel::nanoseconds(Who::Webrtc, webrtc_rs::check),
            kernel::nanoseconds(Who::Str0m, str0m_rs::check),
            Probe::without(Who::Rustrtc, "its parser does not verify the integrity of a check"),
            kernel::nanoseconds(Who::Limit, || limits::two_macs(80)),
        ],
        repetitions: None,
    })]
}

pub fn sdp(_: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    vec![Box::new(|| Group {
        rows: vec![Row::lower("SDP parse, offer of a browser", "ns")],
        probes: vec![
            kernel::nanoseconds(Who::Ours, ours::sdp_parse),
            kernel::nanoseconds(Who::Webrtc, webrtc_rs::sdp_parse),
            kernel::nanoseconds(Who::Str0m, str0m_rs::sdp_parse),
            kernel::nanoseconds(Who::Rustrtc, rustrtc_rs::sdp_parse),
        ],
        repetitions: None,
    })]
}
