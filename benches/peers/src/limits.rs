//! What the machine does without a protocol.

use crate::{
    kernel::{Timed, prepared, repeat},
    machine::{self, thread_time},
    measure::Who,
    ours,
};
use crypto::{AeadId, CipherId, MacId};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use std::{
    hint::black_box,
    io::{ErrorKind, IoSliceMut},
    net::{SocketAddr, UdpSocket},
    os::fd::AsRawFd,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The AEAD alone: seals in place, a nonce a packet.
pub fn seal(id: AeadId, bytes: usize) -> Timed {
    let key = ours::provider(Who::Ours).aead(id).expect("there").key(&vec![1; id.key_len()]).expect("fits");
    let mut nonce = [0; 12];
    let mut packet = vec![7; bytes];
    let mut count = 0_u64;
    repeat(move || {
        count += 1;
        nonce[4..].copy_from_slice(&count.to_be_bytes());
        let mut tag = [0; 16];
        key.seal(&nonce, &[0; 12], &mut packet, &mut tag);
        black_box((&packet, tag));
    })
}

pub fn open(id: AeadId, bytes: usize) -> Timed {
    let key = ours::provider(Who::Ours).aead(id).expect("there").key(&vec![1; id.key_len()]).expect("fits");
    let mut plain = vec![7; bytes];
    let mut tag = [0; 16];
    key.seal(&[3; 12], &[0; 12], &mut plain, &mut tag);
    prepared(
        move || plain.clone(),
        move |mut packet| {
            key.open(&[3; 12], &[0; 12], &mut packet, &tag).expect("authentic");
            black_box(&packet);
        },
    )
}

/// Counter mode and HMAC-SHA1 over the same bytes.
pub fn counter_and_mac(bytes: usize) -> Timed {
    let provider = ours::provider(Who::Ours);
    let cipher = provider.stream_cipher(CipherId::Aes128).expect("there").key(&[1; 16]).expect("fits");
    let mac = provider.mac(MacId::HmacSha1).expect("there").key(&[2; 20]);
    let mut packet = vec![7; bytes + 12];
    let mut iv = [0; 16];
    let mut count = 0_u64;
    repeat(move || {
        count += 1;
        iv[..8].copy_from_slice(&count.to_be_bytes());
        cipher.apply(&iv, &mut packet[12..]);
        let mut tag = [0; 10];
        mac.sign(&[&packet, &[0; 4]], &mut tag);
        black_box((&packet, tag));
    })
}

/// HMAC-SHA1 over a request and over its answer, which is what a connectivity check costs at least.
pub fn two_macs(bytes: usize) -> Timed {
    let mac =
        ours::provider(Who::Ours).mac(MacId::HmacSha1).expect("there").key(b"a password of the usual size");
    let message = vec![7; bytes];
    repeat(move || {
        let mut tag = [0; 20];
        mac.sign(&[&message], &mut tag);
        mac.sign(&[&message[..bytes / 2]], &mut tag);
        black_box(tag);
    })
}

pub fn crc32c(bytes: usize) -> Timed {
    let packet = vec![7; bytes];
    repeat(move || {
        black_box(checksum(black_box(&packet)));
    })
}

fn checksum(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

/// A socket with the buffers that peerlane asks for.
fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    machine::buffers(&socket, 4 << 20);
    socket
}

const DATAGRAM: usize = 1_200;

/// One thread sends a datagram and receives it.
pub fn udp() -> Timed {
    let (a, b) = (socket(), socket());
    let to = b.local_addr().expect("bound");
    let packet = [7; DATAGRAM];
    let mut buffer = [0; 2_000];
    repeat(move || {
        a.send_to(&packet, to).expect("sent");
        black_box(b.recv_from(&mut buffer).expect("received"));
    })
}

/// The same with so many datagrams a call in both directions. One piece of work is one datagram.
pub fn udp_batched(batch: usize) -> Timed {
    let mut link = Link::new();
    let to = link.b.1.local_addr().expect("bound");
    let packets = vec![7; DATAGRAM * batch];
    let mut buffer = vec![0; 1 << 16];
    Box::new(move |times| {
        let begin = thread_time();
        let mut done = 0;
        while done < times {
            link.send(to, &packets, batch);
            let mut received = 0;
            while received < packets.len() {
                let Some(meta) = Link::recv(&mut link.b, &mut buffer) else { continue };
                received += meta.len;
            }
            done += batch as u64;
        }
        thread_time().saturating_sub(begin).mul_f64(times as f64 / done as f64)
    })
}

struct Link {
    a: (UdpSocketState, UdpSocket),
    b: (UdpSocketState, UdpSocket),
}

impl Link {
    fn new() -> Self {
        let end = || {
            let socket = socket();
            (UdpSocketState::new((&socket).into()).expect("configured"), socket)
        };
        Self { a: end(), b: end() }
    }

    fn send(&self, to: SocketAddr, packets: &[u8], batch: usize) {
        send(&self.a, to, packets, batch);
    }

    fn recv((state, socket): &mut (UdpSocketState, UdpSocket), buffer: &mut [u8]) -> Option<RecvMeta> {
        let mut metas = [RecvMeta::default()];
        match state.recv((&*socket).into(), &mut [IoSliceMut::new(buffer)], &mut metas) {
            Ok(_) => Some(metas[0]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("{error}"),
        }
    }
}

fn send((state, socket): &(UdpSocketState, UdpSocket), to: SocketAddr, packets: &[u8], batch: usize) {
    let transmit = Transmit {
        destination: to,
        ecn: None,
        contents: packets,
        segment_size: (batch > 1).then_some(packets.len() / batch),
        src_ip: None,
    };
    loop {
        match state.try_send(socket.into(), &transmit) {
            Ok(()) => return,
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Bytes of a message in one datagram.
const PAYLOAD: usize = 1_150;
/// Bytes under way at most.
const WINDOW: u64 = 1 << 20;

/// Message bytes through two threads: copied into datagrams, checksum, sealed, sent, received, opened, checked and
/// copied out, with an acknowledgement for each read. The ciphers are those of a column. Megabits per second of message
/// bytes.
pub fn pipe(column: Who, batch: usize, duration: Duration) -> f64 {
    let link = Link::new();
    let to = link.b.1.local_addr().expect("bound");
    let back = link.a.1.local_addr().expect("bound");
    let Link { a, mut b } = link;
    let id = AeadId::Aes128Gcm;
    let key = || ours::provider(column).aead(id).expect("there").key(&[1; 16]).expect("fits");
    let (sealer, opener) = (key(), key());
    let stop = Arc::new(AtomicBool::new(false));
    let received = Arc::new(AtomicU64::new(0));
    let receiver = {
        let (stop, received) = (Arc::clone(&stop), Arc::clone(&received));
        thread::spawn(move || {
            machine::pin(1);
            let mut buffer = vec![0; 1 << 16];
            let mut message = Vec::with_capacity(1 << 20);
            while !stop.load(Ordering::Relaxed) {
                let Some(meta) = Link::recv(&mut b, &mut buffer) else {
                    wait_readable(&b.1);
                    continue;
                };
                for datagram in buffer[..meta.len].chunks_mut(meta.stride.max(1)) {
                    let (body, tag) = datagram.split_at_mut(4 + PAYLOAD);
                    let tag: [u8; 16] = (&*tag).try_into().expect("whole");
                    opener.open(&[3; 12], &[], body, &tag).expect("authentic");
                    let (sum, data) = body.split_at(4);
                    assert_eq!(sum, checksum(data).to_be_bytes(), "intact");
                    if message.len() + data.len() > 1 << 20 {
                        message.clear();
                    }
                    message.extend_from_slice(data);
                    received.fetch_add(PAYLOAD as u64, Ordering::Relaxed);
                }
                send(&b, back, &received.load(Ordering::Relaxed).to_be_bytes(), 1);
            }
        })
    };
    let source = vec![7; 64 * 1_024];
    let (mut sent, mut acknowledged, mut offset) = (0_u64, 0_u64, 0);
    let mut out = Vec::with_capacity(1 << 16);
    let mut ack = [0; 2_000];
    let mut a = a;
    machine::pin(0);
    let begin = Instant::now();
    while begin.elapsed() < duration {
        while let Some(meta) = Link::recv(&mut a, &mut ack) {
            acknowledged =
                ack[..meta.len].last_chunk::<8>().map_or(acknowledged, |last| u64::from_be_bytes(*last));
        }
        if sent - acknowledged + (batch * PAYLOAD) as u64 > WINDOW {
            wait_readable(&a.1);
            continue;
        }
        out.clear();
        for _ in 0..batch {
            let start = out.len();
            if offset + PAYLOAD > source.len() {
                offset = 0;
            }
            out.extend_from_slice(&[0; 4]);
            out.extend_from_slice(&source[offset..offset + PAYLOAD]);
            offset += PAYLOAD;
            let sum = checksum(&out[start + 4..]).to_be_bytes();
            out[start..start + 4].copy_from_slice(&sum);
            let mut tag = [0; 16];
            sealer.seal(&[3; 12], &[], &mut out[start..], &mut tag);
            out.extend_from_slice(&tag);
        }
        send(&a, to, &out, batch);
        sent += (batch * PAYLOAD) as u64;
    }
    let bits = received.load(Ordering::Relaxed) as f64 * 8.0;
    let took = begin.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    send(&a, to, &[], 1);
    machine::unpin();
    let _ = receiver.join();
    bits / 1e6 / took
}

/// Waits up to 10 ms until there is something to read.
fn wait_readable(socket: &UdpSocket) {
    let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid structure, and its count.
    unsafe {
        libc::poll(&raw mut poll, 1, 10);
    }
}

/// Round trips of 64 bytes between two threads that block. Microseconds: median and 99th percentile.
pub fn round_trip(rounds: usize) -> (f64, f64) {
    let (a, b) = (socket(), socket());
    let (at_a, at_b) = (a.local_addr().expect("bound"), b.local_addr().expect("bound"));
    let echo = thread::spawn(move || {
        machine::pin(1);
        let mut buffer = [0; 100];
        while let Ok((length, _)) = b.recv_from(&mut buffer) {
            if length == 1 {
                break;
            }
            let _ = b.send_to(&buffer[..length], at_a);
        }
    });
    machine::pin(0);
    let mut buffer = [0; 100];
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let begin = Instant::now();
        a.send_to(&[7; 64], at_b).expect("sent");
        a.recv_from(&mut buffer).expect("received");
        times.push(begin.elapsed().as_nanos() as f64 / 1_000.0);
    }
    machine::unpin();
    a.send_to(&[0], at_b).expect("sent");
    let _ = echo.join();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[(share * (times.len() - 1) as f64).round() as usize];
    (at(0.5), at(0.99))
}
