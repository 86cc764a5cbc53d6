//! The part of DNS that candidates need (RFC 1035 §4, RFC 6762 §18).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use base::{PutExt, Reader};
use std::net::IpAddr;

/// Address record of IPv4.
pub(crate) const TYPE_A: u16 = 1;

/// Address record of IPv6.
pub(crate) const TYPE_AAAA: u16 = 28;

/// All record types.
pub(crate) const TYPE_ANY: u16 = 255;

/// The Internet class.
const CLASS_IN: u16 = 1;

/// All classes.
const CLASS_ANY: u16 = 255;

/// In a question: a unicast answer is welcome. In a record: it replaces what is cached.
const TOP_BIT: u16 = 0x8000;

/// QR and AA.
const FLAGS_RESPONSE: u16 = 0x8400;

/// QR, OPCODE and RCODE.
const FLAGS_MASK: u16 = 0xf80f;

/// Longest name, its dots counted.
pub(crate) const MAX_NAME: usize = 253;

/// Most pointers followed in one name.
const MAX_POINTERS: usize = 16;

/// Most questions and records looked at.
const MAX_ENTRIES: u16 = 64;

/// A question of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) kind: u16,
    pub(crate) unicast: bool,
}

/// An address of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    pub(crate) ttl: u32,
}

/// What of a message matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MdnsMessage {
    Query {
        id: u16,
        questions: Vec<Question>,
    },
    Response {
        answers: Vec<Answer>,
    },
    /// Neither: another opcode, an error.
    Other,
}

impl MdnsMessage {
    /// `None` when the datagram is not a DNS message.
    pub(crate) fn parse(datagram: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(datagram);
        let id = reader.u16().ok()?;
        let flags = reader.u16().ok()?;
        let questions = reader.u16().ok()?;
        let answers = reader.u16().ok()?;
        let authorities = reader.u16().ok()?;
        let additional = reader.u16().ok()?;
        let records = answers.saturating_add(authorities).saturating_add(additional);
        if questions > MAX_ENTRIES || records > MAX_ENTRIES {
            return Some(Self::Other);
        }
        let questions = read_questions(datagram, &mut reader, questions)?;
        match flags & FLAGS_MASK {
            0 => Some(Self::Query { id, questions }),
            0x8000 => Some(Self::Response { answers: read_answers(datagram, &mut reader, records)? }),
            _ => Some(Self::Other),
        }
    }
}

/// Appends a query for both kinds of address. `None`, and nothing appended, for a name that DNS cannot carry.
pub(crate) fn write_query(out: &mut Vec<u8>, name: &str, unicast: bool) -> Option<()> {
    let start = out.len();
    write_header(out, 0, 0, 2, 0);
    for kind in [TYPE_A, TYPE_AAAA] {
        if write_name(out, name).is_none() {
            out.truncate(start);
            return None;
        }
        out.put_u16(kind);
        out.put_u16(if unicast { CLASS_IN | TOP_BIT } else { CLASS_IN });
    }
    Some(())
}

/// How a response is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseForm {
    /// To a resolver of multicast DNS.
    Multicast,
    /// To a resolver that knows nothing of it: repeats id and question (RFC 6762 §6.7).
    Legacy { id: u16, kind: u16 },
}

/// Appends a response with one address.
pub(crate) fn write_response(
    out: &mut Vec<u8>,
    form: ResponseForm,
    name: &str,
    address: IpAddr,
    ttl: u32,
) -> Option<()> {
    let start = out.len();
    let class = match form {
        ResponseForm::Multicast => {
            write_header(out, 0, FLAGS_RESPONSE, 0, 1);
            CLASS_IN | TOP_BIT
        }
        ResponseForm::Legacy { id, kind } => {
            write_header(out, id, FLAGS_RESPONSE, 1, 1);
            write_name(out, name).or_else(|| truncate(out, start))?;
            out.put_u16(kind);
            out.put_u16(CLASS_IN);
            CLASS_IN
        }
    };
    write_name(out, name).or_else(|| truncate(out, start))?;
    out.put_u16(type_of(address));
    out.put_u16(class);
    out.put_u32(ttl);
    match address {
        IpAddr::V4(ip) => {
            out.put_u16(4);
            out.put_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            out.put_u16(16);
            out.put_slice(&ip.octets());
        }
    }
    Some(())
}

/// The record type that holds an address.
pub(crate) fn type_of(address: IpAddr) -> u16 {
    if address.is_ipv4() { TYPE_A } else { TYPE_AAAA }
}

fn truncate(out: &mut Vec<u8>, len: usize) -> Option<()> {
    out.truncate(len);
    None
}

fn write_header(out: &mut Vec<u8>, id: u16, flags: u16, questions: u16, answers: u16) {
    for field in [id, flags, questions, answers, 0, 0] {
        out.put_u16(field);
    }
}

fn write_name(out: &mut Vec<u8>, name: &str) -> Option<()> {
    if name.is_empty() || name.len() > MAX_NAME {
        return None;
    }
    for label in name.split('.') {
        let len = u8::try_from(label.len()).ok().filter(|len| (1..=63).contains(len))?;
        out.put_u8(len);
        out.put_slice(label.as_bytes());
    }
    out.put_u8(0);
    Some(())
}

fn read_questions<'a>(datagram: &'a [u8], reader: &mut Reader<'a>, count: u16) -> Option<Vec<Question>> {
    let mut questions = Vec::new();
    for _ in 0..count {
        let name = read_name(datagram, reader)?;
        let (kind, class) = (reader.u16().ok()?, reader.u16().ok()?);
        if is_internet(class) {
            questions.push(Question { name, kind, unicast: class & TOP_BIT != 0 });
        }
    }
    Some(questions)
}

fn read_answers<'a>(datagram: &'a [u8], reader: &mut Reader<'a>, count: u16) -> Option<Vec<Answer>> {
    let mut answers = Vec::new();
    for _ in 0..count {
        let name = read_name(datagram, reader)?;
        let (kind, class) = (reader.u16().ok()?, reader.u16().ok()?);
        let ttl = reader.u32().ok()?;
        let len = usize::from(reader.u16().ok()?);
        let data = reader.take(len).ok()?;
        let address = match kind {
            TYPE_A => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
            TYPE_AAAA => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
            _ => None,
        };
        if let Some(address) = address.filter(|_| is_internet(class)) {
            answers.push(Answer { name, address, ttl });
        }
    }
    Some(answers)
}

fn is_internet(class: u16) -> bool {
    matches!(class & !TOP_BIT, CLASS_IN | CLASS_ANY)
}

/// Reads a name, following pointers, which may only point backwards (RFC 1035 §4.1.4). Bytes that are not ASCII
/// become `?`: such a name is not one of ours.
fn read_name<'a>(datagram: &'a [u8], reader: &mut Reader<'a>) -> Option<String> {
    let mut name = String::new();
    let mut limit = reader.offset();
    let mut jumped: Option<Reader<'a>> = None;
    for _ in 0..=MAX_POINTERS {
        let source = jumped.as_mut().unwrap_or(&mut *reader);
        let Some(pointer) = read_labels(source, &mut name)? else { return Some(name) };
        // Strictly backwards: every jump makes the rest shorter, so there is no loop.
        if pointer >= limit {
            return None;
        }
        limit = pointer;
        jumped = Some(Reader::new(datagram.get(pointer..)?));
    }
    None
}

/// Reads labels up to the end of the name, or up to a pointer, whose target is returned.
fn read_labels(reader: &mut Reader<'_>, name: &mut String) -> Option<Option<usize>> {
    loop {
        let len = reader.u8().ok()?;
        match len {
            0 => return Some(None),
            1..=63 => {
                if !name.is_empty() {
                    name.push('.');
                }
                let label = reader.take(usize::from(len)).ok()?;
                name.extend(
                    label.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '?' }),
                );
                if name.len() > MAX_NAME {
                    return None;
                }
            }
            0xc0.. => {
                let low = reader.u8().ok()?;
                return Some(Some(usize::from(u16::from_be_bytes([len & 0x3f, low]))));
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests know their lengths")]
mod tests {
    use super::*;

    const NAME: &str = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";

    #[test]
    fn queries_and_responses_round_trip() {
        let mut out = vec![9];
        write_query(&mut out, NAME, true).unwrap();
        let question = |kind| Question { name: NAME.to_owned(), kind, unicast: true };
        assert_eq!(
            MdnsMessage::parse(&out[1..]),
            Some(MdnsMessage::Query { id: 0, questions: vec![question(TYPE_A), question(TYPE_AAAA)] })
        );
        for address in ["192.0.2.7", "2001:db8::7"] {
            let address: IpAddr = address.parse().unwrap();
            for form in [ResponseForm::Multicast, ResponseForm::Legacy { id: 7, kind: TYPE_ANY }] {
                let mut out = Vec::new();
                write_response(&mut out, form, NAME, address, 120).unwrap();
                let answers = vec![Answer { name: NAME.to_owned(), address, ttl: 120 }];
                assert_eq!(MdnsMessage::parse(&out), Some(MdnsMessage::Response { answers }));
            }
        }
    }

    #[test]
    fn names_that_dns_cannot_carry_append_nothing() {
        let mut out = vec![1];
        for name in ["", ".local", "a..local", &"a".repeat(64), &"a.".repeat(127)] {
            assert_eq!(write_query(&mut out, name, false), None, "{name}");
            let legacy = ResponseForm::Legacy { id: 1, kind: TYPE_A };
            assert_eq!(write_response(&mut out, legacy, name, [1, 2, 3, 4].into(), 1), None, "{name}");
            assert_eq!(out, [1]);
        }
    }

    /// RFC 1035 §4.1.4: compression, and names that point at themselves, forwards, or in circles.
    #[test]
    fn pointers_lead_backwards_only() {
        let header = [0, 0, 0x84, 0, 0, 0, 0, 2, 0, 0, 0, 0];
        let mut out = header.to_vec();
        out.extend_from_slice(b"\x01a\x05local\0\0\x01\x80\x01\0\0\0\x78\0\x04\x01\x02\x03\x04");
        out.extend_from_slice(b"\x01b\xc0\x0e\0\x01\x80\x01\0\0\0\x78\0\x04\x05\x06\x07\x08");
        let Some(MdnsMessage::Response { answers }) = MdnsMessage::parse(&out) else { panic!("no response") };
        assert_eq!(
            answers.iter().map(|answer| answer.name.as_str()).collect::<Vec<_>>(),
            ["a.local", "b.local"]
        );
        for target in [12, 14, 100] {
            let mut bad = header.to_vec();
            bad.extend_from_slice(&[0xc0, target]);
            bad.extend_from_slice(b"\0\x01\x80\x01\0\0\0\x78\0\x04\x01\x02\x03\x04");
            assert_eq!(MdnsMessage::parse(&bad), None, "{target}");
        }
    }

    #[test]
    fn every_prefix_is_refused_or_read() {
        let mut out = Vec::new();
        write_response(&mut out, ResponseForm::Legacy { id: 1, kind: TYPE_A }, NAME, [1, 2, 3, 4].into(), 9)
            .unwrap();
        for end in 0..out.len() {
            assert_eq!(MdnsMessage::parse(&out[..end]), None, "{end}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(datagram in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = MdnsMessage::parse(&datagram);
        }

        #[test]
        fn damaged_messages_never_panic(at in 0_usize..80, byte: u8) {
            let mut out = Vec::new();
            write_query(&mut out, NAME, true).unwrap();
            let at = at % out.len();
            out[at] = byte;
            let _ = MdnsMessage::parse(&out);
        }
    }
}
