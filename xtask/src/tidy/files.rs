//! Which files there are, and what no text may hold.

use super::Offence;
use crate::tree::Tree;
use std::collections::BTreeSet;

/// What may lie in the root, and whether it must.
const TOP_LEVEL: &[(&str, Presence)] = &[
    (".cargo", Presence::Required),
    (".ci", Presence::Required),
    (".editorconfig", Presence::Required),
    (".gitattributes", Presence::Required),
    (".gitignore", Presence::Required),
    ("CONTRIBUTING.md", Presence::Allowed),
    ("Cargo.lock", Presence::Required),
    ("Cargo.toml", Presence::Required),
    ("LICENSE-APACHE", Presence::Required),
    ("LICENSE-MIT", Presence::Required),
    ("README.md", Presence::Required),
    ("SECURITY.md", Presence::Allowed),
    ("benches", Presence::Required),
    ("clippy.toml", Presence::Required),
    ("crates", Presence::Required),
    ("deny.toml", Presence::Required),
    ("docs", Presence::Required),
    ("interop", Presence::Required),
    ("rustfmt.toml", Presence::Required),
    ("xtask", Presence::Required),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Allowed,
    Required,
}

/// Marks of work that is not finished. Spelled in halves, or this file would offend itself.
const UNFINISHED: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!"), concat!("unimple", "mented!")];

/// Parts of absolute paths of some machine.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// Hosts that package managers download from; a lock file with one of them works on one network only.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("files.", "pythonhosted.org"),
    concat!("pypi", ".org"),
    concat!("proxy.", "golang.org"),
    concat!("deb.", "debian.org"),
    concat!("security.", "debian.org"),
    concat!("\"resol", "ved\":"),
];

/// Endings of files whose white space counts.
const PLAIN: &[&str] =
    &[".css", ".html", ".js", ".json", ".md", ".mjs", ".py", ".rs", ".sh", ".toml", ".yml"];

pub(super) fn check_names(tree: &Tree) -> Vec<Offence> {
    let mut offences = Vec::new();
    let present: BTreeSet<&str> =
        tree.paths().map(|path| path.split_once('/').map_or(path, |(top, _)| top)).collect();
    for top in &present {
        if !TOP_LEVEL.iter().any(|(name, _)| name == top) {
            offences.push(Offence::new(top, 0, "does not belong in the root"));
        }
    }
    for (name, presence) in TOP_LEVEL {
        if *presence == Presence::Required && !present.contains(name) {
            offences.push(Offence::new(name, 0, "is missing"));
        }
    }
    for path in tree.paths().filter(|path| path.rsplit('/').next() == Some("mod.rs")) {
        offences.push(Offence::new(path, 0, "modules are `name.rs` beside `name/`"));
    }
    offences
}

pub(super) fn check_text(tree: &Tree) -> Vec<Offence> {
    tree.texts().flat_map(|(path, text)| check_one_text(path, text)).collect()
}

fn check_one_text(path: &str, text: &str) -> Vec<Offence> {
    let mut offences = Vec::new();
    let is_plain = PLAIN.iter().any(|ending| path.ends_with(ending));
    for (number, line) in text.lines().enumerate() {
        let mut offend = |what: String| offences.push(Offence::new(path, number + 1, what));
        for mark in UNFINISHED.iter().filter(|mark| contains_word(line, mark)) {
            offend(format!("`{mark}`: finish it, or return a typed error and document the limit"));
        }
        for found in MACHINE_PATHS.iter().filter(|found| contains_path(line, found)) {
            offend(format!("`{found}` is a path of one machine"));
        }
        for host in REGISTRY_HOSTS.iter().filter(|host| line.contains(**host)) {
            offend(format!("`{host}` ties the file to one package registry"));
        }
        if is_plain && line.ends_with([' ', '\t']) {
            offend("white space at the end of the line".to_owned());
        }
    }
    if is_plain && !text.is_empty() && !text.ends_with('\n') {
        offences.push(Offence::new(path, 0, "does not end with a line break"));
    }
    if is_plain && text.contains('\r') {
        offences.push(Offence::new(path, 0, "has carriage returns"));
    }
    offences
}

/// A mark counts when no letter stands right before or after it.
fn contains_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        let is_letter =
            |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        !is_letter(before) && (!is_letter(after) || word.ends_with('!'))
    })
}

/// A path counts when nothing that could be part of a longer path stands before it.
fn contains_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|letter| letter.is_alphanumeric() || "-_.*~/}>".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::*, *};

    fn whole() -> Vec<(&'static str, &'static str)> {
        TOP_LEVEL.iter().map(|(name, _)| (*name, "")).collect()
    }

    #[test]
    fn the_root_holds_what_it_should() {
        is_fine(check_names, &whole());
        let mut more = whole();
        more.push(("notes.txt", ""));
        offends(check_names, &more, "notes.txt: does not belong");
        let less: Vec<_> = whole().into_iter().filter(|(name, _)| *name != "deny.toml").collect();
        offends(check_names, &less, "deny.toml: is missing");
        let without_optional: Vec<_> =
            whole().into_iter().filter(|(name, _)| *name != "SECURITY.md").collect();
        is_fine(check_names, &without_optional);
    }

    #[test]
    fn no_mod_rs() {
        let mut files = whole();
        files.push(("crates/a/tests/common/mod.rs", ""));
        offends(check_names, &files, "name.rs");
    }

    #[test]
    fn no_unfinished_work() {
        for mark in UNFINISHED {
            offends(check_text, &[("a.rs", &format!("// {mark} later\n"))], "finish it");
        }
        is_fine(check_text, &[("a.rs", &format!("let {}S = {}NE;\n", UNFINISHED[0], UNFINISHED[0]))]);
    }

    #[test]
    fn no_paths_of_one_machine() {
        for path in MACHINE_PATHS {
            offends(check_text, &[("a.md", &format!("see {path}x\n"))], "one machine");
        }
        is_fine(
            check_text,
            &[("a.md", &format!("see docs{}x and *{}\n", MACHINE_PATHS[0], MACHINE_PATHS[2]))],
        );
    }

    #[test]
    fn no_registry_hosts() {
        for host in REGISTRY_HOSTS {
            offends(check_text, &[("package-lock.json", &format!("x {host} y\n"))], "registry");
        }
        is_fine(
            check_text,
            &[("Cargo.lock", "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n")],
        );
    }

    #[test]
    fn white_space_is_in_order() {
        offends(check_text, &[("a.rs", "x \n")], "end of the line");
        offends(check_text, &[("a.rs", "x")], "line break");
        offends(check_text, &[("a.rs", "x\r\n")], "carriage");
        is_fine(check_text, &[("a.sdp", "x \r\n"), ("b.rs", "x\n"), ("c.rs", "")]);
    }
}
