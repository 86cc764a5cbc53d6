//! The texts of RFCs: where they are, and how they are cut into sections.

use crate::shell;
use std::{collections::BTreeMap, env, fs, path::PathBuf};

/// A folder with `rfcNNNN.txt` files.
const VARIABLE: &str = "PEERLANE_RFC_DIR";
const FOLDER: &str = "docs/rfc";

/// The RFC texts at hand.
pub(crate) struct Texts {
    folder: Option<PathBuf>,
    /// Instead of a folder, in tests.
    given: BTreeMap<String, String>,
}

impl Texts {
    pub(crate) fn find() -> Self {
        let named = env::var_os(VARIABLE).map(PathBuf::from);
        let folder = named.or_else(|| Some(shell::root().join(FOLDER))).filter(|folder| folder.is_dir());
        Self { folder, given: BTreeMap::new() }
    }

    /// Made-up texts.
    #[cfg(test)]
    pub(crate) fn of(texts: &[(&str, &str)]) -> Self {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Self { folder: None, given: texts.iter().map(owned).collect() }
    }

    pub(crate) fn describe(&self) -> String {
        match &self.folder {
            Some(folder) => format!("quotes are compared with the texts in {}", folder.display()),
            None => {
                format!("quotes were not compared: no RFC texts at hand ({VARIABLE} names a folder of them)")
            }
        }
    }

    pub(crate) fn get(&self, document: &str) -> Option<String> {
        if let Some(text) = self.given.get(document) {
            return Some(text.clone());
        }
        fs::read_to_string(self.folder.as_ref()?.join(format!("{document}.txt"))).ok()
    }
}

/// `rfc8445 §7.3.1.5`, `rfc9260 §A.1`, `draft-ietf-x-y-03 §2`.
pub(crate) fn parse_head(head: &str) -> Option<(String, String)> {
    let (document, section) = head.split_once(" §")?;
    let is_rfc = document.strip_prefix("rfc").is_some_and(|number| {
        (3..=5).contains(&number.len()) && number.chars().all(|digit| digit.is_ascii_digit())
    });
    let parts: Vec<&str> = section.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.chars().all(|digit| digit.is_ascii_digit());
    let is_letter = |part: &str| part.len() == 1 && part.chars().all(|letter| letter.is_ascii_uppercase());
    let (first, rest) = parts.split_first()?;
    let is_section = (is_number(first) || is_letter(first)) && rest.iter().all(is_number);
    ((is_rfc || document.starts_with("draft-")) && is_section)
        .then(|| (document.to_owned(), section.to_owned()))
}

/// `[Page 7]` and the running head after a form feed.
pub(crate) fn is_page_break(line: &str) -> bool {
    let line = line.trim_end();
    let is_foot = line.ends_with(']') && line.contains("[Page ");
    let is_head = line.starts_with("RFC ") && line.len() > 60 && line.contains("   ");
    is_foot || is_head || line.contains('\u{c}')
}

/// The number of a section whose heading this line is.
pub(crate) fn heading(line: &str) -> Option<String> {
    let line = line.strip_prefix("Appendix ").unwrap_or(line);
    let (number, title) = line.split_once(' ')?;
    let number = number.strip_suffix([':', '.']).unwrap_or(number);
    let title = title.trim();
    parse_head(&format!("rfc0000 §{number}"))?;
    let is_title =
        title.starts_with(|letter: char| letter.is_alphanumeric() || letter == '"' || letter == '(');
    is_title.then(|| number.to_owned())
}
