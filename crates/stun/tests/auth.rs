//! The two credential mechanisms between a client and a small server.

use crypto::{HashId, Provider};
use stun::{
    AttributeType, Builder, Integrity, IntegrityError, Message, Method, TransactionId,
    attr::{
        Code, ErrorCode, Nonce, PasswordAlgorithm, PasswordAlgorithmId, PasswordAlgorithms, Realm, UserHash,
        Username,
    },
    auth::{
        ChallengeError, CredentialError, LongTerm, ResponseError, SecurityFeatures, ShortTerm,
        ShortTermError, long_term_key, userhash,
    },
};

const REALM: &str = "example.org";

const fn provider() -> Provider {
    crypto::rustcrypto::provider()
}

fn id(byte: u8) -> TransactionId {
    TransactionId::new([byte; 12])
}

fn client() -> LongTerm {
    LongTerm::new(&provider(), "user", "pass").expect("invariant: fine credentials")
}

/// A request as the client makes it now.
fn request(client: &LongTerm) -> Vec<u8> {
    let mut out = Vec::new();
    let mut builder = Builder::request(&mut out, Method::ALLOCATE, id(1));
    client.sign(&mut builder);
    builder.finish().expect("invariant: fits");
    out
}

/// A 401 or 438 answer.
fn challenge(code: Code, realm: &str, nonce: &str, algorithms: Option<PasswordAlgorithms<'_>>) -> Vec<u8> {
    let request = request(&client());
    let request = Message::parse(&request).expect("invariant: well formed");
    let mut out = Vec::new();
    let mut builder = Builder::error(&mut out, &request);
    builder.attribute(&ErrorCode::new(code)).attribute(&Realm::new(realm).expect("invariant: short"));
    builder.attribute(&Nonce::new(nonce).expect("invariant: short")).attribute_opt(algorithms.as_ref());
    builder.finish().expect("invariant: fits");
    out
}

fn handle(client: &mut LongTerm, answer: &[u8]) -> Result<(), ChallengeError> {
    client.handle_challenge(&Message::parse(answer).expect("invariant: well formed"))
}

fn nonce(features: SecurityFeatures, rest: &str) -> String {
    String::from_utf8(features.cookie().to_vec()).expect("invariant: ASCII") + rest
}

/// RFC 8489 §9.2.3.1.
#[test]
fn stun_long_term_first_request_without_credentials() {
    let bytes = request(&client());
    let message = Message::parse(&bytes).expect("invariant: well formed");
    assert_eq!((message.attributes().count(), message.integrity()), (0, None));
}

/// RFC 8489 §9.2.5: once, and never with the same credentials again.
#[test]
fn stun_401_realm_nonce_then_retry_once() {
    let mut client = client();
    let answer = challenge(Code::UNAUTHENTICATED, REALM, "n1", None);
    assert_eq!(handle(&mut client, &answer), Ok(()));
    let bytes = request(&client);
    let message = Message::parse(&bytes).expect("invariant: well formed");
    assert_eq!(message.require::<Username<'_>>().map(|it| it.as_str()), Ok(Some("user")));
    assert_eq!(message.require::<Realm<'_>>().map(|it| it.as_str()), Ok(Some(REALM)));
    assert_eq!(message.require::<Nonce<'_>>().map(|it| it.as_str()), Ok(Some("n1")));
    assert!(!message.contains(AttributeType::PASSWORD_ALGORITHM));
    let key = long_term_key(&provider(), PasswordAlgorithmId::MD5, "user", REALM.as_bytes(), "pass");
    assert_eq!(message.verify(&key.expect("invariant: MD5 is there")), Ok(Integrity::Sha1));

    assert_eq!(handle(&mut client, &answer), Err(ChallengeError::CredentialsRefused));
    let other = challenge(Code::UNAUTHENTICATED, "another.realm", "n2", None);
    assert_eq!(handle(&mut client, &other), Ok(()), "another realm has another key");
}

/// RFC 8489 §9.2.5.
#[test]
fn stun_438_stale_nonce_retries_with_new_nonce() {
    let mut client = client();
    assert_eq!(
        handle(&mut client, &challenge(Code::STALE_NONCE, REALM, "n0", None)),
        Err(ChallengeError::NotAChallenge)
    );
    handle(&mut client, &challenge(Code::UNAUTHENTICATED, REALM, "n1", None)).expect("invariant: fine");
    let before = client.generation();
    handle(&mut client, &challenge(Code::STALE_NONCE, REALM, "n2", None)).expect("invariant: fine");
    assert_ne!(client.generation(), before);
    let bytes = request(&client);
    let message = Message::parse(&bytes).expect("invariant: well formed");
    assert_eq!(message.require::<Nonce<'_>>().map(|it| it.as_str()), Ok(Some("n2")));
    assert_eq!(
        handle(&mut client, &challenge(Code::STALE_NONCE, REALM, "n2", None)),
        Err(ChallengeError::SameNonce)
    );
}

/// RFC 8489 §9.2.5, §9.2.1.
#[test]
fn stun_password_algorithms_bid_down_detected() {
    let announced = nonce(SecurityFeatures::PASSWORD_ALGORITHMS, "rest");
    for code in [Code::UNAUTHENTICATED, Code::STALE_NONCE] {
        let mut client = client();
        if code == Code::STALE_NONCE {
            handle(&mut client, &challenge(Code::UNAUTHENTICATED, REALM, "n1", None))
                .expect("invariant: fine");
        }
        let stripped = challenge(code, REALM, &announced, None);
        assert_eq!(handle(&mut client, &stripped), Err(ChallengeError::BidDown));
    }
    let mut client = client();
    let list = PasswordAlgorithms::SHA256_MD5;
    handle(&mut client, &challenge(Code::UNAUTHENTICATED, REALM, &announced, Some(list)))
        .expect("invariant: fine");
    let bytes = request(&client);
    let message = Message::parse(&bytes).expect("invariant: well formed");
    assert_eq!(message.require::<PasswordAlgorithms<'_>>(), Ok(list), "echoed as it came");
    let chosen = PasswordAlgorithm::new(PasswordAlgorithmId::SHA256);
    assert_eq!(message.require::<PasswordAlgorithm<'_>>(), Ok(chosen), "the first that is supported");
    let key = long_term_key(&provider(), PasswordAlgorithmId::SHA256, "user", REALM.as_bytes(), "pass");
    let key = key.expect("invariant: SHA-256 is there");
    assert_eq!(message.verify(&key), Ok(Integrity::Sha256));
    assert!(!message.has_sha1(), "only SHA-256 from then on");

    // An answer with less than what the request was signed with.
    let mut answer = Vec::new();
    let mut builder = Builder::success(&mut answer, &message);
    builder.message_integrity(&key);
    builder.finish().expect("invariant: fits");
    let verdict = client.verify(&Message::parse(&answer).expect("invariant: well formed"));
    assert_eq!(verdict, Err(ResponseError::Integrity(IntegrityError::Mismatch)));
}

#[test]
fn no_common_password_algorithm_is_the_end() {
    let mut client = client();
    let mut answer = challenge(Code::UNAUTHENTICATED, REALM, "n", Some(PasswordAlgorithms::SHA256));
    let at = answer.len() - 4;
    answer[at + 1] = 99;
    assert_eq!(handle(&mut client, &answer), Err(ChallengeError::NoCommonAlgorithm));
}

/// RFC 8489 §9.2.3.2, §14.4.
#[test]
fn stun_userhash_when_anonymity_bit() {
    let mut client = client();
    let anonymous = nonce(SecurityFeatures::USERNAME_ANONYMITY, "x");
    handle(&mut client, &challenge(Code::UNAUTHENTICATED, REALM, &anonymous, None)).expect("invariant: fine");
    let bytes = request(&client);
    let message = Message::parse(&bytes).expect("invariant: well formed");
    let hash = userhash(&provider(), "user", REALM.as_bytes()).expect("invariant: SHA-256 is there");
    assert_eq!(message.require::<UserHash>(), Ok(hash));
    assert!(!message.contains(AttributeType::USERNAME));
}

/// RFC 8489 §9.1.4, §9.2.5: an answer without the right integrity never happened.
#[test]
fn stun_response_failing_mi_discarded_as_never_received() {
    let mut client = client();
    let bare = challenge(Code::BAD_REQUEST, REALM, "n", None);
    let bare = Message::parse(&bare).expect("invariant: well formed");
    assert_eq!(client.verify(&bare), Err(ResponseError::NotChallenged));
    handle(&mut client, &challenge(Code::UNAUTHENTICATED, REALM, "n", None)).expect("invariant: fine");
    assert_eq!(client.verify(&bare), Err(ResponseError::Integrity(IntegrityError::Missing)));
    let bytes = request(&client);
    let request = Message::parse(&bytes).expect("invariant: well formed");
    for (password, expected) in
        [("pass", Ok(())), ("wrong", Err(ResponseError::Integrity(IntegrityError::Mismatch)))]
    {
        let key = long_term_key(&provider(), PasswordAlgorithmId::MD5, "user", REALM.as_bytes(), password);
        let mut answer = Vec::new();
        let mut builder = Builder::success(&mut answer, &request);
        builder.message_integrity(&key.expect("invariant: MD5 is there"));
        builder.finish().expect("invariant: fits");
        let answer = Message::parse(&answer).expect("invariant: well formed");
        assert_eq!(client.verify(&answer), expected);
    }
}

/// RFC 8489 §9.1.3.
#[test]
fn stun_short_term_bad_mi_401_missing_400_indication_dropped() {
    let ours = ShortTerm::new(&provider(), "evtj:h6vY", "secret").expect("invariant: fine");
    let check = |write: &dyn Fn(&mut Builder<'_>)| {
        let mut out = Vec::new();
        let mut builder = Builder::request(&mut out, Method::BINDING, id(2));
        write(&mut builder);
        builder.finish().expect("invariant: fits");
        ours.check(&Message::parse(&out).expect("invariant: well formed"))
    };
    let wrong = ShortTerm::new(&provider(), "evtj:h6vY", "wrong").expect("invariant: fine");
    let other = ShortTerm::new(&provider(), "evtj:other", "secret").expect("invariant: fine");
    assert_eq!(check(&|builder| ours.sign(builder, Integrity::Sha1)), Ok(Integrity::Sha1));
    assert_eq!(check(&|builder| ours.sign(builder, Integrity::Sha256)), Ok(Integrity::Sha256));
    assert_eq!(check(&|builder| wrong.sign(builder, Integrity::Sha1)), Err(ShortTermError::Mismatch));
    assert_eq!(check(&|builder| other.sign(builder, Integrity::Sha1)), Err(ShortTermError::UnknownUser));
    assert_eq!(check(&|_| {}), Err(ShortTermError::Missing));
    assert_eq!(check(&|builder| _ = builder.message_integrity(ours.key())), Err(ShortTermError::Missing));
    assert_eq!(ShortTermError::Missing.code(), Code::BAD_REQUEST);
    assert_eq!(ShortTermError::Mismatch.code(), Code::UNAUTHENTICATED);
}

#[test]
fn credentials_that_cannot_be_used_are_refused() {
    let make = |username: &str, password: &str| LongTerm::new(&provider(), username, password).err();
    assert_eq!(make("", "pass"), Some(CredentialError::Empty));
    assert_eq!(make("user", ""), Some(CredentialError::Empty));
    assert_eq!(make("us\ner", "pass"), Some(CredentialError::ControlCharacter));
    assert_eq!(make(&"u".repeat(509), "pass"), Some(CredentialError::TooLong));
    assert!(!format!("{:?}", client()).contains("pass\""), "no password in logs");
    assert!(provider().hash(HashId::Md5).is_some());
}
