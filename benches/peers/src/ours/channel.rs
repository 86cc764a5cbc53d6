//! peerlane over tokio and UDP.

use crate::{
    side::{self, Job, PING, Role, Rounds, Task},
    wire::{self, Wire},
};
use bytes::Bytes;
use crypto::Provider;
use peerlane::{
    Configuration, DataChannel, DataChannelInit, Description, Event, Events, Loopback, PeerConnection,
};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

/// The largest message by default.
const DEFAULT_MESSAGE: usize = 256 << 10;

/// `message` is the largest message in bytes. The default takes 256 KiB; who wants larger ones says so.
async fn build(
    provider: Provider,
    address: Ipv4Addr,
    message: usize,
) -> Result<(PeerConnection, Events), String> {
    let configuration = Configuration::new(provider);
    let configuration =
        if message > DEFAULT_MESSAGE { configuration.with_max_message_size(message) } else { configuration };
    let builder = PeerConnection::builder().configuration(configuration).loopback(Loopback::Include);
    builder.bind([IpAddr::V4(address)]).build().await.map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

async fn local(connection: &PeerConnection) -> Result<String, String> {
    connection.set_local_description(None).await.map_err(text)?;
    connection.gathering_complete().await.map_err(text)?;
    Ok(connection.local_description().ok_or("no description")?.sdp())
}

async fn channel(events: &mut Events) -> Result<DataChannel, String> {
    while let Some(event) = events.next().await {
        if let Event::DataChannel(channel) = event {
            return Ok(channel);
        }
    }
    Err("no channel came".to_owned())
}

struct End {
    channel: DataChannel,
    _connection: PeerConnection,
    _events: Events,
}

async fn open(provider: Provider, task: &Task, wire: &mut Wire) -> Result<End, String> {
    let (connection, mut events) = build(provider, task.address, task.job.message()).await?;
    let channel = if task.role == Role::Offer {
        let channel = connection.create_data_channel("bench", DataChannelInit::new()).await.map_err(text)?;
        let offer = local(&connection).await?;
        wire.send(&offer);
        let answer = Description::answer(&wire.recv_in_task()?).map_err(text)?;
        connection.set_remote_description(answer).await.map_err(text)?;
        channel
    } else {
        let offer = Description::offer(&wire.recv_in_task()?).map_err(text)?;
        connection.set_remote_description(offer).await.map_err(text)?;
        let answer = local(&connection).await?;
        wire.send(&answer);
        channel(&mut events).await?
    };
    channel.opened().await.map_err(text)?;
    Ok(End { channel, _connection: connection, _events: events })
}

async fn work(mut end: End, task: Task) -> Result<(), String> {
    let channel = &mut end.channel;
    match (task.role, task.job) {
        (Role::Offer, Job::Flood(bytes)) => {
            let message = Bytes::from(vec![7; bytes]);
            loop {
                channel.send(message.clone()).await.map_err(text)?;
            }
        }
        (Role::Answer, Job::Flood(_)) => {
            while let Some(message) = channel.recv().await {
                wire::count(message.len());
            }
        }
        (Role::Offer, Job::PingPong(wanted) | Job::BlockingPingPong(wanted)) => {
            let message = Bytes::from(vec![7; PING]);
            let mut rounds = Rounds::new(wanted);
            loop {
                rounds.ping();
                channel.send(message.clone()).await.map_err(text)?;
                channel.recv().await.ok_or("closed")?;
                if rounds.pong() {
                    break;
                }
            }
            // Its connection stays until the measuring process ends this one.
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        (Role::Answer, Job::PingPong(_) | Job::BlockingPingPong(_)) => {
            while let Some(message) = channel.recv().await {
                channel.send(message).await.map_err(text)?;
            }
        }
    }
    Ok(())
}

pub async fn side(provider: Provider, task: Task, mut wire: Wire) -> Result<(), String> {
    let mut ends = Vec::new();
    for _ in 0..task.connections {
        ends.push(open(provider, &task, &mut wire).await?);
    }
    side::on_all(ends, move |end| work(end, task)).await
}

/// Two connections with an open channel between them.
pub struct Pair {
    _connections: [PeerConnection; 2],
    _events: [Events; 2],
    _channels: [DataChannel; 2],
}

/// Makes a pair; the time is from the offer until the channel is open on both sides.
pub async fn connect(provider: Provider) -> Result<(Pair, Duration), String> {
    let (offerer, offerer_events) = build(provider, Ipv4Addr::LOCALHOST, DEFAULT_MESSAGE).await?;
    let (answerer, mut answerer_events) = build(provider, Ipv4Addr::LOCALHOST, DEFAULT_MESSAGE).await?;
    let ours = offerer.create_data_channel("bench", DataChannelInit::new()).await.map_err(text)?;
    let begin = Instant::now();
    let offer = Description::offer(&local(&offerer).await?).map_err(text)?;
    answerer.set_remote_description(offer).await.map_err(text)?;
    let answer = Description::answer(&local(&answerer).await?).map_err(text)?;
    offerer.set_remote_description(answer).await.map_err(text)?;
    let theirs = channel(&mut answerer_events).await?;
    theirs.opened().await.map_err(text)?;
    ours.opened().await.map_err(text)?;
    let took = begin.elapsed();
    let pair = Pair {
        _connections: [offerer, answerer],
        _events: [offerer_events, answerer_events],
        _channels: [ours, theirs],
    };
    Ok((pair, took))
}
