//! A sender and a receiver with the same keys, and packets to pass between them.
#![allow(dead_code, reason = "each test binary uses its own part")]

use crypto::{Provider, rustcrypto};
use srtp::{Config, Profile, ProtectError, Protector, UnprotectError, Unprotector};

/// Room for the tag, so that protecting never allocates.
const ROOM: usize = 32;

pub(crate) struct Pair {
    pub(crate) profile: Profile,
    pub(crate) tx: Protector,
    pub(crate) rx: Unprotector,
}

impl Pair {
    pub(crate) fn new(profile: Profile) -> Self {
        Self::with(profile, Config::new())
    }

    pub(crate) fn with(profile: Profile, config: Config) -> Self {
        Self { profile, tx: protector(profile, config), rx: unprotector(profile, config) }
    }

    /// Protects an RTP packet.
    pub(crate) fn rtp(&mut self, ssrc: u32, sequence: u16) -> Vec<u8> {
        self.try_rtp(ssrc, sequence).unwrap_or_else(|error| panic!("{ssrc}, {sequence}: {error}"))
    }

    pub(crate) fn try_rtp(&mut self, ssrc: u32, sequence: u16) -> Result<Vec<u8>, ProtectError> {
        let mut packet = rtp(ssrc, sequence);
        self.tx.protect_rtp(&mut packet, 0)?;
        Ok(packet)
    }

    /// Protects an RTCP packet.
    pub(crate) fn rtcp(&mut self, ssrc: u32) -> Vec<u8> {
        let mut packet = rtcp(ssrc);
        self.tx.protect_rtcp(&mut packet, 0).unwrap_or_else(|error| panic!("{ssrc}: {error}"));
        packet
    }

    /// Unprotects a copy of an SRTP packet and checks that it is the one that was sent.
    pub(crate) fn receive_rtp(&mut self, packet: &[u8]) -> Result<(), UnprotectError> {
        let mut packet = packet.to_vec();
        let len = self.rx.unprotect_rtp(&mut packet)?;
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        let ssrc = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
        assert_eq!(packet[..len], rtp(ssrc, sequence)[..], "the plaintext of {ssrc}, {sequence}");
        Ok(())
    }

    /// Unprotects a copy of an SRTCP packet and checks that it is the one that was sent.
    pub(crate) fn receive_rtcp(&mut self, packet: &[u8]) -> Result<(), UnprotectError> {
        let mut packet = packet.to_vec();
        let len = self.rx.unprotect_rtcp(&mut packet)?;
        let ssrc = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
        assert_eq!(packet[..len], rtcp(ssrc)[..], "the plaintext of {ssrc}");
        Ok(())
    }
}

pub(crate) fn protector(profile: Profile, config: Config) -> Protector {
    let (key, salt) = keys(profile);
    Protector::new(&provider(), profile, &key, &salt, config).expect("the keys fit")
}

pub(crate) fn unprotector(profile: Profile, config: Config) -> Unprotector {
    let (key, salt) = keys(profile);
    Unprotector::new(&provider(), profile, &key, &salt, config).expect("the keys fit")
}

pub(crate) fn provider() -> Provider {
    rustcrypto::provider()
}

pub(crate) fn keys(profile: Profile) -> (Vec<u8>, Vec<u8>) {
    let key = (0..profile.key_len() as u8).map(|byte| byte.wrapping_mul(37)).collect();
    let salt = (0..profile.salt_len() as u8).map(|byte| byte ^ 0xa5).collect();
    (key, salt)
}

/// An RTP packet whose payload depends on its SSRC and sequence number.
pub(crate) fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = Vec::with_capacity(12 + 24 + ROOM);
    packet.extend([0x80, 0x60]);
    packet.extend(sequence.to_be_bytes());
    packet.extend(0x0102_0304_u32.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..24_u8).map(|byte| byte.wrapping_mul(sequence as u8) ^ ssrc as u8));
    packet
}

/// A receiver report whose body depends on its SSRC.
pub(crate) fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = Vec::with_capacity(32 + ROOM);
    packet.extend([0x81, 201, 0, 7]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend([ssrc as u8; 24]);
    packet
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal digits");
    (0..text.len()).step_by(2).map(digit).collect()
}

/// A small repeatable generator (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// Whether an event of this probability happens.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.roll() % 100 < percent
    }
}
