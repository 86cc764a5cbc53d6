//! The receiving side.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use crate::header::{MAX_PACKET, Malformed, RTCP_HEADER_LEN, RtpHeader, rtcp_sender};
use crate::index::{ERA, RTP_LIMIT, first, received};
use crate::replay::{Seen, Window};
use crate::streams::{Slot, Streams};
use crate::suite::{Encryption, Suite};
use crate::{
    Config, PositionError, Profile, SetupError, Ssrc, UnencryptedRtcp, UnprotectError, UnprotectorStats,
};
use base::count;
use crypto::Provider;
use std::iter;

/// Turns SRTP into RTP and SRTCP into RTCP, for every SSRC that the peer protects with one master key.
///
/// Nothing is kept of a packet, and no window moves, before its tag is right. Dropped packets are counted; no number of
/// them ends anything.
///
/// One of them belongs to one key. After a new DTLS handshake make a new one; after an ICE restart, which keeps the
/// keys, keep it.
#[derive(Debug)]
pub struct Unprotector {
    profile: Profile,
    suite: Suite,
    config: Config,
    streams: Streams<Stream>,
    stats: UnprotectorStats,
    /// A copy of a packet that may have to be tried with another index; never longer than a packet.
    spare: Vec<u8>,
}

/// One SSRC that has sent an authentic packet, or is expected to.
#[derive(Debug, Default)]
struct Stream {
    /// Made by the first authentic SRTP packet.
    rtp: Option<Window>,
    /// Made by the first authentic SRTCP packet.
    rtcp: Option<Window>,
    /// The roll-over counter that the first packet is expected to have at least.
    rollover: u32,
    /// SRTP packets that were undecipherable or too old, since the last authentic one.
    misses: u32,
}

/// Every time this many packets in a row were undecipherable or too old, one is also tried one roll-over later.
///
/// RFC 3711 §3.3.1 loses a stream for good when 2^15 packets are lost at once; an outage of a fast stream does that
/// within seconds. The extra tag is a sixteenth of the cost of a forged packet.
const RESYNC_MISSES: u32 = 16;

/// Spares the first packets of a session an allocation.
const SPARE_LEN: usize = 2_048;

impl Unprotector {
    /// Derives the session keys of `profile` from a master key and salt.
    ///
    /// # Errors
    /// [`SetupError`] when a length does not fit `profile`, or `provider` lacks an algorithm.
    pub fn new(
        provider: &Provider,
        profile: Profile,
        key: &[u8],
        salt: &[u8],
        config: Config,
    ) -> Result<Self, SetupError> {
        let suite = Suite::new(provider, profile, key, salt)?;
        let spare = Vec::with_capacity(if suite.keeps_refused_packets() { 0 } else { SPARE_LEN });
        let streams = Streams::new(config.ssrc_limit());
        Ok(Self { profile, suite, config, streams, stats: UnprotectorStats::default(), spare })
    }

    /// Checks and decrypts an SRTP packet in place (RFC 3711 §3.3). Returns the length of the RTP packet, which stands
    /// at the front of `packet`.
    ///
    /// # Errors
    /// [`UnprotectError`]; the bytes in `packet` must then not be used.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let received = self.rtp(packet);
        match received {
            Ok(_) => {
                count(&mut self.stats.rtp_packets, 1);
                count(&mut self.stats.rtp_bytes, packet.len());
            }
            Err(error) => self.count(error),
        }
        received
    }

    /// Checks and decrypts an SRTCP packet in place (RFC 3711 §3.4). Returns the length of the compound RTCP packet,
    /// which stands at the front of `packet`.
    ///
    /// # Errors
    /// [`UnprotectError`]; the bytes in `packet` must then not be used.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let received = self.rtcp(packet);
        match received {
            Ok(_) => {
                count(&mut self.stats.rtcp_packets, 1);
                count(&mut self.stats.rtcp_bytes, packet.len());
            }
            Err(error) => self.count(error),
        }
        received
    }

    /// Says which roll-over counter an SSRC has reached that has not been heard yet (RFC 3711 §3.3.1, a receiver that
    /// joins an ongoing session). Its first packet may still be [`Config::with_rollover_search`] roll-overs later.
    ///
    /// # Errors
    /// [`PositionError::Backwards`] when a packet of the SSRC has been received, which says more;
    /// [`PositionError::TooManyStreams`] when the table is full.
    pub fn expect_rollover(&mut self, ssrc: Ssrc, rollover: u32) -> Result<(), PositionError> {
        let slot = self.slot(ssrc).ok_or(PositionError::TooManyStreams)?;
        let stream = self.streams.entry(slot);
        if stream.rtp.is_some() {
            return Err(PositionError::Backwards);
        }
        stream.rollover = rollover;
        Ok(())
    }

    /// The roll-over counter of an SSRC; `None` before its first authentic SRTP packet.
    #[must_use]
    pub fn rollover(&self, ssrc: Ssrc) -> Option<u32> {
        let highest = self.streams.get(ssrc)?.rtp.as_ref()?.highest()?;
        Some(crate::index::rollover(highest))
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> UnprotectorStats {
        UnprotectorStats { streams: self.streams.len(), ..self.stats }
    }

    fn rtp(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let header = RtpHeader::parse(check_len(packet)?)?;
        let len = packet.len().saturating_sub(self.profile.rtp_overhead());
        if len < header.len {
            return Err(Malformed { field: "tag", offset: header.len }.into());
        }
        let Some(slot) = self.streams.find(header.ssrc) else {
            if self.streams.is_full() {
                return Err(UnprotectError::TooManyStreams);
            }
            let candidates = first(0, self.config.rollovers(), header.sequence);
            let index = self.open_rtp(header, candidates, packet)?;
            let slot = self.slot(header.ssrc).ok_or(UnprotectError::TooManyStreams)?;
            self.record_rtp(slot, index);
            return Ok(len);
        };
        let stream = self.streams.entry(slot);
        let misses = stream.misses.saturating_add(1);
        let opened = match stream.rtp.as_ref() {
            None => {
                let candidates = first(stream.rollover, self.config.rollovers(), header.sequence);
                self.open_rtp(header, candidates, packet)
            }
            Some(window) => {
                let highest = window.highest().unwrap_or_default();
                let index = received(highest, header.sequence);
                if index >= RTP_LIMIT {
                    return Err(UnprotectError::KeyExhausted);
                }
                let later = index.checked_add(ERA).filter(|_| misses.is_multiple_of(RESYNC_MISSES));
                let later = later.filter(|later| *later > highest && *later < RTP_LIMIT);
                match look(Some(window), index) {
                    Ok(()) => self.open_rtp(header, iter::once(index).chain(later), packet),
                    Err(UnprotectError::TooOld) => {
                        self.open_rtp(header, later.into_iter(), packet).map_err(|_| UnprotectError::TooOld)
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        match opened {
            Ok(index) => self.record_rtp(slot, index),
            Err(error) => {
                self.streams.entry(slot).misses = misses;
                return Err(error);
            }
        }
        Ok(len)
    }

    /// Opens a packet with the first index that fits, and returns it.
    fn open_rtp(
        &mut self,
        header: RtpHeader,
        candidates: impl Iterator<Item = u64>,
        packet: &mut [u8],
    ) -> Result<u64, UnprotectError> {
        let mut candidates = candidates.peekable();
        let mut spared = false;
        while let Some(index) = candidates.next() {
            if !self.suite.keeps_refused_packets() {
                if spared {
                    packet.copy_from_slice(&self.spare);
                } else if candidates.peek().is_some() {
                    self.spare.clear();
                    self.spare.extend_from_slice(packet);
                    spared = true;
                }
            }
            if self.suite.open_rtp(header, index, packet).is_ok() {
                return Ok(index);
            }
        }
        Err(UnprotectError::Unauthentic)
    }

    fn record_rtp(&mut self, slot: Slot, index: u64) {
        let size = self.config.rtp_window_packets();
        let stream = self.streams.entry(slot);
        stream.misses = 0;
        stream.rtp.get_or_insert_with(|| Window::new(size)).record(index);
    }

    fn rtcp(&mut self, packet: &mut [u8]) -> Result<usize, UnprotectError> {
        let sender = rtcp_sender(check_len(packet)?)?;
        let trailer = Malformed { field: "index", offset: RTCP_HEADER_LEN };
        let len = packet.len().saturating_sub(self.profile.rtcp_overhead());
        if len < RTCP_HEADER_LEN {
            return Err(trailer.into());
        }
        let index = self.suite.rtcp_index(packet).ok_or(trailer)?;
        if index.encryption == Encryption::Clear && self.config.unencrypted() == UnencryptedRtcp::Refuse {
            return Err(UnprotectError::Unencrypted);
        }
        match self.streams.find(sender) {
            Some(slot) => look(self.streams.entry(slot).rtcp.as_ref(), u64::from(index.index))?,
            None if self.streams.is_full() => return Err(UnprotectError::TooManyStreams),
            None => {}
        }
        self.suite.open_rtcp(sender, index, packet).map_err(|_| UnprotectError::Unauthentic)?;
        let slot = self.slot(sender).ok_or(UnprotectError::TooManyStreams)?;
        let size = self.config.rtcp_window_packets();
        let window = self.streams.entry(slot).rtcp.get_or_insert_with(|| Window::new(size));
        window.record(u64::from(index.index));
        if index.encryption == Encryption::Clear {
            count(&mut self.stats.rtcp_unencrypted, 1);
        }
        Ok(len)
    }

    /// The stream of `ssrc`, made when it is new and there is room. Only for what is authentic or asked for.
    fn slot(&mut self, ssrc: Ssrc) -> Option<Slot> {
        match self.streams.find(ssrc) {
            Some(slot) => Some(slot),
            None => self.streams.insert(ssrc, Stream::default()),
        }
    }

    fn count(&mut self, error: UnprotectError) {
        let counter = match error {
            UnprotectError::Malformed { .. } => &mut self.stats.malformed,
            UnprotectError::Replayed => &mut self.stats.replayed,
            UnprotectError::TooOld => &mut self.stats.too_old,
            UnprotectError::TooManyStreams => &mut self.stats.too_many_streams,
            UnprotectError::Unauthentic => &mut self.stats.unauthentic,
            UnprotectError::KeyExhausted | UnprotectError::Unencrypted => &mut self.stats.refused,
        };
        count(counter, 1);
    }
}

fn check_len(packet: &[u8]) -> Result<&[u8], Malformed> {
    if packet.len() > MAX_PACKET {
        return Err(Malformed { field: "packet", offset: MAX_PACKET });
    }
    Ok(packet)
}

/// Refuses what was received before, without moving anything.
fn look(window: Option<&Window>, index: u64) -> Result<(), UnprotectError> {
    match window.map_or(Seen::New, |window| window.look(index)) {
        Seen::Forgotten => Err(UnprotectError::TooOld),
        Seen::New => Ok(()),
        Seen::Recorded => Err(UnprotectError::Replayed),
    }
}
