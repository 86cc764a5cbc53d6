//! What is measured. A subject makes groups, a group has rows and those who are measured.

mod connection;
mod data_channel;
mod kernels;
mod latency;
mod limits;
mod media;

use crate::measure::{Effort, Group};

pub struct Subject {
    pub name: &'static str,
    pub about: &'static str,
    pub groups: fn(&Effort) -> Vec<Box<dyn FnOnce() -> Group>>,
}

pub const ALL: &[Subject] = &[
    Subject {
        name: "channel",
        about: "a data channel over loopback UDP, two processes: throughput, processor time, round trips",
        groups: data_channel::groups,
    },
    Subject {
        name: "latency",
        about: "a data channel over a line with a round trip, loss and a rate, two processes, beside the kernel's TCP",
        groups: latency::groups,
    },
    Subject {
        name: "stack",
        about: "messages through SCTP alone, and through the whole stack without sockets",
        groups: kernels::stack,
    },
    Subject { name: "srtp", about: "protecting and unprotecting RTP", groups: media::srtp },
    Subject { name: "dtls", about: "handshakes and records, both ends on one core", groups: kernels::dtls },
    Subject { name: "stun", about: "connectivity checks: parse, verify, answer", groups: kernels::stun },
    Subject { name: "sdp", about: "parsing the offer of a browser", groups: kernels::sdp },
    Subject { name: "rtp", about: "parsing and building RTP and RTCP", groups: media::rtp },
    Subject { name: "forward", about: "one publisher, 100 subscribers, no sockets", groups: media::forward },
    Subject { name: "setup", about: "from the offer to an open channel", groups: connection::set_up },
    Subject {
        name: "idle",
        about: "memory and processor time of idle connections",
        groups: connection::idle,
    },
    Subject { name: "limits", about: "what the machine does without a protocol", groups: limits::groups },
];
