//! Reading the candidate attribute (RFC 8839 §5.1, RFC 6544 §4.5, RFC 8838).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use super::{Candidate, CandidateAddress, CandidateKind, CandidateTransport, Foundation, Priority, TcpType};
use std::{fmt, net::IpAddr, str::FromStr};

/// Longest attribute that is read, in bytes.
const MAX_LEN: usize = 2_048;

/// Most extensions that are read.
const MAX_EXTENSIONS: usize = 32;

/// Why a candidate attribute could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseCandidateError {
    /// The field that is wrong.
    pub field: &'static str,
    /// Where it starts, in bytes from the start of the input.
    pub offset: usize,
}

impl fmt::Display for ParseCandidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "candidate attribute: bad {} at offset {}", self.field, self.offset)
    }
}

impl std::error::Error for ParseCandidateError {}

impl FromStr for Candidate {
    type Err = ParseCandidateError;

    fn from_str(text: &str) -> Result<Self, ParseCandidateError> {
        let mut words = Words::new(text)?;
        let foundation = words.field("foundation", Foundation::new)?;
        let component = words.field("component", |word| number(word, 3, 1, 256))?;
        let transport = words.field("transport", transport)?;
        let priority = words.field("priority", |word| number(word, 10, 0, u32::MAX))?;
        let address = words.field("address", address)?;
        let port = words.field("port", |word| number(word, 5, 0, 65_535))?;
        words.field("typ", |word| word.eq_ignore_ascii_case("typ").then_some(()))?;
        let kind = words.field("type", kind)?;
        let mut candidate = Self {
            foundation,
            component: component as u16,
            transport,
            priority: Priority(priority),
            address,
            port: port as u16,
            kind,
            related: None,
            tcp_type: None,
            ufrag: None,
            extensions: Vec::new(),
            url: None,
        };
        candidate.read_extensions(&mut words)?;
        Ok(candidate)
    }
}

impl Candidate {
    fn read_extensions(&mut self, words: &mut Words<'_>) -> Result<(), ParseCandidateError> {
        let mut related = None;
        while let Some(name) = words.next() {
            match name {
                "raddr" => {
                    related = Some(words.field("related address", |word| word.parse::<IpAddr>().ok())?);
                }
                "rport" => {
                    let port = words.field("related port", |word| number(word, 5, 0, 65_535))?;
                    self.related = related.map(|address| (address, port as u16));
                }
                "tcptype" => self.tcp_type = Some(words.field("tcptype", tcp_type)?),
                "ufrag" => self.ufrag = Some(words.field("ufrag", |word| Some(word.to_owned()))?),
                _ => {
                    let value = words.field("extension value", |word| Some(word.to_owned()))?;
                    if self.extensions.len() == MAX_EXTENSIONS {
                        return Err(words.error("extension"));
                    }
                    self.extensions.push((name.to_owned(), value));
                }
            }
        }
        Ok(())
    }
}

fn number(word: &str, max_digits: usize, min: u32, max: u32) -> Option<u32> {
    let digits = (1..=max_digits).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| word.parse::<u32>().ok()).flatten()?;
    (min..=max).contains(&number).then_some(number)
}

fn transport(word: &str) -> Option<CandidateTransport> {
    if word.eq_ignore_ascii_case("udp") {
        return Some(CandidateTransport::Udp);
    }
    if word.eq_ignore_ascii_case("tcp") {
        return Some(CandidateTransport::Tcp);
    }
    let token = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte));
    token.then(|| CandidateTransport::Other(word.to_owned()))
}

fn address(word: &str) -> Option<CandidateAddress> {
    if let Ok(ip) = word.parse::<IpAddr>() {
        return Some(CandidateAddress::Ip(ip));
    }
    let name = word.len() <= 253
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        && word.bytes().any(|byte| byte.is_ascii_alphabetic());
    name.then(|| CandidateAddress::Name(word.to_owned()))
}

fn kind(word: &str) -> Option<CandidateKind> {
    use CandidateKind::{Host, PeerReflexive, Relayed, ServerReflexive};
    [Host, ServerReflexive, PeerReflexive, Relayed]
        .into_iter()
        .find(|kind| word.eq_ignore_ascii_case(kind.as_str()))
}

fn tcp_type(word: &str) -> Option<TcpType> {
    [TcpType::Active, TcpType::Passive, TcpType::SimultaneousOpen]
        .into_iter()
        .find(|kind| word.eq_ignore_ascii_case(kind.as_str()))
}

/// The words of the attribute, with the place of the last one for errors.
struct Words<'a> {
    text: &'a str,
    at: usize,
    last: usize,
}

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Result<Self, ParseCandidateError> {
        let mut words = Self { text, at: 0, last: 0 };
        if text.len() > MAX_LEN || !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(words.error("text"));
        }
        for prefix in ["a=", "candidate:"] {
            if words.text.get(words.at..).is_some_and(|rest| rest.starts_with(prefix)) {
                words.at = words.at.saturating_add(prefix.len());
            }
        }
        words.last = words.at;
        Ok(words)
    }

    fn field<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, ParseCandidateError> {
        self.last = self.at;
        let word = self.next().ok_or_else(|| self.error(field))?;
        read(word).ok_or_else(|| self.error(field))
    }

    fn error(&self, field: &'static str) -> ParseCandidateError {
        ParseCandidateError { field, offset: self.last }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let trimmed = rest.trim_start_matches(' ');
        let start = self.at.saturating_add(rest.len().saturating_sub(trimmed.len()));
        let word = trimmed.split(' ').next().filter(|word| !word.is_empty())?;
        self.last = start;
        self.at = start.saturating_add(word.len());
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails_at(text: &str, field: &str) {
        let error = text.parse::<Candidate>().expect_err(text);
        assert_eq!(error.field, field, "{text}: {error}");
    }

    /// RFC 8839 §5.1, the example.
    #[test]
    fn reads_the_example_of_rfc8839() {
        let text = "candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998";
        let candidate: Candidate = text.parse().unwrap();
        assert_eq!(candidate.foundation().as_str(), "2");
        assert_eq!(candidate.kind(), CandidateKind::ServerReflexive);
        assert_eq!(candidate.priority(), Priority(1_694_498_815));
        assert_eq!(candidate.socket_addr(), Some(([192, 0, 2, 3], 45_664).into()));
        assert_eq!(candidate.related(), Some(([203, 0, 113, 141].into(), 8_998)));
    }

    #[test]
    fn reads_what_browsers_send() {
        let chromium: Candidate =
            "a=candidate:842163049 1 udp 1677729535 198.51.100.7 46154 typ srflx raddr 0.0.0.0 \
            rport 0 generation 0 ufrag IFEx network-id 1 network-cost 10"
                .parse()
                .unwrap();
        assert_eq!(chromium.ufrag(), Some("IFEx"));
        let rest: Vec<_> = chromium.extensions().collect();
        assert_eq!(rest, [("generation", "0"), ("network-id", "1"), ("network-cost", "10")]);
        let firefox: Candidate =
            "candidate:1 2 TCP 2105524478 3e1c.local 9 typ host tcptype active".parse().unwrap();
        assert_eq!(firefox.tcp_type(), Some(TcpType::Active));
        assert_eq!(firefox.component(), 2);
        assert_eq!(firefox.socket_addr(), None);
        let v6: Candidate = "candidate:1 1 udp 1 2001:db8::1 9 typ relay raddr :: rport 9".parse().unwrap();
        assert_eq!(v6.related(), Some((IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED), 9)));
    }

    #[test]
    fn says_which_field_is_wrong() {
        fails_at("", "foundation");
        fails_at("candidate:", "foundation");
        fails_at("candidate:a:b 1 udp 1 1.2.3.4 1 typ host", "foundation");
        fails_at("candidate:1 0 udp 1 1.2.3.4 1 typ host", "component");
        fails_at("candidate:1 257 udp 1 1.2.3.4 1 typ host", "component");
        fails_at("candidate:1 1 ud/p 1 1.2.3.4 1 typ host", "transport");
        fails_at("candidate:1 1 udp 4294967296 1.2.3.4 1 typ host", "priority");
        fails_at("candidate:1 1 udp -1 1.2.3.4 1 typ host", "priority");
        fails_at("candidate:1 1 udp 1 1.2.3 1 typ host", "address");
        fails_at("candidate:1 1 udp 1 1.2.3.4 65536 typ host", "port");
        fails_at("candidate:1 1 udp 1 1.2.3.4 1 host", "typ");
        fails_at("candidate:1 1 udp 1 1.2.3.4 1 typ", "type");
        fails_at("candidate:1 1 udp 1 1.2.3.4 1 typ other", "type");
        fails_at("candidate:1 1 udp 1 1.2.3.4 1 typ srflx raddr x", "related address");
        fails_at("candidate:1 1 udp 1 1.2.3.4 1 typ srflx raddr 1.2.3.4 rport", "related port");
        fails_at("candidate:1 1 udp 1 1.2.3.4 1 typ host lonely", "extension value");
        fails_at("candidate:1 1 udp 1 1.2.3.4 1 typ host\r\n", "text");
        fails_at(&"a ".repeat(2_000), "text");
    }

    /// Every prefix of a candidate is read or refused, never a panic.
    #[test]
    fn every_prefix_is_harmless() {
        let text =
            "candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.1 rport 8 ufrag abcd";
        for end in 0..text.len() {
            let _ = text[..end].parse::<Candidate>();
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,120}") {
            let _ = text.parse::<Candidate>();
        }

        #[test]
        fn what_is_read_is_written_back(
            foundation in "[a-zA-Z0-9+/]{1,32}",
            priority in 0_u32..,
            ip: [u8; 4],
            port: u16,
            extension in "[a-z-]{1,8}",
        ) {
            let ip = IpAddr::from(ip);
            let text = format!(
                "candidate:{foundation} 1 udp {priority} {ip} {port} typ srflx raddr {ip} rport {port} ufrag u+/x \
                 x-{extension} y"
            );
            let candidate: Candidate = text.parse().unwrap();
            proptest::prop_assert_eq!(candidate.to_string(), text);
        }
    }
}
