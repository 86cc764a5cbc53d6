//! The client of DTLS 1.2 (RFC 5246 §7.3, RFC 6347 §4.2.4).
//!
//! Each state is a struct that is consumed by the message it awaits:
//!
//! ```text
//! AwaitServerHello ─ AwaitCertificate ─ AwaitServerKeyExchange ─ AwaitCertificateRequest
//!        └─ HelloVerifyRequest: again with cookie    ─ AwaitServerHelloDone ─ AwaitFinished ─ Done
//! ```

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::certificate::parse::KeyKind;
use crate::connection::context::{Context, key_exchange_fault};
use crate::connection::machine::Machine;
use crate::error::Fault;
use crate::extension::{self, ExtensionType, numbers, renegotiation_info, use_srtp};
use crate::flight::Answer;
use crate::handshake::{HandshakeType, Message};
use crate::keys::schedule::{MasterSecret, Randoms};
use crate::message::key_exchange::{self, ServerKeyExchange};
use crate::message::server_hello::ServerHello;
use crate::message::{certificate, certificate_request, client_hello, hello_verify};
use crate::registry::{self, is_ecdsa};
use crate::{CipherSuite, ProtocolVersion, SrtpPolicy, Violation};
use crypto::Group;

/// A server that asks for more cookies than this is playing.
const MAX_HELLO_VERIFY: u8 = 3;

/// The extensions that are asked for in some hello.
const ASKED: [ExtensionType; 4] = [
    ExtensionType::EXTENDED_MASTER_SECRET,
    ExtensionType::RENEGOTIATION_INFO,
    ExtensionType::EC_POINT_FORMATS,
    ExtensionType::USE_SRTP,
];

/// What the client waits for.
#[derive(Debug)]
pub(crate) enum State {
    ServerHello(AwaitServerHello),
    Certificate(AwaitCertificate),
    ServerKeyExchange(AwaitServerKeyExchange),
    CertificateRequest(AwaitCertificateRequest),
    ServerHelloDone(AwaitServerHelloDone),
    Finished(AwaitFinished),
}

impl State {
    /// Sends the first hello.
    pub(crate) fn start(cx: &mut Context<'_>) -> Result<Self, Fault> {
        let random = cx.rng.bytes();
        cx.begin_flight(Answer::Awaited, None);
        send_hello(cx, &random, &[])?;
        Ok(Self::ServerHello(AwaitServerHello { random, verified: 0 }))
    }

    pub(crate) fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        match self {
            Self::ServerHello(state) => state.on_message(cx, message),
            Self::Certificate(state) => state.on_message(cx, message),
            Self::ServerKeyExchange(state) => state.on_message(cx, message),
            Self::CertificateRequest(state) => state.on_message(cx, message),
            Self::ServerHelloDone(state) => state.on_message(cx, message),
            Self::Finished(state) => state.on_message(cx, message),
        }
    }
}

/// The cipher suites whose signatures the provider can verify.
fn cipher_suites(cx: &Context<'_>) -> Vec<CipherSuite> {
    let schemes = cx.schemes();
    let mut suites = Vec::with_capacity(2);
    if schemes.iter().any(|scheme| is_ecdsa(*scheme)) {
        suites.push(CipherSuite::ECDHE_ECDSA_AES_128_GCM_SHA256);
    }
    if schemes.iter().any(|scheme| !is_ecdsa(*scheme)) {
        suites.push(CipherSuite::ECDHE_RSA_AES_128_GCM_SHA256);
    }
    suites
}

fn send_hello(cx: &mut Context<'_>, random: &[u8; 32], cookie: &[u8]) -> Result<(), Fault> {
    let mut body = Vec::new();
    let schemes = cx.schemes();
    client_hello::write(&mut body, random, cookie, &cipher_suites(cx), |out| {
        extension::put(out, ExtensionType::EXTENDED_MASTER_SECRET, |_| ());
        extension::put(out, ExtensionType::RENEGOTIATION_INFO, renegotiation_info::put);
        extension::put(out, ExtensionType::SUPPORTED_GROUPS, |out| {
            numbers::put(out, cx.config.provider.groups().iter().map(|group| group.group().number()));
        });
        extension::put(out, ExtensionType::EC_POINT_FORMATS, |out| out.extend_from_slice(&[1, 0]));
        extension::put(out, ExtensionType::SIGNATURE_ALGORITHMS, |out| {
            numbers::put(out, schemes.iter().map(|scheme| scheme.number()));
        });
        if !cx.config.srtp_profiles.is_empty() {
            extension::put(out, ExtensionType::USE_SRTP, |out| use_srtp::put(out, &cx.config.srtp_profiles));
        }
    });
    cx.send(HandshakeType::CLIENT_HELLO, body)
}

/// The hello is out.
#[derive(Debug)]
pub(crate) struct AwaitServerHello {
    random: [u8; 32],
    /// How often a cookie was asked for.
    verified: u8,
}

impl AwaitServerHello {
    fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        if message.kind == HandshakeType::HELLO_VERIFY_REQUEST {
            return self.on_hello_verify(cx, message);
        }
        expect(message, HandshakeType::SERVER_HELLO, "ServerHello")?;
        let hello = ServerHello::parse(&message.body)?;
        if hello.version != ProtocolVersion::DTLS_1_2 {
            return Err(Violation::ProtocolVersion.into());
        }
        if !cipher_suites(cx).contains(&hello.cipher_suite) {
            return Err(Violation::IllegalParameter("cipher suite").into());
        }
        if hello.compression_method != 0 {
            return Err(Violation::IllegalParameter("compression method").into());
        }
        check_extensions(cx, &hello)?;
        cx.shared.cipher_suite = Some(hello.cipher_suite);
        let randoms = Randoms { client: self.random, server: hello.random };
        Ok(State::Certificate(AwaitCertificate { randoms, suite: hello.cipher_suite }).into())
    }

    fn on_hello_verify(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        if self.verified >= MAX_HELLO_VERIFY {
            return Err(Violation::UnexpectedMessage("ServerHello").into());
        }
        let cookie = hello_verify::parse(&message.body)?;
        //= rfc6347 §4.2.6
        //# in cases where the cookie exchange is used, the initial
        //# ClientHello and HelloVerifyRequest MUST NOT be included in the
        //# CertificateVerify or Finished MAC computations.
        cx.shared.transcript.clear();
        cx.begin_flight(Answer::Awaited, Some(message.seq));
        send_hello(cx, &self.random, cookie)?;
        Ok(State::ServerHello(Self { verified: self.verified + 1, ..self }).into())
    }
}

fn check_extensions(cx: &mut Context<'_>, hello: &ServerHello<'_>) -> Result<(), Fault> {
    let extensions = &hello.extensions;
    //= rfc5246 §7.4.1.4
    //# An extension type MUST NOT appear in the ServerHello unless the same
    //# extension type appeared in the corresponding ClientHello.
    if !extensions.only(&ASKED) {
        return Err(Violation::UnsupportedExtension.into());
    }
    match extensions.find(ExtensionType::EXTENDED_MASTER_SECRET) {
        Some([]) => {}
        Some(_) => return Err(Violation::Decode("extended_master_secret").into()),
        None => return Err(Violation::MissingExtendedMasterSecret.into()),
    }
    renegotiation_info::check(extensions.find(ExtensionType::RENEGOTIATION_INFO))?;
    if let Some(formats) = extensions.find(ExtensionType::EC_POINT_FORMATS) {
        let formats = numbers::parse_point_formats(formats).ok_or(Violation::Decode("ec_point_formats"))?;
        if !formats.contains(&0) {
            return Err(Violation::IllegalParameter("ec_point_formats").into());
        }
    }
    let offered = &cx.config.srtp_profiles;
    let Some(content) = extensions.find(ExtensionType::USE_SRTP) else {
        if !offered.is_empty() && cx.config.srtp_policy == SrtpPolicy::Required {
            return Err(Violation::MissingSrtp.into());
        }
        return Ok(());
    };
    if offered.is_empty() {
        return Err(Violation::UnsupportedExtension.into());
    }
    let srtp = use_srtp::UseSrtp::parse(content)?;
    // RFC 5764 §4.1.1: one profile, one of ours; RFC 8827 §6.5: no MKI, and none was offered.
    match srtp.profiles.as_slice() {
        [profile] if offered.contains(profile) && !srtp.has_mki => {
            cx.shared.srtp_profile = Some(*profile);
            Ok(())
        }
        _ => Err(Violation::IllegalParameter("use_srtp").into()),
    }
}

/// The server has chosen.
#[derive(Debug)]
pub(crate) struct AwaitCertificate {
    randoms: Randoms,
    suite: CipherSuite,
}

impl AwaitCertificate {
    fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        expect(message, HandshakeType::CERTIFICATE, "Certificate")?;
        let der = certificate::parse(&message.body)?.ok_or(Violation::MissingCertificate)?;
        let kind = cx.take_certificate(der)?;
        let wanted = match self.suite {
            CipherSuite::ECDHE_ECDSA_AES_128_GCM_SHA256 => KeyKind::EcP256,
            _ => KeyKind::Rsa,
        };
        if kind != wanted {
            return Err(Violation::BadCertificate.into());
        }
        Ok(State::ServerKeyExchange(AwaitServerKeyExchange { randoms: self.randoms }).into())
    }
}

/// The server's certificate is known.
#[derive(Debug)]
pub(crate) struct AwaitServerKeyExchange {
    randoms: Randoms,
}

impl AwaitServerKeyExchange {
    fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        expect(message, HandshakeType::SERVER_KEY_EXCHANGE, "ServerKeyExchange")?;
        let exchange = ServerKeyExchange::parse(&message.body)?;
        let group = registry::group(exchange.group)
            .filter(|group| cx.config.provider.group(*group).is_some())
            .ok_or(Violation::IllegalParameter("group"))?;
        let Randoms { client, server } = &self.randoms;
        let content = key_exchange::signed_content(client, server, exchange.params);
        cx.check_signature(&exchange.signed, &content)?;
        cx.shared.group = Some(group);
        let public = exchange.public.to_vec();
        Ok(State::CertificateRequest(AwaitCertificateRequest { randoms: self.randoms, group, public }).into())
    }
}

/// The server has proved that it has the key of its certificate.
#[derive(Debug)]
pub(crate) struct AwaitCertificateRequest {
    randoms: Randoms,
    group: Group,
    public: Vec<u8>,
}

impl AwaitCertificateRequest {
    fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        //= rfc8122 §6.2
        //# The server MUST
        //# request a certificate
        if message.kind == HandshakeType::SERVER_HELLO_DONE {
            return Err(Violation::MissingCertificate.into());
        }
        expect(message, HandshakeType::CERTIFICATE_REQUEST, "CertificateRequest")?;
        let schemes = certificate_request::parse(&message.body)?;
        if !schemes.contains(&cx.certificate.scheme().number()) {
            return Err(Violation::NoCommonSignatureScheme.into());
        }
        let Self { randoms, group, public } = self;
        Ok(State::ServerHelloDone(AwaitServerHelloDone { randoms, group, public }).into())
    }
}

/// The server wants our certificate.
#[derive(Debug)]
pub(crate) struct AwaitServerHelloDone {
    randoms: Randoms,
    group: Group,
    public: Vec<u8>,
}

impl AwaitServerHelloDone {
    fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        expect(message, HandshakeType::SERVER_HELLO_DONE, "ServerHelloDone")?;
        if !message.body.is_empty() {
            return Err(Violation::Decode("ServerHelloDone").into());
        }
        let exchange = cx.config.provider.group(self.group).ok_or(Violation::NoCommonGroup)?.start(cx.rng)?;
        let ours = exchange.public_key().to_vec();
        let pre_master = exchange.complete(&self.public).map_err(key_exchange_fault)?;

        cx.begin_flight(Answer::Awaited, Some(message.seq));
        let mut body = Vec::new();
        certificate::write(&mut body, cx.certificate.der());
        #[cfg(test)]
        if cx.shared.mischief == Some(crate::connection::tests::Mischief::EmptyCertificate) {
            body = vec![0, 0, 0];
        }
        cx.send(HandshakeType::CERTIFICATE, body)?;

        let mut body = Vec::new();
        key_exchange::write_client(&mut body, &ours);
        cx.send(HandshakeType::CLIENT_KEY_EXCHANGE, body)?;
        let transcript = cx.shared.transcript.all();
        let master = MasterSecret::derive(&cx.config.provider, &pre_master, transcript, self.randoms)?;
        cx.install_keys(master)?;
        send_certificate_verify(cx)?;
        cx.send_finished()?;
        Ok(State::Finished(AwaitFinished).into())
    }
}

fn send_certificate_verify(cx: &mut Context<'_>) -> Result<(), Fault> {
    #[cfg_attr(not(test), expect(unused_mut, reason = "tests sign something else"))]
    let mut content = cx.shared.transcript.all().to_vec();
    #[cfg(test)]
    match cx.shared.mischief {
        Some(crate::connection::tests::Mischief::NoCertificateVerify) => return Ok(()),
        Some(crate::connection::tests::Mischief::StaleTranscript) => {
            content = cx.shared.transcript.before_last().to_vec();
        }
        Some(crate::connection::tests::Mischief::ProtectedCertificateVerify) => cx.send_change_cipher_spec(),
        _ => {}
    }
    let mut body = Vec::new();
    cx.sign(&content, &mut body)?;
    cx.send(HandshakeType::CERTIFICATE_VERIFY, body)
}

/// Everything of ours is out.
#[derive(Debug)]
pub(crate) struct AwaitFinished;

impl AwaitFinished {
    fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        expect(message, HandshakeType::FINISHED, "Finished")?;
        cx.check_finished(&message.body)?;
        cx.shared.flight.clear();
        Ok(Machine::Done)
    }
}

/// Refuses every message but the one awaited.
pub(crate) fn expect(message: &Message, kind: HandshakeType, name: &'static str) -> Result<(), Violation> {
    if message.kind == kind { Ok(()) } else { Err(Violation::UnexpectedMessage(name)) }
}
