//! Captures of a run, with virtual timestamps, in the pcapng format that Wireshark reads.

use crate::Seed;
use std::{
    collections::{BTreeMap, VecDeque},
    env, fs, io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    thread,
    time::Duration,
};
use stun::net::Transport;

/// LINKTYPE_RAW: packets begin with the IP header.
const LINK_RAW: u16 = 101;
/// LINKTYPE_SCTP: packets begin with the SCTP common header.
const LINK_SCTP: u16 = 248;
/// How much is kept before the oldest packets are forgotten.
const DEFAULT_BUDGET: usize = 16 * 1024 * 1024;

/// How the datagrams of a [`Pair`](crate::Pair), which have no addresses, are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encapsulation {
    /// As UDP between two made-up hosts.
    Udp,
    /// As bare SCTP packets.
    Sctp,
}

/// Keeps the last megabytes of a run.
#[derive(Debug)]
pub struct Recorder {
    interfaces: Vec<(String, u16)>,
    packets: VecDeque<Packet>,
    held: usize,
    budget: usize,
    sequences: BTreeMap<(SocketAddr, SocketAddr), u32>,
}

#[derive(Debug)]
struct Packet {
    interface: u32,
    at: Duration,
    bytes: Vec<u8>,
    comment: String,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// An empty recorder that keeps the last 16 MiB.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            interfaces: Vec::new(),
            packets: VecDeque::new(),
            held: 0,
            budget: DEFAULT_BUDGET,
            sequences: BTreeMap::new(),
        }
    }

    /// Keeps at most so many bytes; 0 records nothing.
    pub fn set_budget(&mut self, bytes: usize) {
        self.budget = bytes;
        self.trim();
    }

    /// How many packets are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Adds an interface and returns its number.
    pub(crate) fn add_interface(&mut self, name: &str, encapsulation: Encapsulation) -> u32 {
        let link = match encapsulation {
            Encapsulation::Udp => LINK_RAW,
            Encapsulation::Sctp => LINK_SCTP,
        };
        self.interfaces.push((name.to_owned(), link));
        u32::try_from(self.interfaces.len() - 1).unwrap_or(u32::MAX)
    }

    /// Records a datagram with addresses.
    pub(crate) fn record(
        &mut self,
        interface: u32,
        at: Duration,
        transport: Transport,
        (source, destination): (SocketAddr, SocketAddr),
        payload: &[u8],
        comment: &str,
    ) {
        if self.budget == 0 {
            return;
        }
        let segment = if transport == Transport::Udp {
            udp(source, destination, payload)
        } else {
            let sequence = self.sequences.entry((source, destination)).or_default();
            let segment = tcp(source, destination, *sequence, payload);
            *sequence = sequence.wrapping_add(u32::try_from(payload.len()).unwrap_or(0));
            segment
        };
        let protocol = if transport == Transport::Udp { 17 } else { 6 };
        let bytes = ip(source.ip(), destination.ip(), protocol, &segment);
        self.push(Packet { interface, at, bytes, comment: comment.to_owned() });
    }

    /// Records bytes as they are.
    pub(crate) fn record_raw(&mut self, interface: u32, at: Duration, bytes: &[u8], comment: &str) {
        if self.budget > 0 {
            self.push(Packet { interface, at, bytes: bytes.to_vec(), comment: comment.to_owned() });
        }
    }

    /// Writes what is held to a pcapng file.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn save(&self, path: &std::path::Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, self.to_pcapng())
    }

    /// The pcapng file as bytes.
    #[must_use]
    pub fn to_pcapng(&self) -> Vec<u8> {
        let mut file = Vec::with_capacity(self.held + 64 * self.packets.len());
        // Section header: byte order magic, version 1.0, unknown section length.
        let mut body = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
        body.extend_from_slice(&[1, 0, 0, 0]);
        body.extend_from_slice(&[0xff; 8]);
        block(&mut file, 0x0a0d_0d0a, &body);
        for (name, link) in &self.interfaces {
            let mut body = link.to_le_bytes().to_vec();
            body.extend_from_slice(&[0; 6]);
            option(&mut body, 2, name.as_bytes());
            // if_tsresol: nanoseconds.
            option(&mut body, 9, &[9]);
            option(&mut body, 0, &[]);
            block(&mut file, 1, &body);
        }
        for packet in &self.packets {
            let nanos = u64::try_from(packet.at.as_nanos()).unwrap_or(u64::MAX);
            let length = u32::try_from(packet.bytes.len()).unwrap_or(u32::MAX);
            let mut body = packet.interface.to_le_bytes().to_vec();
            body.extend_from_slice(&u32::try_from(nanos >> 32).unwrap_or(0).to_le_bytes());
            body.extend_from_slice(&u32::try_from(nanos & 0xffff_ffff).unwrap_or(0).to_le_bytes());
            body.extend_from_slice(&length.to_le_bytes());
            body.extend_from_slice(&length.to_le_bytes());
            body.extend_from_slice(&packet.bytes);
            pad(&mut body);
            if !packet.comment.is_empty() {
                option(&mut body, 1, packet.comment.as_bytes());
                option(&mut body, 0, &[]);
            }
            block(&mut file, 6, &body);
        }
        file
    }

    /// Writes the capture of a failed run below the target folder and says where it is.
    pub(crate) fn save_failure(&self, seed: Seed) {
        if self.is_empty() {
            return;
        }
        let path = failure_path(seed);
        match self.save(&path) {
            Ok(()) => eprintln!("testkit: packets of the failed run are in {}", path.display()),
            Err(error) => eprintln!("testkit: could not write {}: {error}", path.display()),
        }
    }

    fn push(&mut self, packet: Packet) {
        self.held += packet.bytes.len();
        self.packets.push_back(packet);
        self.trim();
    }

    fn trim(&mut self) {
        while self.held > self.budget {
            let Some(oldest) = self.packets.pop_front() else { break };
            self.held -= oldest.bytes.len();
        }
    }
}

/// `target/testkit/TEST-SEED.pcapng`: test programs lie in `target/PROFILE/deps`.
fn failure_path(seed: Seed) -> PathBuf {
    let target = env::current_exe()
        .ok()
        .and_then(|program| program.ancestors().nth(3).map(std::path::Path::to_path_buf))
        .unwrap_or_else(env::temp_dir);
    let name: String = thread::current()
        .name()
        .unwrap_or("test")
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
        .collect();
    target.join("testkit").join(format!("{name}-{seed}.pcapng"))
}

fn block(file: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let total = u32::try_from(body.len() + 12).unwrap_or(u32::MAX);
    file.extend_from_slice(&kind.to_le_bytes());
    file.extend_from_slice(&total.to_le_bytes());
    file.extend_from_slice(body);
    file.extend_from_slice(&total.to_le_bytes());
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend_from_slice(&code.to_le_bytes());
    body.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    body.extend_from_slice(value);
    pad(body);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn length16(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

fn ip(source: IpAddr, destination: IpAddr, protocol: u8, segment: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(segment.len() + 40);
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            packet.extend_from_slice(&[0x45, 0]);
            packet.extend_from_slice(&length16(segment.len() + 20));
            packet.extend_from_slice(&[0, 0, 0x40, 0, 64, protocol, 0, 0]);
            packet.extend_from_slice(&source.octets());
            packet.extend_from_slice(&destination.octets());
            let sum = checksum(&[&packet]).to_be_bytes();
            if let Some(field) = packet.get_mut(10..12) {
                field.copy_from_slice(&sum);
            }
        }
        (source, destination) => {
            packet.extend_from_slice(&[0x60, 0, 0, 0]);
            packet.extend_from_slice(&length16(segment.len()));
            packet.extend_from_slice(&[protocol, 64]);
            packet.extend_from_slice(&wide(source));
            packet.extend_from_slice(&wide(destination));
        }
    }
    packet.extend_from_slice(segment);
    packet
}

fn udp(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::with_capacity(payload.len() + 8);
    segment.extend_from_slice(&source.port().to_be_bytes());
    segment.extend_from_slice(&destination.port().to_be_bytes());
    segment.extend_from_slice(&length16(payload.len() + 8));
    segment.extend_from_slice(&[0, 0]);
    segment.extend_from_slice(payload);
    let sum = segment_checksum(source.ip(), destination.ip(), 17, &segment);
    if let Some(field) = segment.get_mut(6..8) {
        field.copy_from_slice(&sum);
    }
    segment
}

fn tcp(source: SocketAddr, destination: SocketAddr, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::with_capacity(payload.len() + 20);
    segment.extend_from_slice(&source.port().to_be_bytes());
    segment.extend_from_slice(&destination.port().to_be_bytes());
    segment.extend_from_slice(&sequence.to_be_bytes());
    // No acknowledgement is modelled; header of five words, flags PSH and ACK, a full window.
    segment.extend_from_slice(&[0, 0, 0, 0, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend_from_slice(payload);
    let sum = segment_checksum(source.ip(), destination.ip(), 6, &segment);
    if let Some(field) = segment.get_mut(16..18) {
        field.copy_from_slice(&sum);
    }
    segment
}

fn segment_checksum(source: IpAddr, destination: IpAddr, protocol: u8, segment: &[u8]) -> [u8; 2] {
    let length = length16(segment.len());
    let tail = [0, protocol, length[0], length[1]];
    let sum = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            checksum(&[&source.octets(), &destination.octets(), &tail, segment])
        }
        (source, destination) => checksum(&[&wide(source), &wide(destination), &tail, segment]),
    };
    // RFC 768: a computed zero is sent as all ones.
    if sum == 0 { [0xff, 0xff] } else { sum.to_be_bytes() }
}

fn wide(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// RFC 1071. All parts but the last have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    for part in parts {
        for pair in part.chunks(2) {
            let low = pair.get(1).copied().unwrap_or(0);
            sum += u64::from(u16::from_be_bytes([pair[0], low]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_within_its_budget() {
        let mut recorder = Recorder::new();
        let interface = recorder.add_interface("a", Encapsulation::Sctp);
        recorder.set_budget(250);
        for number in 0..10 {
            recorder.record_raw(interface, Duration::from_secs(number), &[0; 100], "");
        }
        assert_eq!(recorder.len(), 2);
        assert_eq!(recorder.packets.front().unwrap().at, Duration::from_secs(8));
        recorder.set_budget(0);
        recorder.record_raw(interface, Duration::ZERO, &[0; 100], "");
        assert!(recorder.is_empty());
    }

    /// The example of RFC 1071 §3.
    #[test]
    fn checksum_follows_the_example() {
        assert_eq!(checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
    }

    #[test]
    fn failures_go_below_the_target_folder() {
        let path = failure_path(Seed::new(9));
        assert!(
            path.ends_with("testkit/pcap__tests__failures_go_below_the_target_folder-9.pcapng"),
            "{path:?}"
        );
    }
}
