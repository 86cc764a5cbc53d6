//! Protecting and unprotecting a packet of 1,200 bytes.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use srtp::{Config, Profile, Protector, Unprotector};

fn packet(number: u16) -> Vec<u8> {
    let mut packet = Vec::with_capacity(1_300);
    packet.extend_from_slice(&[0x80, 96]);
    packet.extend_from_slice(&number.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 2]);
    packet.resize(1_200, 7);
    packet
}

fn srtp(c: &mut Criterion) {
    let provider = crypto::rustcrypto::provider();
    let mut group = c.benchmark_group("srtp");
    group.throughput(Throughput::Bytes(1_200));
    for profile in [Profile::AeadAes128Gcm, Profile::Aes128CmHmacSha1_80] {
        let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
        let mut protector = Protector::new(&provider, profile, &key, &salt, Config::new()).expect("keys fit");
        let mut number = 0_u16;
        let mut next = || {
            number = number.wrapping_add(1);
            packet(number)
        };
        group.bench_function(format!("protect {}", profile.name()), |b| {
            b.iter_batched_ref(
                &mut next,
                |packet| protector.protect_rtp(packet, 0).expect("protected"),
                BatchSize::SmallInput,
            );
        });
        let mut protector = Protector::new(&provider, profile, &key, &salt, Config::new()).expect("keys fit");
        let mut unprotector =
            Unprotector::new(&provider, profile, &key, &salt, Config::new()).expect("keys fit");
        let mut protected = || {
            let mut packet = next();
            protector.protect_rtp(&mut packet, 0).expect("protected");
            packet
        };
        group.bench_function(format!("unprotect {}", profile.name()), |b| {
            b.iter_batched_ref(
                &mut protected,
                |packet| unprotector.unprotect_rtp(packet).expect("authentic"),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, srtp);
criterion_main!(benches);
