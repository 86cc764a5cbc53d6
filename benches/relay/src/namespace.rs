//! A network of its own.

use crate::{RelayError, Side, tun::Tun};
use std::{
    fs::File,
    io,
    os::fd::{AsRawFd, RawFd},
    path::PathBuf,
    process::{Child, Command},
    thread,
};

/// A network namespace without a name: it is gone with the last process and the last file that belong to it.
#[derive(Debug)]
pub struct Namespace(File);

impl Namespace {
    pub(crate) fn new(side: Side, mtu: u16) -> Result<(Self, Tun), RelayError> {
        // In a thread that ends: it cannot come back.
        on_thread(move || {
            // SAFETY: changes the network of this thread alone.
            if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
                return Err(RelayError::Namespace(io::Error::last_os_error()));
            }
            let namespace = File::open("/proc/thread-self/ns/net").map_err(RelayError::Namespace)?;
            Ok((Self(namespace), Tun::new(side.address(), mtu)?))
        })
    }

    /// Does something on a thread that is within.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        let fd = self.0.as_raw_fd();
        on_thread(move || {
            // SAFETY: the file is a namespace and open; changes the network of this thread alone.
            if unsafe { libc::setns(fd, libc::CLONE_NEWNET) } != 0 {
                return Err(io::Error::last_os_error());
            }
            work()
        })
    }

    /// Starts a process within.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        self.within(|| command.spawn())
    }

    /// A path that other programs of this user can enter by: `nsenter --net=PATH COMMAND`.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd()).into()
    }
}

impl AsRawFd for Namespace {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

fn on_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| match scope.spawn(work).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
