//! Reading and writing a browser's offer.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn sdp(c: &mut Criterion) {
    let text = include_str!("../../crates/sdp/tests/vectors/chromium-offer.sdp");
    c.bench_function("sdp parse", |b| b.iter(|| sdp::Description::parse(black_box(text)).expect("readable")));
    let description = sdp::Description::parse(text).expect("readable");
    c.bench_function("sdp write", |b| b.iter(|| black_box(&description).to_string()));
}

criterion_group!(benches, sdp);
criterion_main!(benches);
