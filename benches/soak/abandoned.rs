//! Connections that are left at any moment: a future is dropped at one of its await points, then every handle, in any
//! order.

mod calls;

use crate::{
    Failure,
    options::Options,
    peers::{answer, because, connection, offer, poll_times, within},
    probe::Probes,
    random::Random,
    rounds::{Phase, Plan, at_a_time},
};
use calls::{CALLS, Call};
use peerlane::{
    Configuration, DataChannel, DataChannelInit, Event, Events, LocalTrack, MediaKind, PeerConnection,
    RemoteTrack, RtpSender, RtpTransceiver, TransceiverInit,
};
use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc::unbounded_channel;

/// Pairs that live at the same time.
const AT_A_TIME: u64 = 4;
/// Calls that do not return by themselves are dropped after at most so many polls.
const POLLS: u32 = 6;
/// Commands that fill the queue to the driver: the next call waits at its first await point.
const CROWD: usize = 80;

/// How far a connection has come when it is abandoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Made, with a channel and a track.
    Fresh,
    /// The offer is in place on both sides.
    Offered,
    /// Connected; the channel is open and the tracks are known.
    Connected,
}

/// Both sides, and every kind of handle.
pub(crate) struct Scene {
    pub(crate) a: PeerConnection,
    pub(crate) b: PeerConnection,
    pub(crate) a_events: Events,
    pub(crate) b_events: Events,
    /// Alice's; taken by the call that consumes it.
    pub(crate) channel: Option<DataChannel>,
    /// Bob's end of it, when connected.
    pub(crate) other: Option<DataChannel>,
    pub(crate) sender: RtpSender,
    pub(crate) transceiver: RtpTransceiver,
    pub(crate) track: LocalTrack,
    /// Bob's end of the track, when connected.
    pub(crate) remote: Option<RemoteTrack>,
    pub(crate) probes: Probes,
}

/// One connection to abandon.
#[derive(Clone, Copy, Debug)]
struct Job {
    call: usize,
    polls: u32,
    crowded: bool,
}

pub(crate) async fn run(options: &Options, workers: usize, probes: &Probes) -> Result<Phase, Failure> {
    let seed = options.seed;
    let jobs = Arc::new(jobs(options.abandoned, seed, options.short));
    let plan = Plan {
        name: "abandoned",
        workers,
        total: jobs.len() as u64,
        per_round: (jobs.len() as u64 / 25).max(4),
    };
    let cuts: Arc<Vec<Cuts>> = Arc::new(CALLS.iter().map(|_| Cuts::default()).collect());
    let phase = plan.run(probes, async |numbers| {
        let (jobs, probes, cuts) = (Arc::clone(&jobs), probes.clone(), Arc::clone(&cuts));
        at_a_time(AT_A_TIME, numbers, move |number| {
            let job = jobs.get(usize::try_from(number).unwrap_or_default()).copied();
            let (probes, random, cuts) = (probes.clone(), Random::new(seed, number), Arc::clone(&cuts));
            async move {
                let Some(job) = job else { return Ok(()) };
                let call = CALLS.get(job.call).ok_or("a call that is not listed")?;
                let what = format!("{} after {} polls, crowded: {}", call.name, job.polls, job.crowded);
                let done = abandon(call, job, random, probes).await;
                let done = done.map_err(|failure| format!("{what}: {failure}"))?;
                if let Some(cuts) = cuts.get(job.call) {
                    cuts.count(done);
                }
                Ok(())
            }
        })
        .await
    });
    let phase = phase.await?;
    tell(&cuts);
    Ok(phase)
}

/// How the futures of one call went.
#[derive(Debug, Default)]
struct Cuts {
    done: AtomicU64,
    cut: AtomicU64,
}

impl Cuts {
    fn count(&self, done: bool) {
        let counter = if done { &self.done } else { &self.cut };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn tell(cuts: &[Cuts]) {
    let sum = |counter: fn(&Cuts) -> &AtomicU64| -> u64 {
        cuts.iter().map(|cuts| counter(cuts).load(Ordering::Relaxed)).sum()
    };
    let (cut, done) = (sum(|cuts| &cuts.cut), sum(|cuts| &cuts.done));
    println!(
        "  {} calls: {cut} futures dropped while they waited or before, {done} ran to their end",
        CALLS.len()
    );
}

/// Every call, dropped after every number of polls, with room for it and without; then random ones up to `total`. The
/// short form takes `total` of them at random.
fn jobs(total: u64, seed: u64, short: bool) -> Vec<Job> {
    let mut random = Random::new(seed, u64::MAX);
    let mut jobs = Vec::new();
    for call in 0..CALLS.len() {
        for polls in 0..=POLLS {
            jobs.extend([false, true].map(|crowded| Job { call, polls, crowded }));
        }
    }
    random.shuffle(&mut jobs);
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    if short {
        jobs.truncate(total);
    }
    while jobs.len() < total {
        let polls = u32::try_from(random.below(u64::from(POLLS) + 1)).unwrap_or_default();
        jobs.push(Job { call: random.index(CALLS.len()), polls, crowded: random.below(2) == 0 });
    }
    jobs
}

/// Returns whether the call ran to its end.
async fn abandon(call: &Call, job: Job, mut random: Random, probes: Probes) -> Result<bool, Failure> {
    let mut scene = Scene::at(call.stage, probes.clone()).await?;
    let done = if job.crowded {
        let (a, b, track, channel) =
            (scene.a.clone(), scene.b.clone(), scene.track.clone(), scene.channel.as_ref());
        // Polled once each, without giving the drivers a turn: what they put into the queues stays there.
        let mut crowd: Vec<_> = (0..CROWD).flat_map(|_| [Box::pin(a.stats()), Box::pin(b.stats())]).collect();
        for member in &mut crowd {
            std::future::poll_fn(|cx| {
                let _ = member.as_mut().poll(cx);
                std::task::Poll::Ready(())
            })
            .await;
        }
        while track.try_write(crate::peers::picture(0, Into::into)).is_ok() {}
        while channel.is_some_and(|channel| channel.try_send(vec![0; 200_000]).is_ok()) {}
        let done = poll_times((call.start)(&mut scene), job.polls).await;
        drop(crowd);
        done
    } else {
        poll_times((call.start)(&mut scene), job.polls).await
    };
    // What was cut off left a connection that works, or one that is closed.
    let answers = within("stats of Alice", scene.a.stats()).await?;
    answers.map_err(because("stats of Alice"))?;
    scene.leave(&mut random).await?;
    Ok(done.is_some())
}

impl Scene {
    async fn at(stage: Stage, probes: Probes) -> Result<Self, Failure> {
        let (a, a_events) = connection(Configuration::default(), None).await?;
        let (b, mut b_events) = connection(Configuration::default(), None).await?;
        let channel = a.create_data_channel("chat", DataChannelInit::new()).await;
        let channel = channel.map_err(because("a channel"))?;
        let sender =
            a.add_track(MediaKind::Video, TransceiverInit::new()).await.map_err(because("a track"))?;
        let (mut other, mut remote) = (None, None);
        if stage != Stage::Fresh {
            offer(&a, &b).await?;
        }
        if stage == Stage::Connected {
            let answer = answer(&b).await?;
            a.set_remote_description(answer).await.map_err(because("the answer"))?;
            within("connecting", a.connected()).await?.map_err(because("connecting"))?;
            while other.is_none() || remote.is_none() {
                match within("the channel and the track", b_events.next()).await? {
                    Some(Event::DataChannel(channel)) => other = Some(channel),
                    Some(Event::Track(event)) => remote = Some(event.track),
                    Some(_) => {}
                    None => return Err("the events ended before the channel and the track came".to_owned()),
                }
            }
        }
        Ok(Self {
            transceiver: sender.transceiver().clone(),
            track: sender.track(),
            channel: Some(channel),
            a,
            b,
            a_events,
            b_events,
            other,
            sender,
            remote,
            probes,
        })
    }

    /// Drops every handle, in a random order and at random moments. Half of the readers are tasks that end by
    /// themselves.
    async fn leave(self, random: &mut Random) -> Result<(), Failure> {
        let Self { a, b, a_events, b_events, channel, other, sender, transceiver, track, remote, probes } =
            self;
        let (ended, mut ends) = unbounded_channel::<()>();
        let mut handles: Vec<Box<dyn Any + Send>> = Vec::new();
        for mut events in [a_events, b_events] {
            if random.below(2) == 0 {
                let (probe, ended) = (probes.probe(), ended.clone());
                // Nobody waits for this task, and nobody stops it.
                tokio::spawn(async move {
                    let _held = (probe, ended);
                    while events.next().await.is_some() {}
                });
            } else {
                handles.push(Box::new(events));
            }
        }
        for connection in [a, b] {
            if random.below(4) == 0 {
                handles.push(Box::new(connection.clone()));
            }
            handles.push(Box::new(connection));
        }
        for channel in [channel, other].into_iter().flatten() {
            if random.below(2) == 0 {
                let (sender, receiver) = channel.split();
                handles.push(Box::new(sender.clone()));
                handles.push(Box::new(sender));
                handles.push(Box::new(receiver));
            } else {
                handles.push(Box::new(channel));
            }
        }
        handles.extend([Box::new(sender) as Box<dyn Any + Send>, Box::new(transceiver), Box::new(track)]);
        handles.extend(remote.map(|remote| Box::new(remote) as Box<dyn Any + Send>));
        handles.push(Box::new(probes.probe()));
        random.shuffle(&mut handles);
        for handle in handles {
            for _ in 0..random.below(3) {
                tokio::task::yield_now().await;
            }
            drop(handle);
        }
        drop(ended);
        within("the end of the readers of events", ends.recv()).await.map(drop)
    }
}
