//! Cutting a frame into parts, and joining parts into a frame.

use bytes::{Bytes, BytesMut};

use super::PayloadError;

/// The lengths of the fewest parts of at most `max` that make up `len`: all equal but for the last, which is not
/// longer. Equal lengths let a kernel cut one large buffer into datagrams.
pub(crate) fn equal_parts(len: usize, max: usize) -> impl Iterator<Item = (usize, usize)> {
    let max = max.max(1);
    let part = len.div_ceil(len.div_ceil(max).max(1)).max(1);
    (0..len).step_by(part).map(move |start| (start, start.saturating_add(part).min(len)))
}

/// Parts of a frame in order, joined with one copy; or with none when it is one part that is nothing but payload.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    parts: Vec<Part>,
    len: usize,
}

#[derive(Debug)]
struct Part {
    /// Bytes that were not in the packet, such as start codes.
    prefix: &'static [u8],
    header: Option<u8>,
    data: Bytes,
}

impl Parts {
    pub(crate) fn push(
        &mut self,
        prefix: &'static [u8],
        header: Option<u8>,
        data: Bytes,
        max: usize,
    ) -> Result<(), PayloadError> {
        let len = [prefix.len(), usize::from(header.is_some()), data.len()]
            .into_iter()
            .fold(self.len, usize::saturating_add);
        if len > max {
            return Err(PayloadError::TooLarge);
        }
        self.len = len;
        self.parts.push(Part { prefix, header, data });
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Forgets what there is; returns whether there was anything.
    pub(crate) fn clear(&mut self) -> bool {
        let was_empty = self.parts.is_empty();
        self.parts.clear();
        self.len = 0;
        !was_empty
    }

    pub(crate) fn join(&mut self) -> Bytes {
        let joined = match self.parts.as_slice() {
            [Part { prefix: [], header: None, data }] => data.clone(),
            parts => {
                let mut joined = BytesMut::with_capacity(self.len);
                for part in parts {
                    joined.extend_from_slice(part.prefix);
                    joined.extend(part.header);
                    joined.extend_from_slice(&part.data);
                }
                joined.freeze()
            }
        };
        self.clear();
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_few_and_equal() {
        for len in 1..200 {
            for max in 1..50 {
                let parts: Vec<_> = equal_parts(len, max).collect();
                assert_eq!(parts.len(), len.div_ceil(len.div_ceil(len.div_ceil(max))), "{len} {max}");
                assert!(parts.len() <= len.div_ceil(max));
                assert!(parts.iter().all(|(start, end)| end - start <= max));
                assert_eq!((parts[0].0, parts[parts.len() - 1].1), (0, len));
                assert!(parts.windows(2).all(|pair| pair[0].1 == pair[1].0));
            }
        }
        assert_eq!(equal_parts(0, 10).count(), 0);
    }

    #[test]
    fn one_part_is_not_copied() {
        let data = Bytes::from_static(b"abc");
        let mut parts = Parts::default();
        parts.push(b"", None, data.clone(), 3).expect("fits");
        assert_eq!(parts.push(b"", None, data.clone(), 5), Err(PayloadError::TooLarge));
        assert_eq!(parts.join().as_ptr(), data.as_ptr());
        parts.push(b"\0\0\x01", Some(7), data, 100).expect("fits");
        assert_eq!(parts.join(), &b"\0\0\x01\x07abc"[..]);
    }
}
