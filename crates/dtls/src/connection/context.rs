//! What the handshake states work with, and what they leave behind.

use crate::certificate::fingerprint::Fingerprint;
use crate::certificate::parse::{self, KeyKind};
use crate::error::Fault;
use crate::flight::{Answer, Flight, WriteEpochs};
use crate::handshake::HandshakeType;
use crate::handshake::transcript::Transcript;
use crate::keys::schedule::MasterSecret;
use crate::message::certificate_verify::Signed;
use crate::record::epoch::{ReadEpoch, WriteEpoch};
use crate::registry::{self, is_ecdsa};
use crate::{Certificate, CipherSuite, Config, Role, SrtpProfile, Violation};
use crypto::{CryptoError, Group, Random, SignatureScheme};

/// The number of the epoch with keys: there is only one, since renegotiation is refused.
pub(crate) const PROTECTED: u16 = 1;

/// Borrowed by a handshake state while it works on a message.
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    pub(crate) role: Role,
    pub(crate) certificate: &'a Certificate,
    pub(crate) rng: &'a mut dyn Random,
    pub(crate) shared: &'a mut Shared,
}

/// What the handshake builds up.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) transcript: Transcript,
    pub(crate) flight: Flight,
    pub(crate) write: WriteEpochs,
    /// Keys for writing that wait for our ChangeCipherSpec.
    pub(crate) write_next: Option<WriteEpoch>,
    pub(crate) read: Option<ReadEpoch>,
    pub(crate) master: Option<MasterSecret>,
    /// The number of our next handshake message.
    next_seq: u16,
    pub(crate) peer: Option<PeerCertificate>,
    /// `None` until they are announced.
    pub(crate) expected: Option<Vec<Fingerprint>>,
    pub(crate) cipher_suite: Option<CipherSuite>,
    pub(crate) group: Option<Group>,
    pub(crate) srtp_profile: Option<SrtpProfile>,
    /// What names the peer's address in cookies.
    pub(crate) cookie_source: Vec<u8>,
    /// The sequence number of the last handshake record in clear text.
    pub(crate) last_plain_sequence: u64,
    #[cfg(test)]
    pub(crate) mischief: Option<super::tests::Mischief>,
}

/// What is kept of the peer's certificate.
#[derive(Debug)]
pub(crate) struct PeerCertificate {
    pub(crate) der: Vec<u8>,
    spki: Vec<u8>,
    kind: KeyKind,
}

impl Shared {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            transcript: Transcript::new(config.max_message.saturating_add(8 * 1024)),
            flight: Flight::new(),
            write: WriteEpochs::new(),
            write_next: None,
            read: None,
            master: None,
            next_seq: 0,
            peer: None,
            expected: None,
            cipher_suite: None,
            group: None,
            srtp_profile: None,
            cookie_source: Vec::new(),
            last_plain_sequence: 0,
            #[cfg(test)]
            mischief: None,
        }
    }

    /// Whether the peer's certificate is one of those announced; `None` while nothing is announced.
    pub(crate) fn fingerprint_matches(&self, config: &Config) -> Option<bool> {
        let expected = self.expected.as_deref()?;
        let peer = self.peer.as_ref()?;
        Some(Fingerprint::any_matches(expected, &config.provider, &peer.der))
    }
}

impl Context<'_> {
    /// Starts the flight that answers the peer's message `answers`.
    pub(crate) fn begin_flight(&mut self, answer: Answer, answers: Option<u16>) {
        self.shared.flight.begin(answer, answers);
    }

    /// Adds a message to the flight and to the transcript.
    pub(crate) fn send(&mut self, kind: HandshakeType, body: Vec<u8>) -> Result<(), Fault> {
        let epoch = if kind == HandshakeType::FINISHED { PROTECTED } else { 0 };
        #[cfg(test)]
        let (epoch, body) = self.shared.misbehave(kind, epoch, body);
        let seq = self.shared.next_seq;
        self.shared.next_seq = seq.saturating_add(1);
        self.shared.transcript.push(kind, seq, &body)?;
        self.shared.flight.push(kind, seq, epoch, body);
        Ok(())
    }

    /// A server that kept no state continues the numbering of the hello that it answers.
    pub(crate) fn continue_numbering(&mut self, seq: u16) {
        self.shared.next_seq = self.shared.next_seq.max(seq);
    }

    /// Ends our clear text: what follows in the flight is protected.
    pub(crate) fn send_change_cipher_spec(&mut self) {
        self.shared.flight.push_change_cipher_spec();
        if let Some(next) = self.shared.write_next.take() {
            self.shared.write.protected = Some(next);
        }
    }

    /// Adds our Finished message.
    pub(crate) fn send_finished(&mut self) -> Result<(), Fault> {
        self.send_change_cipher_spec();
        let verify_data = self.verify_data(self.role, self.shared.transcript.all())?;
        self.send(HandshakeType::FINISHED, verify_data.to_vec())
    }

    /// Checks the peer's Finished message, which is the last in the transcript.
    pub(crate) fn check_finished(&self, body: &[u8]) -> Result<(), Fault> {
        let expected = self.verify_data(self.role.other(), self.shared.transcript.before_last())?;
        let difference = expected.iter().zip(body).fold(0, |sum, (a, b)| sum | (a ^ b));
        if body.len() == expected.len() && difference == 0 { Ok(()) } else { Err(Violation::Finished.into()) }
    }

    fn verify_data(&self, role: Role, transcript: &[u8]) -> Result<[u8; 12], Fault> {
        let master = self.shared.master.as_ref().ok_or(Fault::Crypto(CryptoError::Unsupported))?;
        Ok(master.verify_data(&self.config.provider, role, transcript)?)
    }

    /// Sets up the protected epoch from the master secret.
    pub(crate) fn install_keys(&mut self, master: MasterSecret) -> Result<(), Fault> {
        let (write, read) = master.record_keys(&self.config.provider, self.role)?;
        self.shared.write_next = Some(WriteEpoch::protected(PROTECTED, write));
        self.shared.read = Some(ReadEpoch::new(PROTECTED, read));
        self.shared.master = Some(master);
        Ok(())
    }

    /// Takes the peer's certificate and compares it with the fingerprints, when these are known already.
    pub(crate) fn take_certificate(&mut self, der: &[u8]) -> Result<KeyKind, Fault> {
        let parsed = parse::parse(der).ok_or(Violation::BadCertificate)?;
        let kind = parsed.kind;
        self.shared.peer = Some(PeerCertificate { der: der.to_vec(), spki: parsed.spki, kind });
        //= rfc8122 §6.2
        //# If the certificate does not
        //# match the original fingerprint, the client endpoint MUST terminate
        //# the media connection with a bad_certificate error.
        if self.shared.fingerprint_matches(self.config) == Some(false) {
            return Err(Violation::FingerprintMismatch.into());
        }
        Ok(kind)
    }

    /// Checks a signature of the peer.
    pub(crate) fn check_signature(&self, signed: &Signed<'_>, content: &[u8]) -> Result<(), Fault> {
        let peer = self.shared.peer.as_ref().ok_or(Violation::MissingCertificate)?;
        let scheme =
            registry::scheme(signed.scheme).ok_or(Violation::IllegalParameter("signature scheme"))?;
        let verifier =
            self.config.provider.verifier(scheme).ok_or(Violation::IllegalParameter("signature scheme"))?;
        if is_ecdsa(scheme) != (peer.kind == KeyKind::EcP256) {
            return Err(Violation::IllegalParameter("signature scheme").into());
        }
        verifier.verify(&peer.spki, content, signed.signature).map_err(|_| Violation::Signature.into())
    }

    /// Appends our signature of `content`, with its scheme.
    pub(crate) fn sign(&mut self, content: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let key = self.certificate.key();
        let mut signature = Vec::new();
        key.sign(self.rng, content, &mut signature)?;
        Signed { scheme: key.scheme().number(), signature: &signature }.write(out);
        Ok(())
    }

    /// The schemes that the provider verifies, the most preferred first.
    pub(crate) fn schemes(&self) -> Vec<SignatureScheme> {
        registry::SCHEMES
            .into_iter()
            .filter(|scheme| self.config.provider.verifier(*scheme).is_some())
            .collect()
    }
}

/// Turns the failure of a key exchange into the peer's fault where it is one.
pub(crate) fn key_exchange_fault(error: CryptoError) -> Fault {
    if error == CryptoError::InvalidPublicKey {
        Violation::IllegalParameter("public key").into()
    } else {
        error.into()
    }
}
