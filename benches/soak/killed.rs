//! Peers that vanish without a word: their runtime is shut down under them, their sockets with it.

use crate::{
    Failure,
    options::Options,
    peers::{PATIENCE, because, connection, negotiate, picture, within},
    probe::Probes,
    random::Random,
    rounds::{Phase, Plan, at_a_time},
};
use peerlane::{
    Configuration, DataChannel, DataChannelInit, Event, LocalTrack, MediaKind, PeerConnection,
    PeerConnectionState, TransceiverInit,
};
use std::time::Duration;
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::JoinSet,
};

/// Pairs of a round; their peers die together.
const PER_ROUND: u64 = 40;
/// Pairs that come up at the same time.
const AT_A_TIME: u64 = 4;
/// Every so many rounds the living notice the silence: `disconnected` after 7 s, and one of them waits for `failed`.
const PATIENT_ROUND: u64 = 5;

/// What is left of a pair.
struct Widow {
    a: PeerConnection,
    channel: DataChannel,
    track: LocalTrack,
    /// The handle of the peer that will not be heard of again.
    b: PeerConnection,
    events: JoinSet<()>,
}

pub(crate) async fn run(options: &Options, workers: usize, probes: &Probes) -> Result<Phase, Failure> {
    let (seed, short) = (options.seed, options.short);
    let per_round = if short { 10 } else { PER_ROUND };
    let plan = Plan { name: "killed", workers, total: options.killed, per_round };
    plan.run(probes, async |numbers| {
        let patient = !short && (numbers.start / per_round).is_multiple_of(PATIENT_ROUND);
        let grave = runtime()?;
        let (made, mut pairs) = unbounded_channel();
        let (handle, pair_probes) = (grave.handle().clone(), probes.clone());
        at_a_time(AT_A_TIME, numbers.clone(), move |_| {
            pair(handle.clone(), made.clone(), pair_probes.clone())
        })
        .await?;
        // No farewell is sent: the tasks are dropped where they stand. Waits until they are.
        let shut = tokio::task::spawn_blocking(|| grave.shutdown_timeout(PATIENCE)).await;
        shut.map_err(|error| format!("the other runtime: {error}"))?;
        let mut left = JoinSet::new();
        let mut number = numbers.start;
        while let Ok(widow) = pairs.try_recv() {
            let random = Random::new(seed, number);
            left.spawn(widow.mourn(number, patient, random, probes.clone()));
            number += 1;
        }
        while let Some(ended) = left.join_next().await {
            ended.map_err(|error| format!("a task panicked: {error}"))??;
        }
        Ok(())
    })
    .await
}

fn runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(because("a runtime"))
}

async fn pair(
    grave: tokio::runtime::Handle,
    made: UnboundedSender<Widow>,
    probes: Probes,
) -> Result<(), Failure> {
    let (a, mut a_events) = connection(Configuration::default(), None).await?;
    let theirs = grave.spawn(connection(Configuration::default(), None)).await;
    let (b, mut b_events) = theirs.map_err(|error| format!("the other runtime: {error}"))??;
    let channel =
        a.create_data_channel("chat", DataChannelInit::new()).await.map_err(because("a channel"))?;
    let track =
        a.add_track(MediaKind::Video, TransceiverInit::new()).await.map_err(because("a track"))?.track();
    let mut events = JoinSet::new();
    let probe = probes.probe();
    events.spawn(async move {
        let _probe = probe;
        while a_events.next().await.is_some() {}
    });
    // Dies with the others: what it holds is dropped by the runtime.
    let probe = probes.probe();
    grave.spawn(async move {
        let _probe = probe;
        while let Some(event) = b_events.next().await {
            if let Event::DataChannel(mut channel) = event {
                tokio::spawn(async move {
                    while let Some(message) = channel.recv().await {
                        let _ = channel.send(message).await;
                    }
                });
            }
        }
    });
    negotiate(&a, &b).await?;
    within("connecting", a.connected()).await?.map_err(because("connecting"))?;
    let mut channel = channel;
    channel.send(probes.bytes(vec![7; 1_000])).await.map_err(because("a message"))?;
    within("the echo", channel.recv()).await?.ok_or("the channel closed")?;
    made.send(Widow { a, channel, track, b, events }).map_err(|_| "the round has ended".to_owned())
}

impl Widow {
    async fn mourn(
        self,
        number: u64,
        patient: bool,
        mut random: Random,
        probes: Probes,
    ) -> Result<(), Failure> {
        let Self { a, channel, track, b, events } = self;
        // The dead answer nobody, and keep nobody waiting.
        within("close of the dead", b.close()).await?;
        if b.stats().await.is_ok() || b.connection_state() != PeerConnectionState::Closed {
            return Err("a connection whose runtime is gone says that it lives".to_owned());
        }
        // Nobody will take these: they are held until the end, and given back then.
        for time in 0..5 {
            let _ = channel.try_send(probes.bytes(vec![1; 20_000]));
            let _ = track.try_write(picture(time * 3_000, |frame| probes.bytes(frame)));
        }
        if patient {
            let wanted = if number.is_multiple_of(10) {
                PeerConnectionState::Failed
            } else {
                PeerConnectionState::Disconnected
            };
            within("silence to be noticed", a.wait_for(|state| state == wanted)).await?;
        } else {
            tokio::time::sleep(Duration::from_millis(random.below(200))).await;
        }
        match random.below(3) {
            0 => {
                within("close", a.close()).await?;
                drop((channel, track, b));
            }
            1 => drop((a, channel, b, track)),
            _ => drop((track, channel, a, b)),
        }
        let mut events = events;
        while let Some(ended) = within("the end of the events", events.join_next()).await? {
            ended.map_err(|error| format!("the reader of events: {error}"))?;
        }
        Ok(())
    }
}
