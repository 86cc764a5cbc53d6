//! The default size of socket buffers, raised for a while: a setting of the whole machine, which root may change.

use std::{
    fs, process,
    sync::{Mutex, PoisonError},
    thread,
};

const SETTINGS: [&str; 2] = ["/proc/sys/net/core/rmem_default", "/proc/sys/net/core/wmem_default"];
const LARGE: u32 = 4 << 20;

/// What was there before, while it is raised.
static BEFORE: Mutex<Vec<(&str, String)>> = Mutex::new(Vec::new());

/// Raised as long as this is there.
pub struct Raised(());

impl Raised {
    pub fn raise() -> Result<Self, String> {
        let raised = Self(());
        for path in SETTINGS {
            let before = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
            BEFORE.lock().unwrap_or_else(PoisonError::into_inner).push((path, before));
            fs::write(path, LARGE.to_string())
                .map_err(|error| format!("{path}: {error} (this takes root)"))?;
        }
        Ok(raised)
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    for (path, before) in BEFORE.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        if let Err(error) = fs::write(path, before.trim()) {
            eprintln!("peers: {path} was {} and is not restored: {error}", before.trim());
        }
    }
}

/// From now on an interrupt restores first. To be called before other threads begin: they inherit what is blocked.
pub fn restore_on_signals() {
    // SAFETY: the sets are valid, and the calls change the signals of this thread and of those it starts.
    let set = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            libc::sigaddset(&raw mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        set
    };
    thread::spawn(move || {
        let mut signal = 0;
        // SAFETY: both point to valid values of this thread.
        unsafe {
            libc::sigwait(&raw const set, &raw mut signal);
        }
        restore();
        process::exit(128 + signal);
    });
}
