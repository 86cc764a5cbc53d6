//! What the machine is, and what this process has used of it.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    fs,
    net::UdpSocket,
    os::fd::AsRawFd,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::Duration,
};

/// Binds the calling thread, and those that it starts, to one core.
pub fn pin(core: usize) {
    // SAFETY: an all-zero set is a valid one, and `sched_setaffinity` only reads it.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core % cores(), &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
    }
}

/// Undoes [`pin`], for the calling thread.
pub fn unpin() {
    // SAFETY: as above.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        for core in 0..cores() {
            libc::CPU_SET(core, &mut set);
        }
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
    }
}

/// Asks for socket buffers of this size in both directions.
pub fn buffers(socket: &UdpSocket, bytes: libc::c_int) {
    for option in [libc::SO_RCVBUF, libc::SO_SNDBUF] {
        // SAFETY: the value is an `int` that outlives the call.
        unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                (&raw const bytes).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            );
        }
    }
}

/// Cores of the machine, whatever this process may use of them.
pub fn cores() -> usize {
    // SAFETY: a call without pointers.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    usize::try_from(count).unwrap_or(1).max(1)
}

/// Processor time of this process, in user mode and in the kernel.
pub fn cpu() -> (Duration, Duration) {
    // SAFETY: an all-zero `rusage` is a valid one, and `getrusage` only writes into it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let time = |time: libc::timeval| {
        Duration::new(
            u64::try_from(time.tv_sec).unwrap_or(0),
            u32::try_from(time.tv_usec).unwrap_or(0) * 1_000,
        )
    };
    (time(usage.ru_utime), time(usage.ru_stime))
}

/// Processor time of the calling thread.
pub fn thread_time() -> Duration {
    // SAFETY: `clock_gettime` only writes into the structure it gets.
    let time = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time);
        time
    };
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// As many open files as the system allows: a thousand connections are a thousand sockets.
pub fn raise_file_limit() {
    // SAFETY: both calls get a pointer to a valid structure of the right kind.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
    }
}

/// Cycles per second of a core, where the system knows them.
pub fn clock() -> Option<f64> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = cpuinfo.lines().find(|line| line.starts_with("cpu MHz"))?;
    let megahertz: f64 = line.split(':').nth(1)?.trim().parse().ok()?;
    Some(megahertz * 1e6)
}

/// Resident memory of this process in bytes.
pub fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|word| word.parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}

/// The system's allocator. Counts what is allocated once it is told to.
pub struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static ALLOCATED: AtomicI64 = AtomicI64::new(0);

/// From now on every allocation is counted. For a process that does nothing else: counting costs time.
pub fn count_allocations() {
    COUNTS.store(true, Ordering::Relaxed);
}

/// Bytes allocated and not freed since the counting began.
pub fn allocated() -> i64 {
    ALLOCATED.load(Ordering::Relaxed)
}

fn change(bytes: usize, sign: i64) {
    if COUNTS.load(Ordering::Relaxed) {
        ALLOCATED.fetch_add(sign * i64::try_from(bytes).unwrap_or(0), Ordering::Relaxed);
    }
}

// SAFETY: every call is passed on unchanged to `System`; the counters neither allocate nor unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        change(layout.size(), 1);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        change(layout.size(), 1);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        change(layout.size(), -1);
        // SAFETY: as above; `pointer` came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        change(layout.size(), -1);
        change(size, 1);
        // SAFETY: as above; `pointer` came from `System`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// The machine in words that name nobody.
#[derive(Clone, Debug)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub system: String,
}

impl Machine {
    pub fn read() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            let line =
                cpuinfo.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
            line.and_then(|line| line.split(':').nth(1)).map_or("?", str::trim).to_owned()
        };
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib = meminfo.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let release: Vec<&str> = release.trim().split(['-', '+']).take(1).collect();
        let virtual_machine = if cpuinfo.contains(" hypervisor") { ", virtual machine" } else { "" };
        Self {
            processor: format!(
                "{}, family {} model {}{virtual_machine}",
                field("model name"),
                field("cpu family"),
                field("model")
            ),
            cores: cores(),
            memory_gib: kib.div_ceil(1 << 20),
            system: format!("Linux {}", release.concat()),
        }
    }
}
