//! `usrsctp`, the SCTP of Firefox and of many others: Debian's library, without threads, without sockets, with our clock.

#![allow(unsafe_code, reason = "a library in C")]

mod ffi;

use crate::end::{End, Fact, MAX_PACKET, Mode, PPID, Received, Reliability, Sent, Settings};
use std::{
    collections::{BTreeMap, VecDeque},
    ffi::{c_int, c_void},
    io,
    mem::size_of,
    ptr,
    sync::{
        Once,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How often its timers are looked at. It does not say when the next one is due.
const TICK: Duration = Duration::from_millis(10);

/// It keeps something for every stream: fewer than the 65,535 of the others.
const STREAMS: u16 = 1_024;

const SEND_BUFFER: c_int = 1 << 20;

/// What it takes for the time of day, in microseconds.
static CLOCK: AtomicU64 = AtomicU64::new(0);
/// Up to when its timers were run, in milliseconds.
static TIMERS: AtomicU64 = AtomicU64::new(0);
static START: Once = Once::new();

pub(super) struct Socket {
    socket: *mut ffi::Handle,
    /// Until somebody connects.
    listener: *mut ffi::Handle,
    /// Its address: the library names us by a pointer.
    queue: *mut VecDeque<Vec<u8>>,
    /// What came in before it is known whether it is whole.
    parts: BTreeMap<u16, Vec<u8>>,
    /// Read while looking for facts.
    messages: VecDeque<Received>,
    facts: VecDeque<Fact>,
    over: bool,
}

impl Socket {
    pub(super) fn new(settings: Settings, now: Duration) -> Self {
        START.call_once(start);
        set_clock(now);
        let queue: *mut VecDeque<Vec<u8>> = Box::into_raw(Box::default());
        // SAFETY: no callbacks are given, and the pointer to the queue lives until `drop` takes it back.
        let socket = unsafe {
            ffi::usrsctp_register_address(queue.cast());
            let none = ptr::null();
            ffi::usrsctp_socket(
                ffi::AF_CONN,
                ffi::SOCK_STREAM,
                ffi::IPPROTO_SCTP,
                none,
                none,
                0,
                ptr::null_mut(),
            )
        };
        assert!(!socket.is_null(), "usrsctp_socket: {}", io::Error::last_os_error());
        configure(socket, settings);
        let mut address = address(queue);
        // SAFETY: the socket was made above, the address outlives the call.
        let bound =
            unsafe { ffi::usrsctp_bind(socket, &raw mut address, size_of::<ffi::SockaddrConn>() as u32) };
        assert_eq!(bound, 0, "usrsctp_bind: {}", io::Error::last_os_error());
        let mut end = Self {
            socket,
            listener: ptr::null_mut(),
            queue,
            parts: BTreeMap::new(),
            messages: VecDeque::new(),
            facts: VecDeque::new(),
            over: false,
        };
        if settings.passive {
            // SAFETY: the socket was made above.
            let listens = unsafe { ffi::usrsctp_listen(socket, 1) };
            assert_eq!(listens, 0, "usrsctp_listen: {}", io::Error::last_os_error());
            end.listener = socket;
            end.socket = ptr::null_mut();
        }
        end
    }

    fn accept(&mut self) {
        if !self.socket.is_null() || self.listener.is_null() {
            return;
        }
        // SAFETY: the listener is open; it is not asked for the address.
        let accepted = unsafe { ffi::usrsctp_accept(self.listener, ptr::null_mut(), ptr::null_mut()) };
        if !accepted.is_null() {
            // SAFETY: the socket came from `accept` just now.
            unsafe { ffi::usrsctp_set_non_blocking(accepted, 1) };
            self.socket = accepted;
            // What the notification would have said: it went to the listener.
            self.facts.push_back(Fact::Connected);
        }
    }

    /// Reads one message, or a part of one, or a notification; `false` when there is nothing.
    fn read(&mut self) -> bool {
        let mut data = vec![0; 64 << 10];
        let mut info = ffi::Rcvinfo::default();
        let mut info_len = size_of::<ffi::Rcvinfo>() as u32;
        let (mut info_type, mut flags) = (0, 0);
        let mut from = address(self.queue);
        let mut from_len = size_of::<ffi::SockaddrConn>() as u32;
        // SAFETY: every pointer is to a local variable that outlives the call, with its size beside it.
        let len = unsafe {
            ffi::usrsctp_recvv(
                self.socket,
                data.as_mut_ptr().cast(),
                data.len(),
                &raw mut from,
                &raw mut from_len,
                (&raw mut info).cast(),
                &raw mut info_len,
                &raw mut info_type,
                &raw mut flags,
            )
        };
        let Ok(len) = usize::try_from(len) else { return false };
        data.truncate(len);
        if flags & ffi::MSG_NOTIFICATION != 0 {
            self.notified(&data);
            return true;
        }
        if len == 0 {
            return false;
        }
        let message = self.parts.entry(info.sid).or_default();
        message.extend_from_slice(&data);
        if flags & ffi::MSG_EOR != 0 {
            let payload = std::mem::take(message);
            self.messages.push_back(Received { stream: info.sid, ppid: u32::from_be(info.ppid), payload });
        }
        true
    }

    fn notified(&mut self, data: &[u8]) {
        let word = |at: usize| data.get(at..at + 2).map_or(0, |two| u16::from_ne_bytes([two[0], two[1]]));
        match word(0) {
            ffi::ASSOC_CHANGE => {
                let why = format!("error {}", word(10));
                self.facts.push_back(match word(8) {
                    1 => Fact::Connected,
                    3 => Fact::Restarted,
                    4 => Fact::Closed { gracefully: true, why },
                    _ => Fact::Closed { gracefully: false, why },
                });
            }
            // The rest of a message was given up: its beginning was delivered already.
            ffi::PARTIAL_DELIVERY_EVENT => drop(self.parts.remove(&word(12))),
            ffi::STREAM_RESET_EVENT => {
                let flags = word(2);
                for at in (12..data.len()).step_by(2) {
                    let stream = word(at);
                    if flags & 0xc != 0 {
                        self.facts.push_back(Fact::Remark(format!("reset of {stream}: flags {flags:x}")));
                        continue;
                    }
                    if flags & 1 != 0 {
                        self.facts.push_back(Fact::IncomingReset(stream));
                    }
                    if flags & 2 != 0 {
                        self.facts.push_back(Fact::OutgoingReset(stream));
                    }
                }
            }
            _ => {}
        }
    }
}

impl End for Socket {
    fn connect(&mut self, now: Duration) {
        set_clock(now);
        if self.socket.is_null() {
            return;
        }
        let mut address = address(self.queue);
        // SAFETY: the socket is open, the address outlives the call.
        unsafe { ffi::usrsctp_connect(self.socket, &raw mut address, size_of::<ffi::SockaddrConn>() as u32) };
    }

    fn send(&mut self, now: Duration, stream: u16, payload: &[u8], mode: Mode) -> Sent {
        set_clock(now);
        self.accept();
        if self.socket.is_null() {
            return Sent::Full;
        }
        let mut info = ffi::SendvSpa { flags: ffi::SNDINFO_VALID, ..ffi::SendvSpa::default() };
        info.sndinfo.sid = stream;
        info.sndinfo.ppid = PPID.to_be();
        if !mode.ordered {
            info.sndinfo.flags = ffi::SCTP_UNORDERED;
        }
        if mode.reliability != Reliability::Reliable {
            info.flags |= ffi::PRINFO_VALID;
        }
        match mode.reliability {
            Reliability::Reliable => {}
            Reliability::Retransmits(times) => {
                info.prinfo = ffi::Prinfo { policy: ffi::PR_RTX, value: u32::from(times) };
            }
            Reliability::Lifetime(time) => {
                info.prinfo = ffi::Prinfo { policy: ffi::PR_TTL, value: time.as_millis() as u32 };
            }
        }
        // SAFETY: both pointers are to memory that outlives the call, with its size beside it.
        let sent = unsafe {
            ffi::usrsctp_sendv(
                self.socket,
                payload.as_ptr().cast(),
                payload.len(),
                ptr::null_mut(),
                0,
                (&raw mut info).cast(),
                size_of::<ffi::SendvSpa>() as u32,
                ffi::SENDV_SPA,
                0,
            )
        };
        if sent == payload.len() as isize {
            return Sent::Taken;
        }
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected => Sent::Full,
            _ => Sent::Refused(format!("usrsctp_sendv: {sent}, {error}")),
        }
    }

    fn recv(&mut self, now: Duration) -> Option<Received> {
        set_clock(now);
        self.accept();
        while self.messages.is_empty() && !self.socket.is_null() && self.read() {}
        self.messages.pop_front()
    }

    fn handle_packet(&mut self, now: Duration, packet: &[u8]) {
        set_clock(now);
        // SAFETY: the address is registered until `drop`; the packet outlives the call, which copies it.
        unsafe { ffi::usrsctp_conninput(self.queue.cast(), packet.as_ptr().cast(), packet.len(), 0) };
        self.accept();
    }

    fn poll_packet(&mut self, _now: Duration) -> Option<Vec<u8>> {
        // SAFETY: the queue lives until `drop`, and the library, which is not running now, is the only other user.
        unsafe { (*self.queue).pop_front() }
    }

    fn handle_timeout(&mut self, now: Duration) {
        set_clock(now);
        let now = now.as_millis() as u64;
        let elapsed = now - TIMERS.swap(now, Ordering::Relaxed).min(now);
        // SAFETY: it calls nothing but the output function.
        unsafe { ffi::usrsctp_handle_timers(elapsed as u32) };
    }

    fn poll_timeout(&self) -> Option<Duration> {
        (!self.over).then(|| Duration::from_millis(TIMERS.load(Ordering::Relaxed)) + TICK)
    }

    fn poll_fact(&mut self, now: Duration) -> Option<Fact> {
        set_clock(now);
        self.accept();
        self.facts.pop_front()
    }

    fn reset(&mut self, now: Duration, stream: u16) -> Result<(), String> {
        set_clock(now);
        let flags = ffi::SCTP_STREAM_RESET_OUTGOING;
        let request = ffi::ResetStreams { assoc_id: 0, flags, count: 1, stream };
        // Without the padding at the end: the library wants the size to be right.
        let len = size_of::<u32>() + 3 * size_of::<u16>();
        // SAFETY: the request is at least as long as its length says.
        let done = unsafe {
            let value = (&raw const request).cast();
            ffi::usrsctp_setsockopt(
                self.socket,
                ffi::IPPROTO_SCTP,
                ffi::SCTP_RESET_STREAMS,
                value,
                len as u32,
            )
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error().to_string()) }
    }

    fn shutdown(&mut self, now: Duration) {
        set_clock(now);
        // SAFETY: the socket is open.
        unsafe { ffi::usrsctp_shutdown(self.socket, ffi::SHUT_WR) };
    }

    fn abort(&mut self, now: Duration) {
        set_clock(now);
        option(self.socket, ffi::SOL_SOCKET, ffi::SO_LINGER, &ffi::Linger { on: 1, seconds: 0 });
        let socket = std::mem::replace(&mut self.socket, ptr::null_mut());
        // SAFETY: nobody uses the socket from here on.
        unsafe { ffi::usrsctp_close(socket) };
        self.over = true;
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        for socket in [self.socket, self.listener] {
            if !socket.is_null() {
                option(socket, ffi::SOL_SOCKET, ffi::SO_LINGER, &ffi::Linger { on: 1, seconds: 0 });
                // SAFETY: the socket is open, and nobody uses it from here on.
                unsafe { ffi::usrsctp_close(socket) };
            }
        }
        // SAFETY: after this the library does not know the address; the queue came from a box. Timers of dead sockets may
        // still write to it, so it is emptied and given up instead of freed: a few bytes for each association.
        unsafe {
            ffi::usrsctp_deregister_address(self.queue.cast());
            (*self.queue).clear();
        }
    }
}

fn start() {
    // SAFETY: called once, before everything else.
    unsafe {
        ffi::usrsctp_init_nothreads(0, output, None);
        // As Firefox has it.
        ffi::usrsctp_sysctl_set_sctp_ecn_enable(0);
        ffi::usrsctp_sysctl_set_sctp_asconf_enable(0);
        ffi::usrsctp_sysctl_set_sctp_auth_enable(0);
        ffi::usrsctp_sysctl_set_sctp_blackhole(2);
        ffi::usrsctp_sysctl_set_sctp_max_chunks_on_queue(10 * 1_024);
    }
}

fn configure(socket: *mut ffi::Handle, settings: Settings) {
    // SAFETY: the socket was made just now.
    unsafe { ffi::usrsctp_set_non_blocking(socket, 1) };
    set(socket, ffi::SOL_SOCKET, ffi::SO_RCVBUF, &(settings.receive_window as c_int));
    set(socket, ffi::SOL_SOCKET, ffi::SO_SNDBUF, &SEND_BUFFER);
    let level = ffi::IPPROTO_SCTP;
    set(socket, level, ffi::SCTP_NODELAY, &1_i32);
    set(socket, level, ffi::SCTP_RECVRCVINFO, &1_i32);
    for kind in [ffi::ASSOC_CHANGE, ffi::PARTIAL_DELIVERY_EVENT, ffi::STREAM_RESET_EVENT] {
        set(socket, level, ffi::SCTP_EVENT, &ffi::EventOption { assoc_id: 0, kind, on: 1 });
    }
    set(socket, level, ffi::SCTP_ENABLE_STREAM_RESET, &ffi::AssocValue { assoc_id: 0, value: 7 });
    let streams = ffi::Initmsg { outbound: STREAMS, inbound: STREAMS, max_attempts: 0, max_timeout: 0 };
    set(socket, level, ffi::SCTP_INITMSG, &streams);
    set(socket, level, ffi::SCTP_RTOINFO, &ffi::Rtoinfo { assoc_id: 0, initial: 500, max: 3_000, min: 400 });
    let path = ffi::Paddrparams {
        address: [0; 16],
        assoc_id: 0,
        hbinterval: 0,
        pathmtu: MAX_PACKET as u32,
        flags: ffi::SPP_PMTUD_DISABLE,
        flowlabel: 0,
        pathmaxrxt: 0,
        dscp: 0,
    };
    set(socket, level, ffi::SCTP_PEER_ADDR_PARAMS, &path);
    if settings.interleaving {
        set(socket, level, ffi::SCTP_FRAGMENT_INTERLEAVE, &2_i32);
        set(socket, level, ffi::SCTP_INTERLEAVING_SUPPORTED, &ffi::AssocValue { assoc_id: 0, value: 1 });
    }
}

/// Sets an option that must work.
fn set<T>(socket: *mut ffi::Handle, level: c_int, name: c_int, value: &T) {
    let done = option(socket, level, name, value);
    assert_eq!(done, 0, "usrsctp_setsockopt {name:x}: {}", io::Error::last_os_error());
}

fn option<T>(socket: *mut ffi::Handle, level: c_int, name: c_int, value: &T) -> c_int {
    // SAFETY: the value is as long as its type.
    unsafe {
        ffi::usrsctp_setsockopt(socket, level, name, ptr::from_ref(value).cast(), size_of::<T>() as u32)
    }
}

fn address(queue: *mut VecDeque<Vec<u8>>) -> ffi::SockaddrConn {
    ffi::SockaddrConn { family: ffi::AF_CONN as u16, port: 5_000_u16.to_be(), addr: queue.cast() }
}

fn set_clock(now: Duration) {
    CLOCK.store(now.as_micros() as u64, Ordering::Relaxed);
}

/// The library hands over a packet.
extern "C" fn output(address: *mut c_void, packet: *mut c_void, len: usize, _tos: u8, _df: u8) -> c_int {
    // SAFETY: the address is the queue that was registered, and the packet has that length. Only one thread runs.
    unsafe {
        let packet = std::slice::from_raw_parts(packet.cast::<u8>(), len);
        (*address.cast::<VecDeque<Vec<u8>>>()).push_back(packet.to_vec());
    }
    0
}

/// Stands before the C library's: usrsctp asks it for the time and gets ours.
#[unsafe(no_mangle)]
extern "C" fn gettimeofday(time: *mut ffi::Timeval, _zone: *mut c_void) -> c_int {
    // Not the epoch: a time of zero means "never" there.
    const START: u64 = 1_700_000_000;
    let micros = CLOCK.load(Ordering::Relaxed);
    if !time.is_null() {
        let value = ffi::Timeval {
            seconds: (START + micros / 1_000_000) as i64,
            micros: (micros % 1_000_000) as i64,
        };
        // SAFETY: the caller gives a place for it.
        unsafe { time.write(value) };
    }
    0
}
