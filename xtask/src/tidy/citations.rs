//! Quotes from RFCs: their form always, their words where the texts are at hand.
//!
//! ```text
//! //= rfc8445 §7.3.1.5
//! //# The sentence, verbatim; it may go on
//! //# over several lines.
//! ```

use super::Offence;
use crate::{
    rfc::{self, Texts},
    tree::Tree,
};
use std::collections::BTreeMap;

/// What the citations of a tree amount to.
pub(super) struct Outcome {
    pub(super) count: usize,
    pub(super) offences: Vec<Offence>,
}

struct Citation {
    line: usize,
    document: String,
    section: String,
    quote: String,
}

pub(super) fn check(tree: &Tree, texts: &Texts) -> Outcome {
    let mut outcome = Outcome { count: 0, offences: Vec::new() };
    let mut documents: BTreeMap<String, Option<Document>> = BTreeMap::new();
    for (path, source) in tree.rust() {
        let (citations, offences) = citations(path, source);
        outcome.offences.extend(offences);
        outcome.count += citations.len();
        for citation in citations {
            let document = documents
                .entry(citation.document.clone())
                .or_insert_with(|| texts.get(&citation.document).map(|text| Document::new(&text)));
            let complaint = document.as_ref().and_then(|document| document.compare(&citation));
            outcome.offences.extend(complaint.map(|what| Offence::new(path, citation.line, what)));
        }
    }
    outcome
}

fn citations(path: &str, source: &str) -> (Vec<Citation>, Vec<Offence>) {
    let mut citations: Vec<Citation> = Vec::new();
    let mut offences = Vec::new();
    let mut is_open = false;
    for (number, line) in source.lines().enumerate() {
        let mut offend = |what: &str| offences.push(Offence::new(path, number + 1, what));
        let line = line.trim_start();
        if let Some(head) = line.strip_prefix("//= ") {
            if is_open && citations.last().is_some_and(|last| last.quote.is_empty()) {
                if !head.starts_with("type=") {
                    offend("a citation needs a quote: lines that start with `//# `");
                }
            } else if head.starts_with("type=") {
                offend("`type=` follows the line that names the RFC");
            }
            if head.starts_with("type=") {
                continue;
            }
            is_open = match rfc::parse_head(head) {
                Some((document, section)) => {
                    citations.push(Citation { line: number + 1, document, section, quote: String::new() });
                    true
                }
                None => {
                    offend("write `//= rfcNNNN §x.y`");
                    false
                }
            };
        } else if let Some(words) = line.strip_prefix("//# ") {
            match citations.last_mut().filter(|_| is_open) {
                Some(citation) => citation.quote.push_str(&format!("{words} ")),
                None => offend("a quote needs `//= rfcNNNN §x.y` above it"),
            }
        } else if line.starts_with("//=") || line.starts_with("//#") {
            offend("a blank follows `//=` and `//#`");
        } else {
            if is_open && citations.last().is_some_and(|last| last.quote.is_empty()) {
                offend("a citation needs a quote: lines that start with `//# `");
            }
            is_open = false;
        }
    }
    (citations, offences)
}

/// An RFC without page breaks, cut at its headings.
struct Document {
    /// Section number and words without any white space, in order. A number may occur twice: once in the table of
    /// contents.
    sections: Vec<(String, String)>,
}

impl Document {
    fn new(text: &str) -> Self {
        let mut sections = vec![(String::new(), String::new())];
        for line in text.lines().filter(|line| !rfc::is_page_break(line)) {
            if let Some(number) = rfc::heading(line) {
                sections.push((number, String::new()));
            }
            if let Some((_, words)) = sections.last_mut() {
                words.extend(line.chars().filter(|letter| !letter.is_whitespace()));
            }
        }
        Self { sections }
    }

    /// What is wrong with a quote. Sections below the cited one count as part of it.
    fn compare(&self, citation: &Citation) -> Option<String> {
        let quote: String = citation.quote.chars().filter(|letter| !letter.is_whitespace()).collect();
        let below = format!("{}.", citation.section);
        let whole: String = self.sections.iter().map(|(_, words)| words.as_str()).collect();
        let cited: String = self
            .sections
            .iter()
            .filter(|(number, _)| *number == citation.section || number.starts_with(&below))
            .map(|(_, words)| words.as_str())
            .collect();
        if cited.contains(&quote) {
            None
        } else if whole.contains(&quote) {
            Some(format!("the quote is in {}, but not in §{}", citation.document, citation.section))
        } else {
            Some(format!("the quote is not in {} word for word", citation.document))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &str = "\
1. Introduction ................ 3

1.  Introduction

   An agent MUST send a well-
   known answer.

Author                  Standards Track                     [Page 3]
\u{c}
RFC 9999                     Something Long Enough              July 2018

   It SHOULD then wait for the next page.

1.1.  Details

   Nothing is optional.

Appendix A.  More

   Appendices count.
";

    fn offences_of(source: &str) -> Vec<String> {
        let texts = Texts::of(&[("rfc9999", RFC)]);
        check(&Tree::of(&[("a.rs", source)]), &texts).offences.iter().map(Offence::to_string).collect()
    }

    #[track_caller]
    fn offends(source: &str, words: &str) {
        let found = offences_of(source);
        assert!(found.len() == 1 && found[0].contains(words), "wanted {words:?}: {found:?}");
    }

    #[test]
    fn quotes_are_compared_over_line_and_page_breaks() {
        let good = "//= rfc9999 §1\n//# An agent MUST send a well-known\n//# answer.\nfn f() {}\n";
        assert_eq!(offences_of(good), Vec::<String>::new());
        for (section, words) in [
            ("1", "It SHOULD then wait"),
            ("1", "Nothing is optional."),
            ("1.1", "Nothing is"),
            ("A", "Appendices count."),
        ] {
            let source = format!("    //= rfc9999 §{section}\n    //# {words}\n");
            assert_eq!(offences_of(&source), Vec::<String>::new());
        }
        offends("//= rfc9999 §1\n//# An agent SHOULD send a well-known answer.\n", "word for word");
        offends("//= rfc9999 §1.1\n//# An agent MUST send\n", "not in §1.1");
    }

    #[test]
    fn texts_that_are_not_at_hand_are_not_compared() {
        assert_eq!(offences_of("//= rfc8445 §7.3.1.5\n//# Anything.\n"), Vec::<String>::new());
        let none = Texts::of(&[]);
        assert!(none.describe().contains("were not compared"));
    }

    #[test]
    fn the_form_is_checked() {
        offends("//= RFC 9999 section 1\n", "write `//= rfcNNNN");
        offends("//= rfc9999 §1.x\n", "write `//= rfcNNNN");
        offends("//= rfc9999 §1\nfn f() {}\n", "needs a quote");
        offends("//= rfc9999 §1\n//= rfc9999 §1.1\n//# Nothing is\n", "needs a quote");
        offends("fn f() {}\n//# An agent\n", "needs `//= rfcNNNN");
        offends("//=rfc9999 §1\n", "a blank follows");
        offends("//= type=test\n", "follows the line");
        assert_eq!(offences_of("//= rfc9999 §1.1\n//= type=test\n//# Nothing is\n"), Vec::<String>::new());
        assert_eq!(offences_of("// = 5\n//===\n").len(), 1);
    }
}
