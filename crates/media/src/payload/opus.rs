//! Opus (RFC 7587): one packet of the codec per RTP packet.

use std::time::Duration;

use base::Reader;

use super::{Depacketizer, Frame, Packet, PacketizeError, Packetizer, PayloadError, Piece};
use crate::frame::FrameKind;

/// RFC 6716 §3.2.5: a packet holds at most 120 ms.
const MAX_DURATION: Duration = Duration::from_millis(120);

/// How much sound an Opus packet holds (RFC 6716 §3.1, §3.2).
///
/// # Errors
///
/// The packet is empty, lacks its frame count, or claims none or more than 120 ms.
pub fn duration(packet: &[u8]) -> Result<Duration, PayloadError> {
    let mut reader = Reader::new(packet);
    let toc = reader.u8().map_err(|_| PayloadError::Empty)?;
    let frame = match toc >> 3 {
        config @ 0..=11 => [10_000, 20_000, 40_000, 60_000].get(usize::from(config & 3)),
        config @ 12..=15 => [10_000, 20_000].get(usize::from(config & 1)),
        config => [2_500, 5_000, 10_000, 20_000].get(usize::from(config & 3)),
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(reader.u8()? & 0x3f),
    };
    let duration = Duration::from_micros(frame.copied().unwrap_or(0)).saturating_mul(frames);
    if duration.is_zero() || duration > MAX_DURATION {
        return Err(PayloadError::Invalid("frame count"));
    }
    Ok(duration)
}

/// One packet per frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpusPacketizer {
    _private: (),
}

impl Packetizer for OpusPacketizer {
    fn packetize(
        &mut self,
        frame: &[u8],
        max_payload: usize,
        pieces: &mut Vec<Piece>,
    ) -> Result<FrameKind, PacketizeError> {
        match duration(frame) {
            Err(PayloadError::Empty) => Err(PacketizeError::Empty),
            Err(_) => Err(PacketizeError::Malformed),
            // RFC 7587 §4.2: an Opus packet is the payload of exactly one RTP packet.
            Ok(_) if frame.len() > max_payload => Err(PacketizeError::TooLarge),
            Ok(_) => {
                pieces.push(Piece::new(&[], 0, frame.len()));
                Ok(FrameKind::Key)
            }
        }
    }
}

/// One frame per packet.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpusDepacketizer {
    _private: (),
}

impl Depacketizer for OpusDepacketizer {
    fn push(&mut self, packet: Packet) -> Result<Option<Frame>, PayloadError> {
        duration(&packet.payload)?;
        Ok(Some(Frame::new(packet.payload, FrameKind::Key)))
    }

    fn finish(&mut self) -> Option<Frame> {
        None
    }

    fn lost(&mut self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// RFC 6716 §3.1, Table 2.
    #[test]
    fn durations_by_configuration() {
        let of = |config: u8| duration(&[config << 3]);
        assert_eq!([0, 1, 2, 3].map(of), [Ok(ms(10)), Ok(ms(20)), Ok(ms(40)), Ok(ms(60))]);
        assert_eq!([12, 13, 14, 15].map(of), [Ok(ms(10)), Ok(ms(20)), Ok(ms(10)), Ok(ms(20))]);
        assert_eq!(
            [28, 29, 30, 31].map(of),
            [Ok(Duration::from_micros(2_500)), Ok(ms(5)), Ok(ms(10)), Ok(ms(20))]
        );
    }

    /// T-S13: every frame count.
    #[test]
    fn t_s13_frame_counts() {
        assert_eq!(duration(&[]), Err(PayloadError::Empty));
        for config in 0..32_u8 {
            assert_eq!(duration(&[config << 3 | 3]), Err(PayloadError::Truncated));
            assert_eq!(duration(&[config << 3 | 3, 0]), Err(PayloadError::Invalid("frame count")));
            let one = duration(&[config << 3]).expect("one frame");
            for count in 1..64_u8 {
                let total = one * u32::from(count);
                assert_eq!(duration(&[config << 3 | 3, count]).ok(), (total <= ms(120)).then_some(total));
            }
        }
    }

    #[test]
    fn users_62_short_payloads_are_errors() {
        let mut depacketizer = OpusDepacketizer::default();
        let mut push = |payload: &'static [u8]| {
            depacketizer.push(Packet::new(bytes::Bytes::from_static(payload), rtp::Timestamp(0)))
        };
        assert_eq!(push(&[]), Err(PayloadError::Empty));
        assert_eq!(push(&[0x03]), Err(PayloadError::Truncated));
        assert!(push(&[0x08]).is_ok_and(|frame| frame.is_some()), "one byte is a frame of silence");
    }

    #[test]
    fn a_packet_is_not_cut() {
        let mut pieces = Vec::new();
        let mut packetizer = OpusPacketizer::default();
        let frame = [8; 100];
        assert_eq!(packetizer.packetize(&frame, 99, &mut pieces), Err(PacketizeError::TooLarge));
        assert_eq!(packetizer.packetize(&[], 99, &mut pieces), Err(PacketizeError::Empty));
        assert!(pieces.is_empty());
        assert_eq!(packetizer.packetize(&frame, 100, &mut pieces), Ok(FrameKind::Key));
        assert_eq!(pieces, [Piece::new(&[], 0, 100)]);
    }
}
