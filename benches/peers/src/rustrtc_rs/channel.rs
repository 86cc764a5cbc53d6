//! rustrtc over tokio and UDP.

use crate::{
    side::{self, Job, PING, Role, Rounds, Task},
    wire::{self, Wire},
};
use bytes::Bytes;
use rustrtc::{
    PeerConnection, PeerConnectionEvent, RtcConfigurationBuilder, SdpType, SessionDescription,
    transports::datachannel::{DataChannel, DataChannelConfig, DataChannelEvent, DataChannelState},
};
use std::{
    net::Ipv4Addr,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn build(address: Ipv4Addr) -> PeerConnection {
    let mut config = RtcConfigurationBuilder::new().ice_include_loopback_candidates(true).build();
    config.bind_ip = Some(address.to_string());
    PeerConnection::new(config)
}

fn create(connection: &PeerConnection) -> Result<Arc<DataChannel>, String> {
    let config = DataChannelConfig { ordered: true, ..DataChannelConfig::default() };
    connection.create_data_channel("bench", Some(config)).map_err(text)
}

async fn local(
    connection: &PeerConnection,
    description: SessionDescription,
) -> Result<SessionDescription, String> {
    connection.set_local_description(description).map_err(text)?;
    connection.wait_for_gathering_complete().await;
    connection.local_description().ok_or_else(|| "no description".to_owned())
}

async fn offer(connection: &PeerConnection) -> Result<SessionDescription, String> {
    let offer = connection.create_offer().await.map_err(text)?;
    local(connection, offer).await
}

async fn answer(
    connection: &PeerConnection,
    offer: SessionDescription,
) -> Result<SessionDescription, String> {
    connection.set_remote_description(offer).await.map_err(text)?;
    let answer = connection.create_answer().await.map_err(text)?;
    local(connection, answer).await
}

async fn channel(connection: &PeerConnection) -> Result<Arc<DataChannel>, String> {
    while let Some(event) = connection.recv().await {
        if let PeerConnectionEvent::DataChannel(channel) = event {
            return Ok(channel);
        }
    }
    Err("no channel came".to_owned())
}

/// The side that announced the channel gets an event; the other one may have it open already.
async fn opened(channel: &DataChannel) -> Result<(), String> {
    if channel.state.load(Ordering::SeqCst) == DataChannelState::Open as usize {
        return Ok(());
    }
    while let Some(event) = channel.recv().await {
        if matches!(event, DataChannelEvent::Open) {
            return Ok(());
        }
    }
    Err("the channel closed".to_owned())
}

async fn message(channel: &DataChannel) -> Result<Bytes, String> {
    while let Some(event) = channel.recv().await {
        if let DataChannelEvent::Message(message) = event {
            return Ok(message);
        }
    }
    Err("the channel closed".to_owned())
}

async fn open(task: &Task, wire: &mut Wire) -> Result<(PeerConnection, Arc<DataChannel>), String> {
    let connection = build(task.address);
    let channel = if task.role == Role::Offer {
        let channel = create(&connection)?;
        let offer = offer(&connection).await?;
        wire.send(&offer.to_sdp_string());
        let answer = SessionDescription::parse(SdpType::Answer, &wire.recv_in_task()?).map_err(text)?;
        connection.set_remote_description(answer).await.map_err(text)?;
        channel
    } else {
        let offer = SessionDescription::parse(SdpType::Offer, &wire.recv_in_task()?).map_err(text)?;
        let answer = answer(&connection, offer).await?;
        wire.send(&answer.to_sdp_string());
        channel(&connection).await?
    };
    opened(&channel).await?;
    Ok((connection, channel))
}

async fn work((connection, channel): (PeerConnection, Arc<DataChannel>), task: Task) -> Result<(), String> {
    match (task.role, task.job) {
        (Role::Offer, Job::Flood(bytes)) => {
            let payload = vec![7; bytes];
            loop {
                // Waits while the association holds its default limit.
                connection.send_data(channel.id, &payload).await.map_err(text)?;
            }
        }
        (Role::Answer, Job::Flood(_)) => loop {
            wire::count(message(&channel).await?.len());
        },
        (Role::Offer, Job::PingPong(wanted) | Job::BlockingPingPong(wanted)) => {
            let mut rounds = Rounds::new(wanted);
            loop {
                rounds.ping();
                connection.send_data(channel.id, &[7; PING]).await.map_err(text)?;
                message(&channel).await?;
                if rounds.pong() {
                    break;
                }
            }
            // Its connection stays until the measuring process ends this one.
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(())
        }
        (Role::Answer, Job::PingPong(_) | Job::BlockingPingPong(_)) => loop {
            let data = message(&channel).await?;
            connection.send_data(channel.id, &data).await.map_err(text)?;
        },
    }
}

pub async fn side(task: Task, mut wire: Wire) -> Result<(), String> {
    let mut ends = Vec::new();
    for _ in 0..task.connections {
        ends.push(open(&task, &mut wire).await?);
    }
    side::on_all(ends, move |end| work(end, task)).await
}

/// Two connections with an open channel between them.
pub struct Pair {
    connections: [PeerConnection; 2],
    _channels: [Arc<DataChannel>; 2],
}

impl Drop for Pair {
    fn drop(&mut self) {
        for connection in &self.connections {
            connection.close();
        }
    }
}

pub async fn connect() -> Result<(Pair, Duration), String> {
    let (offerer, answerer) = (build(Ipv4Addr::LOCALHOST), build(Ipv4Addr::LOCALHOST));
    let ours = create(&offerer)?;
    let begin = Instant::now();
    let offer = offer(&offerer).await?;
    let answer = answer(&answerer, offer).await?;
    offerer.set_remote_description(answer).await.map_err(text)?;
    let theirs = channel(&answerer).await?;
    opened(&theirs).await?;
    opened(&ours).await?;
    let took = begin.elapsed();
    Ok((Pair { connections: [offerer, answerer], _channels: [ours, theirs] }, took))
}
