//! What the dependency trees must not hold.

use super::Crate;
use crate::shell;

/// Packages that compile C, or look for C that is installed.
const NEED_C: &[&str] =
    &["aws-lc-sys", "bindgen", "cc", "cmake", "openssl-sys", "pkg-config", "ring", "vcpkg"];

pub(super) fn check(crates: &[Crate]) -> Vec<String> {
    let mut complaints: Vec<String> = crates.iter().filter_map(without_tokio).collect();
    complaints.extend(without_c());
    complaints
}

/// Without features no crate reaches tokio.
fn without_tokio(row: &Crate) -> Option<String> {
    let package = row.package();
    let arguments = ["-p", &package, "--edges", "normal", "--no-default-features"];
    match packages(&arguments) {
        Ok(tree) => forbidden(&tree, &["tokio"]).map(|found| {
            format!("{package}: depends on {found} without any feature (cargo tree -i {found})")
        }),
        Err(failure) => Some(failure),
    }
}

/// The umbrella with its asynchronous API and the RustCrypto back end needs no C compiler.
fn without_c() -> Option<String> {
    let features = ["--no-default-features", "--features", "tokio,rustcrypto"];
    let mut arguments = vec!["-p", "peerlane", "--edges", "normal,build"];
    arguments.extend(features);
    match packages(&arguments) {
        Ok(tree) => forbidden(&tree, NEED_C)
            .map(|found| format!("peerlane: needs a C compiler through {found} with {}", features.join(" "))),
        Err(failure) => Some(failure),
    }
}

/// The names in a tree.
fn packages(arguments: &[&str]) -> Result<Vec<String>, String> {
    let mut all = vec!["tree", "--locked", "--prefix", "none", "--format", "{p}"];
    all.extend(arguments);
    let text = shell::output("cargo", &all)?;
    Ok(names(&text))
}

fn names(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn forbidden(tree: &[String], list: &[&'static str]) -> Option<&'static str> {
    list.iter().copied().find(|name| tree.iter().any(|package| package == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_packages_are_found_by_their_whole_name() {
        let tree = names("peerlane v0.1.0 (/r)\ncc v1.2.0\ntokio-util v0.7.0\nring v0.17.0 (*)\n");
        assert_eq!(forbidden(&tree, &["tokio"]), None);
        assert_eq!(forbidden(&tree, NEED_C), Some("cc"));
        assert_eq!(forbidden(&names("a v1\nring v0.17.0 (*)\n"), NEED_C), Some("ring"));
    }
}
