//! The printer: the inverse of the parser.

use std::fmt::{self, Display, Write};

use crate::{Bandwidth, Connection, Description, MediaDescription, Origin, Time};

/// Prints with CRLF at the end of each line.
///
/// Characters that would end a line (CR, LF, NUL) are left out of values, so that no value can become a line.
impl Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, 'v', 0)?;
        line(f, 'o', &self.origin)?;
        line(f, 's', &self.session_name)?;
        lines(f, 'i', &self.information)?;
        lines(f, 'u', &self.uri)?;
        lines(f, 'e', &self.emails)?;
        lines(f, 'p', &self.phones)?;
        lines(f, 'c', &self.connection)?;
        lines(f, 'b', &self.bandwidths)?;
        for time in &self.times {
            line(f, 't', time)?;
            lines(f, 'r', &time.repeats)?;
            lines(f, 'z', &time.zones)?;
        }
        lines(f, 'k', &self.key)?;
        lines(f, 'a', &self.attributes)?;
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}

/// Prints the `m=` line and the lines below it, with CRLF at the end of each.
impl Display for MediaDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, 'm', MediaLine(self))?;
        lines(f, 'i', &self.information)?;
        lines(f, 'c', &self.connections)?;
        lines(f, 'b', &self.bandwidths)?;
        lines(f, 'k', &self.key)?;
        lines(f, 'a', &self.attributes)
    }
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { username, session_id, session_version, net_type, address_type, address } = self;
        write!(f, "{username} {session_id} {session_version} {net_type} {address_type} {address}")
    }
}

impl Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.net_type, self.address_type, self.address)
    }
}

impl Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

/// Prints the value of the `t=` line only.
impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.start, self.stop)
    }
}

struct MediaLine<'a>(&'a MediaDescription);

impl Display for MediaLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(media) = self;
        write!(f, "{} {}", media.kind, media.port)?;
        if let Some(count) = media.port_count {
            write!(f, "/{count}")?;
        }
        write!(f, " {}", media.protocol)?;
        media.formats.iter().try_for_each(|format| write!(f, " {format}"))
    }
}

/// Lets everything through but what ends a line.
struct OneLine<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let ends_line = |byte: u8| byte <= b'\r' && matches!(byte, b'\r' | b'\n' | 0);
        if !text.bytes().any(ends_line) {
            return self.0.write_str(text);
        }
        text.split(['\r', '\n', '\0']).try_for_each(|part| self.0.write_str(part))
    }
}

fn line(f: &mut fmt::Formatter<'_>, letter: char, value: impl Display) -> fmt::Result {
    write!(f, "{letter}=")?;
    write!(OneLine(f), "{value}")?;
    f.write_str("\r\n")
}

fn lines<T: Display>(
    f: &mut fmt::Formatter<'_>,
    letter: char,
    values: impl IntoIterator<Item = T>,
) -> fmt::Result {
    values.into_iter().try_for_each(|value| line(f, letter, value))
}
