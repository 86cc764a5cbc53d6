//! Connections give back what they took: memory, descriptors, tasks.
//!
//! One test, alone in its process: it measures the process.
#![cfg(all(feature = "tokio", target_os = "linux"))]

#[path = "local/connections.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod connections;

use connections::{connection, negotiate, within};
use peerconnection::{
    Configuration, DataChannelInit, MediaKind, TransceiverInit,
    media::{EncodedFrame, MediaTime},
    tokio::{Event, Message},
};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Handle, Runtime};

/// Cycles before the first measurement: caches, pools and the allocator's arenas fill.
const WARM_UP: usize = 25;
const CYCLES: usize = 100;
/// What a hundred cycles may add, in bytes. Two connections hold far more than a hundredth of it: a leak of either shows.
const GROWTH: usize = 3 << 20;

/// Counts in a counter while it is alive.
struct Probe(Arc<AtomicUsize>);

impl Probe {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").expect("procfs");
    let pages: usize = statm.split(' ').nth(1).expect("resident pages").parse().expect("a number");
    pages * 4_096
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("procfs").count()
}

#[expect(clippy::disallowed_methods, reason = "a frame was captured at some time")]
fn now() -> Instant {
    Instant::now()
}

/// Connects, exchanges messages and pictures, closes. All tasks of the application end by what the library tells them.
async fn cycle(alive: &Arc<AtomicUsize>) {
    let (a, mut a_events) = connection(Configuration::default()).await;
    let (b, mut b_events) = connection(Configuration::default()).await;
    let mut channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
    let track = a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track").track();
    negotiate(&a, &b).await;

    let probe = Probe::new(alive);
    let events = tokio::spawn(async move {
        let _probe = probe;
        while a_events.next().await.is_some() {}
    });
    let probe = Probe::new(alive);
    let inner = Arc::clone(alive);
    let (seen, mut pictures) = tokio::sync::mpsc::unbounded_channel();
    let other = tokio::spawn(async move {
        let _probe = probe;
        while let Some(event) = b_events.next().await {
            let probe = Probe::new(&inner);
            if let Event::DataChannel(mut channel) = event {
                tokio::spawn(async move {
                    let _probe = probe;
                    while let Some(message) = channel.recv().await {
                        if channel.send(message).await.is_err() {
                            break;
                        }
                    }
                });
            } else if let Event::Track(mut event) = event {
                let seen = seen.clone();
                tokio::spawn(async move {
                    let _probe = probe;
                    while let Some(frame) = event.track.recv_frame().await {
                        let _ = seen.send(frame.payload.len());
                    }
                });
            }
        }
    });

    within("connected", a.connected()).await.expect("connected");
    let begin = now();
    for size in [10, 100_000] {
        channel.send(vec![size as u8; size]).await.expect("open");
        assert_eq!(within("the echo", channel.recv()).await, Some(Message::from(vec![size as u8; size])));
    }
    // Nothing is lost on the way: nothing may wait for a timer.
    assert!(now() - begin < Duration::from_secs(1), "the echo took {:?}", now() - begin);
    let mut time = 0;
    within("a picture", async {
        loop {
            let mut frame = vec![0x10, 2, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0];
            frame.resize(5_000, 0);
            track.write(EncodedFrame::new(frame.into(), MediaTime(time), now())).await.expect("open");
            time += 3_000;
            if let Ok(Some(len)) = tokio::time::timeout(Duration::from_millis(10), pictures.recv()).await {
                assert_eq!(len, 5_000);
                break;
            }
        }
    })
    .await;

    within("close", a.close()).await;
    assert_eq!(within("the end of the channel", channel.recv()).await, None);
    assert!(track.write(EncodedFrame::new(vec![0; 10].into(), MediaTime(0), now())).await.is_err());
    within("close", b.close()).await;
    within("the end of the events", events).await.expect("no panic");
    within("the end of the events", other).await.expect("no panic");
}

/// What a run takes back: open descriptors, live tasks, probes.
async fn settled(alive: &AtomicUsize, expected: (usize, usize)) {
    let measure = || (descriptors(), Handle::current().metrics().num_alive_tasks());
    for _ in 0..500 {
        if measure() == expected && alive.load(Ordering::SeqCst) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?} instead of {expected:?}, {} probes", measure(), alive.load(Ordering::SeqCst));
}

fn run(name: &str, runtime: &Runtime) {
    let alive = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        cycle(&alive).await;
        // The runtime has opened what it needs itself.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let start = (descriptors(), Handle::current().metrics().num_alive_tasks());
        assert_eq!(start.1, 0, "{name}: no task is left");
        for _ in 0..WARM_UP {
            cycle(&alive).await;
        }
        settled(&alive, start).await;
        let before = resident();
        for _ in 0..CYCLES {
            cycle(&alive).await;
        }
        settled(&alive, start).await;
        let after = resident();
        eprintln!("{name}: {} KiB resident before, {} KiB after {CYCLES} cycles", before >> 10, after >> 10);
        assert!(after <= before + GROWTH, "{name}: {before} bytes grew to {after}");
    });
}

/// A runtime that ends under its connections: nothing hangs, handles that outlive it say so, and every socket closes.
fn shut_down(name: &str, runtime: Runtime) {
    let before = descriptors();
    let (connections, channel, track) = runtime.block_on(async {
        let (a, a_events) = connection(Configuration::default()).await;
        let (b, b_events) = connection(Configuration::default()).await;
        let channel = a.create_data_channel("chat", DataChannelInit::new()).await.expect("a channel");
        let track = a.add_track(MediaKind::Video, TransceiverInit::new()).await.expect("a track").track();
        negotiate(&a, &b).await;
        within("connected", a.connected()).await.expect("connected");
        channel.send(vec![1; 100_000]).await.expect("open");
        ([(a, a_events), (b, b_events)], channel, track)
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    assert!(channel.try_send("too late").is_err(), "{name}");
    assert!(track.try_write(EncodedFrame::new(vec![0; 10].into(), MediaTime(0), now())).is_err(), "{name}");
    // Waiting for something on another runtime ends as well.
    let other = Builder::new_current_thread().enable_all().build().expect("a runtime");
    other.block_on(async {
        for (connection, mut events) in connections {
            within("close", connection.close()).await;
            within("the end of the events", async { while events.next().await.is_some() {} }).await;
        }
    });
    drop((channel, track, other));
    assert!(descriptors() <= before, "{name}: {} descriptors before, {} after", before, descriptors());
}

/// Users 76.
#[test]
fn users_76_a_hundred_cycles_give_everything_back() {
    run("one thread", &Builder::new_current_thread().enable_all().build().expect("a runtime"));
    run(
        "two workers",
        &Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime"),
    );
    shut_down("one thread", Builder::new_current_thread().enable_all().build().expect("a runtime"));
    shut_down(
        "two workers",
        Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime"),
    );
}
