//! Imports stand together at the head of a file: in one block, or in up to three (std, others, ours).

use super::Offence;
use crate::{code::without_comments_and_strings, tree::Tree};
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Std,
    Others,
    Ours,
}

pub(super) fn check(tree: &Tree) -> Vec<Offence> {
    tree.rust().flat_map(|(path, source)| check_one(path, source)).collect()
}

fn check_one(path: &str, source: &str) -> Vec<Offence> {
    let code = without_comments_and_strings(source);
    let modules: BTreeSet<&str> = code.lines().filter_map(module).collect();
    let mut offences = Vec::new();
    let mut blocks: Vec<Vec<(usize, Origin)>> = Vec::new();
    let mut items_seen = false;
    let mut is_adjacent = false;
    let mut lines = code.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(origin) = import(line, &modules) {
            if items_seen {
                offences.push(Offence::new(path, number + 1, "imports belong at the head of the file"));
            } else if let Some(block) = blocks.last_mut().filter(|_| is_adjacent) {
                block.push((number + 1, origin));
            } else {
                blocks.push(vec![(number + 1, origin)]);
            }
            is_adjacent = true;
            if !line.contains(';') {
                lines.by_ref().find(|(_, line)| line.contains(';'));
            }
        } else if is_item(line) {
            items_seen = true;
        } else if line.trim().is_empty() {
            is_adjacent = false;
        }
    }
    offences.extend(check_blocks(path, &blocks));
    offences
}

fn check_blocks(path: &str, blocks: &[Vec<(usize, Origin)>]) -> Option<Offence> {
    if blocks.len() < 2 {
        return None;
    }
    let is_mixed = |block: &&Vec<(usize, Origin)>| {
        block.iter().any(|(_, origin)| Some(*origin) != block.first().map(|first| first.1))
    };
    let mixed = blocks.iter().find(is_mixed);
    let origins: Vec<Origin> = blocks.iter().filter_map(|block| Some(block.first()?.1)).collect();
    let is_ordered = origins.windows(2).all(|pair| pair[0] < pair[1]);
    let line = mixed.or_else(|| blocks.first()).and_then(|block| block.first()).map_or(0, |first| first.0);
    (mixed.is_some() || !is_ordered).then(|| {
        Offence::new(path, line, "imports in one block, or in blocks of std, others and ours, in this order")
    })
}

/// The module that a line declares.
fn module(line: &str) -> Option<&str> {
    line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')
}

/// Where an import at the outer level of a file comes from. Re-exports are items of their own, and names from a
/// module that this file declares may stand below its declaration.
fn import(line: &str, modules: &BTreeSet<&str>) -> Option<Origin> {
    let rest = line.strip_prefix("use ")?;
    let first = rest
        .trim_start_matches("::")
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .next()?;
    if modules.contains(first) {
        return None;
    }
    Some(match first {
        "alloc" | "core" | "std" => Origin::Std,
        "crate" | "self" | "super" => Origin::Ours,
        _ => Origin::Others,
    })
}

/// Something other than a module declaration, an attribute or a re-export, at the outer level.
fn is_item(line: &str) -> bool {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub(super) ")).unwrap_or(line);
    [
        "async ",
        "const ",
        "enum ",
        "fn ",
        "impl",
        "macro_rules!",
        "static ",
        "struct ",
        "trait ",
        "type ",
        "unsafe ",
    ]
    .iter()
    .any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::*, *};

    #[test]
    fn one_block_or_three_in_order() {
        is_fine(
            check,
            &[("a.rs", "//! Doc.\n\nuse crate::A;\nuse std::fmt;\nuse tokio::net;\n\nfn f() {}\n")],
        );
        is_fine(
            check,
            &[(
                "a.rs",
                "use std::{\n    fmt,\n    io,\n};\n\nuse tokio::net;\n\nuse crate::A;\n\nfn f() {}\n",
            )],
        );
        is_fine(check, &[("a.rs", "use std::fmt;\n\nmod a;\nuse a::{\n    B,\n};\n\nfn f() {}\n")]);
        is_fine(check, &[("a.rs", "mod a;\nmod b;\n\nuse crate::A;\n\npub use a::B;\n")]);
        offends(check, &[("a.rs", "use crate::A;\n\nuse std::fmt;\n")], "in this order");
        offends(check, &[("a.rs", "use std::fmt;\nuse crate::A;\n\nuse tokio::net;\n")], "in this order");
        offends(check, &[("a.rs", "use std::fmt;\n\nuse std::io;\n")], "in this order");
    }

    #[test]
    fn imports_stand_at_the_head() {
        offends(check, &[("a.rs", "fn f() {}\n\nuse std::fmt;\n")], "a.rs:3: imports belong at the head");
        is_fine(
            check,
            &[(
                "a.rs",
                "fn f() {\n    use std::fmt;\n}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n",
            )],
        );
    }
}
