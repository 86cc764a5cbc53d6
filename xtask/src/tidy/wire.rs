//! Modules that compute with numbers from the network: no index and no sum may be able to panic.

use super::Offence;
use crate::tree::Tree;

/// Modules, each with everything below it, that read what comes from the network, or compute with its lengths.
const MODULES: &[&str] = &[
    "crates/base/src/put.rs",
    "crates/base/src/reader.rs",
    "crates/base/src/replay.rs",
    "crates/base/src/serial.rs",
    "crates/datachannel/src/dcep.rs",
    "crates/dtls/src/alert.rs",
    "crates/dtls/src/certificate/parse.rs",
    "crates/dtls/src/extension.rs",
    "crates/dtls/src/handshake.rs",
    "crates/dtls/src/message.rs",
    "crates/dtls/src/record.rs",
    "crates/ice/src/candidate/parse.rs",
    "crates/ice/src/mdns/message.rs",
    "crates/media/src/payload.rs",
    "crates/media/src/recv/nack.rs",
    "crates/media/src/recv/sequence.rs",
    "crates/peerconnection/src/demux.rs",
    "crates/rtp/src/extension.rs",
    "crates/rtp/src/packet.rs",
    "crates/rtp/src/rtcp.rs",
    "crates/rtp/src/rtx.rs",
    "crates/sctp/src/cause.rs",
    "crates/sctp/src/chunk.rs",
    "crates/sctp/src/cookie.rs",
    "crates/sctp/src/packet.rs",
    "crates/sctp/src/rx.rs",
    "crates/sctp/src/tlv.rs",
    "crates/sdp/src/attribute.rs",
    "crates/sdp/src/description.rs",
    "crates/sdp/src/grammar.rs",
    "crates/sdp/src/line.rs",
    "crates/sdp/src/media.rs",
    "crates/srtp/src/header.rs",
    "crates/srtp/src/index.rs",
    "crates/srtp/src/replay.rs",
    "crates/srtp/src/suite.rs",
    "crates/srtp/src/unprotect.rs",
    "crates/stun/src/attr.rs",
    "crates/stun/src/attrs.rs",
    "crates/stun/src/header.rs",
    "crates/stun/src/integrity.rs",
    "crates/stun/src/message.rs",
    "crates/turn/src/attr.rs",
    "crates/turn/src/channel.rs",
];

/// At the head of each of them. Unit tests may index.
const ARITHMETIC: &str =
    "#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]";

/// Crates without a single index.
const CRATES: &[&str] = &[
    "base",
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
];

/// At the head of their `lib.rs`.
const INDEXING: &str = "#![cfg_attr(not(test), deny(clippy::indexing_slicing))]";

/// What would lift them again.
const LINTS: &[&str] = &["clippy::arithmetic_side_effects", "clippy::indexing_slicing"];

/// What catches a sum that nobody thought of.
const PROFILE: (&str, &str) = ("[profile.release]", "overflow-checks = true");

pub(super) fn check(tree: &Tree) -> Vec<Offence> {
    let mut offences = Vec::new();
    let libraries: Vec<String> = CRATES.iter().map(|name| format!("crates/{name}/src/lib.rs")).collect();
    let modules = MODULES.iter().map(|path| (*path, ARITHMETIC));
    let libraries = libraries.iter().map(|path| (path.as_str(), INDEXING));
    for (path, attribute) in modules.chain(libraries) {
        let has_it = tree.text(path).is_some_and(|text| text.lines().any(|line| line == attribute));
        if !has_it {
            offences.push(Offence::new(path, 0, format!("reads from the network: it needs `{attribute}`")));
        }
    }
    for (path, source) in tree.rust() {
        if let Some(module) = MODULES.iter().find(|module| is_within(path, module)) {
            offences.extend(lifted(path, source, module));
        }
    }
    let (section, line) = PROFILE;
    let manifest = tree.text("Cargo.toml").unwrap_or_default();
    let mut profile = manifest.lines().skip_while(|text| *text != section).skip(1);
    if !profile.by_ref().take_while(|text| !text.starts_with('[')).any(|text| text == line) {
        offences.push(Offence::new("Cargo.toml", 0, format!("{section} needs `{line}`")));
    }
    offences
}

/// Whether a file is a module or lies below it.
fn is_within(path: &str, module: &str) -> bool {
    let folder = module.strip_suffix(".rs").unwrap_or(module);
    path == module || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn lifted(path: &str, source: &str, module: &str) -> Vec<Offence> {
    // Tests come last in a file, and know their lengths.
    let lines = source.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]");
    let lifting = lines.filter(|(_, line)| {
        let lifts = line.contains("allow(") || line.contains("expect(clippy");
        lifts && LINTS.iter().any(|lint| line.contains(lint))
    });
    let what = format!("{module} reads from the network: these lints stay");
    lifting.map(|(number, _)| Offence::new(path, number + 1, what.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::*, *};

    fn good() -> Vec<(String, String)> {
        let modules = MODULES.iter().map(|path| ((*path).to_owned(), format!("//! X.\n\n{ARITHMETIC}\n")));
        let libraries =
            CRATES.iter().map(|name| (format!("crates/{name}/src/lib.rs"), format!("{INDEXING}\n")));
        let manifest = ("Cargo.toml".to_owned(), format!("{}\n{}\n", PROFILE.0, PROFILE.1));
        modules.chain(libraries).chain([manifest]).collect()
    }

    fn of(files: &[(String, String)]) -> Vec<(&str, &str)> {
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
    }

    #[test]
    fn every_wire_module_denies_panics() {
        is_fine(check, &of(&good()));
        for index in 0..good().len() {
            let mut files = good();
            files[index].1 = "//! X.\n".to_owned();
            assert_eq!(offences(check, &of(&files)).len(), 1, "{}", files[index].0);
        }
    }

    #[test]
    fn nothing_below_lifts_the_lints() {
        let mut files = good();
        let path = "crates/rtp/src/rtcp/twcc.rs".to_owned();
        files.push((path, "#[expect(clippy::indexing_slicing, reason = \"x\")]\n".to_owned()));
        offends(check, &of(&files), "twcc.rs:1: crates/rtp/src/rtcp.rs reads");
        let mut files = good();
        let path = "crates/rtp/src/rtcp_other.rs".to_owned();
        files.push((path, "#[expect(clippy::indexing_slicing, reason = \"x\")]\n".to_owned()));
        is_fine(check, &of(&files));
    }

    #[test]
    fn the_profile_is_that_of_releases() {
        let mut files = good();
        files.last_mut().expect("the manifest").1 = format!("{}\n[profile.dev]\n{}\n", PROFILE.0, PROFILE.1);
        offends(check, &of(&files), "overflow-checks");
    }
}
