//! A client by hand, for requests that the real one would never send.

#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

use super::net::{Net, PASSWORD, REALM, USER, addr, provider};
use std::net::SocketAddr;
use stun::{
    AttributeType, Builder, Class, IntegrityKey, Message, Method, TransactionId,
    attr::{Code, ErrorCode, Nonce, PasswordAlgorithmId},
    auth::long_term_key,
};
use turn::{
    ChannelNumber, FiveTuple,
    attr::{ChannelNumberAttribute, Lifetime, RequestedTransport, XorPeerAddress},
    server::Received,
};

pub struct Raw {
    /// As the server sees it.
    pub path: FiveTuple,
    pub username: String,
    pub key: IntegrityKey,
    pub nonce: String,
    next_id: u64,
}

impl Raw {
    pub fn new(net: &mut Net, path: FiveTuple) -> Self {
        Self::with_user(net, path, USER, PASSWORD)
    }

    pub fn with_user(net: &mut Net, path: FiveTuple, username: &str, password: &str) -> Self {
        let key = long_term_key(&provider(), PasswordAlgorithmId::MD5, username, REALM.as_bytes(), password);
        let mut raw = Self {
            path,
            username: username.to_owned(),
            key: key.expect("invariant: fine credentials"),
            nonce: String::new(),
            next_id: u64::from(path.remote.port()) << 32,
        };
        raw.challenge(net);
        raw
    }

    /// The usual path number `index`.
    pub fn path(index: u16) -> FiveTuple {
        FiveTuple::udp(addr(super::net::SERVER), SocketAddr::new(addr("203.0.113.50:0").ip(), 1_000 + index))
    }

    /// Gets a fresh nonce.
    pub fn challenge(&mut self, net: &mut Net) {
        let bare = self.unsigned(Method::ALLOCATE, |builder| {
            builder.attribute(&RequestedTransport::UDP);
        });
        let answer = self.exchange(net, &bare).expect("invariant: there is an answer");
        let answer = Message::parse(&answer).expect("invariant: well formed");
        assert_eq!(answer.require::<ErrorCode<'_>>().map(|error| error.code()), Ok(Code::UNAUTHENTICATED));
        let nonce = answer.require::<Nonce<'_>>().expect("invariant: a challenge has a nonce");
        self.nonce = nonce.as_str().expect("invariant: our nonces are ASCII").to_owned();
    }

    pub fn id(&mut self) -> TransactionId {
        self.next_id += 1;
        let mut id = [0; 12];
        id[4..].copy_from_slice(&self.next_id.to_be_bytes());
        TransactionId::new(id)
    }

    pub fn unsigned(&mut self, method: Method, write: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        let mut builder = Builder::request(&mut out, method, self.id());
        write(&mut builder);
        builder.finish().expect("invariant: fits");
        out
    }

    pub fn signed(&mut self, method: Method, write: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
        let (username, nonce, key) = (self.username.clone(), self.nonce.clone(), self.key.clone());
        self.unsigned(method, |builder| {
            write(builder);
            builder.raw(AttributeType::USERNAME, username.as_bytes());
            builder.raw(AttributeType::REALM, REALM.as_bytes());
            builder.raw(AttributeType::NONCE, nonce.as_bytes());
            builder.message_integrity(&key);
        })
    }

    /// Sends a datagram and takes the answer.
    pub fn exchange(&self, net: &mut Net, datagram: &[u8]) -> Option<Vec<u8>> {
        assert_eq!(net.inject(self.path, datagram), Received::Control);
        // The driver of the net opens sockets.
        net.run(std::time::Duration::ZERO);
        let mut answers = std::mem::take(&mut net.stray_answers);
        answers.extend(net.answers());
        assert!(answers.len() <= 1);
        let (path, answer) = answers.pop()?;
        assert_eq!(path, self.path);
        Some(answer)
    }

    /// Sends a signed request; the error code of the answer, or `None` for success.
    pub fn ask(
        &mut self,
        net: &mut Net,
        method: Method,
        write: impl FnOnce(&mut Builder<'_>),
    ) -> Option<Code> {
        let request = self.signed(method, write);
        let answer = self.exchange(net, &request).expect("invariant: signed requests are answered");
        self.read(&request, &answer)
    }

    /// Reads an answer that must be signed, unless it is a challenge.
    pub fn read(&self, request: &[u8], answer: &[u8]) -> Option<Code> {
        let request = Message::parse(request).expect("invariant: well formed");
        let answer = Message::parse(answer).expect("invariant: well formed");
        assert_eq!(answer.transaction_id(), request.transaction_id());
        assert_eq!(answer.method(), request.method());
        let code = answer.get::<ErrorCode<'_>>().expect("invariant: well formed").map(|error| error.code());
        assert_eq!(answer.class() == Class::Success, code.is_none());
        let is_challenge = [Some(Code::UNAUTHENTICATED), Some(Code::STALE_NONCE)].contains(&code);
        if !is_challenge && answer.integrity().is_some() {
            assert!(answer.verify(&self.key).is_ok());
        } else {
            assert!(is_challenge || code == Some(Code::BAD_REQUEST), "{code:?} without integrity");
        }
        code
    }

    pub fn allocate(&mut self, net: &mut Net) -> Option<Code> {
        self.ask(net, Method::ALLOCATE, |builder| {
            builder.attribute(&RequestedTransport::UDP);
        })
    }

    pub fn refresh(&mut self, net: &mut Net, lifetime: Lifetime) -> Option<Code> {
        self.ask(net, Method::REFRESH, |builder| {
            builder.attribute(&lifetime);
        })
    }

    pub fn permit(&mut self, net: &mut Net, peer: SocketAddr) -> Option<Code> {
        self.ask(net, Method::CREATE_PERMISSION, |builder| {
            builder.attribute(&XorPeerAddress::new(peer));
        })
    }

    pub fn bind(&mut self, net: &mut Net, number: u16, peer: SocketAddr) -> Option<Code> {
        self.ask(net, Method::CHANNEL_BIND, |builder| {
            match ChannelNumber::new(number) {
                Some(number) => builder.attribute(&ChannelNumberAttribute::new(number)),
                None => {
                    let [high, low] = number.to_be_bytes();
                    builder.raw(AttributeType::CHANNEL_NUMBER, &[high, low, 0, 0])
                }
            };
            builder.attribute(&XorPeerAddress::new(peer));
        })
    }

    /// A Send indication.
    pub fn send(&mut self, net: &mut Net, peer: SocketAddr, payload: &[u8]) -> Received {
        let mut out = Vec::new();
        let mut builder = Builder::indication(&mut out, Method::SEND, self.id());
        builder.attribute(&XorPeerAddress::new(peer)).raw(AttributeType::DATA, payload);
        builder.finish().expect("invariant: fits");
        net.inject(self.path, &out)
    }

    pub fn channel_data(&self, net: &mut Net, number: u16, payload: &[u8]) -> Received {
        let mut out = number.to_be_bytes().to_vec();
        out.extend_from_slice(&(payload.len() as u16).to_be_bytes());
        out.extend_from_slice(payload);
        net.inject(self.path, &out)
    }
}
