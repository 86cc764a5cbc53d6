//! Whole lives of connections: connect, negotiate, exchange data and media both ways, close.

use crate::{
    Failure,
    options::Options,
    peers::{FRAME_BYTES, because, connection, negotiate, picture, within},
    probe::Probes,
    rounds::{Phase, Plan, at_a_time},
};
use peerlane::{
    Configuration, DataChannel, DataChannelInit, Event, Events, IceServer, IceTransportPolicy, LocalTrack,
    MediaKind, Message, PeerConnection, PeerConnectionState, RemoteTrack, TransceiverInit, TurnServer,
    UdpMux,
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::JoinSet,
};

/// Pairs that live at the same time.
pub(crate) const AT_A_TIME: u64 = 4;
/// Bytes of the messages of a cycle: one packet, many packets.
const MESSAGES: [usize; 3] = [10, 1_000, 50_000];
const USER: (&str, &str) = ("soak", "a secret");

/// What outlives a cycle: a port that connections share, and a relay.
#[derive(Clone, Debug)]
struct Rig {
    port: UdpMux,
    relay: std::sync::Arc<TurnServer>,
    probes: Probes,
    leak: usize,
}

/// Two connections and what the application does with them.
struct Call {
    a: PeerConnection,
    b: PeerConnection,
    /// Opened by Alice, echoed by Bob.
    channel: DataChannel,
    tracks: [LocalTrack; 2],
    /// End when the library tells them.
    tasks: JoinSet<()>,
    probes: Probes,
}

pub(crate) async fn run(options: &Options, workers: usize, probes: &Probes) -> Result<Phase, Failure> {
    let rig = Rig::start(options, probes).await?;
    let per_round = (options.cycles / 100).clamp(4, 1_000);
    let plan = Plan { name: "cycles", workers, total: options.cycles, per_round };
    // The first of each kind: the runtime opens what it needs, tables are built.
    let first = rig.clone();
    at_a_time(AT_A_TIME, 0..16, move |number| cycle(number, first.clone())).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    plan.run(probes, async |numbers| {
        let rig = rig.clone();
        at_a_time(AT_A_TIME, numbers, move |number| cycle(number, rig.clone())).await
    })
    .await
}

impl Rig {
    async fn start(options: &Options, probes: &Probes) -> Result<Self, Failure> {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let port = UdpMux::bind(anywhere).await.map_err(because("a shared port"))?;
        let loopback = "127.0.0.0/8".parse().map_err(because("a network"))?;
        let relay = TurnServer::builder().user(USER.0, USER.1).allow_peers(loopback).start().await;
        let relay = std::sync::Arc::new(relay.map_err(because("a relay"))?);
        Ok(Self { port, relay, probes: probes.clone(), leak: options.leak })
    }

    /// Three of eight cycles differ from the plain one: a shared port on one side or both, a relay.
    async fn connections(&self, number: u64) -> Result<[(PeerConnection, Events); 2], Failure> {
        let plain = Configuration::default;
        let (a, b, a_port, b_port) = match number % 8 {
            5 => (plain(), plain(), Some(&self.port), None),
            6 => (plain(), plain(), None, Some(&self.port)),
            7 => (self.relayed()?, plain(), None, None),
            _ => (plain(), plain(), None, None),
        };
        Ok([connection(a, a_port).await?, connection(b, b_port).await?])
    }

    fn relayed(&self) -> Result<Configuration, Failure> {
        let url = format!("turn:{}?transport=udp", self.relay.local_addr());
        let server = IceServer::with_credentials([url], USER.0, USER.1).map_err(because("a server"))?;
        Ok(Configuration::default()
            .with_ice_servers([server])
            .with_ice_transport_policy(IceTransportPolicy::Relay))
    }
}

async fn cycle(number: u64, rig: Rig) -> Result<(), Failure> {
    std::mem::forget(vec![0_u8; rig.leak]);
    let [(a, a_events), (b, b_events)] = rig.connections(number).await?;
    let channel =
        a.create_data_channel("chat", DataChannelInit::new()).await.map_err(because("a channel"))?;
    let init = TransceiverInit::new;
    let a_track = a.add_track(MediaKind::Video, init()).await.map_err(because("a track"))?.track();
    let b_track = b.add_track(MediaKind::Video, init()).await.map_err(because("a track"))?.track();
    let mut tasks = JoinSet::new();
    let (a_seen, mut a_frames) = unbounded_channel();
    let (b_seen, mut b_frames) = unbounded_channel();
    serve(&mut tasks, &a, a_events, &a_track, a_seen, &rig.probes);
    serve(&mut tasks, &b, b_events, &b_track, b_seen, &rig.probes);
    negotiate(&a, &b).await?;
    within("connecting", a.connected()).await?.map_err(because("connecting"))?;
    let probes = rig.probes.clone();
    let mut call = Call { a, b, channel, tracks: [a_track, b_track], tasks, probes };
    call.exchange_messages().await?;
    let mut time = 0;
    let pictures = async {
        let (mut at_a, mut at_b) = (false, false);
        while !(at_a && at_b) {
            for track in &call.tracks {
                let written = track.write(picture(time, |frame| rig.probes.bytes(frame))).await;
                written.map_err(|_| "a track refused a frame".to_owned())?;
            }
            time += 3_000;
            let _ = tokio::time::timeout(Duration::from_millis(10), async {
                tokio::select! {
                    seen = a_frames.recv(), if !at_a => at_a = seen == Some(FRAME_BYTES),
                    seen = b_frames.recv(), if !at_b => at_b = seen == Some(FRAME_BYTES),
                }
            })
            .await;
        }
        Ok::<_, Failure>(())
    };
    within("pictures both ways", pictures).await??;
    call.end(number).await
}

/// What an application does on one side. Every task holds a probe and ends by what the library tells it.
fn serve(
    tasks: &mut JoinSet<()>,
    connection: &PeerConnection,
    mut events: Events,
    track: &LocalTrack,
    seen: UnboundedSender<usize>,
    probes: &Probes,
) {
    let (probe, inner) = (probes.probe(), probes.clone());
    tasks.spawn(async move {
        let _probe = probe;
        let mut handlers = JoinSet::new();
        while let Some(event) = events.next().await {
            let probe = inner.probe();
            if let Event::DataChannel(channel) = event {
                handlers.spawn(async move {
                    let _probe = probe;
                    echo(channel).await;
                });
            } else if let Event::Track(event) = event {
                let seen = seen.clone();
                handlers.spawn(async move {
                    let _probe = probe;
                    watch(event.track, seen).await;
                });
            }
        }
        while handlers.join_next().await.is_some() {}
    });
    let (probe, track) = (probes.probe(), track.clone());
    tasks.spawn(async move {
        let _probe = probe;
        // Once for the peer, once for the end.
        track.key_frame_requested().await;
    });
    // A closure that the library calls. It holds a handle, so it must not wait for the end of its own connection.
    let (probe, ends) = (probes.probe(), connection.clone());
    tasks.spawn(async move {
        let ended = |state| {
            let _held = &probe;
            state == PeerConnectionState::Connected || state == PeerConnectionState::Closed
        };
        ends.wait_for(ended).await;
    });
}

async fn echo(mut channel: DataChannel) {
    while let Some(message) = channel.recv().await {
        if channel.send(message).await.is_err() {
            break;
        }
    }
}

async fn watch(mut track: RemoteTrack, seen: UnboundedSender<usize>) {
    let _ = track.request_key_frame().await;
    while let Some(frame) = track.recv_frame().await {
        let _ = seen.send(frame.payload.len());
    }
}

impl Call {
    async fn exchange_messages(&mut self) -> Result<(), Failure> {
        for size in MESSAGES {
            let message = self.probes.bytes(vec![size as u8; size]);
            self.channel.send(message.clone()).await.map_err(because("a message"))?;
            let echoed = within("the echo", self.channel.recv()).await?;
            if echoed != Some(Message::Binary(message)) {
                return Err(format!("the echo of {size} bytes is not what was sent"));
            }
        }
        Ok(())
    }

    /// In five ways, one after the other: what ends first, and whether it is closed or dropped.
    async fn end(self, number: u64) -> Result<(), Failure> {
        let Self { a, b, mut channel, tracks, tasks, .. } = self;
        let [a_track, b_track] = tracks;
        match number % 5 {
            0 => {
                let both = async { tokio::join!(a.close(), b.close()) };
                within("close of both", both).await?;
            }
            1 => {
                within("close of Alice", a.close()).await?;
                within("close of Bob", b.close()).await?;
            }
            2 => {
                drop(a);
                within("close of Bob", b.close()).await?;
            }
            3 => {
                within("close of the channel", channel.close()).await?;
                drop(b);
                within("close of Alice", a.close()).await?;
                return finish(tasks).await;
            }
            _ => {
                drop((b_track, b, a_track, a));
                while within("the end of the channel", channel.recv()).await?.is_some() {}
                return finish(tasks).await;
            }
        }
        while within("the end of the channel", channel.recv()).await?.is_some() {}
        drop((a_track, b_track, channel));
        finish(tasks).await
    }
}

/// The tasks of the application end, without a word from the application.
async fn finish(mut tasks: JoinSet<()>) -> Result<(), Failure> {
    let ends = async {
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|error| format!("a task of the application: {error}"))?;
        }
        Ok(())
    };
    within("the end of the application's tasks", ends).await?
}
