//! Tests and setters that documents name: they must exist.

use super::scan;
use crate::tree::Tree;
use std::collections::BTreeSet;

/// Sections whose words in back quotes are checked: those with an underscore are tests, those with `::` setters.
const SECTIONS: &[(&str, &str)] = &[("docs/limits.md", "# Limits"), ("README.md", "## What is promised")];

/// What is named and is not there.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let ours = |(path, _): &(&str, &str)| !path.starts_with(super::OURSELVES);
    let tests: BTreeSet<String> =
        tree.rust().filter(ours).flat_map(|(_, source)| scan::names(source)).collect();
    let mut complaints = Vec::new();
    for (path, section) in SECTIONS {
        let Some(text) = tree.text(path) else { continue };
        for word in quoted(text, section) {
            let exists = match word.rsplit_once("::") {
                Some((_, setter)) => {
                    let head = format!("fn {setter}(");
                    tree.rust().any(|(path, source)| path.starts_with("crates/") && source.contains(&head))
                }
                None => tests.contains(word),
            };
            if !exists {
                complaints.push(format!("{path}: `{word}` is not there"));
            }
        }
    }
    complaints
}

/// Words in back quotes of a section that name something of the code; paths and text do not.
fn quoted<'a>(text: &'a str, section: &str) -> Vec<&'a str> {
    let lines = text.lines().skip_while(|line| *line != section).skip(1);
    let lines = lines.take_while(|line| !line.starts_with("## "));
    let is_name = |word: &&str| {
        let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:".contains(&byte));
        is_plain && (word.contains('_') || word.contains("::"))
    };
    lines.flat_map(|line| line.split('`').skip(1).step_by(2)).filter(is_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_tests_and_setters_must_exist() {
        let document = "# Limits\n\n| a | `Config::with_x` | `t_d05_x`, `Config::with_y` |\n`docs/a_b.md` `gone_test`\n\
                        ## Smaller ones\n`not_looked_at`\n";
        let source = "#[test]\nfn t_d05_x() {\n}\npub fn with_x(self) {}\nfn gone_test() {}\n";
        let tree = Tree::of(&[("docs/limits.md", document), ("crates/a/src/b.rs", source)]);
        assert_eq!(
            check(&tree),
            ["docs/limits.md: `Config::with_y` is not there", "docs/limits.md: `gone_test` is not there"]
        );
    }
}
