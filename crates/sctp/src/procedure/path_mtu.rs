//! Probes of the path MTU: a HEARTBEAT, padded with PAD (RFC 8899 §6.2, RFC 4820).

use crate::association::Association;
use crate::chunk::{self, ChunkWriter};
use crate::packet;
use crate::path::PathInfo;
use crate::pmtu::{Due, Nonce, PathMtu, Verdict};
use crate::procedure::heartbeat;
use crate::state::Timer;
use base::PutExt;
use std::time::{Duration, Instant};

impl Association {
    /// The path is another one: nothing known of the old one holds.
    pub(crate) fn follow_path(&mut self, info: PathInfo) {
        self.path_mtu = PathMtu::new(info);
        if self.state.is_connected() {
            self.sender.on_new_path(self.now);
            self.path_mtu.start(self.peer.extensions.pad);
        }
        self.apply_path_mtu();
    }

    /// The peer answers: the search begins.
    pub(crate) fn start_path_mtu(&mut self) {
        self.path_mtu.start(self.peer.extensions.pad);
        self.apply_path_mtu();
    }

    /// Sizes and the timer follow from the machine.
    pub(crate) fn apply_path_mtu(&mut self) {
        self.max_packet_len = self.path_mtu.packet_len();
        self.sender.set_max_packet_len(self.max_packet_len);
        self.sender.set_max_chunk(self.path_mtu.chunk_packet_len());
        match self.path_mtu.timeout() {
            Some(at) => self.timers.set(Timer::PathMtu, at),
            None => self.timers.stop(Timer::PathMtu),
        }
    }

    pub(crate) fn on_path_mtu_timeout(&mut self, now: Instant) {
        let verdict = self.path_mtu.on_timeout(now);
        self.judge(now, verdict);
    }

    pub(crate) fn on_probe_answer(&mut self, now: Instant, nonce: Nonce) {
        // Whatever overtakes on the way does so by less than this.
        let round_trip = self.sender.rto.smoothed().unwrap_or(Duration::from_millis(100));
        let grace = (round_trip / 2).clamp(Duration::from_millis(5), Duration::from_millis(250));
        let verdict = self.path_mtu.on_answer(now, nonce, grace);
        self.judge(now, verdict);
    }

    /// The layers below refused a datagram for its length.
    pub(crate) fn on_refused(&mut self, now: Instant) {
        let verdict = self.path_mtu.refused(now);
        self.judge(now, verdict);
    }

    /// Data is not acknowledged.
    pub(crate) fn doubt_path_mtu(&mut self) {
        self.path_mtu.doubt();
        self.apply_path_mtu();
    }

    fn judge(&mut self, now: Instant, verdict: Verdict) {
        self.apply_path_mtu();
        if verdict != Verdict::Shrunk {
            return;
        }
        crate::trace::debug!(packet_len = self.max_packet_len, "packets became too large for the path");
        //= rfc8899 §3
        //# Loss of a probe packet SHOULD NOT be treated as an indication of congestion and SHOULD NOT trigger a
        //# congestion control reaction [RFC4821] because this could result in unnecessary reduction of the sending
        //# rate.
        self.sender.on_new_path(now);
        self.sender.repeat_all(now, &mut self.events, &mut self.stats);
        self.errors = 0;
        self.timers.stop(Timer::Retransmit);
        self.arm_retransmit(now);
    }

    /// Writes one half of a pair, in a packet of its own.
    pub(crate) fn write_probe(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        let Some(due) = self.path_mtu.due() else { return false };
        let start = out.len();
        self.start_packet(out, self.peer.tag);
        let nonce = self.rng.bytes::<8>();
        chunk::write(out, chunk::HEARTBEAT, 0, &heartbeat::value_of(nonce));
        if let Due::Large(size) = due {
            let rest = size.saturating_sub(out.len() - start);
            if let Some(padding) = rest.checked_sub(chunk::HEADER_LEN) {
                let pad = ChunkWriter::start(out, chunk::PAD, 0);
                out.put_zeros(padding);
                pad.finish(out);
            }
        }
        debug_assert!(out.len() > start + packet::HEADER_LEN);
        self.stats.path_probes += 1;
        self.path_mtu.written(now, nonce, self.sender.rto.timeout());
        self.apply_path_mtu();
        true
    }
}
