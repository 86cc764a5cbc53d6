//! A server and requests of several clients, some with a proof, some without.

use super::machine;
use machine::ServerMachine;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use stun::{AttributeType, Builder, Class, IntegrityKey, Message, Method, TransactionId};
use testkit::fuzz::{Bounds, Input, Lone, null_crypto, reached};
use turn::FiveTuple;

/// `ServerConfig::max_allocations_per_user`, of two users.
const MOST_ALLOCATIONS: usize = 20;

const METHODS: [Method; 8] = [
    Method::ALLOCATE,
    Method::REFRESH,
    Method::CREATE_PERMISSION,
    Method::CHANNEL_BIND,
    Method::SEND,
    Method::DATA,
    Method::BINDING,
    Method::CONNECT,
];

const KINDS: [AttributeType; 16] = [
    AttributeType::REQUESTED_TRANSPORT,
    AttributeType::XOR_PEER_ADDRESS,
    AttributeType::CHANNEL_NUMBER,
    AttributeType::LIFETIME,
    AttributeType::DATA,
    AttributeType::REQUESTED_ADDRESS_FAMILY,
    AttributeType::EVEN_PORT,
    AttributeType::DONT_FRAGMENT,
    AttributeType::RESERVATION_TOKEN,
    AttributeType::ADDITIONAL_ADDRESS_FAMILY,
    AttributeType::USERNAME,
    AttributeType::USERHASH,
    AttributeType::PASSWORD_ALGORITHM,
    AttributeType::PASSWORD_ALGORITHMS,
    AttributeType::SOFTWARE,
    AttributeType::new(0x7f01),
];

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut server = Lone::new(
        |now| machine::pair(null_crypto(), now, testkit::Seed::new(1)).1,
        Bounds::new(64, 128 * 1_024),
    );
    let mut nonce = b"none yet".to_vec();
    for _ in 0..200 {
        if input.is_empty() {
            break;
        }
        let path = path(&mut input);
        let sent = match input.u8() & 7 {
            0 => deliver_unproven(&mut server, path, input.chunk()),
            1 => server.advance(Duration::from_millis(input.u16().into()) * 50),
            2 => {
                let datagram = channel_data(&mut input);
                deliver_unproven(&mut server, path, &datagram)
            }
            3 => {
                let datagram = request(&mut input, &nonce, None);
                deliver_unproven(&mut server, path, &datagram)
            }
            _ => {
                let user = if input.flag() { "user" } else { "other" };
                let datagram = request(&mut input, &nonce, Some(user));
                server.deliver(path, &datagram)
            }
        };
        for (_, answer) in sent {
            if let Some(given) =
                Message::parse(&answer).ok().and_then(|m| Some(m.raw(AttributeType::NONCE)?.to_vec()))
            {
                nonce = given;
            }
        }
        let allocations = server.machine.server.allocations();
        assert!(allocations <= MOST_ALLOCATIONS);
        if allocations > 0 {
            reached("allocation");
        }
    }
    // Whatever was allocated goes away by itself (RFC 8656 §3.2: an hour at most).
    server.advance(Duration::from_secs(3_700));
    assert_eq!(server.machine.server.allocations(), 0, "an allocation outlives its lifetime");
}

/// T-T05: nothing without proof gets more than three times its bytes back.
fn deliver_unproven(
    server: &mut Lone<ServerMachine>,
    path: FiveTuple,
    datagram: &[u8],
) -> Vec<(FiveTuple, Vec<u8>)> {
    let before = server.machine.server.allocations();
    let sent = server.deliver(path, datagram);
    let is_signed = Message::parse(datagram).is_ok_and(|message| message.integrity().is_some());
    if !is_signed {
        assert_eq!(server.machine.server.allocations(), before, "an allocation without proof");
        let answers: usize = sent.iter().filter(|(to, _)| *to == path).map(|(_, out)| out.len()).sum();
        let is_data = datagram.first().is_some_and(|first| *first >= 0x40);
        assert!(is_data || answers <= 3 * datagram.len(), "{answers} bytes for {}", datagram.len());
    }
    sent
}

fn path(input: &mut Input<'_>) -> FiveTuple {
    let choice = input.u8();
    let client =
        SocketAddr::new(IpAddr::from([203, 0, 113, choice & 3]), 40_000 + u16::from(choice >> 2 & 3));
    let server: SocketAddr = "198.51.100.1:3478".parse().expect("invariant: an address");
    if choice >= 0xf8 { FiveTuple::tcp(server, client) } else { FiveTuple::udp(server, client) }
}

fn channel_data(input: &mut Input<'_>) -> Vec<u8> {
    let mut datagram = (0x4000 | u16::from(input.u8())).to_be_bytes().to_vec();
    let payload = input.chunk();
    let len = if input.u8() > 200 { input.u16() } else { payload.len() as u16 };
    datagram.extend_from_slice(&len.to_be_bytes());
    datagram.extend_from_slice(payload);
    datagram
}

fn request(input: &mut Input<'_>, nonce: &[u8], user: Option<&str>) -> Vec<u8> {
    let mut out = Vec::new();
    let method = input.pick(&METHODS);
    let is_indication = matches!(method, Method::SEND | Method::DATA);
    let class = if is_indication { Class::Indication } else { Class::Request };
    let id = TransactionId::new([input.u8(); 12]);
    let mut builder = Builder::new(&mut out, class, method, id);
    for _ in 0..input.below(6) {
        match input.u8() {
            // What a request of this kind should have.
            0..=63 => _ = builder.raw(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]),
            64..=127 => {
                let peer = SocketAddr::new(IpAddr::from([93, 184, 216, input.u8() & 7]), 9);
                builder.attribute_with(AttributeType::XOR_PEER_ADDRESS, |value| {
                    stun::attr::encode_xor_address(peer, id, value);
                });
            }
            128..=160 => {
                let number = 0x4000 | u16::from(input.u8() & 7);
                let [high, low] = number.to_be_bytes();
                builder.raw(AttributeType::CHANNEL_NUMBER, &[high, low, 0, 0]);
            }
            161..=190 => _ = builder.raw(AttributeType::LIFETIME, &input.u32().to_be_bytes()),
            _ => {
                let kind = input.pick(&KINDS);
                builder.raw(kind, input.chunk());
            }
        }
    }
    if let Some(user) = user {
        builder.raw(AttributeType::USERNAME, user.as_bytes());
        builder.raw(AttributeType::REALM, b"example.org").raw(AttributeType::NONCE, nonce);
        let key = IntegrityKey::new(&null_crypto(), b"any").expect("invariant: the provider has HMAC");
        if input.flag() {
            builder.message_integrity_sha256(&key);
        } else {
            builder.message_integrity(&key);
        }
    }
    if builder.finish().is_err() {
        out.clear();
    }
    out
}
