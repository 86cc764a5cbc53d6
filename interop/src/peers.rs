//! Whom we call: browsers, aiortc, and ourselves.

use crate::{
    agent::{Agent, Program},
    browser::{self, Addresses, Browser},
    hub::Hub,
};
use std::{
    fmt,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// A peer of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeerKind {
    Aiortc,
    Chromium,
    Firefox,
    Peerlane,
}

impl PeerKind {
    pub(crate) const ALL: [Self; 4] = [Self::Chromium, Self::Firefox, Self::Aiortc, Self::Peerlane];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aiortc => "aiortc",
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::Peerlane => "peerlane",
        }
    }

    fn browser(self) -> Option<browser::Kind> {
        match self {
            Self::Chromium => Some(browser::Kind::Chromium),
            Self::Firefox => Some(browser::Kind::Firefox),
            Self::Aiortc | Self::Peerlane => None,
        }
    }

    /// Why the peer cannot be tried on this machine.
    pub(crate) fn missing(self, python: Option<&Path>) -> Option<String> {
        match self {
            Self::Aiortc if python.is_none() => {
                Some("its Python environment could not be made; is python3-venv installed?".to_owned())
            }
            Self::Chromium | Self::Firefox => {
                let kind = self.browser()?;
                browser::program(kind).is_none().then(|| format!("{} is not installed", self.name()))
            }
            Self::Aiortc | Self::Peerlane => None,
        }
    }

    /// Its version, for the report.
    pub(crate) async fn version(self, python: Option<&Path>) -> String {
        let mut command = match self {
            Self::Aiortc => {
                let mut command = Command::new(python.unwrap_or_else(|| Path::new("python3")));
                command.args(["-c", "import aiortc; print('aiortc', aiortc.__version__)"]);
                command
            }
            Self::Chromium | Self::Firefox => {
                let mut command = Command::new(self.browser().and_then(browser::program).unwrap_or_default());
                command.arg("--version");
                command
            }
            Self::Peerlane => return format!("peerlane {}", peerlane::VERSION),
        };
        let output = command.output().await.map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).lines().next().unwrap_or_default().trim().to_owned()
    }
}

impl fmt::Display for PeerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A peer that runs. Dropping it ends it.
pub(crate) struct Peer {
    kind: PeerKind,
    addresses: Addresses,
    agent: Agent,
    hub: Option<Hub>,
    browser: Option<Browser>,
    program: Option<Program>,
}

impl Peer {
    pub(crate) async fn start(
        kind: PeerKind,
        addresses: Addresses,
        python: Option<&Path>,
    ) -> Result<Self, String> {
        if let Some(browser_kind) = kind.browser() {
            let mut hub = Hub::start().await?;
            let browser =
                Browser::start(browser_kind, addresses, &hub.url()).map_err(|error| error.to_string())?;
            let agent = hub.next_agent().await?;
            return Ok(Self {
                kind,
                addresses,
                agent,
                hub: Some(hub),
                browser: Some(browser),
                program: None,
            });
        }
        let mut command = match kind {
            PeerKind::Aiortc => {
                let mut command = Command::new(python.ok_or("no Python environment")?);
                command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/aiortc/peer.py"));
                command
            }
            PeerKind::Chromium | PeerKind::Firefox | PeerKind::Peerlane => {
                let mut command = Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
                command.arg("--agent");
                if addresses == Addresses::Hidden {
                    command.arg("--hidden");
                }
                command
            }
        };
        command.kill_on_drop(true);
        let program = Program::start(command).await?;
        Ok(Self {
            kind,
            addresses,
            agent: program.agent.clone(),
            hub: None,
            browser: None,
            program: Some(program),
        })
    }

    /// Whether it can serve a scenario with this setting as it is.
    pub(crate) fn fits(&mut self, kind: PeerKind, addresses: Addresses) -> bool {
        let alive = !self.browser.as_mut().is_some_and(Browser::has_ended);
        alive && self.kind == kind && self.addresses == addresses
    }

    /// Its process, the root of everything it has started.
    pub(crate) fn process(&self) -> Option<u32> {
        let browser = self.browser.as_ref().map(Browser::process);
        browser.or_else(|| self.program.as_ref().and_then(Program::process))
    }

    /// What a scenario talks to.
    pub(crate) fn parts(&mut self) -> (Agent, Option<&mut Hub>) {
        (self.agent.clone(), self.hub.as_mut())
    }

    pub(crate) async fn stop(mut self) {
        if let Some(program) = &mut self.program {
            program.kill().await;
        }
    }
}

/// The Python of the aiortc environment below `interop/peers`, made on first use with the versions of its lock file.
pub(crate) async fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/aiortc");
    let environment = folder.join(".venv");
    let python = environment.join("bin/python");
    let works = || async {
        let mut command = Command::new(&python);
        command.args(["-c", "import aiortc, av"]).output().await.is_ok_and(|output| output.status.success())
    };
    if works().await {
        return Some(python);
    }
    println!("setting up aiortc in interop/peers/aiortc/.venv ...");
    let made = Command::new("python3").args(["-m", "venv"]).arg(&environment).output().await;
    if !made.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    let installed = install.arg(folder.join("requirements.txt")).output().await.ok()?;
    if !installed.status.success() {
        println!("{}", String::from_utf8_lossy(&installed.stderr));
    }
    if works().await { Some(python) } else { None }
}
