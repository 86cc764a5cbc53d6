//! How loud a packet's audio is, so that a mixer need not decode it (RFC 6464, RFC 6465).

use base::PutExt;

use super::{ExtensionKind, ExtensionValue};

/// Whether the encoder believes that there is speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one bit")]
pub enum VoiceActivity {
    /// No speech, or no detector.
    Inactive,
    /// Speech.
    Active,
}

/// The level of a packet's audio (RFC 6464 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLevel {
    level: u8,
    voice: VoiceActivity,
}

impl AudioLevel {
    /// `level` is in -dBov: 0 is the loudest, 127 is silence; larger values are taken as 127.
    #[must_use]
    pub const fn new(level: u8, voice: VoiceActivity) -> Self {
        Self { level: if level > 127 { 127 } else { level }, voice }
    }

    /// Digital silence (RFC 6464 §3).
    #[must_use]
    pub const fn silence() -> Self {
        Self::new(127, VoiceActivity::Inactive)
    }

    /// In -dBov, 0 to 127.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.level
    }

    /// Whether there is speech.
    #[must_use]
    pub const fn voice(self) -> VoiceActivity {
        self.voice
    }
}

impl ExtensionValue for AudioLevel {
    const KIND: ExtensionKind = ExtensionKind::AudioLevel;

    fn parse(data: &[u8]) -> Option<Self> {
        // The two-byte form may append a byte of padding (RFC 6464 §3), hence `first`.
        let byte = *data.first()?;
        let voice = if byte & 0x80 == 0 { VoiceActivity::Inactive } else { VoiceActivity::Active };
        Some(Self { level: byte & 0x7f, voice })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.put_u8(self.level | if self.voice == VoiceActivity::Active { 0x80 } else { 0 });
    }

    fn encoded_len(&self) -> usize {
        1
    }
}

/// The levels of the contributing sources, in their order (RFC 6465 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CsrcAudioLevels {
    levels: [u8; 15],
    count: u8,
}

impl CsrcAudioLevels {
    /// At most 15 levels in -dBov; more are left out.
    #[must_use]
    pub fn new(levels: &[u8]) -> Self {
        let mut new = Self::default();
        for (place, level) in new.levels.iter_mut().zip(levels) {
            *place = (*level).min(127);
            new.count = new.count.saturating_add(1);
        }
        new
    }

    /// The levels in -dBov.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        self.levels.iter().take(usize::from(self.count)).copied()
    }
}

impl ExtensionValue for CsrcAudioLevels {
    const KIND: ExtensionKind = ExtensionKind::CsrcAudioLevel;

    fn parse(data: &[u8]) -> Option<Self> {
        if data.is_empty() || data.len() > 15 {
            return None;
        }
        let mut parsed = Self::default();
        for (place, byte) in parsed.levels.iter_mut().zip(data) {
            *place = byte & 0x7f;
            parsed.count = parsed.count.saturating_add(1);
        }
        Some(parsed)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.iter());
    }

    fn encoded_len(&self) -> usize {
        usize::from(self.count)
    }
}
