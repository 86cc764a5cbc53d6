//! What every crate brings along.

use super::Offence;
use crate::tree::Tree;

const DOC: &str = "#![doc = include_str!(\"../README.md\")]";

/// Published, but nobody is meant to use it alone.
const WITHOUT_EXAMPLES: &[&str] = &["base"];

pub(super) fn check(tree: &Tree) -> Vec<Offence> {
    let mut offences = Vec::new();
    for name in tree.crates() {
        let folder = format!("crates/{name}");
        let manifest_path = format!("{folder}/Cargo.toml");
        let manifest = tree.text(&manifest_path).unwrap_or_default();
        let is_published = !manifest.contains("publish = false");
        offences.extend(check_doc(tree, &folder, is_published));
        if is_published {
            offences.extend(check_changelog(tree, &folder, manifest));
            let has_example = tree.paths().any(|path| {
                path.strip_prefix(&folder)
                    .is_some_and(|path| path.starts_with("/examples/") && path.ends_with(".rs"))
            });
            if !has_example && !WITHOUT_EXAMPLES.contains(&name) {
                offences.push(Offence::new(&folder, 0, "has no examples/"));
            }
        }
    }
    let manifests = tree.texts().filter(|(path, _)| path.ends_with("/Cargo.toml") && is_member(path));
    for (path, manifest) in manifests {
        // A counting allocator takes unsafe code, and so do network namespaces: the benches repeat the lints of the
        // workspace but for that one.
        let has_own_lints = ["benches/Cargo.toml", "benches/relay/Cargo.toml"].contains(&path)
            && manifest.contains("[lints.rust]\nunsafe_code = \"allow\"");
        if !manifest.contains("[lints]\nworkspace = true") && !has_own_lints {
            offences.push(Offence::new(path, 0, "does not take the lints of the workspace"));
        }
    }
    offences
}

fn is_member(path: &str) -> bool {
    ["benches/Cargo.toml", "benches/relay/Cargo.toml", "interop/Cargo.toml", "xtask/Cargo.toml"]
        .contains(&path)
        || (path.starts_with("crates/") && path.matches('/').count() == 2)
}

fn check_doc(tree: &Tree, folder: &str, is_published: bool) -> Vec<Offence> {
    let mut offences = Vec::new();
    let root = format!("{folder}/src/lib.rs");
    match tree.text(&root) {
        None => offences.push(Offence::new(&root, 0, "is missing")),
        Some(source) if !source.starts_with(DOC) => {
            offences.push(Offence::new(&root, 1, format!("the crate doc is the README: {DOC}")));
        }
        Some(_) => {}
    }
    let readme = format!("{folder}/README.md");
    match tree.text(&readme) {
        None => offences.push(Offence::new(&readme, 0, "is missing")),
        Some(text) => {
            if !text.starts_with("# ") {
                offences.push(Offence::new(&readme, 1, "does not start with a title"));
            }
            if is_published && !text.contains("\n```") {
                offences.push(Offence::new(&readme, 0, "shows no example"));
            }
        }
    }
    offences
}

fn check_changelog(tree: &Tree, folder: &str, manifest: &str) -> Option<Offence> {
    let path = format!("{folder}/CHANGELOG.md");
    let Some(text) = tree.text(&path) else {
        return Some(Offence::new(&path, 0, "is missing"));
    };
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))?;
    let heading = format!("## [{version}]");
    let Some((_, entry)) = text.split_once(&heading) else {
        return Some(Offence::new(&path, 0, format!("has no entry `{heading}`")));
    };
    let entry = entry.split("\n## ").next().unwrap_or_default();
    let has_words = entry.lines().any(|line| line.trim_start().starts_with("- "));
    (!has_words).then(|| Offence::new(&path, 0, format!("the entry `{heading}` is empty")))
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::*, *};

    const MANIFEST: &str = "[package]\nname = \"a\"\nversion = \"0.2.0\"\n\n[lints]\nworkspace = true\n";
    const GOOD: [(&str, &str); 5] = [
        ("crates/a/Cargo.toml", MANIFEST),
        ("crates/a/src/lib.rs", DOC),
        ("crates/a/README.md", "# a\n\nText.\n\n```\nlet x = 1;\n```\n"),
        ("crates/a/CHANGELOG.md", "# Changes\n\n## [0.2.0]\n\n- Something.\n\n## [0.1.0]\n\n- First.\n"),
        ("crates/a/examples/x.rs", "fn main() {}\n"),
    ];

    #[track_caller]
    fn with_other(path: &str, text: Option<&str>, words: &str) {
        let files: Vec<_> = GOOD
            .into_iter()
            .filter_map(|(name, good)| if name == path { Some((name, text?)) } else { Some((name, good)) })
            .collect();
        offends(check, &files, words);
    }

    #[test]
    fn a_whole_crate_is_fine() {
        is_fine(check, &GOOD);
    }

    #[test]
    fn each_part_is_missed() {
        with_other("crates/a/src/lib.rs", Some("//! Other words.\n"), "crate doc is the README");
        with_other("crates/a/src/lib.rs", None, "lib.rs: is missing");
        with_other("crates/a/README.md", Some("Text.\n\n```\n```\n"), "title");
        with_other("crates/a/README.md", Some("# a\n"), "no example");
        with_other("crates/a/README.md", None, "README.md: is missing");
        with_other("crates/a/CHANGELOG.md", Some("## [0.1.0]\n\n- First.\n"), "no entry `## [0.2.0]`");
        with_other("crates/a/CHANGELOG.md", Some("## [0.2.0]\n\n## [0.1.0]\n\n- First.\n"), "is empty");
        with_other("crates/a/CHANGELOG.md", None, "CHANGELOG.md: is missing");
        with_other("crates/a/examples/x.rs", None, "no examples");
        with_other("crates/a/Cargo.toml", Some("[package]\nversion = \"0.2.0\"\n"), "lints of the workspace");
    }

    #[test]
    fn an_unpublished_crate_needs_no_changelog() {
        let manifest = format!("{MANIFEST}publish = false\n");
        is_fine(check, &[("crates/a/Cargo.toml", &manifest), GOOD[1], ("crates/a/README.md", "# a\n")]);
    }
}
