//! Parsing and checking a connectivity check.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use stun::{Builder, IntegrityKey, Message, Method, TransactionId, attr::Username};

fn stun(c: &mut Criterion) {
    let key = IntegrityKey::new(&crypto::rustcrypto::provider(), b"VOkJxbRl1RmTxUk/WvJxBt").expect("a key");
    let mut request = Vec::new();
    let id = TransactionId::random(&mut testkit::Seed::new(1).random());
    let mut builder = Builder::request(&mut request, Method::BINDING, id);
    builder.attribute(&Username::new("evtj:h6vY").expect("short")).message_integrity(&key).fingerprint();
    builder.finish().expect("built");
    c.bench_function("stun parse", |b| {
        b.iter(|| Message::parse(black_box(&request)).expect("readable").class());
    });
    c.bench_function("stun parse and verify", |b| {
        b.iter(|| {
            let message = Message::parse(black_box(&request)).expect("readable");
            message.check_fingerprint().expect("intact");
            message.verify(&key).expect("authentic")
        });
    });
}

criterion_group!(benches, stun);
criterion_main!(benches);
