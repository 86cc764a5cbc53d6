//! Files stay small. Functions are clippy's business (`too_many_lines`).

use super::Offence;
use crate::{code::without_tests, tree::Tree};

/// Lines of a file, unit tests at its end not counted.
const LIMIT: usize = 800;

pub(super) fn check(tree: &Tree) -> Vec<Offence> {
    tree.rust()
        .filter_map(|(path, source)| {
            let lines = without_tests(source).lines().count();
            (lines > LIMIT).then(|| {
                Offence::new(
                    path,
                    0,
                    format!("{lines} lines (without unit tests); at most {LIMIT}, one subject per file"),
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::*, *};

    #[test]
    fn a_file_is_at_most_800_lines_without_its_tests() {
        let long = "x\n".repeat(801);
        let tested =
            format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "x\n".repeat(800), "    y\n".repeat(500));
        offends(check, &[("crates/a/src/b.rs", &long)], "801 lines");
        offends(check, &[("crates/a/tests/b.rs", &long)], "801 lines");
        offends(check, &[("crates/a/src/b.rs", &format!("{tested}z\n"))], "801 lines");
        is_fine(check, &[("crates/a/src/b.rs", &tested)]);
        is_fine(check, &[("notes.md", &long)]);
    }
}
