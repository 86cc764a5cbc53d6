//! H.264 byte streams (ITU-T H.264 Annex B): NAL units behind start codes.

use bytes::Bytes;

use crate::payload::h264::nal_units;

/// Iterator over the access units of a byte stream: what one picture needs, as slices that begin with a start code.
///
/// A picture begins at a delimiter, a parameter set, supplemental information, or a slice of the first macroblock,
/// whichever comes first behind a slice (ITU-T H.264 §7.4.1.2.3, for streams without redundant pictures).
#[derive(Clone, Debug)]
pub struct AccessUnits {
    stream: Bytes,
    units: std::vec::IntoIter<(usize, usize)>,
    /// Where the unit begins that opened the next picture.
    begun: Option<usize>,
    has_slice: bool,
}

impl AccessUnits {
    /// Finds the NAL units of a whole stream.
    #[must_use]
    pub fn new(stream: Bytes) -> Self {
        let units: Vec<_> = nal_units(&stream).collect();
        Self { stream, units: units.into_iter(), begun: None, has_slice: false }
    }

    fn is_slice(header: u8) -> bool {
        (1..=5).contains(&(header & 0x1f))
    }

    fn begins_picture(&self, start: usize) -> bool {
        let unit = self.stream.get(start..).unwrap_or_default();
        match unit {
            [header, first, ..] if Self::is_slice(*header) => first & 0x80 != 0,
            [header, ..] => matches!(header & 0x1f, 6..=9 | 14..=18),
            [] => false,
        }
    }
}

impl Iterator for AccessUnits {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        // The start code has three bytes, and a fourth before it belongs to it.
        let code = |stream: &[u8], start: usize| {
            let three = start.saturating_sub(3);
            if three > 0 && stream.get(three - 1) == Some(&0) { three - 1 } else { three }
        };
        let mut end = None;
        while let Some((start, _)) = self.units.next() {
            let is_slice = self.stream.get(start).is_some_and(|header| Self::is_slice(*header));
            if self.has_slice && self.begun.is_some() && self.begins_picture(start) {
                end = Some(start);
                self.has_slice = is_slice;
                break;
            }
            self.begun.get_or_insert(start);
            self.has_slice |= is_slice;
        }
        let start = std::mem::replace(&mut self.begun, end)?;
        let from = code(&self.stream, start);
        let to = end.map_or(self.stream.len(), |end| code(&self.stream, end));
        Some(self.stream.slice(from..to))
    }
}

/// Appends a NAL unit with a start code.
pub fn write_unit(unit: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[0, 0, 0, 1]);
    out.extend_from_slice(unit);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(units: &[&[u8]]) -> Bytes {
        let mut out = Vec::new();
        units.iter().for_each(|unit| write_unit(unit, &mut out));
        Bytes::from(out)
    }

    #[test]
    fn pictures_are_told_apart() {
        let [sps, pps, idr, more, slice]: [&[u8]; 5] =
            [&[0x67, 1], &[0x68, 2], &[0x65, 0x88], &[0x65, 0x40], &[0x41, 0x9a]];
        let all = stream(&[sps, pps, idr, more, slice, slice, &[9, 0x10], slice]);
        let units: Vec<_> = AccessUnits::new(all).collect();
        let expected = [
            stream(&[sps, pps, idr, more]),
            stream(&[slice]),
            stream(&[slice]),
            stream(&[&[9, 0x10], slice]),
        ];
        assert_eq!(units, expected);
        assert_eq!(AccessUnits::new(Bytes::new()).count(), 0);
        assert_eq!(AccessUnits::new(Bytes::from_static(&[0, 0, 1])).count(), 0);
    }
}
