//! FINGERPRINT (RFC 8489 §14.7).

/// Bytes of the value.
pub(crate) const FINGERPRINT_LEN: usize = 4;

/// The value for a message up to, and without, the attribute. The length in the header must already count it.
pub(crate) fn compute(covered: &[u8]) -> u32 {
    //= rfc8489 §14.7
    //# The value of the attribute is computed as the CRC-32 of the STUN
    //# message up to (but excluding) the FINGERPRINT attribute itself,
    //# XOR'ed with the 32-bit value 0x5354554e.
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, covered) as u32 ^ 0x5354_554e
}
