//! The command line.

use peerlane::crypto::os_random;
use std::{net::IpAddr, path::PathBuf};

const HELP: &str = "\
A web page and a Rust peer that talk WebRTC.

Usage: demo [OPTIONS]

  --port N        TCP port of the page (default 8080, 0 for any free one)
  --bind ADDRESS  address to listen on (default 127.0.0.1; 0.0.0.0 for every interface)
  --udp-port N    the one UDP port for all media (default: any free one)
  --record DIR    where recordings go (default: a folder in the temporary directory)
  --help          this text";

/// What the command line asks for.
pub(crate) struct Options {
    pub(crate) port: u16,
    pub(crate) bind: IpAddr,
    pub(crate) udp_port: u16,
    pub(crate) recordings: PathBuf,
}

impl Options {
    pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            port: 8_080,
            bind: IpAddr::from([127, 0, 0, 1]),
            udp_port: 0,
            recordings: std::env::temp_dir().join(format!("peerlane-demo-{}", std::process::id())),
        };
        let mut args = args;
        while let Some(flag) = args.next() {
            let (flag, inline) = match flag.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
                None => (flag, None),
            };
            if flag == "--help" {
                return Err(HELP.to_owned());
            }
            let value =
                inline.or_else(|| args.next()).ok_or_else(|| format!("{flag} needs a value\n\n{HELP}"))?;
            let wrong = || format!("{value:?} is not a value for {flag}\n\n{HELP}");
            match flag.as_str() {
                "--port" => options.port = value.parse().map_err(|_| wrong())?,
                "--bind" => options.bind = value.parse().map_err(|_| wrong())?,
                "--udp-port" => options.udp_port = value.parse().map_err(|_| wrong())?,
                "--record" => options.recordings = value.into(),
                _ => return Err(format!("unknown option {flag}\n\n{HELP}")),
            }
        }
        Ok(options)
    }

    /// The password of the embedded relay: new with each start, handed out by the page.
    pub(crate) fn secret(&self) -> String {
        let mut bytes = [0; 12];
        os_random().fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
