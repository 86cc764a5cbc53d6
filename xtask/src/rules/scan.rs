//! Tests and the rules they name, in their name or in the comment above them.

use crate::code;

/// A test function.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) name: String,
    /// From 1.
    pub(super) line: usize,
    /// As in the table: `T-D05`, `users 57`.
    pub(super) rules: Vec<String>,
}

/// The names of all tests of a file that run.
pub(super) fn names(source: &str) -> Vec<String> {
    all(source).into_iter().map(|test| test.name).collect()
}

/// The tests of a file that name a rule.
pub(super) fn tests(source: &str) -> Vec<Test> {
    all(source).into_iter().filter(|test| !test.rules.is_empty()).collect()
}

/// Ignored tests prove nothing and do not count.
fn all(source: &str) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut above = Above::default();
    for (number, line) in source.lines().enumerate() {
        let line = line.trim();
        if let Some(words) = line.strip_prefix("///") {
            above.comment.push_str(words);
            above.comment.push('\n');
        } else if line.starts_with("//") || above.is_inside_attribute {
            above.attribute(line);
        } else if line.starts_with("#[") {
            above.is_inside_attribute = true;
            above.attribute(line);
        } else {
            if let Some(name) = code::function(line).filter(|_| above.is_test && !above.is_ignored) {
                let mut rules = in_name(name);
                rules.extend(in_comment(&above.comment));
                rules.sort();
                rules.dedup();
                tests.push(Test { name: name.to_owned(), line: number + 1, rules });
            }
            above = Above::default();
        }
    }
    tests
}

/// What stands above a function.
#[derive(Default)]
struct Above {
    comment: String,
    is_test: bool,
    is_ignored: bool,
    is_inside_attribute: bool,
}

impl Above {
    fn attribute(&mut self, line: &str) {
        if !self.is_inside_attribute {
            return;
        }
        self.is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        self.is_ignored |= line.starts_with("#[ignore");
        self.is_inside_attribute = !line.ends_with(']');
    }
}

/// `t_d05_t_d06_...`, `users_73_and_74_...`.
fn in_name(name: &str) -> Vec<String> {
    let mut rules = Vec::new();
    let mut words = name.split('_').peekable();
    match words.next() {
        Some("users") => {
            while let Some(word) = words.next_if(|word| *word == "and" || number(word).is_some()) {
                rules.extend(number(word).map(|number| format!("users {number}")));
            }
        }
        Some("t") => {
            while let Some(id) = words.next().and_then(short_id) {
                rules.push(id);
                if words.next_if_eq(&"t").is_none() {
                    break;
                }
            }
        }
        Some(_) | None => {}
    }
    rules
}

/// `T-D05`, `T-D05, T-D06`, `Users 57`, `Users 73 and 74`, `Users 1, 4`.
fn in_comment(comment: &str) -> Vec<String> {
    let mut rules = Vec::new();
    let mut words = comment.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let plain = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
        if let Some(id) = plain.strip_prefix("T-").and_then(|id| short_id(&id.to_lowercase())) {
            rules.push(id);
        } else if plain == "Users" || plain == "users" {
            while let Some(next) = words.next_if(|next| *next == "and" || list_number(next).is_some()) {
                rules.extend(list_number(next).map(|number| format!("users {number}")));
                // A colon or a full stop ends the list.
                if next.ends_with([':', '.', ';', ')']) {
                    break;
                }
            }
        }
    }
    rules
}

/// `d05` as `T-D05`.
fn short_id(text: &str) -> Option<String> {
    let mut letters = text.chars();
    let area = letters.next().filter(|letter| "ditscp".contains(*letter))?;
    let digits = letters.as_str();
    let is_number = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| format!("T-{}{digits}", area.to_ascii_uppercase()))
}

/// A number of a case in a name.
fn number(word: &str) -> Option<u32> {
    let is_short = (1..=2).contains(&word.len());
    word.parse().ok().filter(|_| is_short)
}

/// A number of a case in a sentence: `57`, `57,`, `57:`.
fn list_number(word: &str) -> Option<u32> {
    number(word.trim_end_matches([',', ':', ';', '.', ')']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<(String, Vec<String>)> {
        tests(source).into_iter().map(|test| (test.name, test.rules)).collect()
    }

    fn one(name: &str, rules: &[&str]) -> Vec<(String, Vec<String>)> {
        vec![(name.to_owned(), rules.iter().map(|rule| (*rule).to_owned()).collect())]
    }

    #[test]
    fn names_name_rules() {
        assert_eq!(found("#[test]\nfn t_d05_x() {\n"), one("t_d05_x", &["T-D05"]));
        assert_eq!(found("#[test]\nfn t_d05_t_d06_x() {\n"), one("t_d05_t_d06_x", &["T-D05", "T-D06"]));
        assert_eq!(
            found("    #[tokio::test(flavor = \"x\")]\n    async fn users_73_and_74_x() {\n"),
            one("users_73_and_74_x", &["users 73", "users 74"])
        );
        assert_eq!(found("#[test]\nfn users_07_x() {\n"), one("users_07_x", &["users 7"]));
        assert_eq!(found("#[test]\nfn t_x05_y() {\n#[test]\nfn t_d5_y() {\n#[test]\nfn users_x() {\n"), []);
    }

    #[test]
    fn comments_above_a_test_name_rules() {
        let source = "/// T-C12, users 39 and 40: words.\n//= rfc1 §1\n//# quote\n#[test]\nfn a() {\n";
        assert_eq!(found(source), one("a", &["T-C12", "users 39", "users 40"]));
        assert_eq!(found("/// Users 1, 4: x\n#[test]\nfn a() {\n"), one("a", &["users 1", "users 4"]));
        assert_eq!(found("/// Users 60: 0 to 11 bytes.\n#[test]\nfn a() {\n"), one("a", &["users 60"]));
        // Proptest's form, and an attribute over several lines.
        let source = "    /// T-I05.\n    #[test]\n    #[cfg_attr(\n        x,\n        y\n    )]\n    fn a(b in any()) {\n";
        assert_eq!(found(source), one("a", &["T-I05"]));
    }

    #[test]
    fn only_tests_that_run_count() {
        assert_eq!(found("/// T-D05.\nfn a() {\n"), []);
        assert_eq!(found("fn t_d05_a() {\n"), []);
        assert_eq!(found("/// T-D05.\n#[test]\n#[ignore = \"slow\"]\nfn a() {\n"), []);
        // A comment that belongs to something else.
        assert_eq!(found("/// T-D05.\nconst A: u8 = 1;\n#[test]\nfn a() {\n"), []);
        assert_eq!(found("// T-D05, in a comment of the code.\n#[test]\nfn a() {\n"), []);
    }

    #[test]
    fn places_are_lines() {
        assert_eq!(tests("\n\n#[test]\nfn t_p01_x() {\n").first().map(|test| test.line), Some(4));
    }
}
