//! Browsers as child processes: a fresh profile, a process group of its own, and nothing left behind.

use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Which browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Chromium,
    Firefox,
}

/// How it treats addresses of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// Host candidates are `.local` names; camera and microphone are not granted.
    Hidden,
    /// Host candidates are addresses; camera and microphone are fakes, granted without asking.
    Shown,
}

/// A running browser. Dropping it ends the browser with everything it started.
pub(crate) struct Browser {
    child: Child,
    profile: PathBuf,
}

impl Browser {
    /// Starts a browser on `url`.
    pub(crate) fn start(kind: Kind, addresses: Addresses, url: &str) -> io::Result<Self> {
        let profile = fresh_folder()?;
        let mut command = match kind {
            Kind::Chromium => chromium(&profile, addresses),
            Kind::Firefox => firefox(&profile, addresses)?,
        };
        let log = fs::File::create(profile.join("output.log"))?;
        command.arg(url).env("HOME", &profile).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // A group of its own: browsers are many processes, and they end together.
        command.process_group(0);
        Ok(Self { child: command.spawn()?, profile })
    }

    /// The process that started all others.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself, which is always a fault.
    pub(crate) fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            // Gone already is as good.
            let _ = kill_process_group(group, Signal::TERM);
            if !ended_within(&mut self.child, Duration::from_millis(1_500)) {
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

#[expect(clippy::disallowed_methods, reason = "a test program waits in real time")]
fn ended_within(child: &mut Child, patience: Duration) -> bool {
    let end = Instant::now() + patience;
    while Instant::now() < end {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// The program of a browser, when it is installed.
pub(crate) fn program(kind: Kind) -> Option<PathBuf> {
    let names: &[&str] = match kind {
        Kind::Chromium => &["chromium", "chromium-browser", "google-chrome"],
        Kind::Firefox => &["firefox-esr", "firefox"],
    };
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|candidate| candidate.is_file())
}

fn chromium(profile: &Path, addresses: Addresses) -> Command {
    let mut command = Command::new(program(Kind::Chromium).unwrap_or_else(|| "chromium".into()));
    command.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--mute-audio",
        "--autoplay-policy=no-user-gesture-required",
        "--allow-loopback-in-peer-connection",
        // Looks nobody up: everything it needs is on this machine.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.*",
    ]);
    if addresses == Addresses::Shown {
        command.args(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]);
    }
    command.arg(format!("--user-data-dir={}", profile.display()));
    command
}

fn firefox(profile: &Path, addresses: Addresses) -> io::Result<Command> {
    let mut prefs = vec![
        ("media.autoplay.default", "0"),
        ("media.gmp-manager.updateEnabled", "false"),
        ("network.captive-portal-service.enabled", "false"),
        ("network.connectivity-service.enabled", "false"),
        ("app.normandy.enabled", "false"),
        ("app.update.enabled", "false"),
        ("toolkit.telemetry.enabled", "false"),
        ("datareporting.policy.dataSubmissionEnabled", "false"),
        ("browser.shell.checkDefaultBrowser", "false"),
        ("browser.aboutwelcome.enabled", "false"),
        ("services.settings.server", "\"http://127.0.0.1:9\""),
    ];
    if addresses == Addresses::Shown {
        prefs.extend([
            ("media.navigator.streams.fake", "true"),
            ("media.navigator.permission.disabled", "true"),
            ("media.peerconnection.ice.obfuscate_host_addresses", "false"),
        ]);
    }
    let lines: String =
        prefs.iter().map(|(name, value)| format!("user_pref(\"{name}\", {value});\n")).collect();
    fs::write(profile.join("user.js"), lines)?;
    let mut command = Command::new(program(Kind::Firefox).unwrap_or_else(|| "firefox-esr".into()));
    command.args(["--headless", "--no-remote", "--new-instance", "--profile"]).arg(profile);
    Ok(command)
}

fn fresh_folder() -> io::Result<PathBuf> {
    for attempt in 0..1_000 {
        let folder = std::env::temp_dir().join(format!("peerlane-browser-{}-{attempt}", std::process::id()));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
