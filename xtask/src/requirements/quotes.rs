//! What the code quotes: above the lines that do what is required, and above the tests that prove it.

use crate::{code, rfc, tree};

/// A quote of an RFC.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Quote {
    pub(super) path: String,
    /// From 1.
    pub(super) line: usize,
    pub(super) document: String,
    pub(super) section: String,
    pub(super) words: String,
    pub(super) place: Place,
}

/// What a quote stands above or in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Code,
    /// By its name.
    Test(String),
    /// It says `type=test`, and there is none, or it is ignored.
    Nowhere,
}

/// What a file has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) quotes: Vec<Quote>,
    /// The names of all tests that run.
    pub(super) tests: Vec<String>,
}

pub(super) fn of(path: &str, source: &str) -> Found {
    let first_test_line = if tree::is_test_file(path) { 0 } else { tests_begin(source) };
    let mut scanner = Scanner { path, first_test_line, ..Scanner::default() };
    for (number, line) in source.lines().enumerate() {
        scanner.line(number + 1, line.trim());
    }
    scanner.settle();
    scanner.found
}

/// The first line of the unit tests at the end of a file.
fn tests_begin(source: &str) -> usize {
    let begin = source.lines().position(|line| line == "#[cfg(test)]");
    begin.map_or(usize::MAX, |index| index + 1)
}

#[derive(Default)]
struct Scanner<'a> {
    path: &'a str,
    first_test_line: usize,
    found: Found,
    /// Quotes above something that has not begun yet, with whether they say `type=test`.
    above: Vec<(Quote, bool)>,
    /// Whether a quote's lines go on.
    is_open: bool,
    is_test: bool,
    is_ignored: bool,
    is_inside_attribute: bool,
    /// The test whose body this is.
    inside: Option<String>,
}

impl Scanner<'_> {
    fn line(&mut self, number: usize, line: &str) {
        if let Some(head) = line.strip_prefix("//= ") {
            self.head(number, head);
        } else if let Some(words) = line.strip_prefix("//# ") {
            if let Some((quote, _)) = self.above.last_mut().filter(|_| self.is_open) {
                if !quote.words.is_empty() {
                    quote.words.push(' ');
                }
                quote.words.push_str(words.trim());
            }
        } else {
            self.is_open = false;
            if self.is_inside_attribute || line.starts_with("#[") {
                self.attribute(line);
            } else if !line.starts_with("//") {
                self.code(line);
            }
        }
    }

    fn head(&mut self, number: usize, head: &str) {
        if head == "type=test" {
            if let Some((_, says_test)) = self.above.last_mut() {
                *says_test = true;
            }
            return;
        }
        self.is_open = false;
        let Some((document, section)) = rfc::parse_head(head) else { return };
        let (path, words, place) = (self.path.to_owned(), String::new(), Place::Nowhere);
        self.above.push((Quote { path, line: number, document, section, words, place }, false));
        self.is_open = true;
    }

    fn attribute(&mut self, line: &str) {
        self.is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        self.is_ignored |= line.starts_with("#[ignore");
        self.is_inside_attribute = !line.ends_with(']');
    }

    fn code(&mut self, line: &str) {
        if let Some(name) = code::function(line) {
            let runs = self.is_test && !self.is_ignored;
            self.inside = runs.then(|| name.to_owned());
            self.found.tests.extend(self.inside.clone());
        }
        (self.is_test, self.is_ignored) = (false, false);
        self.settle();
    }

    /// What is quoted above this line belongs to it.
    fn settle(&mut self) {
        for (mut quote, says_test) in self.above.drain(..) {
            let is_test_code = quote.line >= self.first_test_line;
            quote.place = match &self.inside {
                Some(name) => Place::Test(name.clone()),
                None if says_test || is_test_code => Place::Nowhere,
                None => Place::Code,
            };
            self.found.quotes.push(quote);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(path: &str, source: &str) -> Vec<(String, Place)> {
        of(path, source).quotes.into_iter().map(|quote| (quote.words, quote.place)).collect()
    }

    fn test(name: &str) -> Place {
        Place::Test(name.to_owned())
    }

    #[test]
    fn quotes_know_code_from_tests() {
        let source = "\
fn f() {
    //= rfc1234 §1.2
    //# It MUST
    //# do.
    // Why.
    g();
}
#[cfg(test)]
mod tests {
    //= rfc1234 §1
    //= type=test
    //# One.
    //= rfc1234 §2
    //# Two.
    /// Words.
    #[test]
    #[cfg_attr(
        x,
    )]
    fn rfc1234_1_x() {
        //= rfc1234 §3
        //# Inside.
        assert!(true);
    }
    #[test]
    #[ignore]
    fn later() {}
}
";
        let wanted = [
            ("It MUST do.".to_owned(), Place::Code),
            ("One.".to_owned(), test("rfc1234_1_x")),
            ("Two.".to_owned(), test("rfc1234_1_x")),
            ("Inside.".to_owned(), test("rfc1234_1_x")),
        ];
        assert_eq!(places("crates/a/src/b.rs", source), wanted);
        let found = of("crates/a/src/b.rs", source);
        assert_eq!(found.tests, ["rfc1234_1_x"]);
        assert_eq!((found.quotes[0].line, found.quotes[0].section.as_str()), (2, "1.2"));
    }

    #[test]
    fn quotes_of_tests_need_a_test() {
        let nowhere = [("One.".to_owned(), Place::Nowhere)];
        let marked = "//= rfc1234 §1\n//= type=test\n//# One.\nfn f() {}\n";
        assert_eq!(places("crates/a/src/b.rs", marked), nowhere);
        let helper = "//= rfc1234 §1\n//# One.\nfn f() {}\n";
        assert_eq!(places("crates/a/tests/b.rs", helper), nowhere);
        assert_eq!(places("crates/a/src/b.rs", helper), [("One.".to_owned(), Place::Code)]);
        let ignored = "//= rfc1234 §1\n//= type=test\n//# One.\n#[test]\n#[ignore]\nfn f() {}\n";
        assert_eq!(places("crates/a/tests/b.rs", ignored), nowhere);
    }
}
