//! Rules without a test, or with one for a part only, as the threat model says.

/// Where the exceptions are written.
pub(super) const DOCUMENT: &str = "docs/threat-model.md";
const SECTION: &str = "## Exceptions";

/// How much of a rule has no test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Part,
    Whole,
}

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exception {
    pub(super) id: String,
    pub(super) extent: Extent,
    pub(super) reason: String,
}

/// The rows `| id | whole or part | reason |` of the section; `Err` is a row that cannot be read.
pub(super) fn parse(text: &str) -> Result<Vec<Exception>, String> {
    let section = text.lines().skip_while(|line| *line != SECTION).skip(1);
    section
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with("| ") && !line.starts_with("| id ") && !line.starts_with("| --"))
        .map(|line| row(line).ok_or_else(|| format!("{DOCUMENT}: `| id | whole or part | reason |`: {line}")))
        .collect()
}

fn row(line: &str) -> Option<Exception> {
    let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let [id, extent, reason] = cells.as_slice() else { return None };
    let extent = match *extent {
        "part" => Extent::Part,
        "whole" => Extent::Whole,
        _ => return None,
    };
    let is_said = !id.is_empty() && !reason.is_empty();
    is_said.then(|| Exception { id: (*id).to_owned(), extent, reason: (*reason).to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_section_are_read() {
        let text = "# A\n| T-D01 | whole | elsewhere |\n## Exceptions\n\nWords.\n\n| id | extent | reason |\n\
                    | --- | --- | --- |\n| T-I12 | whole | not built: x |\n| users 7 | part | y |\n\n## More\n\
                    | T-D02 | whole | z |\n";
        let rows = parse(text).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].id, "T-I12");
        assert_eq!(rows[0].reason, "not built: x");
        assert_eq!((rows[0].extent, rows[1].extent), (Extent::Whole, Extent::Part));
        assert_eq!(parse("no such section\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_row_needs_an_extent_and_a_reason() {
        for row in
            ["| T-I12 | some | x |", "| T-I12 | whole |  |", "| T-I12 | whole |", "| a | part | b | c |"]
        {
            assert!(parse(&format!("## Exceptions\n{row}\n")).is_err(), "{row}");
        }
    }
}
