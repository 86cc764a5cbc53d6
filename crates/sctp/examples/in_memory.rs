//! 64 MiB between two associations in memory, sixteen packets at a time.
use sctp::{Association, Config, Message, Ppid, SendOptions, StreamId};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

struct Lcg(u64);
impl crypto::Random for Lcg {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (self.0 >> 33) as u8;
        }
    }
}

fn main() {
    let size: usize = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(65_536);
    let total: usize = std::env::args().nth(2).and_then(|s| s.parse().ok()).unwrap_or(64 << 20);
    let mut now = Instant::now();
    let config = Arc::new(Config::default());
    let mut a = Association::new(Arc::clone(&config), now, Box::new(Lcg(1)));
    let mut b = Association::new(config, now, Box::new(Lcg(2)));
    a.connect(now);
    let payload = bytes::Bytes::from(vec![7_u8; size]);
    let mut out = Vec::with_capacity(40_000);
    let mut lens = Vec::new();
    let (mut sent, mut got) = (0, 0);
    let mut packets = 0_u64;
    while got < total {
        now += Duration::from_micros(20);
        if a.is_connected() {
            while sent < total + (4 << 20) {
                let m = Message { ppid: Ppid(53), payload: payload.clone() };
                if a.send(now, StreamId(1), m, SendOptions::new()).is_err() {
                    break;
                }
                sent += size;
            }
        }
        for side in 0..2 {
            let (x, y) = if side == 0 { (&mut a, &mut b) } else { (&mut b, &mut a) };
            out.clear();
            lens.clear();
            while lens.len() < 16 {
                let Some(len) = x.poll_transmit(now, &mut out) else { break };
                lens.push(len.get());
            }
            let mut at = 0;
            for len in &lens {
                y.handle_packet(now, &out[at..at + len]);
                at += len;
                packets += 1;
            }
            while x.poll_event().is_some() {}
            while let Some((_, m)) = y.recv() {
                got += m.payload.len();
            }
            for z in [&mut *x, &mut *y] {
                if z.poll_timeout().is_some_and(|at| at <= now) {
                    z.handle_timeout(now);
                }
            }
        }
    }
    println!("{got} bytes, {packets} packets, {:?}", a.stats());
}
