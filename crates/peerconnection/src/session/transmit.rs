//! Datagrams out. One layer appends after another to the caller's buffer; nothing is copied between them.

use super::{Session, closing::Farewell};
use std::{num::NonZeroUsize, time::Instant};
use stun::net::{Fragmentation, Transmit};

impl Session {
    /// Appends the next datagram, or up to `max_datagrams` of equal size for one path, to `out`: at most 65,507 bytes,
    /// the most one system call takes.
    ///
    /// Order: ICE, DTLS handshake, RTCP, RTP, data channels. The returned [`Transmit`] says where the bytes go; what
    /// was in `out` before is not touched.
    pub fn poll_transmit(
        &mut self,
        now: Instant,
        max_datagrams: NonZeroUsize,
        out: &mut Vec<u8>,
    ) -> Option<Transmit> {
        let now = self.advance(now);
        if self.is_closed() {
            return None;
        }
        if let Some(transmit) = self.transport.ice.poll_transmit(now, out) {
            return Some(transmit);
        }
        if self.transport.ice.is_writable() {
            let transmit = self
                .transmit_handshake(now, out)
                .or_else(|| self.transmit_rtcp(now, out))
                .or_else(|| self.transmit_rtp(now, max_datagrams, out))
                .or_else(|| self.transmit_data(now, max_datagrams, out));
            if transmit.is_some() {
                return transmit;
            }
        }
        // Nothing is left to send in this step of the end: go on to the next.
        if self.step_farewell(now) != Farewell::Done {
            return self.poll_transmit(now, max_datagrams, out);
        }
        None
    }

    /// Tells that a datagram could not be sent; ICE draws its conclusions, nothing ends.
    pub fn handle_send_error(&mut self, now: Instant, path: stun::net::FiveTuple, error: ice::SendErrorKind) {
        let now = self.advance(now);
        self.counters.send_errors += 1;
        self.transport.ice.handle_send_error(now, path, error);
        if error == ice::SendErrorKind::TooLarge && self.transport.ice.selected_path() == Some(path) {
            self.channels.handle_too_large(now);
        }
        self.settle_ice(now);
    }

    fn transmit_handshake(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        let dtls = self.transport.dtls.connection_mut()?;
        let (_, transmit) = self.transport.ice.frame_with(out, |out| dtls.poll_transmit(now, out))?;
        // DTLS reports its end once the last alert is out.
        self.settle_dtls(now);
        Some(transmit)
    }

    fn transmit_rtcp(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        let srtp = self.transport.srtp.as_mut()?;
        let media = &mut self.media;
        let written = self.transport.ice.frame_with(out, |out| {
            let start = out.len();
            media.poll_rtcp(now, out)?;
            srtp.protector.protect_rtcp(out, start).ok()
        });
        written.map(|((), transmit)| transmit)
    }

    fn transmit_rtp(&mut self, now: Instant, max: NonZeroUsize, out: &mut Vec<u8>) -> Option<Transmit> {
        let srtp = self.transport.srtp.as_mut()?;
        let (ice, media) = (&mut self.transport.ice, &mut self.media);
        let overhead = ice.overhead() + srtp.profile.rtp_overhead();
        let mut batch = Batch::new(max);
        while batch.takes(media.next_len(now).map(|len| len + overhead)) {
            let written = ice.frame_with(out, |out| {
                let start = out.len();
                media.poll_rtp(now, out)?;
                srtp.protector.protect_rtp(out, start).ok()
            });
            let Some(((), transmit)) = written else { break };
            batch.push(transmit);
        }
        batch.finish()
    }

    fn transmit_data(&mut self, now: Instant, max: NonZeroUsize, out: &mut Vec<u8>) -> Option<Transmit> {
        let dtls = self.transport.dtls.connection_mut().filter(|dtls| dtls.is_connected())?;
        let (ice, channels) = (&mut self.transport.ice, &mut self.channels);
        let overhead = ice.overhead() + dtls.overhead();
        let mut batch = Batch::new(max);
        while batch.takes(channels.next_len(now).map(|len| len + overhead)) {
            let written =
                ice.frame_with(out, |out| dtls.seal_with(out, |out| channels.poll_transmit(now, out)));
            let Some((_, transmit)) = written else { break };
            batch.push(match channels.fragmentation() {
                sctp::Fragmentation::Forbidden => transmit,
                sctp::Fragmentation::Allowed => transmit.with_fragmentation(Fragmentation::Allowed),
            });
        }
        batch.finish()
    }
}

/// The largest UDP payload over IPv4. A segmented send is one such payload until the kernel cuts it.
const MAX_BATCH: usize = 65_507;

/// Datagrams of equal size for one path, the last may be shorter: what one segmented send can carry.
struct Batch {
    first: Option<Transmit>,
    total: usize,
    count: usize,
    max: usize,
    open: bool,
}

impl Batch {
    fn new(max: NonZeroUsize) -> Self {
        Self { first: None, total: 0, count: 0, max: max.get(), open: true }
    }

    /// Whether a datagram may follow, of `next` bytes or, for `None`, of a length nobody knows yet. The first one may
    /// be of any length.
    fn takes(&self, next: Option<usize>) -> bool {
        let Some(first) = &self.first else { return true };
        let fits = |len| len <= first.len && self.total + len <= MAX_BATCH;
        self.open && self.count < self.max && next.is_some_and(fits)
    }

    fn push(&mut self, transmit: Transmit) {
        let segment = self.first.get_or_insert(transmit).len;
        debug_assert!(transmit.len <= segment, "a batch was promised {segment} bytes at most");
        self.total += transmit.len;
        self.count += 1;
        // What may be cut goes alone.
        self.open = transmit.len == segment && transmit.fragmentation == Fragmentation::Forbidden;
    }

    fn finish(self) -> Option<Transmit> {
        let first = self.first?;
        let mut transmit =
            Transmit::new(first.path, self.total).with_ecn(first.ecn).with_fragmentation(first.fragmentation);
        transmit.segment = NonZeroUsize::new(first.len).filter(|_| self.count > 1);
        Some(transmit)
    }
}
