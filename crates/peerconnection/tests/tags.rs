//! Tags are compared where it takes constant time, which is in the back end of `crypto` and nowhere else.

use crypto::{AuthError, Mac, MacId, MacKey, Provider, Random, rustcrypto};
use std::{cell::Cell, time::Instant};
use testkit::Seed;

thread_local! {
    /// Tags made, and tags compared by the back end.
    static CALLS: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// A MAC that counts what is asked of it.
#[derive(Debug)]
struct Watched(MacId);

#[derive(Debug)]
struct WatchedKey(Box<dyn MacKey>);

impl Mac for Watched {
    fn id(&self) -> MacId {
        self.0
    }

    fn key(&self, key: &[u8]) -> Box<dyn MacKey> {
        let mac = rustcrypto::provider().mac(self.0).expect("the back end has it");
        Box::new(WatchedKey(mac.key(key)))
    }
}

impl MacKey for WatchedKey {
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) -> usize {
        let (made, compared) = CALLS.get();
        CALLS.set((made + 1, compared));
        self.0.sign(parts, out)
    }

    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), AuthError> {
        let (made, compared) = CALLS.get();
        CALLS.set((made, compared + 1));
        self.0.verify(parts, tag)
    }
}

fn provider() -> Provider {
    rustcrypto::provider().with_macs(&[&Watched(MacId::HmacSha1), &Watched(MacId::HmacSha256)])
}

fn random() -> Box<dyn Random> {
    Seed::new(5).boxed_random("tags")
}

/// Does something with a forged tag: it must be compared by the back end, and no other tag be made to compare with. SRTP
/// compares with each index that is possible.
#[track_caller]
fn is_compared_by_the_back_end(work: impl FnOnce()) {
    CALLS.set((0, 0));
    work();
    let (made, compared) = CALLS.get();
    assert!(made == 0 && (1..=2).contains(&compared), "{made} tags made, {compared} compared");
}

/// T-I05: MESSAGE-INTEGRITY in both forms.
#[test]
fn t_i05_stun_compares_in_constant_time() {
    use stun::{Builder, Integrity, IntegrityKey, Message, Method, TransactionId};
    let key = IntegrityKey::new(&provider(), b"a password of some length").expect("HMAC is there");
    for integrity in [Integrity::Sha1, Integrity::Sha256] {
        let mut message = Vec::new();
        let mut builder = Builder::request(&mut message, Method::BINDING, TransactionId::new([1; 12]));
        builder.integrity(&key, integrity);
        builder.finish().expect("fits");
        let last = message.len() - 1;
        for at in [24, last] {
            let mut forged = message.clone();
            forged[at] ^= 1;
            let forged = Message::parse(&forged).expect("well formed");
            is_compared_by_the_back_end(|| assert!(forged.verify(&key).is_err()));
        }
    }
}

/// T-I05: the tags of SRTP and SRTCP. Those of the AEAD profiles are inside the cipher.
#[test]
fn t_i05_srtp_compares_in_constant_time() {
    use srtp::{Config, Profile, Unprotector};
    let profile = Profile::ALL.into_iter().find(|profile| profile.name().contains("80")).expect("one");
    let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
    let mut unprotector =
        Unprotector::new(&provider(), profile, &key, &salt, Config::new()).expect("the keys fit");
    let mut rtp = [&[0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9][..], &[7; 60]].concat();
    is_compared_by_the_back_end(|| assert!(unprotector.unprotect_rtp(&mut rtp).is_err()));
    let mut rtcp = [&[0x80, 200, 0, 6, 0, 0, 0, 9][..], &[7; 20], &[0x80, 0, 0, 1], &[9; 10]].concat();
    is_compared_by_the_back_end(|| assert!(unprotector.unprotect_rtcp(&mut rtcp).is_err()));
}

/// T-I05: the state cookie of SCTP.
#[test]
fn t_i05_sctp_compares_in_constant_time() {
    let config = sctp::Config::new(&provider()).expect("HMAC is there");
    let now = testkit::start();
    let mut end = sctp::Association::new(std::sync::Arc::new(config), now, random());
    let init = [
        &[1, 0, 0, 20][..],
        &7_u32.to_be_bytes(),
        &(1_u32 << 20).to_be_bytes(),
        &[0, 9, 0, 9],
        &9_u32.to_be_bytes(),
    ]
    .concat();
    let answer = sctp_exchange(&mut end, now, 0, &init).expect("an INIT ACK");
    let tag = u32::from_be_bytes(answer[16..20].try_into().expect("four bytes"));
    let at = answer.windows(2).skip(32).position(|code| code == [0, 7]).expect("a cookie") + 32;
    let len = usize::from(u16::from_be_bytes([answer[at + 2], answer[at + 3]])) - 4;
    let mut echo = vec![10, 0, 0, len as u8 + 4];
    echo.extend_from_slice(&answer[at + 4..at + 4 + len]);
    for flipped in [4, 35] {
        let mut forged = echo.clone();
        forged[flipped] ^= 1;
        is_compared_by_the_back_end(|| assert_eq!(sctp_exchange(&mut end, now, tag, &forged), None));
    }
    assert!(sctp_exchange(&mut end, now, tag, &echo).is_some(), "the true one is taken");
}

/// Gives an association one chunk; what it answers.
fn sctp_exchange(end: &mut sctp::Association, now: Instant, tag: u32, chunk: &[u8]) -> Option<Vec<u8>> {
    let mut packet = vec![0x13, 0x88, 0x13, 0x88];
    packet.extend_from_slice(&tag.to_be_bytes());
    packet.extend_from_slice(&[0; 4]);
    packet.extend_from_slice(chunk);
    packet.resize(packet.len().next_multiple_of(4), 0);
    let crc = crc32c(&packet);
    packet[8..12].copy_from_slice(&crc.to_le_bytes());
    end.handle_packet(now, &packet);
    let mut out = Vec::new();
    end.poll_transmit(now, &mut out).map(|_| out)
}

/// RFC 9260 Appendix A.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg()))
    })
}

/// T-I05: cookies of DTLS.
#[test]
fn t_i05_dtls_compares_in_constant_time() {
    use dtls::{Certificate, CertificateOptions, Config, Connection, CookiePolicy, CookieSecret, Role};
    let now = testkit::start();
    let certificate =
        Certificate::generate(&provider(), &mut *random(), std::time::Duration::from_secs(1), &{
            CertificateOptions::new()
        })
        .expect("made");
    let secret = CookieSecret::new(&mut *random());
    let config =
        std::sync::Arc::new(Config::new(provider()).with_cookie_policy(CookiePolicy::Required(secret)));
    let connection = |role| {
        let config = std::sync::Arc::clone(&config);
        let mut connection = Connection::new(config, role, certificate.clone(), now, random());
        connection.set_cookie_source(b"192.0.2.1:4000");
        connection.start(now);
        connection
    };
    let (mut client, mut server) = (connection(Role::Client), connection(Role::Server));
    let (mut hello, mut request, mut second) = (Vec::new(), Vec::new(), Vec::new());
    assert!(client.poll_transmit(now, &mut hello).is_some());
    server.handle_datagram(now, &mut hello, &mut |_| ());
    assert!(server.poll_transmit(now, &mut request).is_some());
    let cookie = request[request.len() - 32..].to_vec();
    client.handle_datagram(now, &mut request, &mut |_| ());
    assert!(client.poll_transmit(now, &mut second).is_some());
    let at = second.windows(32).position(|window| window == cookie).expect("the cookie comes back");
    for flipped in [at, at + 31] {
        let mut forged = second.clone();
        forged[flipped] ^= 1;
        let mut server = connection(Role::Server);
        // A tag is made all the same: for the cookie of the next request.
        CALLS.set((0, 0));
        server.handle_datagram(now, &mut forged, &mut |_| ());
        assert_eq!(CALLS.get().1, 1);
    }
}

/// T-I05: the nonces of the TURN server, which prove themselves, and the integrity of requests.
#[test]
fn t_i05_turn_compares_in_constant_time() {
    use stun::{AttributeType, Builder, Message, Method, TransactionId, attr::Nonce};
    use turn::{
        FiveTuple,
        attr::RequestedTransport,
        server::{RelayAddress, Server, ServerConfig, StaticUsers},
    };
    let now = testkit::start();
    let relay = RelayAddress::new("198.51.100.1".parse().expect("an address"));
    let users = StaticUsers::new().with("user", "secret");
    let config = ServerConfig::new("example.org", [relay]);
    let mut server =
        Server::new(config, Box::new(users), &provider(), now, random()).expect("a fine configuration");
    let path = FiveTuple::udp(
        "198.51.100.1:3478".parse().expect("an address"),
        "203.0.113.9:4000".parse().expect("an address"),
    );
    let request = |nonce: &[u8], tag: [u8; 20]| {
        let mut out = Vec::new();
        let mut builder = Builder::request(&mut out, Method::ALLOCATE, TransactionId::new([2; 12]));
        builder.attribute(&RequestedTransport::UDP);
        if !nonce.is_empty() {
            builder.raw(AttributeType::USERNAME, b"user").raw(AttributeType::REALM, b"example.org");
            builder.raw(AttributeType::NONCE, nonce).raw(AttributeType::MESSAGE_INTEGRITY, &tag);
        }
        builder.finish().expect("fits");
        out
    };
    let _ = server.handle_datagram(now, path, &request(&[], [0; 20]));
    let mut answer = Vec::new();
    assert!(server.poll_transmit(now, &mut answer).is_some());
    let answer = Message::parse(&answer).expect("well formed");
    let nonce = answer.require::<Nonce<'_>>().expect("a challenge").as_bytes().to_vec();
    let compared = |server: &mut Server, nonce: &[u8]| {
        CALLS.set((0, 0));
        let _ = server.handle_datagram(now, path, &request(nonce, [3; 20]));
        CALLS.get().1
    };
    // The nonce is right: it is compared, and then the tag of the request.
    assert_eq!(compared(&mut server, &nonce), 2);
    let mut forged = nonce;
    let last = forged.len() - 1;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    assert_eq!(compared(&mut server, &forged), 1, "the nonce alone");
}
