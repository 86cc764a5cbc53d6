//! `cargo xtask tidy`: the rules that a machine can check. `docs/style.md` has the reasons.

mod citations;
mod crates;
mod files;
mod forbidden;
mod fuzz;
mod imports;
mod size;
mod wire;

use crate::{Failure, rfc::Texts, tree::Tree};
use std::fmt;

/// A rule that is broken somewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Offence {
    path: String,
    /// From 1; 0 is the file as a whole.
    line: usize,
    what: String,
}

impl Offence {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

type Rule = fn(&Tree) -> Vec<Offence>;

const RULES: &[Rule] = &[
    crates::check,
    files::check_names,
    files::check_text,
    forbidden::check_code,
    forbidden::check_manifests,
    fuzz::check,
    imports::check,
    size::check,
    wire::check,
];

pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    let tree = Tree::load()?;
    let mut offences: Vec<Offence> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    let texts = Texts::find();
    println!("tidy: {}", texts.describe());
    let citations = citations::check(&tree, &texts);
    println!("tidy: {} citations in {} files", citations.count, tree.rust().count());
    offences.extend(citations.offences);
    offences.sort();
    offences.dedup();
    if offences.is_empty() {
        return Ok(());
    }
    let mut text: String = offences.iter().map(|offence| format!("{offence}\n")).collect();
    text.push_str(&format!("tidy: {} offences", offences.len()));
    Err(text)
}

#[cfg(test)]
mod fixture {
    use super::{Offence, Rule};
    use crate::tree::Tree;

    /// What a rule says about a made-up tree.
    pub(super) fn offences(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
        rule(&Tree::of(files)).iter().map(Offence::to_string).collect()
    }

    /// That a rule finds exactly one offence, with these words in it.
    #[track_caller]
    pub(super) fn offends(rule: Rule, files: &[(&str, &str)], words: &str) {
        let found = offences(rule, files);
        assert!(found.len() == 1 && found[0].contains(words), "wanted one with {words:?}: {found:#?}");
    }

    #[track_caller]
    pub(super) fn is_fine(rule: Rule, files: &[(&str, &str)]) {
        assert_eq!(offences(rule, files), Vec::<String>::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offences_name_their_place() {
        assert_eq!(Offence::new("a.rs", 3, "bad").to_string(), "a.rs:3: bad");
        assert_eq!(Offence::new("a.rs", 0, "bad").to_string(), "a.rs: bad");
    }
}
