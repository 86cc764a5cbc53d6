//! Public signatures name only crates that are listed as public dependencies.
//!
//! This reads text, not types: it knows what a file imports and looks for those names, and for paths that start with
//! another crate, in everything that begins with `pub`.

use super::Crate;
use crate::{
    code::{without_comments_and_strings, without_tests, words},
    metadata::Workspace,
    tree::{Tree, crate_of, is_test_file},
};
use std::collections::{BTreeMap, BTreeSet};

/// Crates that come with the compiler.
const BUILT_IN: &[&str] = &["alloc", "core", "std"];

pub(super) fn check(tree: &Tree, workspace: &Workspace, crates: &[Crate]) -> Vec<String> {
    let known = known_crates(workspace);
    let mut complaints = Vec::new();
    for (path, source) in tree.rust() {
        let Some((name, inside)) = crate_of(path) else { continue };
        let Some(row) = crates.iter().find(|row| row.name == name) else { continue };
        if inside.starts_with("src/") && !is_test_file(path) {
            complaints.extend(check_file(path, source, row, &known));
        }
    }
    complaints
}

/// Every crate that some package of ours depends on, as it is written in code.
fn known_crates(workspace: &Workspace) -> BTreeSet<String> {
    workspace
        .packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .map(|dependency| {
            let name = &dependency.package;
            name.strip_prefix("peerlane-").filter(|_| dependency.is_ours).unwrap_or(name).replace('-', "_")
        })
        .collect()
}

fn check_file(path: &str, source: &str, row: &Crate, known: &BTreeSet<String>) -> Vec<String> {
    let code = without_tests(&without_comments_and_strings(source));
    // A module of the file hides a crate of the same name.
    let mut known = known.clone();
    for module in code.lines().filter_map(module) {
        known.remove(module);
    }
    let known = &known;
    let imports = imports(&code, known);
    let mut complaints = Vec::new();
    for (line, signature) in signatures(&code) {
        let mut seen = BTreeSet::new();
        for foreign in foreign_paths(&signature, &imports, known) {
            let is_listed = row.public.iter().any(|listed| {
                foreign == *listed || foreign.strip_prefix(listed).is_some_and(|rest| rest.starts_with("::"))
            });
            let is_own = foreign.split("::").next() == Some(row.name);
            if !is_listed && !is_own && seen.insert(foreign.clone()) {
                complaints.push(format!(
                    "{path}:{line}: `{foreign}` in a public signature, and no public dependency"
                ));
            }
        }
    }
    complaints
}

/// The module that a line declares.
fn module(line: &str) -> Option<&str> {
    let line =
        line.trim_start_matches("pub ").trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
    line.strip_prefix("mod ")?.strip_suffix(';')
}

/// Names that the file imports from other crates, with their full paths.
fn imports(code: &str, known: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut imports = BTreeMap::new();
    for statement in code.split(';') {
        let statement =
            statement.rsplit(['}']).next().filter(|_| !statement.contains("use ")).unwrap_or(statement);
        let Some(at) = statement.find("use ") else { continue };
        let is_start =
            statement.get(..at).is_some_and(|before| before.trim().is_empty() || before.ends_with('\n'));
        let Some(tree) = statement.get(at + 4..).filter(|_| is_start) else { continue };
        let compact: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
        unfold("", compact.trim().trim_start_matches("::"), &mut imports);
    }
    imports.retain(|_, path| path.split("::").next().is_some_and(|first| known.contains(first)));
    imports
}

/// Writes the names of a use tree into `imports`.
fn unfold(prefix: &str, tree: &str, imports: &mut BTreeMap<String, String>) {
    let join = |rest: &str| if prefix.is_empty() { rest.to_owned() } else { format!("{prefix}::{rest}") };
    if let Some((head, group)) = tree.split_once('{') {
        let prefix = join(head.trim().trim_end_matches("::"));
        let prefix = prefix.trim_end_matches("::");
        for part in split_group(group.trim_end().trim_end_matches('}')) {
            unfold(prefix, part.trim(), imports);
        }
        return;
    }
    let (path, name) = match tree.split_once(" as ") {
        Some((path, name)) => (path.trim(), name.trim()),
        None => (tree, tree.rsplit("::").next().unwrap_or(tree)),
    };
    if path == "self" {
        let name = prefix.rsplit("::").next().unwrap_or(prefix);
        imports.insert(name.to_owned(), prefix.to_owned());
    } else if !matches!(name, "" | "*" | "_") {
        imports.insert(name.to_owned(), join(path));
    }
}

/// Splits at the commas of the outer level.
fn split_group(group: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    group
        .split(|letter: char| {
            match letter {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            letter == ',' && depth == 0
        })
        .filter(|part| !part.trim().is_empty())
        .collect()
}

/// Everything public, up to where its body begins, with its line. Fields of structs and methods included; bodies of
/// functions, `pub(crate)` and the like not.
fn signatures(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let lines: Vec<&str> = code.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let Some(rest) = line.trim_start().strip_prefix("pub ") else { continue };
        let is_import = rest.starts_with("use ");
        let mut text = String::new();
        for line in lines.iter().skip(number) {
            text.push_str(line.trim());
            text.push(' ');
            let ends_here = if is_import {
                line.contains(';')
            } else {
                line.contains([';', '{']) || line.trim_end().ends_with(',')
            };
            let is_inside_brackets = text.matches('(').count() > text.matches(')').count()
                || text.matches('<').count() > text.matches('>').count() + text.matches("->").count();
            if ends_here && (is_import || !is_inside_brackets) {
                break;
            }
        }
        if rest.starts_with("struct ") {
            text = without_private_fields(&text);
        }
        let end = if is_import { text.len() } else { text.find('{').unwrap_or(text.len()) };
        found.push((number + 1, text.get(..end).unwrap_or(&text).to_owned()));
    }
    found
}

/// `pub struct A(pub B, C);` without `C`.
fn without_private_fields(text: &str) -> String {
    let Some((head, fields)) = text.split_once('(').filter(|(head, _)| !head.contains('{')) else {
        return text.to_owned();
    };
    let public: Vec<&str> =
        split_group(fields).into_iter().filter(|field| field.trim().starts_with("pub ")).collect();
    format!("{head}({})", public.join(","))
}

/// The paths into other crates that a signature names.
fn foreign_paths(
    signature: &str,
    imports: &BTreeMap<String, String>,
    known: &BTreeSet<String>,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if let Some((_, tree)) = signature.split_once("pub use ") {
        let mut names = BTreeMap::new();
        unfold("", tree.trim().trim_end_matches(';').trim_start_matches("::"), &mut names);
        if tree.contains('*') {
            names.insert("*".to_owned(), tree.trim().trim_end_matches([';', '*', ':']).to_owned());
        }
        found.extend(names.into_values().filter(|path| is_foreign(path, known)));
        return found;
    }
    for (at, word) in words(signature) {
        let before = signature.get(..at).unwrap_or_default();
        let after = signature.get(at + word.len()..).unwrap_or_default();
        if before.ends_with("::") || before.ends_with('\'') {
            continue;
        }
        let is_name_of_field = after.trim_start().starts_with(':') && !after.trim_start().starts_with("::");
        if after.starts_with("::") && is_foreign(word, known) && !imports.contains_key(word) {
            found.insert(path_at(signature, at));
        } else if let Some(path) = imports.get(word).filter(|_| !is_name_of_field) {
            let rest = path_at(signature, at);
            let rest = rest.strip_prefix(word).unwrap_or_default();
            found.insert(format!("{path}{rest}"));
        }
    }
    found
}

fn is_foreign(path: &str, known: &BTreeSet<String>) -> bool {
    path.split("::").next().is_some_and(|first| known.contains(first) && !BUILT_IN.contains(&first))
}

/// The path that starts here.
fn path_at(text: &str, at: usize) -> String {
    let rest = text.get(at..).unwrap_or_default();
    let end = rest
        .find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':'))
        .unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default().trim_end_matches(':').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Crate = Crate { name: "ice", knows: &[], tests_know: &[], public: &["crypto", "stun::net"] };

    fn complaints(source: &str) -> Vec<String> {
        let known = ["crypto", "stun", "turn", "bytes", "x509_parser"].map(str::to_owned).into();
        check_file("a.rs", source, &ROW, &known)
    }

    #[track_caller]
    fn complains(source: &str, path: &str) {
        let found = complaints(source);
        assert!(found.len() == 1 && found[0].contains(&format!("`{path}`")), "wanted {path}: {found:?}");
    }

    #[test]
    fn listed_crates_may_occur() {
        for source in [
            "use crypto::Random;\npub fn new(random: Box<dyn Random>) {}\n",
            "pub fn new(random: Box<dyn crypto::Random>) {}\n",
            "use stun::net::{self, FiveTuple};\npub struct A {\n    pub path: FiveTuple,\n}\npub fn b() -> net::Transmit {}\n",
            "pub use stun::net::{FiveTuple, Transport};\n",
            "pub fn f() -> std::net::SocketAddr {\n    turn::Client::new()\n}\n",
        ] {
            assert_eq!(complaints(source), Vec::<String>::new(), "{source}");
        }
    }

    #[test]
    fn others_may_not() {
        complains(
            "use bytes::Bytes;\npub fn f(\n    &self,\n    payload: Bytes,\n) -> u8 {\n}\n",
            "bytes::Bytes",
        );
        complains("pub fn f(client: turn::Client) {}\n", "turn::Client");
        complains(
            "use stun::{Message, net::FiveTuple};\npub fn f(message: &Message<'_>, path: FiveTuple) {}\n",
            "stun::Message",
        );
        complains(
            "use turn as relay;\npub struct A {\n    inner: u8,\n    pub client: relay::Client,\n}\n",
            "turn::Client",
        );
        complains("use bytes::Bytes;\npub struct A(pub Bytes, u8);\n", "bytes::Bytes");
        complains("pub use turn::Client;\n", "turn::Client");
        complains("pub use stun::*;\n", "stun");
        complains(
            "use x509_parser::error::X509Error as E;\npub enum A {\n}\npub const X: Option<E> = None;\n",
            "x509_parser::error::X509Error",
        );
    }

    #[test]
    fn private_things_and_names_of_fields_are_nobodys_business() {
        for source in [
            "use bytes::Bytes;\npub(crate) fn f(payload: Bytes) {}\nfn g(payload: Bytes) {}\n",
            "use bytes::Bytes;\npub struct A {\n    payload: Bytes,\n}\n",
            "use turn::client;\npub struct A {\n    pub client: u8,\n}\n",
            "// pub fn f(client: turn::Client) {}\n",
            "#[cfg(test)]\nmod tests {\n    pub fn f(client: turn::Client) {}\n}\n",
            "use bytes::Bytes;\npub struct A<'a>(Bytes, &'a str);\n",
            "mod turn;\npub use turn::Client;\npub fn f() -> turn::Client {}\n",
            "mod turn_like;\npub use turn_like::Client;\n",
        ] {
            assert_eq!(complaints(source), Vec::<String>::new(), "{source}");
        }
    }
}
