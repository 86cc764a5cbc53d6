//! A little Rust: enough to tell code from comments, strings and tests.

/// The source with comments and the insides of strings and characters blanked out. Lines keep their numbers.
pub(crate) fn without_comments_and_strings(source: &str) -> String {
    let mut blanker = Blanker { rest: source, out: String::with_capacity(source.len()) };
    while blanker.step() {}
    blanker.out
}

/// The source without the unit tests at its end: `#[cfg(test)]` and the `mod tests` that follows it.
pub(crate) fn without_tests(source: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = source.lines().peekable();
    while let Some(line) = lines.next() {
        let opens_tests = line == "#[cfg(test)]"
            && lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
        if opens_tests {
            lines.by_ref().find(|line| *line == "}");
        } else {
            kept.push(line);
        }
    }
    kept.join("\n")
}

/// The identifiers of a line, with where they start.
pub(crate) fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = line.get(at..)?;
        let begin = at + rest.find(is_part)?;
        let word = line.get(begin..)?;
        let length = word.find(|letter| !is_part(letter)).unwrap_or(word.len());
        at = begin + length;
        Some((begin, word.get(..length)?))
    })
}

/// The name of the function that a line begins.
pub(crate) fn function(line: &str) -> Option<&str> {
    let rest = ["pub ", "pub(crate) ", "async ", "pub async "]
        .into_iter()
        .find_map(|prefix| line.strip_prefix(prefix))
        .unwrap_or(line)
        .strip_prefix("fn ")?;
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
    rest.get(..end)
}

struct Blanker<'a> {
    rest: &'a str,
    out: String,
}

impl Blanker<'_> {
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.blank(end);
        } else if self.rest.starts_with("/*") {
            let end = block_comment(self.rest);
            self.blank(end);
        } else if let Some(end) = raw_string(self.rest).filter(|_| !self.follows_a_word()) {
            self.blank(end);
        } else if first == '"' {
            let end = quoted(self.rest, '"');
            self.blank(end);
        } else if let Some(end) = character(self.rest) {
            self.blank(end);
        } else {
            self.keep(first.len_utf8());
        }
        true
    }

    fn follows_a_word(&self) -> bool {
        self.out.chars().next_back().is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    }

    fn keep(&mut self, length: usize) {
        let (kept, rest) = self.rest.split_at(length);
        self.out.push_str(kept);
        self.rest = rest;
    }

    fn blank(&mut self, length: usize) {
        let (gone, rest) = self.rest.split_at(length);
        self.out.extend(gone.chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
        self.rest = rest;
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(letter) = rest.chars().next() else { break };
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += letter.len_utf8();
        }
    }
    text.len()
}

/// The length of a raw string that starts here.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r"].into_iter().find(|prefix| text.starts_with(prefix))?;
    let after = text.get(prefix.len()..)?;
    let hashes = after.find(|letter| letter != '#')?;
    let body = after.get(hashes..)?.strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close).map_or(body.len(), |at| at + close.len());
    Some(prefix.len() + hashes + 1 + end)
}

/// The length of a literal with escapes, quotes included.
fn quoted(text: &str, quote: char) -> usize {
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if letter == quote {
            return at + 1;
        }
    }
    text.len()
}

/// The length of a character literal; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    if first == '\\' {
        return Some(quoted(text, '\''));
    }
    inside.get(first.len_utf8()..)?.starts_with('\'').then(|| first.len_utf8() + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_go_and_lines_stay() {
        let source =
            "a // tokio\nb /* x /* y */ tokio\n */ c \"tok\\\"io\" r#\"tokio \" x\"# d 'x' '\\'' &'a str\ne";
        let code = without_comments_and_strings(source);
        assert_eq!(code.lines().count(), source.lines().count());
        let left: Vec<&str> = code.split_whitespace().collect();
        assert_eq!(left, ["a", "b", "c", "d", "&'a", "str", "e"]);
    }

    #[test]
    fn a_name_that_ends_in_r_is_no_raw_string() {
        let code = without_comments_and_strings("for\"x\" bar!(\"y\") b\"z\" br\"z\"");
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["for", "bar!(", ")", "b"]);
    }

    #[test]
    fn unit_tests_go_and_what_follows_stays() {
        let source = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\nfn c() {}";
        assert_eq!(without_tests(source), "fn a() {}\n\nfn c() {}");
        assert_eq!(without_tests("#[cfg(test)]\nmod tests;\nx"), "#[cfg(test)]\nmod tests;\nx");
    }

    #[test]
    fn words_have_places() {
        let found: Vec<_> = words("use a_b::{C};").collect();
        assert_eq!(found, [(0, "use"), (4, "a_b"), (10, "C")]);
    }
}
