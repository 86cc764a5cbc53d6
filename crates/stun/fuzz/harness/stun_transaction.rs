//! A client with long-term credentials and what a server may answer: challenges, errors, garbage, silence.

use std::time::{Duration, Instant};
use stun::{
    AttributeType, Builder, Class, Integrity, Message, Method, Step, Transaction, TransactionConfig,
    TransactionId,
    auth::{LongTerm, ShortTerm, opaque_string},
};
use testkit::fuzz::{Input, mend_stun, null_crypto, reached};

/// RFC 8489 §6.2.1: never more than was configured.
const MOST_REQUESTS: u32 = 16;

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut now = testkit::start();
    let config = TransactionConfig::new()
        .with_rto(Duration::from_millis(input.u16().into()))
        .with_max_requests(1 + u32::from(input.u8()) % MOST_REQUESTS)
        .with_last_wait_rtos(input.u8().into());
    let (user, password) = (input.chunk(), input.chunk());
    let (user, password) = (String::from_utf8_lossy(user), String::from_utf8_lossy(password));
    if let Ok(prepared) = opaque_string(&user) {
        assert_eq!(opaque_string(&prepared).expect("prepared already"), prepared, "preparation is stable");
    }
    let _ = ShortTerm::new(&null_crypto(), &user, &password);
    let mut credentials = LongTerm::new(&null_crypto(), &user, &password)
        .or_else(|_| LongTerm::new(&null_crypto(), "user", "password"))
        .expect("invariant: plain credentials are fine");
    let mut transaction = Transaction::new(now, &config);
    let mut requests = 0;
    while !input.is_empty() {
        match input.u8() & 3 {
            0 => now += Duration::from_millis(input.u16().into()),
            1 => requests += poll(&mut transaction, now, &credentials),
            2 => {
                let mut answer = input.chunk().to_vec();
                mend_stun(&mut answer);
                hear(&answer, &mut credentials, &mut transaction);
            }
            _ => {
                let answer = answer(&mut input);
                hear(&answer, &mut credentials, &mut transaction);
            }
        }
        assert!(requests <= MOST_REQUESTS, "{requests} requests of one transaction");
        assert_eq!(requests, transaction.requests_sent());
    }
    // Left alone it ends.
    for _ in 0..=MOST_REQUESTS + 1 {
        let Some(at) = transaction.poll_timeout() else { return };
        now = now.max(at);
        requests += poll(&mut transaction, now, &credentials);
        assert!(requests <= MOST_REQUESTS, "{requests} requests of one transaction");
        assert!(transaction.poll_timeout().is_none_or(|next| next >= at), "time goes on");
    }
    assert!(matches!(transaction.poll(now), Step::Failed(_)), "it does not end");
}

/// One poll; how many requests came of it, which can be read.
fn poll(transaction: &mut Transaction, now: Instant, credentials: &LongTerm) -> u32 {
    if transaction.poll(now) != Step::Send {
        return 0;
    }
    let mut out = Vec::new();
    let mut builder = Builder::request(&mut out, Method::BINDING, TransactionId::new([3; 12]));
    credentials.sign(&mut builder);
    builder.fingerprint();
    if builder.finish().is_ok() {
        reached(if credentials.is_challenged() { "signed" } else { "asked" });
        let message = Message::parse(&out).expect("our own request can be read");
        assert!(message.check_fingerprint().is_ok());
        assert_eq!(message.integrity().is_some(), credentials.is_challenged());
    }
    1
}

fn hear(answer: &[u8], credentials: &mut LongTerm, transaction: &mut Transaction) {
    let Ok(message) = Message::parse(answer) else { return };
    let generation = credentials.generation();
    match credentials.verify(&message) {
        Ok(_) => reached("verified"),
        Err(_) => transaction.note_violation(),
    }
    assert_eq!(credentials.generation(), generation, "looking changes nothing");
    if credentials.handle_challenge(&message).is_ok() {
        assert!(credentials.is_challenged());
        assert_eq!(message.class(), Class::Error);
        reached("challenged");
    }
}

/// An answer that is in order but for what is in it.
fn answer(input: &mut Input<'_>) -> Vec<u8> {
    const KINDS: [AttributeType; 8] = [
        AttributeType::ERROR_CODE,
        AttributeType::REALM,
        AttributeType::NONCE,
        AttributeType::PASSWORD_ALGORITHMS,
        AttributeType::PASSWORD_ALGORITHM,
        AttributeType::USERHASH,
        AttributeType::UNKNOWN_ATTRIBUTES,
        AttributeType::ALTERNATE_SERVER,
    ];
    let mut out = Vec::new();
    let class = if input.flag() { Class::Error } else { Class::Success };
    let mut builder = Builder::new(&mut out, class, Method::BINDING, TransactionId::new([3; 12]));
    let form = input.u8();
    if form & 1 == 0 {
        // 401 or 438.
        builder.raw(AttributeType::ERROR_CODE, &[0, 0, 4, if form & 2 == 0 { 1 } else { 38 }]);
    }
    if form & 4 == 0 {
        builder.raw(AttributeType::REALM, b"example.org");
    }
    if form & 8 == 0 {
        // With the cookie of both security features (RFC 8489 §9.2), or without.
        let nonce: &[u8] = if form & 128 == 0 { b"obMatJos2wAAAnonce" } else { b"nonce" };
        builder.raw(AttributeType::NONCE, nonce);
    }
    if form & 64 != 0 {
        // MD5 and SHA-256, which the cookie promises.
        builder.raw(AttributeType::PASSWORD_ALGORITHMS, &[0, 1, 0, 0, 0, 2, 0, 0]);
    }
    for _ in 0..input.below(6) {
        let kind = input.pick(&KINDS);
        builder.raw(kind, input.chunk());
    }
    let key = stun::IntegrityKey::new(&null_crypto(), b"any").expect("invariant: the provider has HMAC");
    match form >> 4 & 3 {
        1 => _ = builder.integrity(&key, Integrity::Sha1),
        2 => _ = builder.integrity(&key, Integrity::Sha256),
        _ => {}
    }
    if builder.finish().is_err() {
        out.clear();
    }
    out
}
