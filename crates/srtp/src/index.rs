//! Packet indices: 48 bits for SRTP, of which the packet carries 16; 31 bits for SRTCP (RFC 3711 §3.3.1, §3.4).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

/// SRTP indices end here, exclusive.
pub(crate) const RTP_LIMIT: u64 = 1 << 48;

/// SRTCP indices end here, exclusive.
pub(crate) const RTCP_LIMIT: u32 = 1 << 31;

/// Packets of one roll-over.
pub(crate) const ERA: u64 = 1 << 16;

/// Where a sending stream stands: the first indices that were never used.
///
/// It lets another process, or another [`Protector`](crate::Protector) with the same key, go on without using a key
/// stream twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The SRTP index: roll-over counter and sequence number, 48 bits.
    pub rtp: u64,
    /// The SRTCP index, 31 bits.
    pub rtcp: u32,
}

impl Position {
    /// A position. Both may be one past the last index: then the key is exhausted.
    #[must_use]
    pub fn new(rtp: u64, rtcp: u32) -> Self {
        Self { rtp, rtcp }
    }
}

/// The index of a packet to be sent, near the highest one sent. `None` before index zero.
///
/// A sender knows where its stream began, so nothing can lie before it.
pub(crate) fn sending(highest: u64, sequence: u16) -> Option<u64> {
    let delta = i64::from(sequence.wrapping_sub(highest as u16) as i16);
    highest.checked_add_signed(delta)
}

/// The index of a packet received, near the highest one authenticated.
pub(crate) fn received(highest: u64, sequence: u16) -> u64 {
    base::extend_u16(highest, sequence)
}

/// The indices that the first packet of a stream can have, when up to `rollovers` roll-overs may have passed since
/// roll-over `from`.
///
/// The last one counts only in its first half: what lies later would mean more than 2^15 lost packets beyond what was
/// asked for.
pub(crate) fn first(from: u32, rollovers: u32, sequence: u16) -> impl Iterator<Item = u64> {
    (0..=rollovers)
        .filter(move |step| *step == 0 || *step < rollovers || sequence < 1 << 15)
        .map(move |step| {
            u64::from(from)
                .saturating_add(u64::from(step))
                .saturating_mul(ERA)
                .saturating_add(u64::from(sequence))
        })
        .filter(|index| *index < RTP_LIMIT)
}

/// The roll-over counter of an index.
pub(crate) fn rollover(index: u64) -> u32 {
    (index >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_packet_may_come_after_a_roll_over() {
        assert_eq!(first(0, 1, 3).collect::<Vec<_>>(), [3, 65_539]);
        assert_eq!(first(0, 1, 65_530).collect::<Vec<_>>(), [65_530]);
        assert_eq!(first(0, 0, 3).collect::<Vec<_>>(), [3]);
        assert_eq!(first(7, 2, 40_000).collect::<Vec<_>>(), [7 * 65_536 + 40_000, 8 * 65_536 + 40_000]);
        assert_eq!(first(u32::MAX, 64, 1).collect::<Vec<_>>(), [RTP_LIMIT - ERA + 1]);
    }

    #[test]
    fn nothing_is_sent_before_the_beginning() {
        assert_eq!(sending(3, 65_535), None);
        assert_eq!(sending(ERA + 3, 65_535), Some(65_535));
        assert_eq!(sending(65_535, 0), Some(ERA));
    }

    proptest! {
        /// T-S04: against a 64-bit oracle, for any step that RFC 3711 §3.3.1 allows.
        #[test]
        fn t_s04_the_guess_is_right_for_any_loss_up_to_32_767(highest in 0..RTP_LIMIT - ERA, step in -32_767_i64..=32_767) {
            let Some(truth) = highest.checked_add_signed(step) else { return Ok(()) };
            prop_assert_eq!(received(highest, truth as u16), truth);
            prop_assert_eq!(sending(highest, truth as u16), Some(truth));
        }
    }
}
