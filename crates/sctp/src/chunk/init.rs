//! INIT and INIT ACK (RFC 9260 §3.3.2, §3.3.3) and their parameters.

use super::{ChunkWriter, FORWARD_TSN, I_DATA, I_FORWARD_TSN, PAD, RE_CONFIG};
use crate::tlv::{self, Malformed, Tlvs};
use base::{PutExt, Reader, Serial32};

/// State Cookie (RFC 9260 §3.3.3.1).
const STATE_COOKIE: u16 = 7;
/// Unrecognized Parameter (RFC 9260 §3.3.3.1).
const UNRECOGNIZED_PARAMETER: u16 = 8;
/// Host Name Address, deprecated (RFC 9260 §3.3.2.1).
const HOST_NAME_ADDRESS: u16 = 11;
/// Supported Extensions (RFC 5061 §4.2.7).
const SUPPORTED_EXTENSIONS: u16 = 0x8008;
/// Zero Checksum Acceptable (RFC 9653 §4).
const ZERO_CHECKSUM_ACCEPTABLE: u16 = 0x8001;
/// Forward-TSN-Supported (RFC 3758 §3.1).
const FORWARD_TSN_SUPPORTED: u16 = 0xc000;

/// The alternate error detection method "SCTP over DTLS" (RFC 9653 §6).
const METHOD_DTLS: [u8; 4] = [0, 0, 0, 1];

/// The smallest window an INIT may advertise (RFC 9260 §3.3.2).
pub(crate) const MIN_WINDOW: u32 = 1_500;

/// Parameters that are known, or safely without effect here: addresses mean nothing over DTLS (RFC 8261 §6.1).
const WITHOUT_EFFECT: [u16; 6] = [1, 5, 6, 9, 12, 0x8000];

/// The fixed part, equal in both chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InitFields {
    pub(crate) tag: u32,
    pub(crate) window: u32,
    pub(crate) outbound: u16,
    pub(crate) inbound: u16,
    pub(crate) tsn: Serial32,
}

/// What both sides must know to use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    /// FORWARD TSN (RFC 3758).
    pub(crate) forward_tsn: bool,
    /// PAD (RFC 4820): one that does not know it should skip it, but there are some that drop the packet.
    pub(crate) pad: bool,
    /// RE-CONFIG (RFC 6525).
    pub(crate) reconfig: bool,
    /// I-DATA (RFC 8260 §2.2.1).
    pub(crate) interleaving: bool,
    /// I-FORWARD-TSN (RFC 8260 §2.3.1).
    pub(crate) i_forward_tsn: bool,
    /// Packets without a checksum are taken (RFC 9653).
    pub(crate) zero_checksum: bool,
}

/// A received INIT or INIT ACK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Init<'a> {
    pub(crate) fields: InitFields,
    pub(crate) extensions: Extensions,
    pub(crate) cookie: Option<&'a [u8]>,
    /// A parameter that forbids the association: a host name (RFC 9260 §5.1.2).
    pub(crate) host_name: bool,
    /// Parameters to report, whole.
    pub(crate) unrecognized: Vec<&'a [u8]>,
}

/// Parameters worth reporting in one answer; more are dropped, so that a reply stays small.
const MAX_UNRECOGNIZED: usize = 4;
const MAX_UNRECOGNIZED_LEN: usize = 128;

impl<'a> Init<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(value);
        let fields = InitFields {
            tag: reader.u32()?,
            window: reader.u32()?,
            outbound: reader.u16()?,
            inbound: reader.u16()?,
            tsn: Serial32(reader.u32()?),
        };
        let mut init = Self {
            fields,
            extensions: Extensions::default(),
            cookie: None,
            host_name: false,
            unrecognized: Vec::new(),
        };
        for parameter in Tlvs::new(reader.rest()) {
            let parameter = parameter?;
            match parameter.code() {
                STATE_COOKIE => init.cookie = Some(parameter.value),
                FORWARD_TSN_SUPPORTED => init.extensions.forward_tsn = true,
                SUPPORTED_EXTENSIONS => {
                    init.extensions.forward_tsn |= parameter.value.contains(&FORWARD_TSN);
                    init.extensions.pad |= parameter.value.contains(&PAD);
                    init.extensions.reconfig |= parameter.value.contains(&RE_CONFIG);
                    init.extensions.interleaving |= parameter.value.contains(&I_DATA);
                    init.extensions.i_forward_tsn |= parameter.value.contains(&I_FORWARD_TSN);
                }
                // Of another method we know nothing: then the checksum is there.
                ZERO_CHECKSUM_ACCEPTABLE => init.extensions.zero_checksum |= parameter.value == METHOD_DTLS,
                HOST_NAME_ADDRESS => init.host_name = true,
                UNRECOGNIZED_PARAMETER => {}
                //= rfc9260 §3.3.2.1.5
                //# MUST be ignored when receiving this parameter.
                code if WITHOUT_EFFECT.contains(&code) => {}
                code => {
                    // RFC 9260 §3.2.1: the two highest bits say what to do.
                    if code & 0x4000 != 0
                        && parameter.whole.len() <= MAX_UNRECOGNIZED_LEN
                        && init.unrecognized.len() < MAX_UNRECOGNIZED
                    {
                        init.unrecognized.push(parameter.whole);
                    }
                    if code & 0x8000 == 0 {
                        break;
                    }
                }
            }
        }
        Ok(init)
    }
}

/// Appends an INIT or INIT ACK (`kind`).
///
/// [`Extensions::default`] offers nothing.
pub(crate) fn write(
    out: &mut Vec<u8>,
    kind: u8,
    fields: &InitFields,
    offered: Extensions,
    cookie: Option<&[u8]>,
    unrecognized: &[Vec<u8>],
) {
    //= rfc9260 §3.3.2
    //# Unless otherwise noted, each parameter MUST only be included once in the INIT chunk.
    //= rfc9260 §3.3.2
    //# Note 3: An INIT chunk MUST NOT contain the Host Name Address parameter.
    //= rfc9260 §3.3.3
    //# Note 3: An INIT ACK chunk MUST NOT contain the Host Name Address parameter.
    //= rfc9260 §3.3.2.1.4
    //# The sender of an INIT chunk or INIT ACK chunk MUST NOT include this parameter.
    //= rfc9260 §3.3.3.1
    //# MUST NOT be included in an INIT ACK chunk.
    let chunk = ChunkWriter::start(out, kind, 0);
    out.put_u32(fields.tag);
    out.put_u32(fields.window);
    out.put_u16(fields.outbound);
    out.put_u16(fields.inbound);
    out.put_u32(fields.tsn.0);
    //= rfc9260 §3.3.2.1
    //# Any Type-Length-Value fields MUST be placed after the fixed-length fields.
    //= rfc9260 §3.3.3.1
    //# Any Type-Length-Value fields MUST be placed after the fixed-length fields.
    if let Some(cookie) = cookie {
        write_parameter(out, STATE_COOKIE, cookie);
    }
    if offered.forward_tsn {
        write_parameter(out, FORWARD_TSN_SUPPORTED, &[]);
    }
    let chunks: Vec<u8> = [
        (offered.reconfig, RE_CONFIG),
        (offered.forward_tsn, FORWARD_TSN),
        (offered.i_forward_tsn, I_FORWARD_TSN),
        (offered.interleaving, I_DATA),
        (offered.pad, PAD),
    ]
    .into_iter()
    .filter_map(|(is_offered, kind)| is_offered.then_some(kind))
    .collect();
    if !chunks.is_empty() {
        write_parameter(out, SUPPORTED_EXTENSIONS, &chunks);
    }
    if offered.zero_checksum {
        write_parameter(out, ZERO_CHECKSUM_ACCEPTABLE, &METHOD_DTLS);
    }
    //= rfc9260 §3.2.2
    //# it MUST put the "Unrecognized Parameter" parameter(s) in the INIT ACK chunk sent in response to the INIT
    //# chunk.
    for parameter in unrecognized {
        write_parameter(out, UNRECOGNIZED_PARAMETER, parameter);
    }
    chunk.finish(out);
}

fn write_parameter(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    // The chunk length does not count the padding of the last parameter, but may: RFC 9260 §3.2 allows both on
    // receipt, and a whole number of words is the simplest to read.
    //= rfc9260 §3.2.1
    //# MUST be a multiple of 4 bytes.
    let start = out.len();
    out.put_u16(code);
    out.put_u16(u16::try_from(value.len().saturating_add(4)).unwrap_or(u16::MAX));
    out.put_slice(value);
    tlv::pad(out, start);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::INIT_ACK;

    const FIELDS: InitFields =
        InitFields { tag: 1, window: 65_536, outbound: 10, inbound: 20, tsn: Serial32(u32::MAX) };

    //= rfc9260 §3.2.1
    //= type=test
    //# MUST be a multiple of 4 bytes.
    #[test]
    fn round_trip_with_cookie_and_extensions() {
        let mut out = Vec::new();
        let offered = Extensions {
            forward_tsn: true,
            pad: true,
            reconfig: true,
            interleaving: true,
            i_forward_tsn: true,
            zero_checksum: true,
        };
        write(&mut out, INIT_ACK, &FIELDS, offered, Some(b"cookie!"), &[vec![0xc1, 0, 0, 4]]);
        let chunk = Tlvs::new(&out).next().unwrap().unwrap();
        assert!(chunk.whole.len().is_multiple_of(4));
        let init = Init::parse(chunk.value).unwrap();
        assert_eq!(init.fields, FIELDS);
        assert_eq!(init.cookie, Some(&b"cookie!"[..]));
        assert_eq!(init.extensions, offered);
        assert!(init.unrecognized.is_empty());
        out.clear();
        write(&mut out, INIT_ACK, &FIELDS, Extensions::default(), None, &[]);
        let chunk = Tlvs::new(&out).next().unwrap().unwrap();
        assert_eq!(Init::parse(chunk.value).unwrap().extensions, Extensions::default());
    }

    /// Other methods than DTLS, and parameters of other lengths, announce nothing.
    #[test]
    fn only_the_method_dtls_is_understood() {
        let fixed = [0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1];
        for (method, is_understood) in [
            (&[0, 0, 0, 1][..], true),
            (&[0, 0, 0, 0], false),
            (&[0, 0, 0, 2], false),
            (&[], false),
            (&[0, 0, 0, 1, 0], false),
        ] {
            let mut value = fixed.to_vec();
            write_parameter(&mut value, ZERO_CHECKSUM_ACCEPTABLE, method);
            let init = Init::parse(&value).unwrap();
            assert_eq!(init.extensions.zero_checksum, is_understood, "{method:?}");
            assert!(init.unrecognized.is_empty());
        }
    }

    /// `sctp_unknown_param_high_bits_actions`, RFC 9260 §3.2.1.
    #[test]
    fn sctp_unknown_param_high_bits_actions() {
        let fixed = [0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1];
        for (code, reported, goes_on) in
            [(0x3fff_u16, false, false), (0x7fff, true, false), (0xbfff, false, true), (0xffff, true, true)]
        {
            let mut value = fixed.to_vec();
            write_parameter(&mut value, code, b"x");
            write_parameter(&mut value, FORWARD_TSN_SUPPORTED, &[]);
            let init = Init::parse(&value).unwrap();
            assert_eq!(!init.unrecognized.is_empty(), reported, "{code:x}");
            assert_eq!(init.extensions.forward_tsn, goes_on, "{code:x}");
        }
    }
}
