//! Matching of H.264 configurations (RFC 6184 §8.1 and §8.2.2).

use super::Codec;

/// What of `a=fmtp` decides whether two sides understand each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    profile: Profile,
    level: Level,
    /// 0, 1 or 2; 0 when it is not said.
    packetization_mode: u8,
}

/// RFC 6184 §8.1, table 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    Baseline,
    ConstrainedBaseline,
    ConstrainedHigh,
    Extended,
    High,
    Main,
    /// `profile_idc` and `profile-iop` of something else.
    Other(u8, u8),
}

/// `level_idc`, with 1b between 1 and 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Level(u16);

impl Format {
    /// Reads the parameters; none if they make no sense.
    pub(super) fn of(codec: &Codec) -> Option<Self> {
        let packetization_mode = match codec.parameter("packetization-mode") {
            None => 0,
            Some(mode) => mode.parse().ok().filter(|mode| *mode <= 2)?,
        };
        //= rfc6184 §8.1
        //# If no profile-level-id is present, the Baseline profile, without
        //# additional constraints at Level 1, MUST be inferred.
        let [idc, iop, level] = match codec.parameter("profile-level-id") {
            None => [0x42, 0, 10],
            Some(text) => bytes(text)?,
        };
        let profile = Profile::new(idc, iop);
        Some(Self { profile, level: Level::new(idc, iop, level), packetization_mode })
    }

    /// Text that is equal for formats that understand each other.
    pub(super) fn key(self) -> String {
        format!("{:?};{}", self.profile, self.packetization_mode)
    }
}

impl Profile {
    fn new(idc: u8, iop: u8) -> Self {
        match (idc, iop) {
            (0x42, iop) if iop & 0x4f == 0x40 => Self::ConstrainedBaseline,
            (0x4d, iop) if iop & 0x8f == 0x80 => Self::ConstrainedBaseline,
            (0x58, iop) if iop & 0xcf == 0xc0 => Self::ConstrainedBaseline,
            (0x42, iop) if iop & 0x4f == 0x00 => Self::Baseline,
            (0x58, iop) if iop & 0xcf == 0x80 => Self::Baseline,
            (0x4d, iop) if iop & 0xaf == 0x00 => Self::Main,
            (0x58, iop) if iop & 0xcf == 0x00 => Self::Extended,
            (0x64, 0x00) => Self::High,
            (0x64, 0x0c) => Self::ConstrainedHigh,
            _ => Self::Other(idc, iop),
        }
    }
}

impl Level {
    fn new(idc: u8, iop: u8, level: u8) -> Self {
        // Level 1b is written as 1.1 with constraint_set3 in these profiles, and as 9 in others.
        let is_1b = level == 9 || (level == 11 && iop & 0x10 != 0 && matches!(idc, 0x42 | 0x4d | 0x58));
        if is_1b { Self(21) } else { Self(u16::from(level) * 2) }
    }
}

/// What an answer says: our parameters with the offered profile, and a level that both can do.
pub(super) fn answer_parameters(ours: &Codec, theirs: &Codec) -> String {
    let allowed = |codec: &Codec| codec.parameter("level-asymmetry-allowed") == Some("1");
    let asymmetric = allowed(ours) && allowed(theirs);
    let (Some(own), Some(offered)) = (Format::of(ours), Format::of(theirs)) else {
        return ours.parameters.clone();
    };
    let text = |codec: &Codec| codec.parameter("profile-level-id").unwrap_or("42000a").to_ascii_lowercase();
    let (own_id, offered_id) = (text(ours), text(theirs));
    //= rfc6184 §8.2.2
    //# The parameters identifying a media format configuration for H.264
    //# are profile-level-id and packetization-mode.
    let level_of = if asymmetric || own.level < offered.level { &own_id } else { &offered_id };
    let profile = offered_id.get(..4).unwrap_or("42e0");
    let level = level_of.get(4..).unwrap_or("0a");
    let id = if offered.level == own.level { offered_id.clone() } else { format!("{profile}{level}") };
    let rest = ours.parameters.split(';').filter(|part| {
        let name = part.split('=').next().unwrap_or("").trim();
        !name.eq_ignore_ascii_case("profile-level-id")
            && !name.eq_ignore_ascii_case("level-asymmetry-allowed")
    });
    let asymmetry = allowed(ours).then_some("level-asymmetry-allowed=1");
    let id = format!("profile-level-id={id}");
    asymmetry.into_iter().chain(rest).chain([id.as_str()]).collect::<Vec<_>>().join(";")
}

fn bytes(text: &str) -> Option<[u8; 3]> {
    if text.len() != 6 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let [_, idc, iop, level] = u32::from_str_radix(text, 16).ok()?.to_be_bytes();
    Some([idc, iop, level])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(parameters: &str) -> Codec {
        Codec::new("H264", 90_000, 1, parameters)
    }

    #[test]
    fn h264_profiles_match_by_meaning() {
        let cbp = [
            "profile-level-id=42e01f",
            "profile-level-id=42c00a",
            "profile-level-id=4d801f",
            "profile-level-id=58c028",
        ];
        for left in cbp {
            for right in cbp {
                assert!(codec(left).matches(&codec(right)), "{left} {right}");
            }
            for other in [
                "",
                "profile-level-id=42001f",
                "profile-level-id=4d001f",
                "profile-level-id=640c1f",
                "profile-level-id=x",
            ] {
                assert!(!codec(left).matches(&codec(other)), "{left} {other}");
            }
        }
        assert!(codec("").matches(&codec("profile-level-id=42001f;packetization-mode=0")));
        assert!(!codec("").matches(&codec("packetization-mode=1")));
    }

    /// RFC 6184 §8.2.2: the level goes down to the lower one unless both allow it to differ.
    #[test]
    fn h264_profile_level_id_level_negotiation() {
        let asymmetric = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
        let table = [
            (asymmetric, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e034", "42e01f"),
            (asymmetric, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e00a", "42e01f"),
            (asymmetric, "packetization-mode=1;profile-level-id=42e034", "42e01f"),
            (asymmetric, "packetization-mode=1;profile-level-id=42e00a", "42e00a"),
            (asymmetric, "packetization-mode=1;profile-level-id=42C00A", "42c00a"),
            (asymmetric, "packetization-mode=1;profile-level-id=42f00b", "42f00b"),
            (
                "packetization-mode=1;profile-level-id=42e00a",
                "packetization-mode=1;profile-level-id=42f00b",
                "42f00a",
            ),
        ];
        for (ours, theirs, expected) in table {
            let parameters = answer_parameters(&codec(ours), &codec(theirs));
            assert_eq!(codec(&parameters).parameter("profile-level-id"), Some(expected), "{theirs}");
            assert_eq!(codec(&parameters).parameter("packetization-mode"), Some("1"));
            assert!(codec(&parameters).matches(&codec(theirs)));
        }
    }
}
