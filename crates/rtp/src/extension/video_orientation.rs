//! How a picture must be turned before it is shown (3GPP TS 26.114 §7.4.5).

use base::PutExt;

use super::{ExtensionKind, ExtensionValue};

/// Clockwise turn that the receiver applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "two bits")]
pub enum Rotation {
    /// Shown as it is.
    #[default]
    None = 0,
    /// By 90 degrees.
    Quarter = 1,
    /// By 180 degrees.
    Half = 2,
    /// By 270 degrees.
    ThreeQuarters = 3,
}

impl Rotation {
    /// In degrees, clockwise.
    #[must_use]
    pub const fn degrees(self) -> u16 {
        (self as u16).saturating_mul(90)
    }
}

/// Camera, mirroring and rotation of a frame. Two bits of rotation are what WebRTC asks for (RFC 7742 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VideoOrientation {
    /// The turn to apply.
    pub rotation: Rotation,
    /// Mirror the picture left to right after turning it.
    pub flipped: bool,
    /// Taken by the camera that faces away from the user.
    pub back_camera: bool,
}

impl VideoOrientation {
    /// Front camera, not mirrored.
    #[must_use]
    pub const fn new(rotation: Rotation) -> Self {
        Self { rotation, flipped: false, back_camera: false }
    }
}

impl ExtensionValue for VideoOrientation {
    const KIND: ExtensionKind = ExtensionKind::VideoOrientation;

    fn parse(data: &[u8]) -> Option<Self> {
        let byte = *data.first()?;
        let rotation = match byte & 3 {
            0 => Rotation::None,
            1 => Rotation::Quarter,
            2 => Rotation::Half,
            _ => Rotation::ThreeQuarters,
        };
        Some(Self { rotation, flipped: byte & 4 != 0, back_camera: byte & 8 != 0 })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.put_u8(u8::from(self.back_camera) << 3 | u8::from(self.flipped) << 2 | self.rotation as u8);
    }

    fn encoded_len(&self) -> usize {
        1
    }
}
