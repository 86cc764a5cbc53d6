//! The part of `usrsctp.h` (0.9.5) that is used here.

use std::ffi::{c_char, c_int, c_uint, c_void};

#[repr(C)]
pub(super) struct Handle {
    _private: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct SockaddrConn {
    pub(super) family: u16,
    /// In network order.
    pub(super) port: u16,
    pub(super) addr: *mut c_void,
}

#[repr(C)]
#[derive(Default)]
pub(super) struct Sndinfo {
    pub(super) sid: u16,
    pub(super) flags: u16,
    /// As it stands on the wire.
    pub(super) ppid: u32,
    pub(super) context: u32,
    pub(super) assoc_id: u32,
}

#[repr(C)]
#[derive(Default)]
pub(super) struct Prinfo {
    pub(super) policy: u16,
    pub(super) value: u32,
}

#[repr(C)]
#[derive(Default)]
pub(super) struct SendvSpa {
    pub(super) flags: u32,
    pub(super) sndinfo: Sndinfo,
    pub(super) prinfo: Prinfo,
    pub(super) authinfo: u16,
}

#[repr(C)]
#[derive(Default)]
pub(super) struct Rcvinfo {
    pub(super) sid: u16,
    pub(super) ssn: u16,
    pub(super) flags: u16,
    pub(super) ppid: u32,
    pub(super) tsn: u32,
    pub(super) cumtsn: u32,
    pub(super) context: u32,
    pub(super) assoc_id: u32,
}

#[repr(C)]
pub(super) struct EventOption {
    pub(super) assoc_id: u32,
    pub(super) kind: u16,
    pub(super) on: u8,
}

#[repr(C)]
pub(super) struct AssocValue {
    pub(super) assoc_id: u32,
    pub(super) value: u32,
}

#[repr(C)]
pub(super) struct Initmsg {
    pub(super) outbound: u16,
    pub(super) inbound: u16,
    pub(super) max_attempts: u16,
    pub(super) max_timeout: u16,
}

#[repr(C)]
pub(super) struct Rtoinfo {
    pub(super) assoc_id: u32,
    pub(super) initial: u32,
    pub(super) max: u32,
    pub(super) min: u32,
}

#[repr(C)]
pub(super) struct Paddrparams {
    /// `struct sockaddr_storage`.
    pub(super) address: [u64; 16],
    pub(super) assoc_id: u32,
    pub(super) hbinterval: u32,
    pub(super) pathmtu: u32,
    pub(super) flags: u32,
    pub(super) flowlabel: u32,
    pub(super) pathmaxrxt: u16,
    pub(super) dscp: u8,
}

/// With a list of one stream.
#[repr(C)]
pub(super) struct ResetStreams {
    pub(super) assoc_id: u32,
    pub(super) flags: u16,
    pub(super) count: u16,
    pub(super) stream: u16,
}

#[repr(C)]
pub(super) struct Linger {
    pub(super) on: c_int,
    pub(super) seconds: c_int,
}

#[repr(C)]
pub(super) struct Timeval {
    pub(super) seconds: i64,
    pub(super) micros: i64,
}

pub(super) const AF_CONN: c_int = 123;
pub(super) const SOCK_STREAM: c_int = 1;
pub(super) const IPPROTO_SCTP: c_int = 132;
pub(super) const SOL_SOCKET: c_int = 1;
pub(super) const SO_SNDBUF: c_int = 7;
pub(super) const SO_RCVBUF: c_int = 8;
pub(super) const SO_LINGER: c_int = 13;
pub(super) const SHUT_WR: c_int = 1;
/// Of the C library, which usrsctp takes where there is one.
pub(super) const MSG_EOR: c_int = 0x80;
pub(super) const MSG_NOTIFICATION: c_int = 0x2000;

pub(super) const SCTP_RTOINFO: c_int = 0x01;
pub(super) const SCTP_INITMSG: c_int = 0x03;
pub(super) const SCTP_NODELAY: c_int = 0x04;
pub(super) const SCTP_PEER_ADDR_PARAMS: c_int = 0x0a;
pub(super) const SCTP_FRAGMENT_INTERLEAVE: c_int = 0x10;
pub(super) const SCTP_EVENT: c_int = 0x1e;
pub(super) const SCTP_RECVRCVINFO: c_int = 0x1f;
pub(super) const SCTP_ENABLE_STREAM_RESET: c_int = 0x900;
pub(super) const SCTP_RESET_STREAMS: c_int = 0x901;
/// Not in the installed header.
pub(super) const SCTP_INTERLEAVING_SUPPORTED: c_int = 0x1206;

pub(super) const SCTP_UNORDERED: u16 = 0x0400;
pub(super) const SCTP_STREAM_RESET_OUTGOING: u16 = 2;
pub(super) const SPP_PMTUD_DISABLE: u32 = 0x10;
pub(super) const SENDV_SPA: c_uint = 4;
pub(super) const SNDINFO_VALID: u32 = 1;
pub(super) const PRINFO_VALID: u32 = 2;
pub(super) const PR_TTL: u16 = 1;
pub(super) const PR_RTX: u16 = 3;

pub(super) const ASSOC_CHANGE: u16 = 1;
pub(super) const PARTIAL_DELIVERY_EVENT: u16 = 7;
pub(super) const STREAM_RESET_EVENT: u16 = 9;

pub(super) type Output = extern "C" fn(*mut c_void, *mut c_void, usize, u8, u8) -> c_int;
pub(super) type Print = extern "C" fn(*const c_char);

unsafe extern "C" {
    pub(super) fn usrsctp_init_nothreads(port: u16, output: Output, print: Option<Print>);
    pub(super) fn usrsctp_socket(
        domain: c_int,
        kind: c_int,
        protocol: c_int,
        receive: *const c_void,
        send: *const c_void,
        threshold: u32,
        info: *mut c_void,
    ) -> *mut Handle;
    pub(super) fn usrsctp_set_non_blocking(socket: *mut Handle, on: c_int) -> c_int;
    pub(super) fn usrsctp_setsockopt(
        socket: *mut Handle,
        level: c_int,
        name: c_int,
        value: *const c_void,
        len: u32,
    ) -> c_int;
    pub(super) fn usrsctp_bind(socket: *mut Handle, name: *mut SockaddrConn, len: u32) -> c_int;
    pub(super) fn usrsctp_listen(socket: *mut Handle, backlog: c_int) -> c_int;
    pub(super) fn usrsctp_accept(socket: *mut Handle, name: *mut SockaddrConn, len: *mut u32) -> *mut Handle;
    pub(super) fn usrsctp_connect(socket: *mut Handle, name: *mut SockaddrConn, len: u32) -> c_int;
    pub(super) fn usrsctp_sendv(
        socket: *mut Handle,
        data: *const c_void,
        len: usize,
        to: *mut c_void,
        addresses: c_int,
        info: *mut c_void,
        info_len: u32,
        info_type: c_uint,
        flags: c_int,
    ) -> isize;
    pub(super) fn usrsctp_recvv(
        socket: *mut Handle,
        data: *mut c_void,
        len: usize,
        from: *mut SockaddrConn,
        from_len: *mut u32,
        info: *mut c_void,
        info_len: *mut u32,
        info_type: *mut c_uint,
        flags: *mut c_int,
    ) -> isize;
    pub(super) fn usrsctp_shutdown(socket: *mut Handle, how: c_int) -> c_int;
    pub(super) fn usrsctp_close(socket: *mut Handle);
    pub(super) fn usrsctp_register_address(address: *mut c_void);
    pub(super) fn usrsctp_deregister_address(address: *mut c_void);
    pub(super) fn usrsctp_conninput(address: *mut c_void, packet: *const c_void, len: usize, ecn: u8);
    pub(super) fn usrsctp_handle_timers(elapsed_milliseconds: u32);
    pub(super) fn usrsctp_sysctl_set_sctp_ecn_enable(value: u32) -> c_int;
    pub(super) fn usrsctp_sysctl_set_sctp_asconf_enable(value: u32) -> c_int;
    pub(super) fn usrsctp_sysctl_set_sctp_auth_enable(value: u32) -> c_int;
    pub(super) fn usrsctp_sysctl_set_sctp_blackhole(value: u32) -> c_int;
    pub(super) fn usrsctp_sysctl_set_sctp_max_chunks_on_queue(value: u32) -> c_int;
}
