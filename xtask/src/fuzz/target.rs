//! Which fuzz targets there are.

use crate::Failure;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A fuzz target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) name: String,
    /// The first sentence of its harness.
    pub(super) about: String,
    /// `crates/*/fuzz`.
    pub(super) folder: PathBuf,
    /// The folder's name below `crates`.
    crate_name: String,
}

impl Target {
    pub(super) fn package(&self) -> String {
        format!("peerlane-{}", self.crate_name)
    }

    /// A folder of inputs, relative to the root.
    pub(super) fn relative(&self, kept: &str) -> String {
        format!("crates/{}/fuzz/{kept}/{}", self.crate_name, self.name)
    }

    /// The folders of inputs that are in the repository.
    pub(super) fn kept(&self) -> Vec<PathBuf> {
        let folders = ["corpus", "found"].map(|kept| self.folder.join(kept).join(&self.name));
        folders.into_iter().filter(|folder| folder.is_dir()).collect()
    }
}

/// All targets, by name.
pub(super) fn all(root: &Path) -> Result<Vec<Target>, Failure> {
    let crates = root.join("crates");
    let entries = fs::read_dir(&crates).map_err(|error| format!("{}: {error}", crates.display()))?;
    let mut targets = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let folder = entry.path().join("fuzz");
        let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else { continue };
        for name in names(&manifest) {
            let harness =
                fs::read_to_string(folder.join("harness").join(format!("{name}.rs"))).unwrap_or_default();
            targets.push(Target {
                about: first_sentence(&harness),
                name,
                folder: folder.clone(),
                crate_name: entry.file_name().to_string_lossy().into_owned(),
            });
        }
    }
    targets.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(targets)
}

/// The programs of a manifest.
pub(crate) fn names(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_program = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_program = line == "[[bin]]";
        }
        let name = line.strip_prefix("name = \"").and_then(|rest| rest.strip_suffix('"'));
        names.extend(name.filter(|_| is_program).map(str::to_owned));
    }
    names
}

fn first_sentence(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let text: Vec<&str> = lines.map(str::trim).take_while(|line| !line.is_empty()).collect();
    text.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_a_manifest() {
        let manifest = "[package]\nname = \"x-fuzz\"\n\n[[bin]]\nname = \"a\"\npath = \"a.rs\"\n\n[[bin]]\nname = \"b\"\n";
        assert_eq!(names(manifest), ["a", "b"]);
        assert_eq!(first_sentence("//! One\n//! two.\n//!\n//! Three.\nfn x() {}\n"), "One two.");
    }
}
