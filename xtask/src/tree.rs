//! The files of the repository, read once.

use crate::{Failure, shell};
use std::{collections::BTreeMap, fs, io, path::Path};

/// Paths relative to the root, with their text. Binary files have none.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, File>,
}

#[derive(Debug)]
struct File {
    len: usize,
    text: Option<String>,
}

impl Tree {
    /// Everything that git tracks or would track; without git, everything but what builds leave behind.
    pub(crate) fn load() -> Result<Self, Failure> {
        let root = shell::root();
        let listed = shell::output("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let paths: Vec<String> = match listed {
            Ok(listed) => listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect(),
            Err(_) => {
                let mut paths = Vec::new();
                walk(&root, "", &mut paths).map_err(|error| format!("{}: {error}", root.display()))?;
                paths
            }
        };
        let mut files = BTreeMap::new();
        for path in paths {
            // A file that is deleted but still in the index is gone for us.
            if let Ok(bytes) = fs::read(root.join(&path)) {
                files.insert(path, File { len: bytes.len(), text: String::from_utf8(bytes).ok() });
            }
        }
        if files.is_empty() {
            return Err(format!("{}: no files", root.display()));
        }
        Ok(Self { files })
    }

    /// A made-up tree.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let owned = |(path, text): &(&str, &str)| {
            ((*path).to_owned(), File { len: text.len(), text: Some((*text).to_owned()) })
        };
        Self { files: files.iter().map(owned).collect() }
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.text.as_deref()
    }

    /// The size of a file, text or not, in bytes.
    pub(crate) fn len(&self, path: &str) -> Option<usize> {
        self.files.get(path).map(|file| file.len)
    }

    /// All files that are text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, file)| Some((path.as_str(), file.text.as_deref()?)))
    }

    /// All Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// The folders below `crates/`, by name.
    pub(crate) fn crates(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .paths()
            .filter_map(|path| path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml"))
            .filter(|name| !name.contains('/'))
            .collect();
        names.sort_unstable();
        names
    }
}

/// Lists the files below a folder, with paths relative to the root.
fn walk(root: &Path, folder: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if !entry.file_type()?.is_dir() {
            paths.push(path);
        } else if !is_left_behind(&name) {
            walk(root, &path, paths)?;
        }
    }
    Ok(())
}

/// Folders that are ours to delete.
fn is_left_behind(name: &str) -> bool {
    matches!(name, ".git" | ".venv" | "__pycache__" | "node_modules" | "target")
        || name.starts_with("target-")
}

/// The crate below `crates/` that a path belongs to, and the path inside it.
pub(crate) fn crate_of(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("crates/")?.split_once('/')
}

/// Whether a file holds tests only.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_found_with_and_without_git() {
        let tree = Tree::load().unwrap();
        assert!(tree.text("xtask/src/tree.rs").is_some_and(|text| text.contains("fn walk")));
        assert!(tree.crates().contains(&"stun"));
        let mut walked = Vec::new();
        walk(&shell::root(), "xtask", &mut walked).unwrap();
        assert!(walked.contains(&"xtask/src/tidy/size.rs".to_owned()), "{walked:?}");
        assert!(is_left_behind("target") && !is_left_behind("src"));
    }

    #[test]
    fn paths_know_their_crate() {
        assert_eq!(crate_of("crates/ice/src/agent.rs"), Some(("ice", "src/agent.rs")));
        assert_eq!(crate_of("xtask/src/main.rs"), None);
        assert!(is_test_file("crates/ice/src/agent/tests.rs") && is_test_file("crates/ice/tests/a.rs"));
        assert!(!is_test_file("crates/ice/src/tests_of.rs"));
    }
}
