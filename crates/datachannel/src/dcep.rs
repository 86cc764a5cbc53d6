//! The Data Channel Establishment Protocol (RFC 8832 §5).
//!
//! ```text
//! +-------------+--------------+---------------------------+
//! | type (0x03) | channel type |         priority          |
//! +-------------+--------------+---------------------------+
//! |                 reliability parameter                  |
//! +----------------------------+---------------------------+
//! |        label length        |      protocol length      |
//! +----------------------------+---------------------------+
//! |                  label, then protocol                  |
//! ```

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use crate::init::{ChannelInit, Order, Priority, Reliability};
use bytes::Bytes;
use std::time::Duration;

const ACK: u8 = 0x02;
const OPEN: u8 = 0x03;
const UNORDERED: u8 = 0x80;

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Dcep {
    Open(ChannelInit),
    Ack,
}

/// Not a message of RFC 8832.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Invalid;

impl Dcep {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let (&kind, rest) = bytes.split_first().ok_or(Invalid)?;
        match kind {
            // RFC 8832 §5.2: one byte. A longer one is no harm.
            ACK => Ok(Self::Ack),
            OPEN => parse_open(rest).map(Self::Open),
            _ => Err(Invalid),
        }
    }
}

fn parse_open(rest: &[u8]) -> Result<ChannelInit, Invalid> {
    let (&[kind, p0, p1, r0, r1, r2, r3, l0, l1, q0, q1], rest) = rest.split_first_chunk().ok_or(Invalid)?;
    let parameter = u32::from_be_bytes([r0, r1, r2, r3]);
    let order = if kind & UNORDERED == 0 { Order::Ordered } else { Order::Unordered };
    let reliability = match kind & !UNORDERED {
        // RFC 8832 §5.1: the parameter is ignored for reliable channels.
        0 => Reliability::Reliable,
        1 => Reliability::MaxRetransmits(u16::try_from(parameter).unwrap_or(u16::MAX)),
        2 => Reliability::MaxLifetime(Duration::from_millis(u64::from(parameter))),
        _ => return Err(Invalid),
    };
    let (label, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l0, l1]))).ok_or(Invalid)?;
    let (protocol, _) = rest.split_at_checked(usize::from(u16::from_be_bytes([q0, q1]))).ok_or(Invalid)?;
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(Box::<str>::from).map_err(|_| Invalid);
    Ok(ChannelInit {
        label: text(label)?,
        protocol: text(protocol)?,
        order,
        reliability,
        priority: Priority(u16::from_be_bytes([p0, p1])),
        negotiated: None,
    })
}

/// A DATA_CHANNEL_OPEN. Label and protocol were checked to fit.
pub(crate) fn open(init: &ChannelInit) -> Bytes {
    let (kind, parameter) = match init.reliability {
        Reliability::Reliable => (0, 0),
        Reliability::MaxRetransmits(count) => (1, u32::from(count)),
        Reliability::MaxLifetime(life) => (2, u32::try_from(life.as_millis()).unwrap_or(u32::MAX)),
    };
    let order = match init.order {
        Order::Ordered => 0,
        Order::Unordered => UNORDERED,
    };
    let len = |text: &str| u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut out = Vec::with_capacity(init.text_len().saturating_add(12));
    out.extend_from_slice(&[OPEN, kind | order]);
    out.extend_from_slice(&init.priority.0.to_be_bytes());
    out.extend_from_slice(&parameter.to_be_bytes());
    out.extend_from_slice(&len(&init.label));
    out.extend_from_slice(&len(&init.protocol));
    out.extend_from_slice(init.label.as_bytes());
    out.extend_from_slice(init.protocol.as_bytes());
    out.into()
}

/// A DATA_CHANNEL_ACK.
pub(crate) fn ack() -> Bytes {
    Bytes::from_static(&[ACK])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `dcep_open_0x03_layout_and_channel_types`.
    #[test]
    fn dcep_open_0x03_layout_and_channel_types() {
        let init = ChannelInit::new("ab").with_protocol("c").with_priority(Priority(0x0102));
        assert_eq!(open(&init)[..], [3, 0, 1, 2, 0, 0, 0, 0, 0, 2, 0, 1, b'a', b'b', b'c']);
        let life = Duration::from_millis(0x0304);
        for (order, reliability, kind, parameter) in [
            (Order::Unordered, Reliability::Reliable, 0x80, 0),
            (Order::Ordered, Reliability::MaxRetransmits(5), 0x01, 5),
            (Order::Unordered, Reliability::MaxRetransmits(5), 0x81, 5),
            (Order::Ordered, Reliability::MaxLifetime(life), 0x02, 0x0304),
            (Order::Unordered, Reliability::MaxLifetime(life), 0x82, 0x0304_u32),
        ] {
            let init = init.clone().with_order(order).with_reliability(reliability);
            let bytes = open(&init);
            assert_eq!(bytes[1], kind);
            assert_eq!(bytes[4..8], parameter.to_be_bytes());
            assert_eq!(Dcep::parse(&bytes), Ok(Dcep::Open(init)));
        }
    }

    /// `dcep_reliable_channel_param_zero_ignored`, `dcep_ack_0x02_single_byte`.
    #[test]
    fn dcep_reliable_channel_param_is_ignored_and_ack_is_one_byte() {
        let Ok(Dcep::Open(init)) = Dcep::parse(&[3, 0, 0, 0, 9, 9, 9, 9, 0, 0, 0, 0]) else { panic!() };
        assert_eq!(init.reliability, Reliability::Reliable);
        assert_eq!(ack()[..], [2]);
        assert_eq!(Dcep::parse(&[2]), Ok(Dcep::Ack));
    }

    /// T-C13: lengths beyond the message, unknown types, text that is not UTF-8.
    #[test]
    fn t_c13_bad_messages_are_invalid() {
        for bad in [
            &[][..],
            &[0],
            &[1],
            &[3],
            &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
            &[3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, b'a'],
            &[3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[3, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0xff],
        ] {
            assert_eq!(Dcep::parse(bad), Err(Invalid), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn t_c13_any_bytes_parse_without_panic(bytes: Vec<u8>) {
            let _ = Dcep::parse(&bytes);
        }
    }
}
