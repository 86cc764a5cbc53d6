//! What the machine does without a protocol, for the shares in the other rows.

use crate::{
    kernel::{self, Timed},
    limits,
    measure::{Effort, Group, Probe, Row, Who},
};
use crypto::AeadId;
use std::time::Duration;

fn loops(name: &'static str, make: impl FnOnce() -> Timed + 'static) -> Box<dyn FnOnce() -> Group> {
    Box::new(move || Group {
        rows: vec![Row::lower(name, "ns")],
        probes: vec![kernel::nanoseconds(Who::Limit, make)],
        repetitions: None,
    })
}

pub fn groups(_: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    let mut groups = vec![
        loops("AES-128-GCM seal, 100 B", || limits::seal(AeadId::Aes128Gcm, 100)),
        loops("AES-128-GCM seal, 1,200 B", || limits::seal(AeadId::Aes128Gcm, 1_200)),
        loops("AES-128-GCM open, 1,200 B", || limits::open(AeadId::Aes128Gcm, 1_200)),
        loops("AES-128-CTR and HMAC-SHA1, 1,200 B", || limits::counter_and_mac(1_200)),
        loops("CRC32c, 1,200 B", || limits::crc32c(1_200)),
        loops("UDP send and receive, 1,200 B", limits::udp),
        loops("UDP in batches of 16 (GSO, GRO), each", || limits::udp_batched(16)),
        loops("UDP in batches of 50 (GSO, GRO), each", || limits::udp_batched(50)),
    ];
    for (name, batch) in [
        ("pipe, one datagram a call", 1),
        ("pipe, 16 datagrams a call", 16),
        ("pipe, 50 datagrams a call", 50),
    ] {
        groups.push(Box::new(move || Group {
            rows: vec![Row::higher(name, "Mbit/s")],
            probes: [(Who::Limit, Who::Ours), (Who::LimitAwsLc, Who::OursAwsLc)]
                .into_iter()
                .map(|(limit, ours)| {
                    Probe::new(limit, move |effort| {
                        Ok(vec![Some(limits::pipe(ours, batch, effort.window.min(Duration::from_secs(1))))])
                    })
                })
                .collect(),
            repetitions: None,
        }));
    }
    groups
}
