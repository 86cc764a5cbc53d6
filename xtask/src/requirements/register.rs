//! One file of the register: the requirements of one RFC, and where each is met.

use super::{cells, escape, sentences::Sentence};
use std::fmt;

pub(super) const FOLDER: &str = "docs/requirements/";

/// What stands below the headline of every file.
const PREFACE: &str = "\
Every sentence of the RFC with MUST, SHALL or REQUIRED, and where it is met: the files that quote it, the tests that
quote it, or why it is an exception. `cargo xtask requirements --write` writes this file.";

const HEAD: &str = "| § | requirement | where |\n| --- | --- | --- |\n";

/// A file as it was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Register {
    /// The first line, which is people's.
    pub(super) title: Option<String>,
    pub(super) rows: Vec<(Sentence, String)>,
}

/// Where a requirement is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Met {
        files: Vec<String>,
        tests: Vec<String>,
        /// What is left out, and why.
        without: Option<String>,
    },
    Exception(String),
    Open,
}

impl Register {
    pub(super) fn parse(text: &str) -> Self {
        let mut register = Self { title: text.lines().next().map(str::to_owned), rows: Vec::new() };
        let mut chapter = String::new();
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                heading.clone_into(&mut chapter);
            } else if let Some([section, words, place]) =
                cells(line).and_then(|cells| <[String; 3]>::try_from(cells).ok())
                && section.starts_with(|letter: char| letter.is_ascii_alphanumeric())
            {
                register.rows.push((Sentence { chapter: chapter.clone(), section, words }, place));
            }
        }
        register
    }
}

pub(super) fn path(document: &str) -> String {
    format!("{FOLDER}{document}.md")
}

/// The RFC that a file is about.
pub(super) fn document(path: &str) -> Option<&str> {
    path.strip_prefix(FOLDER)?.strip_suffix(".md").filter(|name| name.starts_with("rfc"))
}

/// The text of a file. Tests that are named after a section stand below the table of their chapter.
pub(super) fn show(title: &str, rows: &[(Sentence, Standing)], named: &[(String, String)]) -> String {
    let mut text = format!("{title}\n\n{}\n\n{PREFACE}\n", Counts::of(rows));
    for chapter in rows.chunk_by(|(one, _), (other, _)| one.chapter == other.chapter) {
        let Some((first, _)) = chapter.first() else { continue };
        text.push_str(&format!("\n## {}\n\n{HEAD}", first.chapter));
        for (sentence, standing) in chapter {
            let place = standing.to_string().replace('|', "\\|");
            text.push_str(&format!("| {} | {} | {place} |\n", sentence.section, escape(&sentence.words)));
        }
        let number = first.section.split('.').next().unwrap_or_default();
        let of_chapter: Vec<String> = named
            .iter()
            .filter(|(section, _)| section.split('.').next() == Some(number))
            .map(|(section, name)| format!("* §{section}: `{name}`\n"))
            .collect();
        if !of_chapter.is_empty() {
            text.push_str(&format!("\nTests named after sections:\n\n{}", of_chapter.concat()));
        }
    }
    text
}

/// How many requirements stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) all: usize,
    tested: usize,
    untested: usize,
    /// Of those that are implemented.
    partly: usize,
    exceptions: usize,
    open: usize,
}

impl Counts {
    pub(super) fn of(rows: &[(Sentence, Standing)]) -> Self {
        let mut counts = Self { all: rows.len(), ..Self::default() };
        for (_, standing) in rows {
            counts.partly += usize::from(matches!(standing, Standing::Met { without: Some(_), .. }));
            match standing {
                Standing::Met { tests, .. } if tests.is_empty() => counts.untested += 1,
                Standing::Met { .. } => counts.tested += 1,
                Standing::Exception(_) => counts.exceptions += 1,
                Standing::Open => counts.open += 1,
            }
        }
        counts
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, tested, untested, partly, exceptions, open } = self;
        write!(f, "{all} requirements: {tested} implemented with a test, {untested} implemented, ")?;
        if *partly > 0 {
            write!(f, "{partly} of these in part only, ")?;
        }
        write!(f, "{exceptions} exceptions")?;
        if *open > 0 { write!(f, ", {open} open.") } else { f.write_str(".") }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |names: &[String]| {
            names.iter().map(|name| format!("`{name}`")).collect::<Vec<String>>().join(", ")
        };
        match self {
            Self::Exception(reason) => write!(f, "exception: {reason}"),
            Self::Met { files, tests, without } => {
                f.write_str(&quoted(files))?;
                if !files.is_empty() && !tests.is_empty() {
                    f.write_str("; ")?;
                }
                match tests.len() {
                    0 => {}
                    1 => write!(f, "test {}", quoted(tests))?,
                    _ => write!(f, "tests {}", quoted(tests))?,
                }
                without.iter().try_for_each(|reason| write!(f, ". {reason}"))
            }
            Self::Open => f.write_str("**open**"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(chapter: &str, section: &str, words: &str) -> Sentence {
        Sentence { chapter: chapter.to_owned(), section: section.to_owned(), words: words.to_owned() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let tested = Standing::Met {
            files: vec!["a.rs".to_owned()],
            tests: vec!["t".to_owned(), "u".to_owned()],
            without: None,
        };
        let untested = Standing::Met { files: vec!["a.rs".to_owned()], tests: Vec::new(), without: None };
        let only = Standing::Met {
            files: Vec::new(),
            tests: vec!["t".to_owned()],
            without: Some("In part: x".to_owned()),
        };
        let rows = vec![
            (sentence("3. Format", "3.1", "A MUST be | b_c <d> * e\\f."), tested),
            (sentence("3. Format", "3.2", "B MUST."), untested),
            (sentence("Appendix A. More", "A", "C MUST."), only),
            (sentence("Appendix A. More", "A", "D MUST."), Standing::Exception("no | d".to_owned())),
            (sentence("Appendix A. More", "A", "E MUST."), Standing::Open),
        ];
        let named = [("3.1".to_owned(), "rfc1_3_1_x".to_owned())];
        let text = show("# RFC 1", &rows, &named);
        assert!(text.contains(
            "2 implemented with a test, 1 implemented, 1 of these in part only, 1 exceptions, 1 open."
        ));
        assert!(
            text.contains("| 3.1 | A MUST be \\| b\\_c \\<d> \\* e\\\\f. | `a.rs`; tests `t`, `u` |\n"),
            "{text}"
        );
        assert!(text.contains("* §3.1: `rfc1_3_1_x`\n\n## Appendix A. More\n"), "{text}");
        let read = Register::parse(&text);
        assert_eq!(read.title.as_deref(), Some("# RFC 1"));
        let sentences: Vec<&Sentence> = read.rows.iter().map(|(sentence, _)| sentence).collect();
        assert_eq!(sentences, rows.iter().map(|(sentence, _)| sentence).collect::<Vec<_>>());
        let places: Vec<&str> = read.rows.iter().map(|(_, place)| place.as_str()).collect();
        assert_eq!(
            places,
            ["`a.rs`; tests `t`, `u`", "`a.rs`", "test `t`. In part: x", "exception: no | d", "**open**"]
        );
    }

    #[test]
    fn files_are_named_after_documents() {
        assert_eq!(document(&path("rfc1234")), Some("rfc1234"));
        assert_eq!(document("docs/requirements/exceptions.md"), None);
    }
}
