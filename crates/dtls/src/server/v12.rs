//! The server of DTLS 1.2 (RFC 5246 §7.3, RFC 6347 §4.2.4).
//!
//! ```text
//! AwaitClientHello ─ AwaitCertificate ─ AwaitClientKeyExchange ─ AwaitCertificateVerify ─ AwaitFinished ─ Done
//!        └─ without a valid cookie, where one is required: again
//! ```

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::client::v12::expect;
use crate::config::CookiePolicy;
use crate::connection::context::{Context, key_exchange_fault};
use crate::connection::machine::Machine;
use crate::cookie;
use crate::error::Fault;
use crate::extension::{self, ExtensionType, Extensions, numbers, renegotiation_info, use_srtp};
use crate::flight::Answer;
use crate::handshake::{HandshakeType, Message};
use crate::keys::schedule::{MasterSecret, Randoms};
use crate::message::certificate_verify::Signed;
use crate::message::client_hello::ClientHello;
use crate::message::{certificate, certificate_request, hello_verify, key_exchange, server_hello};
use crate::{CipherSuite, ProtocolVersion, SrtpPolicy, SrtpProfile, Violation};
use crypto::{ActiveKeyExchange, Group, KeyExchange};

/// What the server waits for.
#[derive(Debug)]
pub(crate) enum State {
    ClientHello(AwaitClientHello),
    Certificate(AwaitCertificate),
    ClientKeyExchange(AwaitClientKeyExchange),
    CertificateVerify(AwaitCertificateVerify),
    Finished(AwaitFinished),
}

impl State {
    pub(crate) const fn start() -> Self {
        Self::ClientHello(AwaitClientHello)
    }

    pub(crate) fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        match self {
            Self::ClientHello(state) => state.on_message(cx, message),
            Self::Certificate(state) => state.on_message(cx, message),
            Self::ClientKeyExchange(state) => state.on_message(cx, message),
            Self::CertificateVerify(state) => state.on_message(cx, message),
            Self::Finished(state) => state.on_message(cx, message),
        }
    }
}

/// Nothing has come yet.
#[derive(Debug)]
pub(crate) struct AwaitClientHello;

/// What is chosen from a hello.
struct Choice {
    suite: CipherSuite,
    exchange: &'static dyn KeyExchange,
    srtp: Option<SrtpProfile>,
    answer_renegotiation_info: bool,
    answer_point_formats: bool,
}

impl AwaitClientHello {
    fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        expect(message, HandshakeType::CLIENT_HELLO, "ClientHello")?;
        let hello = ClientHello::parse(&message.body)?;
        if let CookiePolicy::Required(secret) = &cx.config.cookie_policy {
            // RFC 6347 §4.2.1: the answers continue the numbers of the hello, so that no state is needed between.
            let sequence = cx.shared.last_plain_sequence;
            cx.shared.write.plain.raise(sequence);
            cx.continue_numbering(message.seq);
            let provider = &cx.config.provider;
            let source = &cx.shared.cookie_source;
            if !cookie::is_valid(provider, secret, source, &hello)? {
                let cookie = cookie::make(provider, secret, source, &hello)?;
                return self.ask_for_cookie(cx, message.seq, &cookie);
            }
        }
        let choice = choose(cx, &hello)?;
        let server_random = cx.rng.bytes();
        let randoms = Randoms { client: hello.random, server: server_random };
        let exchange = choice.exchange.start(cx.rng)?;
        send_flight(cx, message.seq, &choice, &randoms, &*exchange)?;
        cx.shared.cipher_suite = Some(choice.suite);
        cx.shared.group = Some(exchange.group());
        cx.shared.srtp_profile = choice.srtp;
        Ok(State::Certificate(AwaitCertificate { randoms, exchange }).into())
    }

    fn ask_for_cookie(self, cx: &mut Context<'_>, seq: u16, cookie: &[u8]) -> Result<Machine, Fault> {
        let mut body = Vec::new();
        hello_verify::write(&mut body, cookie);
        cx.begin_flight(Answer::None, Some(seq));
        cx.send(HandshakeType::HELLO_VERIFY_REQUEST, body)?;
        cx.shared.transcript.clear();
        Ok(State::ClientHello(self).into())
    }
}

fn choose(cx: &Context<'_>, hello: &ClientHello<'_>) -> Result<Choice, Fault> {
    check_version(hello)?;
    if !hello.compression_methods.contains(&0) {
        return Err(Violation::IllegalParameter("compression methods").into());
    }
    let extensions = &hello.extensions;
    match extensions.find(ExtensionType::EXTENDED_MASTER_SECRET) {
        Some([]) => {}
        Some(_) => return Err(Violation::Decode("extended_master_secret").into()),
        None => return Err(Violation::MissingExtendedMasterSecret.into()),
    }
    let renegotiation_info = extensions.find(ExtensionType::RENEGOTIATION_INFO);
    renegotiation_info::check(renegotiation_info)?;
    let suite = CipherSuite::for_server_key(cx.certificate.scheme());
    if !hello.cipher_suites.contains(&suite) {
        return Err(Violation::NoCommonCipherSuite.into());
    }
    // RFC 5246 §7.4.1.4.1: without the extension the client means SHA-1, which is not done.
    let schemes = match extensions.find(ExtensionType::SIGNATURE_ALGORITHMS) {
        Some(content) => numbers::parse(content).ok_or(Violation::Decode("signature_algorithms"))?,
        None => Vec::new(),
    };
    if !schemes.contains(&cx.certificate.scheme().number()) {
        return Err(Violation::NoCommonSignatureScheme.into());
    }
    let point_formats = extensions.find(ExtensionType::EC_POINT_FORMATS);
    if let Some(content) = point_formats {
        let formats = numbers::parse_point_formats(content).ok_or(Violation::Decode("ec_point_formats"))?;
        //= rfc8422 §5.1.2
        //# If the client sends the extension and the extension does not contain
        //# the uncompressed point format, and the client has used the Supported
        //# Groups extension to indicate support for any of the curves defined in
        //# this specification, then the server MUST abort the handshake and
        //# return an illegal_parameter alert.
        if !formats.contains(&0) {
            return Err(Violation::IllegalParameter("ec_point_formats").into());
        }
    }
    Ok(Choice {
        suite,
        exchange: choose_group(cx, extensions)?,
        srtp: choose_srtp(cx, extensions)?,
        answer_renegotiation_info: renegotiation_info.is_some()
            || hello.cipher_suites.contains(&CipherSuite::EMPTY_RENEGOTIATION_INFO_SCSV),
        answer_point_formats: point_formats.is_some(),
    })
}

fn check_version(hello: &ClientHello<'_>) -> Result<(), Violation> {
    let acceptable = match hello.extensions.find(ExtensionType::SUPPORTED_VERSIONS) {
        Some(content) => numbers::parse_short(content)
            .ok_or(Violation::Decode("supported_versions"))?
            .contains(&ProtocolVersion::DTLS_1_2.0),
        // Versions count down from FEFF: a lower number is a later version.
        None => hello.version.0 >> 8 == 0xfe && hello.version.0 <= ProtocolVersion::DTLS_1_2.0,
    };
    if acceptable { Ok(()) } else { Err(Violation::ProtocolVersion) }
}

fn choose_group(cx: &Context<'_>, extensions: &Extensions<'_>) -> Result<&'static dyn KeyExchange, Fault> {
    let offered = match extensions.find(ExtensionType::SUPPORTED_GROUPS) {
        Some(content) => numbers::parse(content).ok_or(Violation::Decode("supported_groups"))?,
        // RFC 8422 §4: such a client takes any curve; all of them have this one.
        None => vec![Group::Secp256r1.number()],
    };
    let ours = cx.config.provider.groups().iter().copied();
    let mut common = ours.filter(|exchange| offered.contains(&exchange.group().number()));
    Ok(common.next().ok_or(Violation::NoCommonGroup)?)
}

fn choose_srtp(cx: &Context<'_>, extensions: &Extensions<'_>) -> Result<Option<SrtpProfile>, Fault> {
    let ours = &cx.config.srtp_profiles;
    if ours.is_empty() {
        return Ok(None);
    }
    let required = cx.config.srtp_policy == SrtpPolicy::Required;
    let Some(content) = extensions.find(ExtensionType::USE_SRTP) else {
        return if required { Err(Violation::MissingSrtp.into()) } else { Ok(None) };
    };
    let offered = use_srtp::UseSrtp::parse(content)?;
    let common = ours.iter().copied().find(|profile| offered.profiles.contains(profile));
    if common.is_none() && required {
        return Err(Violation::NoCommonSrtpProfile.into());
    }
    Ok(common)
}

fn send_flight(
    cx: &mut Context<'_>,
    hello_seq: u16,
    choice: &Choice,
    randoms: &Randoms,
    exchange: &dyn ActiveKeyExchange,
) -> Result<(), Fault> {
    cx.begin_flight(Answer::Awaited, Some(hello_seq));

    let mut body = Vec::new();
    server_hello::write(&mut body, &randoms.server, choice.suite, |out| {
        extension::put(out, ExtensionType::EXTENDED_MASTER_SECRET, |_| ());
        if choice.answer_renegotiation_info {
            extension::put(out, ExtensionType::RENEGOTIATION_INFO, renegotiation_info::put);
        }
        if choice.answer_point_formats {
            extension::put(out, ExtensionType::EC_POINT_FORMATS, |out| out.extend_from_slice(&[1, 0]));
        }
        if let Some(profile) = choice.srtp {
            extension::put(out, ExtensionType::USE_SRTP, |out| use_srtp::put(out, &[profile]));
        }
    });
    cx.send(HandshakeType::SERVER_HELLO, body)?;

    let mut body = Vec::new();
    certificate::write(&mut body, cx.certificate.der());
    cx.send(HandshakeType::CERTIFICATE, body)?;

    let mut body = Vec::new();
    key_exchange::write_params(&mut body, exchange.group().number(), exchange.public_key());
    let content = key_exchange::signed_content(&randoms.client, &randoms.server, &body);
    cx.sign(&content, &mut body)?;
    cx.send(HandshakeType::SERVER_KEY_EXCHANGE, body)?;

    #[cfg(test)]
    if cx.shared.mischief == Some(crate::connection::tests::Mischief::NoCertificateRequest) {
        return cx.send(HandshakeType::SERVER_HELLO_DONE, Vec::new());
    }
    let mut body = Vec::new();
    certificate_request::write(&mut body, &cx.schemes());
    cx.send(HandshakeType::CERTIFICATE_REQUEST, body)?;
    cx.send(HandshakeType::SERVER_HELLO_DONE, Vec::new())
}

/// Our flight is out.
#[derive(Debug)]
pub(crate) struct AwaitCertificate {
    randoms: Randoms,
    exchange: Box<dyn ActiveKeyExchange>,
}

impl AwaitCertificate {
    fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        expect(message, HandshakeType::CERTIFICATE, "Certificate")?;
        //= rfc8122 §6.2
        //# if the client does not provide one, or if the
        //# certificate does not match a provided fingerprint, the server
        //# endpoint MUST terminate the media connection with a bad_certificate
        //# error.
        let der = certificate::parse(&message.body)?.ok_or(Violation::MissingCertificate)?;
        cx.take_certificate(der)?;
        let Self { randoms, exchange } = self;
        Ok(State::ClientKeyExchange(AwaitClientKeyExchange { randoms, exchange }).into())
    }
}

/// The client's certificate is known.
#[derive(Debug)]
pub(crate) struct AwaitClientKeyExchange {
    randoms: Randoms,
    exchange: Box<dyn ActiveKeyExchange>,
}

impl AwaitClientKeyExchange {
    fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        expect(message, HandshakeType::CLIENT_KEY_EXCHANGE, "ClientKeyExchange")?;
        let public = key_exchange::parse_client(&message.body)?;
        let pre_master = self.exchange.complete(public).map_err(key_exchange_fault)?;
        let transcript = cx.shared.transcript.all();
        let master = MasterSecret::derive(&cx.config.provider, &pre_master, transcript, self.randoms)?;
        cx.install_keys(master)?;
        Ok(State::CertificateVerify(AwaitCertificateVerify).into())
    }
}

/// There are keys, but the client has not proved yet that its certificate is its own.
#[derive(Debug)]
pub(crate) struct AwaitCertificateVerify;

impl AwaitCertificateVerify {
    fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        expect(message, HandshakeType::CERTIFICATE_VERIFY, "CertificateVerify")?;
        let signed = Signed::parse(&message.body)?;
        cx.check_signature(&signed, cx.shared.transcript.before_last())?;
        Ok(State::Finished(AwaitFinished).into())
    }
}

/// The client is who its certificate says.
#[derive(Debug)]
pub(crate) struct AwaitFinished;

impl AwaitFinished {
    fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Machine, Fault> {
        expect(message, HandshakeType::FINISHED, "Finished")?;
        cx.check_finished(&message.body)?;
        cx.begin_flight(Answer::None, Some(message.seq));
        cx.send_finished()?;
        Ok(Machine::Done)
    }
}
