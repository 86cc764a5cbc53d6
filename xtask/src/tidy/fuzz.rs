//! Fuzz targets are complete, and what they need beyond other tests is nowhere else.

use super::Offence;
use crate::{
    code::{without_comments_and_strings, words},
    fuzz::target_names,
    tree::{Tree, crate_of},
};

/// The table of cryptography that protects nothing.
const NULL_CRYPTO: &str = "null_crypto";
/// A build for fuzzing is the same as every other.
const CONDITION: &str = "fuzzing";
/// Bytes that a kept input may have: it is a seed, not a recording.
const MOST_BYTES: usize = 16 * 1_024;

pub(super) fn check(tree: &Tree) -> Vec<Offence> {
    let mut offences = check_doors(tree);
    for name in tree.crates() {
        let folder = format!("crates/{name}");
        let manifest_path = format!("{folder}/fuzz/Cargo.toml");
        let Some(manifest) = tree.text(&manifest_path) else { continue };
        if !tree.paths().any(|path| path == format!("{folder}/fuzz/Cargo.lock")) {
            offences.push(Offence::new(&manifest_path, 0, "has no Cargo.lock beside it"));
        }
        for target in target_names(manifest) {
            offences.extend(check_target(tree, &folder, &target));
        }
    }
    offences
}

/// Nothing in the sources knows that it is fuzzed, and only tests and targets name the null cryptography.
fn check_doors(tree: &Tree) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (path, source) in tree.rust() {
        let inside = crate_of(path);
        let is_testing = inside.is_some_and(|(name, inside)| {
            name == "testkit" || inside.starts_with("tests/") || inside.starts_with("fuzz/")
        });
        if is_testing {
            continue;
        }
        let is_source = inside.is_some_and(|(_, inside)| inside.starts_with("src/"));
        for (number, line) in without_comments_and_strings(source).lines().enumerate() {
            let mentions = |name: &str| words(line).any(|(_, word)| word == name);
            if mentions(NULL_CRYPTO) {
                let what = format!("`{NULL_CRYPTO}` is for fuzz targets and their tests alone");
                offences.push(Offence::new(path, number + 1, what));
            }
            if is_source && mentions(CONDITION) {
                let what = format!("`{CONDITION}`: what is fuzzed is what everybody builds");
                offences.push(Offence::new(path, number + 1, what));
            }
        }
    }
    offences
}

fn check_target(tree: &Tree, folder: &str, target: &str) -> Vec<Offence> {
    let mut offences = Vec::new();
    let program = format!("{folder}/fuzz/fuzz_targets/{target}.rs");
    let harness = format!("{folder}/fuzz/harness/{target}.rs");
    for path in [&program, &harness] {
        if tree.text(path).is_none() {
            offences.push(Offence::new(path, 0, "is missing"));
        }
    }
    let test = format!("{folder}/tests/fuzz_corpus.rs");
    if !tree.text(&test).is_some_and(|text| text.contains(&format!("mod {target};"))) {
        offences.push(Offence::new(&test, 0, format!("does not replay `{target}`")));
    }
    let kept = ["corpus", "found"].map(|kept| format!("{folder}/fuzz/{kept}/{target}/"));
    if !tree.paths().any(|path| path.starts_with(&kept[0])) {
        offences.push(Offence::new(&kept[0], 0, "holds no seed"));
    }
    for path in tree.paths().filter(|path| kept.iter().any(|kept| path.starts_with(kept.as_str()))) {
        if tree.len(path).is_some_and(|len| len > MOST_BYTES) {
            offences.push(Offence::new(path, 0, format!("has more than {MOST_BYTES} bytes")));
        }
    }
    let docs = "docs/fuzzing.md";
    if !tree.text(docs).is_some_and(|text| text.contains(&format!("| `{target}` |"))) {
        offences.push(Offence::new(docs, 0, format!("has no row for `{target}`")));
    }
    offences
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::*, *};

    const GOOD: [(&str, &str); 8] = [
        ("crates/a/Cargo.toml", ""),
        ("crates/a/fuzz/Cargo.toml", "[[bin]]\nname = \"x\"\n"),
        ("crates/a/fuzz/Cargo.lock", ""),
        ("crates/a/fuzz/fuzz_targets/x.rs", ""),
        ("crates/a/fuzz/harness/x.rs", "use testkit::fuzz::null_crypto;\n"),
        ("crates/a/fuzz/corpus/x/1", "seed"),
        ("crates/a/tests/fuzz_corpus.rs", "mod x;\n"),
        ("docs/fuzzing.md", "| `x` | 1 |\n"),
    ];

    #[test]
    fn a_whole_target_is_fine_and_each_part_is_missed() {
        is_fine(check, &GOOD);
        for missing in GOOD.iter().map(|(path, _)| *path).filter(|path| !path.ends_with("Cargo.toml")) {
            let files: Vec<_> = GOOD.into_iter().filter(|(path, _)| *path != missing).collect();
            assert_eq!(offences(check, &files).len(), 1, "{missing}");
        }
        let large = "x".repeat(MOST_BYTES + 1);
        let mut files = GOOD.to_vec();
        files.push(("crates/a/fuzz/found/x/2", &large));
        offends(check, &files, "more than");
    }

    #[test]
    fn no_source_knows_that_it_is_fuzzed() {
        let with = |path, text| {
            let mut files = GOOD.to_vec();
            files.push((path, text));
            offences(check, &files)
        };
        assert_eq!(with("crates/a/src/b.rs", "#[cfg(fuzzing)]\nfn door() {}\n").len(), 1);
        assert_eq!(with("crates/a/src/b.rs", "use testkit::fuzz::null_crypto;\n").len(), 1);
        assert_eq!(with("interop/src/b.rs", "testkit::fuzz::null_crypto();\n").len(), 1);
        assert!(with("crates/testkit/src/b.rs", "pub const fn null_crypto() {}\n").is_empty());
        assert!(with("crates/a/src/b.rs", "// fuzzing, null_crypto\n").is_empty());
    }
}
