//! Two endpoints, and hostile ones.

mod forgery;
mod fragments;
mod hostile;
mod records;
mod tampering;

#[path = "../../tests/common/pair.rs"]
mod pair;

use crate::connection::context::Shared;
use crate::handshake::HandshakeType;
use crate::handshake::fragment::Fragment;
use crate::record::ContentType;
use crate::record::v12::{self, Header};
use crate::{CloseReason, ProtocolVersion, State};
use base::Reader;
use pair::{Fate, Pair, Side};
use std::time::Duration;

/// What a hostile endpoint does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mischief {
    EmptyCertificate,
    NoCertificateRequest,
    NoCertificateVerify,
    PlainFinished,
    ProtectedCertificateVerify,
    StaleTranscript,
    WrongFinished,
}

impl Shared {
    /// Changes a message that is about to be sent.
    pub(crate) fn misbehave(&self, kind: HandshakeType, epoch: u16, mut body: Vec<u8>) -> (u16, Vec<u8>) {
        match (self.mischief, kind) {
            (Some(Mischief::PlainFinished), HandshakeType::FINISHED) => (0, body),
            (Some(Mischief::ProtectedCertificateVerify), HandshakeType::CERTIFICATE_VERIFY) => (1, body),
            (Some(Mischief::WrongFinished), HandshakeType::FINISHED) => {
                body[11] ^= 1;
                (epoch, body)
            }
            _ => (epoch, body),
        }
    }
}

/// A record in clear text.
fn record(content: u8, sequence: u64, body: &[u8]) -> Vec<u8> {
    let version = ProtocolVersion::DTLS_1_2;
    let header =
        Header { content, ..Header::new(ContentType::Handshake, version, 0, sequence, body.len() as u16) };
    let mut record = header.encode().to_vec();
    record.extend_from_slice(body);
    record
}

/// A record of an epoch whose keys the sender has not.
fn forged(content: u8, epoch: u16, sequence: u64, len: usize) -> Vec<u8> {
    let header = Header {
        content,
        epoch,
        ..Header::new(ContentType::Handshake, ProtocolVersion::DTLS_1_2, epoch, sequence, len as u16)
    };
    let mut record = header.encode().to_vec();
    record.resize(record.len() + len, 0x5a);
    record
}

/// A handshake message in one fragment, in clear text.
fn message(kind: HandshakeType, seq: u16, body: &[u8]) -> Vec<u8> {
    let mut fragment = Vec::new();
    Fragment { kind, length: body.len() as u32, seq, offset: 0, body }.write(&mut fragment);
    record(22, u64::from(seq) + 100, &fragment)
}

/// Replaces the body of one handshake message, which must come in one fragment, wherever it passes.
fn rewrite(
    kind: HandshakeType,
    mut change: impl FnMut(&[u8]) -> Vec<u8> + 'static,
) -> impl FnMut(&[u8]) -> Fate {
    move |datagram| {
        let mut datagram = datagram.to_vec();
        let mut out = Vec::new();
        let mut rest = &mut datagram[..];
        while !rest.is_empty() {
            let (header, body, next) = v12::split(rest).unwrap();
            let fragment = Fragment::read(&mut Reader::new(body));
            match fragment.filter(|fragment| {
                header.epoch == 0
                    && header.content == ContentType::Handshake.number()
                    && fragment.kind == kind
            }) {
                Some(fragment) => {
                    let changed = change(fragment.body);
                    let mut body = Vec::new();
                    Fragment { length: changed.len() as u32, offset: 0, body: &changed, ..fragment }
                        .write(&mut body);
                    out.extend_from_slice(&record(22, header.sequence, &body));
                }
                None => {
                    out.extend_from_slice(&header.encode());
                    out.extend_from_slice(body);
                }
            }
            rest = next;
        }
        Fate::Replace(vec![out])
    }
}

/// Runs a pair to its end and checks that `side` refused, with `reason`, and never had keys.
fn assert_refused(pair: &mut Pair, side: Side, reason: &CloseReason) {
    pair.start();
    pair.run(Duration::from_secs(120));
    let peer = pair.peer(side);
    assert_eq!(peer.close_reason(), Some(reason));
    assert_eq!(peer.connection.state(), State::Failed);
    assert_eq!(peer.events.len(), 1, "never connected: {:?}", peer.events);
    assert!(peer.keys().is_none() && peer.seal(b"x").is_none() && peer.received.is_empty());
    assert_eq!(peer.connection.poll_timeout(), None);
}
