//! `cargo xtask coverage-of-rules`: every known fault of stacks like this one has a test here, or a written exception.

mod exceptions;
mod names;
mod scan;
mod table;

use crate::{Failure, tree::Tree};
use exceptions::{Exception, Extent};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};
use table::AREAS;

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let is_short = match arguments {
        [] => false,
        [option] if option == "--short" => true,
        _ => return Err("usage: cargo xtask coverage-of-rules [--short]".to_owned()),
    };
    let coverage = Coverage::of(&Tree::load()?)?;
    print!("{}", coverage.show(is_short));
    if coverage.complaints.is_empty() { Ok(()) } else { Err(coverage.complaints.join("\n")) }
}

/// Files that speak of rules without proving them.
const OURSELVES: &str = "xtask/";

/// Which rules have what.
#[derive(Debug, Default)]
struct Coverage {
    /// By rule: names of tests, with the file of each.
    tests: BTreeMap<String, BTreeSet<(String, String)>>,
    exceptions: BTreeMap<String, Exception>,
    complaints: Vec<String>,
}

/// How a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Exception,
    Missing,
    /// Tested but for a part.
    Part,
    Tested,
}

impl Coverage {
    fn of(tree: &Tree) -> Result<Self, Failure> {
        let mut coverage = Self::default();
        for (path, source) in tree.rust().filter(|(path, _)| !path.starts_with(OURSELVES)) {
            for test in scan::tests(source) {
                for rule in test.rules {
                    if !is_known(&rule) {
                        let complaint =
                            format!("{path}:{}: `{}` names {rule}, which is no rule", test.line, test.name);
                        coverage.complaints.push(complaint);
                    }
                    coverage.tests.entry(rule).or_default().insert((test.name.clone(), path.to_owned()));
                }
            }
        }
        for exception in exceptions::parse(tree.text(exceptions::DOCUMENT).unwrap_or_default())? {
            let replaced = coverage.exceptions.insert(exception.id.clone(), exception);
            coverage.complaints.extend(
                replaced
                    .map(|exception| format!("{}: {} is there twice", exceptions::DOCUMENT, exception.id)),
            );
        }
        coverage.check_exceptions();
        coverage.check_rules();
        coverage.complaints.extend(names::check(tree));
        Ok(coverage)
    }

    /// An exception that is needed no more, or speaks of nothing, misleads.
    fn check_exceptions(&mut self) {
        for exception in self.exceptions.values() {
            let has_tests = self.tests.contains_key(&exception.id);
            let what = match exception.extent {
                _ if !is_known(&exception.id) => "is no rule",
                Extent::Part if !has_tests => "has no test at all: write `whole`",
                Extent::Whole if has_tests => "has tests: take it out, or write `part`",
                Extent::Part | Extent::Whole => continue,
            };
            self.complaints.push(format!("{}: {} {what}", exceptions::DOCUMENT, exception.id));
        }
    }

    fn check_rules(&mut self) {
        let missing = rules().filter(|rule| self.state(rule.id) == State::Missing);
        let complaints: Vec<String> = missing
            .map(|rule| format!("{}: neither a test nor an exception: {}", rule.id, rule.title))
            .collect();
        self.complaints.extend(complaints);
    }

    fn state(&self, id: &str) -> State {
        match (self.tests.contains_key(id), self.exceptions.contains_key(id)) {
            (true, true) => State::Part,
            (true, false) => State::Tested,
            (false, true) => State::Exception,
            (false, false) => State::Missing,
        }
    }

    fn show(&self, is_short: bool) -> String {
        let mut text = String::new();
        for area in AREAS {
            text.push_str(&format!("{}\n", area.name));
            for rule in area.rules {
                let (id, state) = (rule.id, self.state(rule.id).to_string());
                text.push_str(&format!("  {id:<8} {state:<9} {}\n", rule.title));
                if is_short {
                    continue;
                }
                for (name, path) in self.tests.get(id).into_iter().flatten() {
                    text.push_str(&format!("    {name} ({path})\n"));
                }
                if let Some(exception) = self.exceptions.get(id) {
                    text.push_str(&format!("    without: {}\n", exception.reason));
                }
            }
        }
        let count = |state| rules().filter(|rule| self.state(rule.id) == state).count();
        let names: BTreeSet<_> = self.tests.values().flatten().collect();
        text.push_str(&format!(
            "{} rules: {} with tests, {} of them but for a part, {} exceptions, {} missing; {} tests\n",
            rules().count(),
            count(State::Tested) + count(State::Part),
            count(State::Part),
            count(State::Exception),
            count(State::Missing),
            names.len(),
        ));
        text
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Exception => "exception",
            Self::Missing => "MISSING",
            Self::Part => "part",
            Self::Tested => "tested",
        })
    }
}

fn rules() -> impl Iterator<Item = &'static table::Rule> {
    AREAS.iter().flat_map(|area| area.rules)
}

fn is_known(id: &str) -> bool {
    rules().any(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = exceptions::DOCUMENT;

    fn coverage(tests: &str, exceptions: &str) -> Coverage {
        let document = format!("## Exceptions\n\n{exceptions}");
        Coverage::of(&Tree::of(&[("crates/a/src/b.rs", tests), (DOCUMENT, &document)])).unwrap()
    }

    fn complains(coverage: &Coverage, words: &str) -> bool {
        coverage.complaints.iter().any(|complaint| complaint.contains(words))
    }

    #[test]
    fn a_rule_is_tested_excepted_or_missing() {
        let coverage = coverage(
            "#[test]\nfn t_d05_x() {\n#[test]\nfn users_57_y() {\n",
            "| T-I12 | whole | not built |\n| users 57 | part | z |\n",
        );
        assert_eq!(coverage.state("T-D05"), State::Tested);
        assert_eq!(coverage.state("users 57"), State::Part);
        assert_eq!(coverage.state("T-I12"), State::Exception);
        assert_eq!(coverage.state("T-D06"), State::Missing);
        assert!(complains(&coverage, "T-D06: neither"));
        assert!(!complains(&coverage, "T-D05") && !complains(&coverage, "T-I12"));
        let text = coverage.show(false);
        assert!(text.contains("    t_d05_x (crates/a/src/b.rs)"), "{text}");
        assert!(text.contains("with tests, 1 of them but for a part, 1 exceptions"), "{text}");
    }

    #[test]
    fn names_and_exceptions_that_lead_nowhere_are_found() {
        assert!(complains(&coverage("#[test]\nfn t_d99_x() {\n", ""), "T-D99, which is no rule"));
        assert!(complains(&coverage("", "| T-X01 | whole | y |\n"), "T-X01 is no rule"));
        assert!(complains(&coverage("", "| T-D05 | part | y |\n"), "T-D05 has no test"));
        let both = coverage("#[test]\nfn t_d05_x() {\n", "| T-D05 | whole | y |\n");
        assert!(complains(&both, "T-D05 has tests"));
        assert!(complains(&coverage("", "| T-D05 | whole | y |\n| T-D05 | whole | z |\n"), "twice"));
    }

    #[test]
    fn identifiers_are_there_once_and_in_order() {
        let ids: Vec<&str> = rules().map(|rule| rule.id).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(unique.len(), ids.len());
        let users: Vec<String> = (1..=79).map(|number| format!("users {number}")).collect();
        assert!(ids.iter().filter(|id| id.starts_with("users")).eq(&users));
        for rule in rules() {
            assert!(rule.title.len() <= 100 && !rule.title.ends_with('.'), "{}", rule.id);
        }
    }

    #[test]
    fn tests_of_this_program_prove_nothing() {
        let tree = Tree::of(&[("xtask/src/rules.rs", "#[test]\nfn t_d05_x() {\n"), (DOCUMENT, "")]);
        assert_eq!(Coverage::of(&tree).unwrap().state("T-D05"), State::Missing);
    }
}
