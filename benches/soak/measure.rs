//! What the process holds.

use crate::{Failure, alloc, probe::Probes};
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;

/// How long things may take to come back after the last connection has ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// What has to be at the end what it was at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    /// Open file descriptors.
    pub(crate) descriptors: usize,
    /// Tasks of the runtime that have not ended.
    pub(crate) tasks: usize,
    /// Probes of the application that are still held.
    pub(crate) probes: u64,
}

/// Memory, when nothing is going on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Connections, or cycles, made before it.
    pub(crate) at: u64,
    /// Bytes of memory that the process has in RAM.
    pub(crate) resident: usize,
    /// Bytes in use of the allocator.
    pub(crate) heap: usize,
}

impl Level {
    pub(crate) fn now(probes: &Probes) -> Result<Self, Failure> {
        let descriptors = fs::read_dir("/proc/self/fd").map_err(|error| format!("descriptors: {error}"))?;
        Ok(Self {
            descriptors: descriptors.count(),
            tasks: Handle::current().metrics().num_alive_tasks(),
            probes: probes.alive(),
        })
    }

    /// Waits until it is this level again.
    pub(crate) async fn settled(self, probes: &Probes) -> Result<(), Failure> {
        let begin = now();
        loop {
            let level = Self::now(probes)?;
            if level == self {
                return Ok(());
            }
            if now() - begin > PATIENCE {
                return Err(self.missing(level));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn missing(self, level: Self) -> Failure {
        format!(
            "not everything came back within {PATIENCE:?}: {} descriptors instead of {}, {} tasks instead of {}, \
             {} probes still held instead of {}",
            level.descriptors, self.descriptors, level.tasks, self.tasks, level.probes, self.probes
        )
    }
}

impl Sample {
    pub(crate) fn take(at: u64) -> Result<Self, Failure> {
        Ok(Self { at, resident: resident()?, heap: alloc::live() })
    }
}

#[expect(clippy::disallowed_methods, reason = "the program waits and says how long things took")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The exact figure: `statm` and `status` are put together from counters of each thread, and lag behind.
fn resident() -> Result<usize, Failure> {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup");
    let text = rollup.or_else(|_| fs::read_to_string("/proc/self/status"));
    let text = text.map_err(|error| format!("resident memory cannot be read: {error}"))?;
    let line =
        text.lines().find_map(|line| line.strip_prefix("Rss:").or_else(|| line.strip_prefix("VmRSS:")));
    line.and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse::<usize>().ok())
        .map(|kilobytes| kilobytes << 10)
        .ok_or_else(|| "resident memory is not in procfs as expected".to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn memory_in_use_shows() {
        let before = Sample::take(0).unwrap();
        let block = std::hint::black_box(vec![1_u8; 32 << 20]);
        let held = Sample::take(0).unwrap();
        drop(block);
        assert!(held.resident >= before.resident + (16 << 20), "{before:?} {held:?}");
        assert!(held.heap >= before.heap + (31 << 20), "{before:?} {held:?}");
    }

    #[tokio::test]
    async fn a_level_counts_descriptors_tasks_and_probes() {
        let probes = Probes::default();
        let start = Level::now(&probes).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let sockets = [(); 30].map(|()| std::net::UdpSocket::bind("127.0.0.1:0").unwrap());
        let probe = probes.probe();
        let task = tokio::spawn(async move {
            let _held = (sockets, probe);
            stopped.await
        });
        let busy = Level::now(&probes).unwrap();
        assert_eq!((busy.tasks, busy.probes), (start.tasks + 1, 1));
        // Other tests of this process open and close files at the same time.
        assert!(busy.descriptors >= start.descriptors + 20, "{start:?} {busy:?}");
        assert!(start.missing(busy).contains("1 probes still held instead of 0"));
        drop(stop);
        task.await.unwrap().unwrap_err();
        Level::now(&probes).unwrap().settled(&probes).await.unwrap();
        assert_eq!((Level::now(&probes).unwrap().tasks, probes.alive()), (start.tasks, 0));
    }
}
