//! Messages from one session to another, through the whole stack.

#[path = "../rigs/stack.rs"]
#[allow(dead_code, unreachable_pub, reason = "each bench uses a part of it")]
mod stack;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use peerconnection::{bytes::Bytes, datachannel::Payload};

fn messages(c: &mut Criterion) {
    let mut stack = stack::Stack::new(testkit::start());
    let mut group = c.benchmark_group("session data");
    for size in [64, 16 * 1024] {
        let message = Bytes::from(vec![7; size]);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("{size} bytes"), |b| {
            b.iter(|| {
                let sent = stack.a.send_data(stack.now, stack.channel, Payload::binary(message.clone()));
                sent.expect("there is room");
                loop {
                    stack.step();
                    if stack.b.recv_data(stack.now, stack.other).is_some() {
                        break;
                    }
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, messages);
criterion_main!(benches);
