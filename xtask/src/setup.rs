//! What the whole test run needs beside Rust.

use crate::{Failure, shell};

struct Need {
    /// The Debian package.
    package: &'static str,
    /// Commands of which one must work.
    probes: &'static [(&'static str, &'static [&'static str])],
}

const NEEDS: &[Need] = &[
    Need {
        package: "chromium",
        probes: &[
            ("chromium", &["--version"]),
            ("chromium-browser", &["--version"]),
            ("google-chrome", &["--version"]),
        ],
    },
    Need { package: "firefox-esr", probes: &[("firefox-esr", &["--version"]), ("firefox", &["--version"])] },
    // For `interop --sctp`.
    Need {
        package: "libusrsctp-dev",
        probes: &[("cc", &["-x", "c", "-fsyntax-only", "-include", "usrsctp.h", "/dev/null"])],
    },
    Need { package: "python3-venv", probes: &[("python3", &["-c", "import venv, ensurepip"])] },
];

/// Installs what is missing where it may, and says so. Where it may not, it says what to type.
pub(crate) fn run() -> Result<(), Failure> {
    let missing: Vec<&str> = NEEDS
        .iter()
        .filter(|need| !need.probes.iter().any(|(program, arguments)| shell::works(program, arguments)))
        .map(|need| need.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line =
        format!("apt-get update && apt-get install --yes --no-install-recommends {}", missing.join(" "));
    let is_root = shell::output("id", &["-u"]).is_ok_and(|id| id.trim() == "0");
    if !is_root || !shell::works("apt-get", &["--version"]) {
        println!(
            "xtask: {} missing; what needs it will be reported as skipped. To install:\n  {line}",
            missing.join(", ")
        );
        return Ok(());
    }
    println!("xtask: installing {} (apt-get)", missing.join(", "));
    shell::output("sh", &["-c", &format!("export DEBIAN_FRONTEND=noninteractive; {line}")]).map(drop)
}
