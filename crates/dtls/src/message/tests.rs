use super::certificate_verify::Signed;
use super::client_hello::ClientHello;
use super::key_exchange::ServerKeyExchange;
use super::server_hello::ServerHello;
use super::*;
use crate::extension::{self, ExtensionType};
use crate::{CipherSuite, ProtocolVersion};
use base::PutExt;
use crypto::SignatureScheme;
use proptest::prelude::*;

fn client_hello() -> Vec<u8> {
    let mut body = Vec::new();
    client_hello::write(
        &mut body,
        &[7; 32],
        b"cookie",
        &[CipherSuite::ECDHE_ECDSA_AES_128_GCM_SHA256],
        |out| extension::put(out, ExtensionType::USE_SRTP, |out| out.put_slice(b"abc")),
    );
    body
}

fn server_hello() -> Vec<u8> {
    let mut body = Vec::new();
    server_hello::write(&mut body, &[9; 32], CipherSuite(0xc02b), |out| {
        extension::put(out, ExtensionType::EXTENDED_MASTER_SECRET, |_| ());
    });
    body
}

fn server_key_exchange() -> Vec<u8> {
    let mut body = Vec::new();
    key_exchange::write_params(&mut body, 0x1d, &[5; 32]);
    Signed { scheme: 0x0403, signature: b"signature" }.write(&mut body);
    body
}

/// Every body that has a parser, with that parser.
type Parses = fn(&[u8]) -> bool;
fn all() -> Vec<(&'static str, Vec<u8>, Parses)> {
    let mut verify = Vec::new();
    hello_verify::write(&mut verify, b"cookie");
    let mut certificates = Vec::new();
    certificate::write(&mut certificates, b"der");
    let mut request = Vec::new();
    certificate_request::write(&mut request, &[SignatureScheme::EcdsaSecp256r1Sha256]);
    let mut client_key = Vec::new();
    key_exchange::write_client(&mut client_key, &[4; 65]);
    let mut signed = Vec::new();
    Signed { scheme: 0x0403, signature: b"signature" }.write(&mut signed);
    vec![
        ("ClientHello", client_hello(), |body| ClientHello::parse(body).is_ok()),
        ("ServerHello", server_hello(), |body| ServerHello::parse(body).is_ok()),
        ("HelloVerifyRequest", verify, |body| hello_verify::parse(body).is_ok()),
        ("Certificate", certificates, |body| certificate::parse(body).is_ok()),
        ("CertificateRequest", request, |body| certificate_request::parse(body).is_ok()),
        ("ServerKeyExchange", server_key_exchange(), |body| ServerKeyExchange::parse(body).is_ok()),
        ("ClientKeyExchange", client_key, |body| key_exchange::parse_client(body).is_ok()),
        ("CertificateVerify", signed, |body| Signed::parse(body).is_ok()),
    ]
}

/// T-D17: every cut of every message is refused; so is every message with a byte too many.
#[test]
fn t_d17_truncated_messages_are_refused() {
    for (name, body, parses) in all() {
        assert!(parses(&body), "{name}");
        for len in 0..body.len() {
            // Hellos may end before their extensions.
            let extensions = match name {
                "ClientHello" => 2 + 32 + 1 + 7 + 4 + 2,
                "ServerHello" => 2 + 32 + 1 + 2 + 1,
                _ => usize::MAX,
            };
            assert_eq!(parses(&body[..len]), len == extensions, "{name} cut to {len}");
        }
        let mut longer = body.clone();
        longer.push(0);
        assert!(!parses(&longer), "{name} with a byte too many");
    }
}

#[test]
fn messages_read_what_they_write() {
    let body = client_hello();
    let hello = ClientHello::parse(&body).unwrap();
    assert_eq!(hello.version, ProtocolVersion::DTLS_1_2);
    assert_eq!(hello.random, [7; 32]);
    assert_eq!(hello.cookie, b"cookie");
    assert_eq!(hello.cipher_suites, [CipherSuite(0xc02b)]);
    assert_eq!(hello.compression_methods, [0]);
    assert_eq!(hello.extensions.find(ExtensionType::USE_SRTP), Some(&b"abc"[..]));

    let body = server_key_exchange();
    let exchange = ServerKeyExchange::parse(&body).unwrap();
    assert_eq!((exchange.group, exchange.public, exchange.params), (0x1d, &[5; 32][..], &body[..36]));
    assert_eq!(exchange.signed, Signed { scheme: 0x0403, signature: b"signature" });

    let mut body = Vec::new();
    certificate::write(&mut body, b"der");
    assert_eq!(certificate::parse(&body), Ok(Some(&b"der"[..])));
    assert_eq!(certificate::parse(&[0, 0, 0]), Ok(None));
    let mut body = Vec::new();
    hello_verify::write(&mut body, b"");
    assert_eq!(hello_verify::parse(&body), Ok(&b""[..]));
}

proptest! {
    /// T-D17: no body makes a parser panic.
    #[test]
    fn t_d17_any_body_is_survived(body in prop::collection::vec(any::<u8>(), 0..600), at in 0_usize..600, byte: u8) {
        for (_, mut valid, parses) in all() {
            parses(&body);
            let len = valid.len();
            valid[at % len] = byte;
            parses(&valid);
        }
    }
}
