//! The document: session lines, then media descriptions.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use std::str::FromStr;

use nom::IResult;

use crate::{
    Attribute, MediaDescription, ParseError,
    attribute::Group,
    grammar::{Failure, digits, fail, number, space, text, token, whole, word},
    line::{MAX_MEDIA, Scanner},
};

/// A session description (RFC 8866 §5): what is on its lines, in their order.
///
/// Parsing and printing are inverse: what was read prints back the same, attributes without a type included.
/// Only letter case of fingerprints and line ends are normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// `o=`: who made the description and which version of it this is (RFC 8866 §5.2).
    pub origin: Origin,
    /// `s=`: the name of the session, `-` when it has none (RFC 8866 §5.3).
    pub session_name: String,
    /// `i=`: words about the session (RFC 8866 §5.4).
    pub information: Option<String>,
    /// `u=`: a reference to more about the session (RFC 8866 §5.5).
    pub uri: Option<String>,
    /// `e=`: mail addresses (RFC 8866 §5.6).
    pub emails: Vec<String>,
    /// `p=`: telephone numbers (RFC 8866 §5.6).
    pub phones: Vec<String>,
    /// `c=`: the address for media that name none (RFC 8866 §5.7).
    pub connection: Option<Connection>,
    /// `b=`: proposed bandwidths (RFC 8866 §5.8).
    pub bandwidths: Vec<Bandwidth>,
    /// `t=`, `r=` and `z=`: when the session takes place (RFC 8866 §5.9 to §5.11). At least one in a valid text.
    pub times: Vec<Time>,
    /// `k=`: obsolete, kept as it came (RFC 8866 §5.12).
    pub key: Option<String>,
    /// `a=` above the first `m=` (RFC 8866 §5.13).
    pub attributes: Vec<Attribute>,
    /// `m=` and what belongs to it (RFC 8866 §5.14), in order: an `m=` line is known by its index.
    pub media: Vec<MediaDescription>,
}

impl Description {
    /// An empty description in the form WebRTC uses: name `-`, time `0 0` (RFC 9429 §5.2.1).
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            session_name: "-".to_owned(),
            information: None,
            uri: None,
            emails: Vec::new(),
            phones: Vec::new(),
            connection: None,
            bandwidths: Vec::new(),
            times: vec![Time::new(0, 0)],
            key: None,
            attributes: Vec::new(),
            media: Vec::new(),
        }
    }

    /// Reads a text; lines end with CRLF or LF.
    ///
    /// Work and memory are linear in the length, which is bounded by [`MAX_BYTES`](crate::MAX_BYTES).
    ///
    /// # Errors
    ///
    /// Says line, column and what was expected there. Lines out of order, letters the RFC does not know and
    /// malformed values of known attributes refuse the whole text (RFC 8866 §5, RFC 9429 §5.8).
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut lines = Scanner::new(text)?;
        let description = Self::read_session(&mut lines)?;
        if lines.is_done() {
            return Ok(description);
        }
        Err(lines.refuse("a line whose letter may stand here (RFC 8866 §5)"))
    }

    /// The `a=group` lines, in order (RFC 5888 §5).
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.attributes
            .iter()
            .filter_map(|attribute| if let Attribute::Group(group) = attribute { Some(group) } else { None })
    }

    fn read_session(lines: &mut Scanner<'_>) -> Result<Self, ParseError> {
        lines.need(b'v', "a v= line")?.read(|value| whole(version, value))?;
        let origin = lines.need(b'o', "an o= line")?.read(|value| whole(Origin::parse, value))?;
        let session_name = lines.need(b's', "an s= line")?.content.to_owned();
        let mut description = Self { session_name, times: Vec::new(), ..Self::new(origin) };
        description.information = read_text(lines, b'i')?;
        description.uri = read_text(lines, b'u')?;
        while let Some(email) = read_text(lines, b'e')? {
            description.emails.push(email);
        }
        while let Some(phone) = read_text(lines, b'p')? {
            description.phones.push(phone);
        }
        if let Some(line) = lines.take(b'c')? {
            description.connection = Some(line.read(|value| whole(Connection::parse, value))?);
        }
        while let Some(line) = lines.take(b'b')? {
            description.bandwidths.push(line.read(|value| whole(Bandwidth::parse, value))?);
        }
        let mut line = lines.need(b't', "a t= line")?;
        loop {
            let mut time = line.read(|value| whole(Time::parse, value))?;
            while let Some(repeat) = read_text(lines, b'r')? {
                time.repeats.push(repeat);
            }
            time.zones = read_text(lines, b'z')?;
            description.times.push(time);
            match lines.take(b't')? {
                Some(next) => line = next,
                None => break,
            }
        }
        description.key = read_text(lines, b'k')?;
        while let Some(line) = lines.take(b'a')? {
            description.attributes.push(line.read(Attribute::read)?);
        }
        while let Some(line) = lines.take(b'm')? {
            if description.media.len() == MAX_MEDIA {
                return Err(line.refuse("at most 1024 media descriptions"));
            }
            description.media.push(MediaDescription::read(line, lines)?);
        }
        Ok(description)
    }
}

impl FromStr for Description {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

/// `o=`: names a session and the version of its description (RFC 8866 §5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The user, `-` for none.
    pub username: String,
    /// The session: digits, of any length.
    pub session_id: String,
    /// The version: digits, of any length; grows with each change (RFC 3264 §8).
    pub session_version: String,
    /// `IN`.
    pub net_type: String,
    /// `IP4` or `IP6`.
    pub address_type: String,
    /// The host; WebRTC puts one that means nothing there.
    pub address: String,
}

impl Origin {
    /// An origin without user and with the address 0.0.0.0, as RFC 9429 §5.2.1 asks for.
    #[must_use]
    pub fn new(session_id: u64, session_version: u64) -> Self {
        Self {
            username: "-".to_owned(),
            session_id: session_id.to_string(),
            session_version: session_version.to_string(),
            net_type: "IN".to_owned(),
            address_type: "IP4".to_owned(),
            address: "0.0.0.0".to_owned(),
        }
    }

    fn parse(input: &str) -> IResult<&str, Self, Failure<'_>> {
        let (rest, username) = word(input, "a user name")?;
        let (rest, ()) = space(rest)?;
        let (rest, session_id) = digits(rest, "a session id")?;
        let (rest, ()) = space(rest)?;
        let (rest, session_version) = digits(rest, "a session version")?;
        let (rest, ()) = space(rest)?;
        let (rest, Connection { net_type, address_type, address }) = Connection::parse(rest)?;
        let origin = Self {
            username: username.to_owned(),
            session_id: session_id.to_owned(),
            session_version: session_version.to_owned(),
            net_type,
            address_type,
            address,
        };
        Ok((rest, origin))
    }
}

/// `c=`: an address (RFC 8866 §5.7).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// `IN`.
    pub net_type: String,
    /// `IP4` or `IP6`.
    pub address_type: String,
    /// The address as text, with `/ttl` or `/count` for multicast.
    pub address: String,
}

impl Connection {
    /// An internet address; its type follows from its form.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        let address = address.into();
        let address_type = if address.contains(':') { "IP6" } else { "IP4" }.to_owned();
        Self { net_type: "IN".to_owned(), address_type, address }
    }

    /// `IN IP4 0.0.0.0`: no address yet (RFC 9429 §5.2.1).
    #[must_use]
    pub fn unspecified() -> Self {
        Self::new("0.0.0.0")
    }

    pub(crate) fn parse(input: &str) -> IResult<&str, Self, Failure<'_>> {
        let (rest, net_type) = token(input, "a network type")?;
        let (rest, ()) = space(rest)?;
        let (rest, address_type) = token(rest, "an address type")?;
        let (rest, ()) = space(rest)?;
        let (rest, address) = word(rest, "an address")?;
        let connection = Self {
            net_type: net_type.to_owned(),
            address_type: address_type.to_owned(),
            address: address.to_owned(),
        };
        Ok((rest, connection))
    }
}

/// `b=`: a proposed bandwidth (RFC 8866 §5.8).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bandwidth {
    /// What is limited: `AS` and `CT` count kilobits per second, `TIAS` (RFC 3890), `RR` and `RS` (RFC 3556) bits.
    pub kind: String,
    /// The number, in the unit of `kind`.
    pub value: u64,
}

impl Bandwidth {
    /// A bandwidth of the given kind.
    #[must_use]
    pub fn new(kind: impl Into<String>, value: u64) -> Self {
        Self { kind: kind.into(), value }
    }

    pub(crate) fn parse(input: &str) -> IResult<&str, Self, Failure<'_>> {
        let (rest, kind) = token(input, "a bandwidth type")?;
        let Some(rest) = rest.strip_prefix(':') else { return fail(rest, "a colon") };
        let (rest, value) = number(rest, "a bandwidth")?;
        Ok((rest, Self { kind: kind.to_owned(), value }))
    }
}

/// `t=` with its `r=` and `z=` lines (RFC 8866 §5.9 to §5.11).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Time {
    /// Start in seconds since 1900, 0 for always.
    pub start: u64,
    /// End in seconds since 1900, 0 for never.
    pub stop: u64,
    /// `r=` lines, as they came.
    pub repeats: Vec<String>,
    /// The `z=` line, as it came.
    pub zones: Option<String>,
}

impl Time {
    /// From `start` to `stop`, in seconds since 1900.
    #[must_use]
    pub fn new(start: u64, stop: u64) -> Self {
        Self { start, stop, repeats: Vec::new(), zones: None }
    }

    fn parse(input: &str) -> IResult<&str, Self, Failure<'_>> {
        let (rest, start) = number(input, "a start time")?;
        let (rest, ()) = space(rest)?;
        let (rest, stop) = number(rest, "a stop time")?;
        Ok((rest, Self::new(start, stop)))
    }
}

fn version(input: &str) -> IResult<&str, (), Failure<'_>> {
    //= rfc8866 §5.1
    //# The "v=" line (version-field) gives the version of the Session
    //# Description Protocol.  This memo defines version 0.
    let (rest, version) = digits(input, "version 0")?;
    if version == "0" { Ok((rest, ())) } else { fail(input, "version 0") }
}

/// Takes a line that is kept as text.
pub(crate) fn read_text(lines: &mut Scanner<'_>, letter: u8) -> Result<Option<String>, ParseError> {
    let Some(line) = lines.take(letter)? else { return Ok(None) };
    line.read(|value| whole(|value| text(value, "some text"), value)).map(|value| Some(value.to_owned()))
}
