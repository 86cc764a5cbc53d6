//! What cargo knows about the workspace.

use crate::{Failure, shell};
use serde_json::Value;

/// A dependency of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The name of the package, not the name it is renamed to.
    pub(crate) package: String,
    pub(crate) kind: Kind,
    /// The version requirement, `*` when there is none.
    pub(crate) requirement: String,
    /// Whether it is a folder of this repository.
    pub(crate) is_ours: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Build,
    Dev,
    Normal,
}

/// A package of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) is_published: bool,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// In the order of their names.
    pub(crate) packages: Vec<Package>,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self, Failure> {
        let text = shell::output("cargo", &["metadata", "--no-deps", "--format-version", "1"])?;
        Self::parse(&text)
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("cargo metadata: {error}"))?;
        let mut packages: Vec<Package> = array(&value, "packages").iter().map(parse_package).collect();
        packages.sort_by(|one, two| one.name.cmp(&two.name));
        if packages.is_empty() {
            return Err("cargo metadata names no packages".to_owned());
        }
        Ok(Self { packages })
    }

    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_published)
    }
}

fn parse_package(package: &Value) -> Package {
    Package {
        name: string(package, "name"),
        // `publish = false` is an empty list of registries; no list means all of them.
        is_published: package
            .get("publish")
            .is_none_or(|list| list.as_array().is_none_or(|list| !list.is_empty())),
        dependencies: array(package, "dependencies").iter().map(parse_dependency).collect(),
    }
}

fn parse_dependency(dependency: &Value) -> Dependency {
    Dependency {
        package: string(dependency, "name"),
        kind: match dependency.get("kind").and_then(Value::as_str) {
            Some("dev") => Kind::Dev,
            Some("build") => Kind::Build,
            _ => Kind::Normal,
        },
        requirement: string(dependency, "req"),
        is_ours: dependency.get("path").is_some_and(Value::is_string),
    }
}

fn string(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cargo_says() {
        let text = r#"{"workspace_root":"/r","packages":[
            {"name":"b","version":"0.1.0","publish":null,"manifest_path":"/r/crates/b/Cargo.toml",
             "targets":[{"kind":["lib"]}],
             "dependencies":[{"name":"a","kind":null,"req":"^0.1.0","path":"/r/a"},
                             {"name":"tokio","kind":"dev","req":"^1"}]},
            {"name":"a","version":"0.0.0","publish":[],"manifest_path":"/r/a/Cargo.toml",
             "targets":[{"kind":["bin"]}],"dependencies":[]}]}"#;
        let workspace = Workspace::parse(text).unwrap();
        let [a, b] = workspace.packages.as_slice() else { panic!("two packages") };
        assert_eq!((a.name.as_str(), a.is_published), ("a", false));
        assert_eq!((b.name.as_str(), b.is_published), ("b", true));
        assert_eq!(b.dependencies[0].kind, Kind::Normal);
        assert!(b.dependencies[0].is_ours && !b.dependencies[1].is_ours);
        assert_eq!(b.dependencies[1].kind, Kind::Dev);
        assert!(Workspace::parse("{}").is_err() && Workspace::parse("no").is_err());
    }
}
