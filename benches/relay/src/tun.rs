//! A TUN device: IP packets as a file.

use crate::RelayError;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    net::{Ipv4Addr, UdpSocket},
    os::fd::{AsRawFd, RawFd},
    os::unix::fs::OpenOptionsExt,
};

/// Packets that wait in the device while nobody reads them. The queue of the line is the one that counts; this one must
/// not lose anything.
const DEVICE_QUEUE: libc::c_int = 20_000;

/// What it is called within its namespace.
pub(crate) const NAME: &str = "line0";

/// A device in the namespace of the thread that made it. Reads and writes do not wait.
#[derive(Debug)]
pub(crate) struct Tun(File);

impl Tun {
    /// Makes the device and gives it an address in a network of 256.
    pub(crate) fn new(address: Ipv4Addr, mtu: u16) -> Result<Self, RelayError> {
        let file =
            OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun");
        let file = file.map_err(RelayError::Device)?;
        // No offloads are asked for: the kernel cuts segments and computes checksums itself, and every read is one packet
        // of at most the MTU.
        let mut request = Request::new(NAME);
        request.0.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
        request.call(file.as_raw_fd(), libc::TUNSETIFF as libc::Ioctl).map_err(RelayError::Device)?;
        configure(address, mtu)?;
        Ok(Self(file))
    }

    /// The next packet, or `None` if there is none.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match (&self.0).read(buffer) {
            Ok(length) => Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives a packet to the namespace. What it does not take is its loss.
    pub(crate) fn write(&self, packet: &[u8]) -> bool {
        (&self.0).write(packet).is_ok()
    }
}

impl AsRawFd for Tun {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// The loopback device and ours get their state; a socket of the namespace is what takes the orders.
fn configure(address: Ipv4Addr, mtu: u16) -> Result<(), RelayError> {
    let failed = |what| move |error| RelayError::Setup { what, error };
    let socket = UdpSocket::bind("0.0.0.0:0").map_err(failed("a socket in the namespace"))?;
    let fd = socket.as_raw_fd();
    let set_address = |code: libc::Ioctl, address: Ipv4Addr| {
        let mut request = Request::new(NAME);
        request.0.ifr_ifru.ifru_addr = inet(address);
        request.call(fd, code)
    };
    set_address(libc::SIOCSIFADDR as libc::Ioctl, address).map_err(failed("the address of the device"))?;
    set_address(libc::SIOCSIFNETMASK as libc::Ioctl, Ipv4Addr::new(255, 255, 255, 0))
        .map_err(failed("the netmask of the device"))?;
    let mut request = Request::new(NAME);
    request.0.ifr_ifru.ifru_mtu = i32::from(mtu);
    request.call(fd, libc::SIOCSIFMTU as libc::Ioctl).map_err(failed("the MTU of the device"))?;
    let mut request = Request::new(NAME);
    request.0.ifr_ifru.ifru_metric = DEVICE_QUEUE;
    request.call(fd, SIOCSIFTXQLEN).map_err(failed("the queue of the device"))?;
    for name in ["lo", NAME] {
        let mut request = Request::new(name);
        request.call(fd, libc::SIOCGIFFLAGS as libc::Ioctl).map_err(failed("the state of a device"))?;
        // SAFETY: that call has written the flags.
        let flags = unsafe { request.0.ifr_ifru.ifru_flags };
        let wanted = (libc::IFF_UP | libc::IFF_RUNNING | libc::IFF_MULTICAST) as libc::c_short;
        request.0.ifr_ifru.ifru_flags = flags | wanted;
        request
            .call(fd, libc::SIOCSIFFLAGS as libc::Ioctl)
            .map_err(failed("a device could not be started"))?;
    }
    default_route(fd).map_err(failed("the default route"))
}

/// Everything goes into the device: programs that join multicast groups look for a route.
fn default_route(fd: RawFd) -> io::Result<()> {
    // SAFETY: a structure of numbers and pointers, of which all-zero is a valid value.
    let mut route: libc::rtentry = unsafe { std::mem::zeroed() };
    route.rt_dst = inet(Ipv4Addr::UNSPECIFIED);
    route.rt_genmask = inet(Ipv4Addr::UNSPECIFIED);
    route.rt_flags = libc::RTF_UP;
    let mut name = Request::new(NAME).0.ifr_name;
    route.rt_dev = name.as_mut_ptr();
    // SAFETY: the route and the name that it points to outlive the call.
    let result = unsafe { libc::ioctl(fd, libc::SIOCADDRT as libc::Ioctl, &raw mut route) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The length of the queue of a device; the field is that of the metric, an `int`.
const SIOCSIFTXQLEN: libc::Ioctl = 0x8943;

fn inet(address: Ipv4Addr) -> libc::sockaddr {
    // The bytes of `sockaddr_in` after the family: port, then address.
    let mut data = [0; 14];
    for (place, byte) in data[2..6].iter_mut().zip(address.octets()) {
        *place = byte as libc::c_char;
    }
    libc::sockaddr { sa_family: libc::AF_INET as libc::sa_family_t, sa_data: data }
}

struct Request(libc::ifreq);

impl Request {
    fn new(name: &str) -> Self {
        // SAFETY: a structure of numbers, of which all-zero is a valid value.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        // The last byte stays zero.
        let room = request.ifr_name.len() - 1;
        for (place, byte) in request.ifr_name[..room].iter_mut().zip(name.bytes()) {
            *place = byte as libc::c_char;
        }
        Self(request)
    }

    fn call(&mut self, fd: RawFd, code: libc::Ioctl) -> io::Result<()> {
        // SAFETY: every request here takes a pointer to an `ifreq`, and this one outlives the call.
        let result = unsafe { libc::ioctl(fd, code, &raw mut self.0) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}
