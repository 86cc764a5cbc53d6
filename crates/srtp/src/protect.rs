//! The sending side.

use crate::header::{MAX_PACKET, Malformed, RTCP_HEADER_LEN, RtpHeader, rtcp_sender};
use crate::index::{RTCP_LIMIT, RTP_LIMIT, sending};
use crate::replay::{Seen, Window};
use crate::streams::{Slot, Streams};
use crate::suite::{Encryption, RtcpIndex, Suite};
use crate::{Config, Position, PositionError, Profile, ProtectError, ProtectorStats, SetupError, Ssrc};
use crypto::Provider;

/// Turns RTP into SRTP and RTCP into SRTCP, for every SSRC that is sent with one master key.
///
/// It follows the roll-over of each SSRC and refuses to use an index twice, for as long as it lives: an SSRC that goes
/// away and comes back continues where it was. Sequence numbers may arrive out of order within the window of
/// [`Config::with_rtp_window`].
///
/// One of them belongs to one key. After a new DTLS handshake make a new one; after an ICE restart, which keeps the
/// keys, keep it.
#[derive(Debug)]
pub struct Protector {
    profile: Profile,
    suite: Suite,
    config: Config,
    streams: Streams<Stream>,
    stats: ProtectorStats,
    rekey_due: bool,
}

/// One SSRC.
#[derive(Debug)]
struct Stream {
    /// The SRTP indices used; made by the first packet.
    rtp: Option<Window>,
    /// The first SRTCP index not used.
    rtcp: u32,
}

/// New keys are due when an SRTP index comes this close to its limit.
const RTP_MARGIN: u64 = 1 << 32;

/// New keys are due when an SRTCP index comes this close to its limit.
const RTCP_MARGIN: u32 = 1 << 20;

impl Protector {
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
        Ok(Self {
            profile,
            suite: Suite::new(provider, profile, key, salt)?,
            config,
            streams: Streams::new(config.ssrc_limit()),
            stats: ProtectorStats::default(),
            rekey_due: false,
        })
    }

    /// Protects the RTP packet in `out[start..]`, in place, and appends the tag (RFC 3711 §3.3).
    ///
    /// Give `out` room for [`Profile::rtp_overhead`] more bytes and nothing is allocated, but for the first packet of
    /// an SSRC.
    ///
    /// # Errors
    /// [`ProtectError`]; `out` is then unchanged.
    pub fn protect_rtp(&mut self, out: &mut Vec<u8>, start: usize) -> Result<(), ProtectError> {
        let sent = self.rtp(out, start);
        match sent {
            Ok(bytes) => {
                self.stats.rtp_packets += 1;
                self.stats.rtp_bytes += bytes as u64;
            }
            Err(_) => self.stats.refused += 1,
        }
        sent.map(drop)
    }

    /// Protects the compound RTCP packet in `out[start..]`, in place, and appends the tag and the index
    /// (RFC 3711 §3.4). It is always encrypted.
    ///
    /// Give `out` room for [`Profile::rtcp_overhead`] more bytes and nothing is allocated, but for the first packet of
    /// an SSRC.
    ///
    /// # Errors
    /// [`ProtectError`]; `out` is then unchanged.
    pub fn protect_rtcp(&mut self, out: &mut Vec<u8>, start: usize) -> Result<(), ProtectError> {
        let sent = self.rtcp(out, start);
        match sent {
            Ok(bytes) => {
                self.stats.rtcp_packets += 1;
                self.stats.rtcp_bytes += bytes as u64;
            }
            Err(_) => self.stats.refused += 1,
        }
        sent.map(drop)
    }

    /// Moves an SSRC forward to a position that another holder of this key has reached.
    ///
    /// Everything before it counts as used.
    ///
    /// # Errors
    /// [`PositionError`]; nothing is then changed.
    pub fn resume(&mut self, ssrc: Ssrc, position: Position) -> Result<(), PositionError> {
        if position.rtp > RTP_LIMIT || position.rtcp > RTCP_LIMIT {
            return Err(PositionError::BeyondLimit);
        }
        let known = self.position(ssrc).unwrap_or_default();
        if position.rtp < known.rtp || position.rtcp < known.rtcp {
            return Err(PositionError::Backwards);
        }
        let slot = self.slot(ssrc).ok_or(PositionError::TooManyStreams)?;
        let stream = self.streams.entry(slot);
        if position.rtp > known.rtp {
            stream.rtp = Some(Window::closed_before(position.rtp, self.config.rtp_window_packets()));
        }
        stream.rtcp = position.rtcp;
        self.watch_limits(slot);
        Ok(())
    }

    /// Where an SSRC stands; `None` when nothing was sent with it.
    #[must_use]
    pub fn position(&self, ssrc: Ssrc) -> Option<Position> {
        let stream = self.streams.get(ssrc)?;
        Some(Position::new(stream.rtp.as_ref().map_or(0, Window::next), stream.rtcp))
    }

    /// Whether an SSRC comes close to the last index of the key, so that new keys should be agreed on
    /// (RFC 3711 §9.2): 2^32 SRTP or 2^20 SRTCP packets are left.
    #[must_use]
    pub fn rekey_due(&self) -> bool {
        self.rekey_due
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> ProtectorStats {
        ProtectorStats { streams: self.streams.len(), ..self.stats }
    }

    fn rtp(&mut self, out: &mut Vec<u8>, start: usize) -> Result<usize, ProtectError> {
        let packet = packet(out, start, self.profile.rtp_overhead())?;
        let header = RtpHeader::parse(packet)?;
        let slot = self.slot(header.ssrc).ok_or(ProtectError::TooManyStreams)?;
        let size = self.config.rtp_window_packets();
        let window = self.streams.entry(slot).rtp.get_or_insert_with(|| Window::new(size));
        let index = match window.highest() {
            None => u64::from(header.sequence),
            Some(highest) => sending(highest, header.sequence).ok_or(ProtectError::TooOld)?,
        };
        //= rfc3711 §3.3.1
        //# After that number of SRTP packets have been sent with a given (master or session) key, the sender MUST NOT
        //# send any more packets with that key.
        if index >= RTP_LIMIT {
            return Err(ProtectError::KeyExhausted);
        }
        match window.look(index) {
            Seen::Forgotten => return Err(ProtectError::TooOld),
            Seen::Recorded => return Err(ProtectError::IndexReused),
            Seen::New => window.record(index),
        }
        out.resize(out.len() + self.profile.rtp_overhead(), 0);
        let packet = out.get_mut(start..).unwrap_or_default();
        self.suite.seal_rtp(header, index, packet);
        let bytes = packet.len();
        self.watch_limits(slot);
        Ok(bytes)
    }

    fn rtcp(&mut self, out: &mut Vec<u8>, start: usize) -> Result<usize, ProtectError> {
        let packet = packet(out, start, self.profile.rtcp_overhead())?;
        let sender = rtcp_sender(packet)?;
        debug_assert!(packet.len() >= RTCP_HEADER_LEN, "the sender is the end of the header");
        let slot = self.slot(sender).ok_or(ProtectError::TooManyStreams)?;
        let stream = self.streams.entry(slot);
        let index = stream.rtcp;
        if index >= RTCP_LIMIT {
            return Err(ProtectError::KeyExhausted);
        }
        //= rfc3711 §3.4
        //# The SRTCP index MUST be set to zero before the first SRTCP packet is sent, and MUST be incremented by one,
        //# modulo 2^31, after each SRTCP packet is sent.
        stream.rtcp = index + 1;
        out.resize(out.len() + self.profile.rtcp_overhead(), 0);
        let packet = out.get_mut(start..).unwrap_or_default();
        self.suite.seal_rtcp(sender, RtcpIndex { encryption: Encryption::Encrypted, index }, packet);
        let bytes = packet.len();
        self.watch_limits(slot);
        Ok(bytes)
    }

    /// The stream of `ssrc`, made when it is new and there is room.
    fn slot(&mut self, ssrc: Ssrc) -> Option<Slot> {
        match self.streams.find(ssrc) {
            Some(slot) => Some(slot),
            None => self.streams.insert(ssrc, Stream { rtp: None, rtcp: 0 }),
        }
    }

    fn watch_limits(&mut self, slot: Slot) {
        let stream = self.streams.entry(slot);
        let rtp = stream.rtp.as_ref().map_or(0, Window::next);
        if rtp >= RTP_LIMIT - RTP_MARGIN || stream.rtcp >= RTCP_LIMIT - RTCP_MARGIN {
            self.rekey_due = true;
        }
    }
}

/// What lies behind `start`, when it can grow by `overhead`.
fn packet(out: &[u8], start: usize, overhead: usize) -> Result<&[u8], ProtectError> {
    let packet = out.get(start..).ok_or(Malformed { field: "version", offset: 0 })?;
    if packet.len() + overhead > MAX_PACKET {
        return Err(ProtectError::TooLong);
    }
    Ok(packet)
}
