//! The sentences of an RFC that oblige: paragraphs put together again, and cut into sentences.

use crate::rfc;
use std::collections::BTreeSet;

/// A sentence with MUST, SHALL or REQUIRED in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    /// The heading of the chapter it stands in, as in the RFC: `3.  SCTP Packet Format`.
    pub(super) chapter: String,
    /// The deepest section it stands in: `3.3.2`.
    pub(super) section: String,
    /// On one line.
    pub(super) words: String,
}

/// Words after which a full stop ends no sentence.
const ABBREVIATIONS: &[&str] = &["e.g.", "i.e.", "etc.", "cf.", "vs.", "sec.", "fig.", "no.", "resp."];

/// The sentences of a text that oblige, each once in its section.
pub(super) fn of(text: &str) -> Vec<Sentence> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for paragraph in paragraphs(text) {
        for words in split(&paragraph.words).into_iter().filter(|words| obliges(words)) {
            // The paragraph that says what the words mean.
            if words.starts_with("The key words")
                || !seen.insert((paragraph.section.clone(), squeeze(&words)))
            {
                continue;
            }
            let (chapter, section) = (paragraph.chapter.clone(), paragraph.section.clone());
            found.push(Sentence { chapter, section, words });
        }
    }
    found
}

/// Whether a sentence obliges, after RFC 2119.
pub(super) fn obliges(words: &str) -> bool {
    words
        .split(|letter: char| !letter.is_alphanumeric())
        .any(|word| matches!(word, "MUST" | "SHALL" | "REQUIRED"))
}

/// Words without blanks, as they are compared.
pub(super) fn squeeze(words: &str) -> String {
    words.chars().filter(|letter| !letter.is_whitespace()).collect()
}

struct Paragraph {
    chapter: String,
    section: String,
    words: String,
}

/// Lines that belong together, being put together.
#[derive(Default)]
struct Open {
    words: String,
    /// How far the lines after the first stand in; `None` after a bullet, until the second line.
    indent: Option<usize>,
    /// Where the first line, with its bullet, begins.
    begin: usize,
    /// How long the last line was.
    last_len: usize,
}

/// The width of an RFC.
const WIDTH: usize = 72;

fn paragraphs(text: &str) -> Vec<Paragraph> {
    let mut done = Vec::new();
    let (mut chapter, mut section) = (String::new(), String::new());
    let mut open = Open::default();
    let (mut after_blank, mut after_page) = (false, false);
    for line in text.lines() {
        if rfc::is_page_break(line) {
            after_page = true;
            continue;
        }
        if line.trim().is_empty() {
            after_blank = true;
            continue;
        }
        let heading = rfc::heading(line);
        let goes_on = heading.is_none()
            && !is_drawing(line)
            && if after_page { open.goes_on_after_page(line) } else { !after_blank && open.goes_on(line) };
        (after_blank, after_page) = (false, false);
        if goes_on {
            open.append(line);
            continue;
        }
        let words = std::mem::take(&mut open).words;
        if !words.is_empty() {
            done.push(Paragraph { chapter: chapter.clone(), section: section.clone(), words });
        }
        if let Some(number) = heading {
            if !number.contains('.') {
                chapter = line.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            section = number;
        } else if !is_drawing(line) {
            open = Open::new(line);
        }
    }
    if !open.words.is_empty() {
        done.push(Paragraph { chapter, section, words: open.words });
    }
    done
}

impl Open {
    fn new(line: &str) -> Self {
        let begin = indent(line);
        let trimmed = line.trim();
        let (words, indent) = match without_bullet(trimmed) {
            Some(words) => (words, None),
            None => (trimmed, Some(begin)),
        };
        Self { words: words.to_owned(), indent, begin, last_len: line.trim_end().len() }
    }

    /// Whether a line right below belongs to this paragraph.
    fn goes_on(&self, line: &str) -> bool {
        // `1.` in the midst of a paragraph ends a sentence.
        let is_number = line.split_whitespace().next().is_some_and(|word| word.ends_with('.'));
        if self.words.is_empty() || !is_number && without_bullet(line.trim()).is_some() {
            return false;
        }
        match self.indent {
            None => indent(line) >= self.begin,
            Some(wanted) if indent(line) == wanted => true,
            // What is explained below its name stands further in; so does the rest of a line that was full.
            Some(wanted) => indent(line) > wanted && self.was_full(line),
        }
    }

    fn was_full(&self, next: &str) -> bool {
        let word = next.split_whitespace().next().unwrap_or_default();
        self.last_len + 1 + word.len() > WIDTH
    }

    /// Whether a line on the next page belongs to this paragraph.
    fn goes_on_after_page(&self, line: &str) -> bool {
        let has_ended = self.words.ends_with(['.', ':', ';', '!', '?', ')', '"']);
        let is_capital = line.trim().starts_with(|letter: char| letter.is_uppercase());
        // A sentence may end where the page does; a capital letter then begins a paragraph.
        self.goes_on(line) && !(has_ended && (is_capital || self.indent.is_none()))
    }

    fn append(&mut self, line: &str) {
        let is_broken_word = self.words.ends_with('-')
            && self.words.chars().rev().nth(1).is_some_and(|letter| letter.is_alphanumeric());
        if !is_broken_word {
            self.words.push(' ');
        }
        self.words.push_str(line.trim());
        self.indent = Some(indent(line));
        self.last_len = line.trim_end().len();
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Lines of figures and tables.
fn is_drawing(line: &str) -> bool {
    let line = line.trim();
    line.starts_with(['|', '+', '\\', '/']) || !line.chars().any(char::is_alphanumeric)
}

/// What follows `*`, `-`, `o`, `1.`, `1)`, `A)`, `A1)`, `(a)`, `a.` at the beginning of a line.
fn without_bullet(line: &str) -> Option<&str> {
    let (bullet, rest) = line.split_once(' ')?;
    let is_short = |inner: &str| {
        (1..=3).contains(&inner.len()) && inner.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let inner = bullet.strip_suffix([')', '.']).map(|inner| inner.strip_prefix('(').unwrap_or(inner));
    let is_bullet =
        matches!(bullet, "*" | "-" | "o") || inner.is_some_and(|inner| is_short(inner) && is_label(inner));
    is_bullet.then(|| rest.trim_start())
}

/// `1`, `12`, `A`, `a`, `A1`, `iv`; not `it`.
fn is_label(inner: &str) -> bool {
    let digits = inner.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
    let letters = inner.len() - digits.len();
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits && letters <= 1 || inner.bytes().all(|byte| b"ivx".contains(&byte))
}

/// Cuts a paragraph into sentences.
fn split(paragraph: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut sentence = String::new();
    let mut words = paragraph.split_whitespace().peekable();
    while let Some(word) = words.next() {
        if !sentence.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(word);
        let next = words.peek().copied().unwrap_or_default();
        let begins = next.starts_with(|letter: char| {
            letter.is_uppercase() || letter.is_ascii_digit() || "\"'([".contains(letter)
        });
        let stop = word.trim_end_matches([')', '"', '\'', ']']);
        let is_short = ABBREVIATIONS.contains(&stop.trim_start_matches(['(', '"']).to_lowercase().as_str());
        if begins && stop.ends_with(['.', '!', '?']) && !is_short {
            sentences.push(std::mem::take(&mut sentence));
        }
    }
    if !sentence.is_empty() {
        sentences.push(sentence);
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(text: &str, wanted: &[(&str, &str)]) {
        let found = of(text);
        let found: Vec<(&str, &str)> =
            found.iter().map(|sentence| (sentence.section.as_str(), sentence.words.as_str())).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn sentences_are_cut_and_put_on_one_line() {
        let text = "\
1.  Words

   The key words \"MUST\" and \"MUST NOT\" mean something.

   An agent MUST answer, e.g. Alice, with a 32-
   bit number (see Section 3.1).  It SHOULD wait.  (It SHALL NOT
   hurry.)  \"Now\" is REQUIRED.

1.1.  Details

   It must not.  It MUST.
";
        let wanted = [
            ("1", "An agent MUST answer, e.g. Alice, with a 32-bit number (see Section 3.1)."),
            ("1", "(It SHALL NOT hurry.)"),
            ("1", "\"Now\" is REQUIRED."),
            ("1.1", "It MUST."),
        ];
        finds(text, &wanted);
        assert_eq!(of(text)[3].chapter, "1. Words");
    }

    #[test]
    fn items_of_lists_are_sentences_of_their_own() {
        let text = "\
2.  Lists

   The receiver MUST do this:

   *  look, and it MUST look
      well

   *  go on; it MUST go on.
   A1)  First MUST come
        first.
   Tag: 32 bits
      It MUST be
      1.  It MUST NOT be zero.

   Length and more words, and yet more words, that fill the whole line:
      they MUST be the
      same.
   o  old bullets MUST count
";
        let wanted = [
            ("2", "The receiver MUST do this:"),
            ("2", "look, and it MUST look well"),
            ("2", "go on; it MUST go on."),
            ("2", "First MUST come first."),
            ("2", "It MUST be 1."),
            ("2", "It MUST NOT be zero."),
            (
                "2",
                "Length and more words, and yet more words, that fill the whole line: they MUST be the same.",
            ),
            ("2", "old bullets MUST count"),
        ];
        finds(text, &wanted);
    }

    #[test]
    fn pages_and_figures_do_not_cut_sentences() {
        let text = "\
3.  Pages

   A sentence MUST go on

Author                  Standards Track                     [Page 3]
\u{c}
RFC 9999                     Something Long Enough              July 2018

   on the next page.  It MUST

Author                  Standards Track                     [Page 4]
\u{c}
RFC 9999                     Something Long Enough              July 2018

   END there.

    0                   1
   +-+-+-+-+-+-+-+-+-+-+-+-+
   |  It MUST be drawn.    |
   +-+-+-+-+-+-+-+-+-+-+-+-+

   It MUST
   +-+-+
   It MUST
";
        // The last stands there twice.
        finds(
            text,
            &[
                ("3", "A sentence MUST go on on the next page."),
                ("3", "It MUST END there."),
                ("3", "It MUST"),
            ],
        );
    }

    #[test]
    fn only_capital_words_oblige() {
        assert!(obliges("It SHALL be.") && obliges("(MUST)"));
        assert!(!obliges("It must, MUSTARD, SHOULD."));
        assert_eq!(squeeze(" a b\nc"), "abc");
    }
}
