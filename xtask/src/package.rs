//! `cargo xtask package`: every published crate can be packed, and the right files are in it.

use crate::{
    Failure,
    metadata::{Package, Workspace},
    shell,
};

/// What a package must hold. The licences are named in the manifest; README and sources must be there.
const REQUIRED: &[&str] = &["CHANGELOG.md", "Cargo.toml", "README.md", "src/lib.rs"];

pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    let mut complaints = Vec::new();
    for package in workspace.published() {
        let listed =
            shell::output("cargo", &["package", "--list", "--allow-dirty", "--locked", "-p", &package.name])?;
        complaints.extend(check_list(package, &listed));
    }
    if !complaints.is_empty() {
        return Err(complaints.join("\n"));
    }
    let arguments = arguments(&workspace);
    shell::run("cargo", &arguments)?;
    println!("package: {} crates packed", workspace.published().count());
    Ok(())
}

/// All published crates in one call, so that cargo can resolve those that are in no registry yet among themselves.
/// Building each of them again from its package would take longer than all tests: `--no-verify`.
fn arguments(workspace: &Workspace) -> Vec<String> {
    let mut arguments =
        ["package", "--quiet", "--no-verify", "--allow-dirty", "--locked"].map(str::to_owned).to_vec();
    for package in workspace.published() {
        arguments.extend(["-p".to_owned(), package.name.clone()]);
    }
    arguments
}

fn check_list(package: &Package, listed: &str) -> Vec<String> {
    let files: Vec<&str> = listed.lines().collect();
    let name = &package.name;
    let mut complaints: Vec<String> = REQUIRED
        .iter()
        .filter(|required| !files.contains(required))
        .map(|required| format!("{name}: {required} is not in the package"))
        .collect();
    let strays = files.iter().filter(|file| file.starts_with("fuzz/") || file.ends_with(".pcap"));
    complaints.extend(strays.map(|stray| format!("{name}: {stray} should not be in the package")));
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hold_what_they_must_and_no_strays() {
        let package = Package { name: "a".to_owned(), is_published: true, dependencies: Vec::new() };
        assert_eq!(
            check_list(&package, "CHANGELOG.md\nCargo.toml\nREADME.md\nsrc/lib.rs\n"),
            Vec::<String>::new()
        );
        let found = check_list(&package, "CHANGELOG.md\nCargo.toml\nsrc/lib.rs\nfuzz/x.rs\n");
        assert_eq!(
            found,
            ["a: README.md is not in the package", "a: fuzz/x.rs should not be in the package"]
        );
    }
}
