//! `cargo xtask graph`: who may know whom.

mod signatures;
mod table;
mod trees;

use crate::{
    Failure,
    metadata::{Kind, Package, Workspace},
    tree::Tree,
};
use table::{CRATES, Crate, UNPUBLISHED};

pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    let mut complaints = edges(&workspace, CRATES);
    complaints.extend(signatures::check(&Tree::load()?, &workspace, CRATES));
    complaints.extend(trees::check(CRATES));
    if complaints.is_empty() {
        println!("graph: {} crates know whom they may know", CRATES.len());
        return Ok(());
    }
    let count = complaints.len();
    Err(format!("{}\ngraph: {count} offences", complaints.join("\n")))
}

/// Compares the dependencies inside the workspace with the table.
fn edges(workspace: &Workspace, crates: &[Crate]) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in &workspace.packages {
        let Some(row) = crates.iter().find(|row| row.package() == package.name) else {
            if !UNPUBLISHED.contains(&package.name.as_str()) {
                complaints.push(format!("{}: is not in the table (xtask/src/graph/table.rs)", package.name));
            } else if package.is_published {
                complaints.push(format!("{}: must not be published", package.name));
            }
            continue;
        };
        complaints.extend(check_package(package, row));
    }
    for row in crates {
        if !workspace.packages.iter().any(|package| package.name == row.package()) {
            complaints.push(format!("{}: is in the table and not in the workspace", row.package()));
        }
    }
    complaints
}

fn check_package(package: &Package, row: &Crate) -> Vec<String> {
    let mut complaints = Vec::new();
    let name = &package.name;
    for dependency in package.dependencies.iter().filter(|dependency| dependency.is_ours) {
        let short = dependency.package.strip_prefix("peerlane-").unwrap_or(&dependency.package);
        let is_testkit = short == "testkit";
        let may = match dependency.kind {
            Kind::Normal | Kind::Build => row.knows.contains(&short),
            // Tests may use the kit; for the rest they know no more than the crate itself.
            Kind::Dev => is_testkit || row.knows.contains(&short) || row.tests_know.contains(&short),
        };
        if !may {
            complaints.push(format!(
                "{name}: must not know {} ({:?} dependency)",
                dependency.package, dependency.kind
            ));
        }
        // A path without a version cannot be published; the test kit, which never is, must not have one.
        let has_version = dependency.requirement != "*";
        if dependency.kind == Kind::Normal && !has_version && package.is_published {
            complaints.push(format!("{name}: {} needs a version beside its path", dependency.package));
        }
        if is_testkit && has_version {
            complaints.push(format!("{name}: testkit is never published, so it has no version here"));
        }
    }
    for known in row.knows {
        let is_used = package.dependencies.iter().any(|dependency| {
            dependency.kind == Kind::Normal && dependency.package.strip_prefix("peerlane-") == Some(known)
        });
        if !is_used {
            complaints.push(format!("{name}: the table lets it know {known}, which it does not use"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    const ROWS: &[Crate] = &[
        Crate { name: "base", knows: &[], tests_know: &[], public: &[] },
        Crate { name: "stun", knows: &["base"], tests_know: &["crypto"], public: &[] },
    ];

    fn package(name: &str, dependencies: Vec<Dependency>) -> Package {
        Package { name: name.to_owned(), is_published: true, dependencies }
    }

    fn on(name: &str, kind: Kind, requirement: &str) -> Dependency {
        Dependency {
            package: format!("peerlane-{name}"),
            kind,
            requirement: requirement.to_owned(),
            is_ours: true,
        }
    }

    fn complaints(dependencies: Vec<Dependency>) -> Vec<String> {
        let packages = vec![package("peerlane-base", Vec::new()), package("peerlane-stun", dependencies)];
        edges(&Workspace { packages }, ROWS)
    }

    #[track_caller]
    fn complains(extra: Dependency, words: &str) {
        let found = complaints(vec![on("base", Kind::Normal, "^0.1.0"), extra]);
        assert!(found.len() == 1 && found[0].contains(words), "wanted {words:?}: {found:?}");
    }

    #[test]
    fn the_table_is_law() {
        let base = || on("base", Kind::Normal, "^0.1.0");
        assert_eq!(
            complaints(vec![base(), on("testkit", Kind::Dev, "*"), on("crypto", Kind::Dev, "^0.1.0")]),
            Vec::<String>::new()
        );
        complains(on("turn", Kind::Normal, "^0.1.0"), "must not know peerlane-turn");
        complains(on("turn", Kind::Build, "^0.1.0"), "must not know peerlane-turn");
        complains(on("turn", Kind::Dev, "^0.1.0"), "must not know peerlane-turn");
        let found = complaints(vec![base(), on("testkit", Kind::Normal, "*")]);
        assert!(found[0].contains("must not know peerlane-testkit"), "{found:?}");
    }

    #[test]
    fn versions_are_where_they_belong() {
        complains(on("testkit", Kind::Dev, "^0.1.0"), "no version here");
        let found = complaints(vec![on("base", Kind::Normal, "*")]);
        assert_eq!(found, ["peerlane-stun: peerlane-base needs a version beside its path"]);
    }

    #[test]
    fn table_and_workspace_name_the_same_crates() {
        let found = edges(&Workspace { packages: vec![package("peerlane-new", Vec::new())] }, ROWS);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("is not in the table"));
        assert_eq!(
            complaints(Vec::new()),
            ["peerlane-stun: the table lets it know base, which it does not use"]
        );
        let published = edges(&Workspace { packages: vec![package("peerlane-testkit", Vec::new())] }, &[]);
        assert_eq!(published, ["peerlane-testkit: must not be published"]);
    }
}
