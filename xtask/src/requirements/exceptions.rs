//! Requirements that are not for us, or that we do not meet, with the reason.

use super::sentences::{Sentence, squeeze};
use crate::rfc;

/// Where the exceptions are written.
pub(super) const DOCUMENT: &str = "docs/requirements/exceptions.md";

/// How the reason begins when the requirement is met otherwise.
const PART: &str = "In part: ";

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exception {
    /// From 1.
    pub(super) line: usize,
    pub(super) document: String,
    section: String,
    /// How the sentence begins, without blanks; empty for all of the section and below it that nothing is said of.
    words: String,
    pub(super) reason: String,
}

impl Exception {
    pub(super) fn covers(&self, sentence: &Sentence) -> bool {
        if self.is_for_the_rest() {
            let below = sentence.section.strip_prefix(&self.section);
            return below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        }
        self.section == sentence.section && squeeze(&sentence.words).starts_with(&self.words)
    }

    /// Whether it names a part that is left out of what is met otherwise.
    pub(super) fn is_partial(&self) -> bool {
        self.reason.starts_with(PART)
    }

    /// Whether it covers what nothing else is said of.
    pub(super) fn is_for_the_rest(&self) -> bool {
        self.words.is_empty()
    }
}

/// The rows `| rfcNNNN §x.y | words | reason |`; `Err` is a row that cannot be read.
pub(super) fn parse(text: &str) -> Result<Vec<Exception>, String> {
    let is_row =
        |line: &str| line.starts_with("| ") && !line.starts_with("| § ") && !line.starts_with("| --");
    let rows = text.lines().enumerate().filter(|(_, line)| is_row(line));
    rows.map(|(index, line)| {
        row(index + 1, line)
            .ok_or_else(|| format!("{DOCUMENT}:{}: write `| rfcNNNN §x.y | words … | reason |`", index + 1))
    })
    .collect()
}

fn row(number: usize, line: &str) -> Option<Exception> {
    let cells = super::cells(line)?;
    let [place, words, reason] = cells.as_slice() else { return None };
    let (document, section) = rfc::parse_head(place)?;
    let words = match words.as_str() {
        "*" => String::new(),
        words => squeeze(words.trim_end_matches(['…', ' '])),
    };
    let is_said = !reason.is_empty() && (words.is_empty() && cells[1] == "*" || words.len() >= 10);
    is_said.then(|| Exception { line: number, document, section, words, reason: reason.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(section: &str, words: &str) -> Sentence {
        Sentence { chapter: String::new(), section: section.to_owned(), words: words.to_owned() }
    }

    #[test]
    fn rows_cover_sentences() {
        let text = "# Words\n\n| § | words | reason |\n| --- | --- | --- |\n\
                    | rfc1234 §1 | It MUST do \\| be … | not for us |\n| rfc1234 §2 | * | neither |\n";
        let rows = parse(text).unwrap();
        assert_eq!((rows.len(), rows[0].line, rows[0].reason.as_str()), (2, 5, "not for us"));
        assert!(rows[0].covers(&sentence("1", "It MUST do | be good.")));
        assert!(!rows[0].covers(&sentence("1.1", "It MUST do | be good.")));
        assert!(!rows[0].covers(&sentence("1", "It MUST do.")));
        assert!(rows[1].covers(&sentence("2", "x")) && rows[1].covers(&sentence("2.1", "x")));
        assert!(!rows[1].covers(&sentence("21", "x")) && !rows[1].covers(&sentence("1", "x")));
    }

    #[test]
    fn rows_that_say_little_are_refused() {
        for row in [
            "| rfc1234 | It MUST do it | x |",
            "| rfc1234 §1 | It MUST do it |  |",
            "| rfc1234 §1 | It MUST do it |",
            "| rfc1234 §1 | It … | x |",
            "| rfc1234 §1 | … | x |",
        ] {
            assert!(parse(row).unwrap_err().contains(":1: write"), "{row}");
        }
    }
}
