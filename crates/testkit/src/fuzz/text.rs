//! Texts of lines.

use super::Input;

/// What may be put in place of a number or a word.
const WORDS: [&str; 16] = [
    "0",
    "1",
    "127",
    "128",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "-1",
    "007",
    "",
    " ",
    "*",
    "a",
    "999999999999999999999",
    "\u{e9}",
];
/// A text grows no longer than this.
const MOST_LINES: usize = 2_000;

/// A text with some of its lines changed: left out, repeated, moved, cut, rewritten, or one word of them replaced.
///
/// The decisions are read from `input` until it ends or says so.
#[must_use]
pub fn edit_lines(text: &str, input: &mut Input<'_>) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..input.u8() & 15 {
        if input.is_empty() || lines.is_empty() {
            break;
        }
        let at = input.below(lines.len());
        match input.u8() & 7 {
            0 => drop(lines.remove(at)),
            1 => {
                let copies = usize::from(input.u8());
                let copy = lines[at].clone();
                if lines.len() + copies <= MOST_LINES {
                    lines.splice(at..at, std::iter::repeat_n(copy, copies));
                }
            }
            2 => {
                let line = lines.remove(at);
                let to = input.below(lines.len() + 1);
                lines.insert(to, line);
            }
            3 => {
                let len = usize::from(input.u8());
                lines[at] = lines[at].chars().take(len).collect();
            }
            4 => lines[at] = String::from_utf8_lossy(input.chunk()).into_owned(),
            5 => lines.insert(at, String::from_utf8_lossy(input.chunk()).into_owned()),
            6 => replace_word(&mut lines[at], input),
            _ => {
                let from = input.below(lines.len());
                lines[at] = lines[from].clone();
            }
        }
    }
    let mut text = lines.join("\r\n");
    text.push_str("\r\n");
    text
}

fn replace_word(line: &mut String, input: &mut Input<'_>) {
    let is_border = |letter: char| " :=;/,".contains(letter);
    let starts: Vec<usize> =
        std::iter::once(0).chain(line.match_indices(is_border).map(|(at, _)| at + 1)).collect();
    let start = input.pick(&starts);
    let rest = line.get(start..).unwrap_or_default();
    let end = start + rest.find(is_border).unwrap_or(rest.len());
    let word = match input.u8() {
        choice if usize::from(choice) < WORDS.len() => WORDS[usize::from(choice)].to_owned(),
        _ => String::from_utf8_lossy(input.chunk()).into_owned(),
    };
    line.replace_range(start..end, &word);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(decisions: &[u8]) -> String {
        edit_lines("a=one:1 2\nb\n", &mut Input::new(decisions))
    }

    #[test]
    fn lines_are_edited_as_decided() {
        assert_eq!(edited(&[]), "a=one:1 2\r\nb\r\n");
        assert_eq!(edited(&[1, 0, 0]), "b\r\n");
        assert_eq!(edited(&[1, 1, 1, 2]), "a=one:1 2\r\nb\r\nb\r\nb\r\n");
        assert_eq!(edited(&[1, 0, 2, 1]), "b\r\na=one:1 2\r\n");
        assert_eq!(edited(&[1, 0, 4, 1, b'x']), "x\r\nb\r\n");
        assert_eq!(edited(&[1, 0, 6, 2, 3]), "a=one:128 2\r\nb\r\n");
        assert_eq!(edited(&[1, 0, 7, 1]), "b\r\nb\r\n");
        assert_eq!(edited(&[3, 0, 0, 0, 0, 0, 0]), "\r\n");
    }
}
