//! The dependency graph as data. `docs/architecture.md` explains it.

/// A row of the table.
pub(crate) struct Crate {
    /// The folder below `crates/`, which is also the name in code.
    pub(crate) name: &'static str,
    /// Crates of ours that it may depend on.
    pub(crate) knows: &'static [&'static str],
    /// More of them that its tests may use, beside the test kit.
    pub(crate) tests_know: &'static [&'static str],
    /// Paths of other crates that may occur in its public signatures. A major version of one of them is a major
    /// version of this crate.
    pub(crate) public: &'static [&'static str],
}

impl Crate {
    pub(crate) fn package(&self) -> String {
        if self.name == "peerlane" { self.name.to_owned() } else { format!("peerlane-{}", self.name) }
    }
}

/// Packages that are not in the table and never published.
pub(crate) const UNPUBLISHED: &[&str] =
    &["peerlane-benches", "peerlane-interop", "peerlane-relay", "peerlane-testkit", "xtask"];

pub(crate) const CRATES: &[Crate] = &[
    Crate { name: "base", knows: &[], tests_know: &[], public: &[] },
    Crate { name: "crypto", knows: &[], tests_know: &[], public: &[] },
    Crate { name: "stun", knows: &["base", "crypto"], tests_know: &[], public: &["crypto"] },
    Crate { name: "turn", knows: &["base", "crypto", "stun"], tests_know: &[], public: &["crypto", "stun"] },
    Crate {
        name: "ice",
        knows: &["base", "crypto", "stun", "turn"],
        tests_know: &[],
        public: &["crypto", "stun::net", "stun::uri", "turn::TurnUri"],
    },
    Crate { name: "dtls", knows: &["base", "crypto"], tests_know: &[], public: &["crypto"] },
    Crate { name: "srtp", knows: &["base", "crypto"], tests_know: &[], public: &["crypto"] },
    Crate { name: "sctp", knows: &["base", "crypto"], tests_know: &[], public: &["bytes", "crypto"] },
    Crate {
        name: "datachannel",
        knows: &["crypto", "sctp"],
        tests_know: &[],
        // Congestion control is a trait for others to implement: the same one for both.
        public: &["bytes", "crypto", "sctp"],
    },
    Crate { name: "rtp", knows: &["base"], tests_know: &[], public: &["bytes"] },
    Crate {
        name: "media",
        knows: &["base", "crypto", "rtp"],
        tests_know: &[],
        public: &["bytes", "crypto::Random", "rtp"],
    },
    Crate { name: "sdp", knows: &[], tests_know: &[], public: &[] },
    Crate {
        name: "peerconnection",
        knows: &[
            "base",
            "crypto",
            "datachannel",
            "dtls",
            "ice",
            "media",
            "rtp",
            "sctp",
            "sdp",
            "srtp",
            "stun",
            "turn",
        ],
        tests_know: &[],
        public: &[
            "bytes",
            "crypto",
            "datachannel",
            "dtls",
            "ice",
            "media",
            "rtp",
            "srtp::Profile",
            "stun::net",
            "turn::server::IpNet",
        ],
    },
    Crate {
        name: "peerlane",
        knows: &[
            "crypto",
            "datachannel",
            "dtls",
            "ice",
            "media",
            "peerconnection",
            "rtp",
            "sctp",
            "sdp",
            "srtp",
            "stun",
            "turn",
        ],
        tests_know: &[],
        public: &[
            "crypto",
            "datachannel",
            "dtls",
            "ice",
            "media",
            "peerconnection",
            "rtp",
            "sctp",
            "sdp",
            "srtp",
            "stun",
            "turn",
        ],
    },
];
