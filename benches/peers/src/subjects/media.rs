//! SRTP, RTP, RTCP, and forwarding.

use crate::{
    inputs,
    kernel::{self, Timed},
    limits,
    machine::thread_time,
    measure::{Effort, Group, Probe, Row, Who},
    memory::Forwarder,
    ours, rustrtc_rs, str0m_rs, webrtc_rs,
};
use crypto::AeadId;
use srtp::Profile;
use std::time::Duration;

const SIZES: &[usize] = &[100, 300, 1_200];
const OURS: [Who; 2] = [Who::Ours, Who::OursAwsLc];
const PRIVATE: &str = "private to the crate";
const NO_PROFILE: &str = "it does not have this profile";

pub fn srtp(_: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    let mut groups: Vec<Box<dyn FnOnce() -> Group>> = Vec::new();
    for profile in Profile::ALL {
        for bytes in SIZES {
            groups.push(Box::new(move || protect(profile, *bytes)));
            groups.push(Box::new(move || unprotect(profile, *bytes)));
        }
    }
    groups
}

/// The registered name of a profile without what all of them begin with.
fn short(profile: Profile) -> &'static str {
    profile.name().trim_start_matches("SRTP_")
}

/// The cryptography of a profile alone.
fn limit(profile: Profile, bytes: usize) -> Timed {
    match profile {
        Profile::AeadAes128Gcm => limits::seal(AeadId::Aes128Gcm, bytes),
        Profile::AeadAes256Gcm => limits::seal(AeadId::Aes256Gcm, bytes),
        _ => limits::counter_and_mac(bytes),
    }
}

fn protect(profile: Profile, bytes: usize) -> Group {
    let mut probes: Vec<Probe> = OURS
        .into_iter()
        .map(|who| kernel::nanoseconds(who, move || ours::protect(&ours::provider(who), profile, bytes)))
        .collect();
    probes.push(match webrtc_rs::profile(profile) {
        Some(theirs) => kernel::nanoseconds(Who::Webrtc, move || webrtc_rs::protect(theirs, bytes)),
        None => Probe::without(Who::Webrtc, NO_PROFILE),
    });
    probes.push(Probe::without(Who::Str0m, PRIVATE));
    probes.push(match rustrtc_rs::profile(profile) {
        Some(theirs) => {
            kernel::nanoseconds(Who::Rustrtc, move || rustrtc_rs::protect(profile, theirs, bytes))
        }
        None => Probe::without(Who::Rustrtc, NO_PROFILE),
    });
    probes.push(kernel::nanoseconds(Who::Limit, move || limit(profile, bytes)));
    let row = Row::lower(format!("SRTP protect {}, {bytes} B", short(profile)), "ns");
    Group { rows: vec![row], probes, repetitions: None }
}

fn unprotect(profile: Profile, bytes: usize) -> Group {
    let mut probes: Vec<Probe> = OURS
        .into_iter()
        .map(|who| kernel::nanoseconds(who, move || ours::unprotect(&ours::provider(who), profile, bytes)))
        .collect();
    probes.push(match webrtc_rs::profile(profile) {
        Some(theirs) => {
            kernel::nanoseconds(Who::Webrtc, move || webrtc_rs::unprotect(profile, theirs, bytes))
        }
        None => Probe::without(Who::Webrtc, NO_PROFILE),
    });
    probes.push(Probe::without(Who::Str0m, PRIVATE));
    probes.push(match rustrtc_rs::profile(profile) {
        Some(theirs) => {
            kernel::nanoseconds(Who::Rustrtc, move || rustrtc_rs::unprotect(profile, theirs, bytes))
        }
        None => Probe::without(Who::Rustrtc, NO_PROFILE),
    });
    probes.push(kernel::nanoseconds(Who::Limit, move || limit(profile, bytes)));
    let row = Row::lower(format!("SRTP unprotect {}, {bytes} B", short(profile)), "ns");
    Group { rows: vec![row], probes, repetitions: None }
}

fn parsers(
    name: &'static str,
    ours: impl FnOnce() -> Timed + 'static,
    webrtc: impl FnOnce() -> Timed + 'static,
    rustrtc: impl FnOnce() -> Timed + 'static,
) -> Box<dyn FnOnce() -> Group> {
    Box::new(move || Group {
        rows: vec![Row::lower(name, "ns")],
        probes: vec![
            kernel::nanoseconds(Who::Ours, ours),
            kernel::nanoseconds(Who::Webrtc, webrtc),
            Probe::without(Who::Str0m, PRIVATE),
            kernel::nanoseconds(Who::Rustrtc, rustrtc),
        ],
        repetitions: None,
    })
}

pub fn rtp(_: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    let mut groups = vec![
        parsers("RTP parse, two extensions", ours::rtp_parse, webrtc_rs::rtp_parse, rustrtc_rs::rtp_parse),
        parsers("RTP build, two extensions", ours::rtp_build, webrtc_rs::rtp_build, rustrtc_rs::rtp_build),
    ];
    for (name, datagram) in [
        ("RTCP parse, SR and SDES", inputs::report as fn() -> Vec<u8>),
        ("RTCP parse, NACK of 20", inputs::nack),
        ("RTCP parse, transport feedback of 40", inputs::feedback),
        ("RTCP parse, transport feedback of 40, some late", inputs::late_feedback),
    ] {
        groups.push(parsers(
            name,
            move || ours::rtcp_parse(datagram()),
            move || webrtc_rs::rtcp_parse(datagram()),
            move || rustrtc_rs::rtcp_parse(datagram()),
        ));
    }
    groups.push(parsers(
        "RTCP build, SR and SDES",
        ours::report_build,
        || webrtc_rs::rtcp_build(inputs::report()),
        || rustrtc_rs::rtcp_build(inputs::report()),
    ));
    groups.push(parsers(
        "RTCP build, NACK of 20",
        ours::nack_build,
        || webrtc_rs::rtcp_build(inputs::nack()),
        || rustrtc_rs::rtcp_build(inputs::nack()),
    ));
    groups.push(Box::new(|| Group {
        rows: vec![Row::lower("RTCP build, transport feedback of 40", "ns")],
        probes: vec![
            kernel::nanoseconds(Who::Ours, ours::feedback_build),
            Probe::without(
                Who::Webrtc,
                "packing arrivals is private to its interceptor; only the result can be written",
            ),
            Probe::without(Who::Str0m, PRIVATE),
            Probe::without(Who::Rustrtc, "packing arrivals is private; only the result can be written"),
        ],
        repetitions: None,
    }));
    groups
}

/// Packets of the publisher before those that count.
const WARM_UP: usize = 1_000;

/// Nanoseconds for each packet forwarded.
fn forwarding<F: Forwarder + 'static>(who: Who, make: impl FnOnce() -> F + 'static) -> Probe {
    let mut make = Some(make);
    let mut forwarder = None;
    Probe::new(who, move |effort: &Effort| {
        if let Some(make) = make.take() {
            let mut made = make();
            // Until queues and histories have the size that they keep.
            for _ in 0..WARM_UP {
                made.publish();
                made.forward();
            }
            forwarder = Some(made);
        }
        let forwarder = forwarder.as_mut().ok_or("not made")?;
        let (mut spent, mut forwarded, mut published) = (Duration::ZERO, 0, 0);
        while spent < effort.kernel * 4 {
            forwarder.publish();
            published += 1;
            let begin = thread_time();
            forwarded += forwarder.forward();
            spent += thread_time().saturating_sub(begin);
        }
        if forwarded < published * crate::memory::SUBSCRIBERS * 9 / 10 {
            return Err(format!("{forwarded} packets came of {published}"));
        }
        Ok(vec![Some(spent.as_nanos() as f64 / forwarded as f64)])
    })
}

pub fn forward(_: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    vec![Box::new(|| Group {
        rows: vec![Row::lower("forward 1,200 B to 100 subscribers, each", "ns")],
        probes: vec![
            forwarding(Who::Ours, || ours::session::Sfu::new(ours::provider(Who::Ours))),
            forwarding(Who::OursAwsLc, || ours::session::Sfu::new(ours::provider(Who::OursAwsLc))),
            Probe::without(Who::Webrtc, "not measured: its API forwards through tasks and sockets"),
            forwarding(Who::Str0m, str0m_rs::session::Sfu::new),
            Probe::without(Who::Rustrtc, "its connections cannot be driven without sockets"),
            kernel::nanoseconds(Who::Limit, || limits::seal(AeadId::Aes128Gcm, 1_200)),
        ],
        repetitions: None,
    })]
}
