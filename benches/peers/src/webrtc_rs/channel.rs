//! webrtc over tokio and UDP.

use crate::{
    side::{self, Job, PING, Role, Rounds, Task},
    wire::{self, Wire},
};
use bytes::BytesMut;
use rtc::peer_connection::configuration::setting_engine::{SctpMaxMessageSize, SettingEngineBuilder};
use std::{
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    peer_connection::{
        MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
        RTCConfigurationBuilder, RTCIceGatheringState, RTCSessionDescription, Registry,
        register_default_interceptors,
    },
};

/// Bytes that may wait in a channel before `send` does.
const SEND_BUFFER: usize = 4 << 20;

struct Handler {
    gathered: mpsc::UnboundedSender<()>,
    channels: mpsc::UnboundedSender<Arc<dyn DataChannel>>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.gathered.send(());
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let _ = self.channels.send(channel);
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

struct End {
    connection: Arc<dyn PeerConnection>,
    gathered: mpsc::UnboundedReceiver<()>,
    channels: mpsc::UnboundedReceiver<Arc<dyn DataChannel>>,
}

impl End {
    async fn build(address: Ipv4Addr) -> Result<Self, String> {
        let mut media = MediaEngine::default();
        media.register_default_codecs().map_err(text)?;
        let registry = register_default_interceptors(Registry::new(), &mut media).map_err(text)?;
        let (gathered_sender, gathered) = mpsc::unbounded_channel();
        let (channel_sender, channels) = mpsc::unbounded_channel();
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(media)
            // 64 KiB otherwise; the others take 256 KiB without being asked.
            .with_setting_engine(
                SettingEngineBuilder::new().with_sctp_max_message_size(SctpMaxMessageSize::Unbounded).build(),
            )
            .with_interceptor_registry(registry)
            .with_handler(Arc::new(Handler { gathered: gathered_sender, channels: channel_sender }))
            .with_udp_addrs(vec![format!("{address}:0")])
            .with_data_channel_send_buffer_limit(SEND_BUFFER)
            .build()
            .await
            .map_err(text)?;
        Ok(Self { connection: Arc::new(connection), gathered, channels })
    }

    async fn local(&mut self, description: RTCSessionDescription) -> Result<RTCSessionDescription, String> {
        self.connection.set_local_description(description).await.map_err(text)?;
        self.gathered.recv().await;
        Ok(self.connection.local_description().await.ok_or("no description")?)
    }

    async fn offer(&mut self) -> Result<RTCSessionDescription, String> {
        let offer = self.connection.create_offer(None).await.map_err(text)?;
        self.local(offer).await
    }

    async fn answer(&mut self, offer: RTCSessionDescription) -> Result<RTCSessionDescription, String> {
        self.connection.set_remote_description(offer).await.map_err(text)?;
        let answer = self.connection.create_answer(None).await.map_err(text)?;
        self.local(answer).await
    }
}

async fn opened(channel: &Arc<dyn DataChannel>) -> Result<(), String> {
    while let Some(event) = channel.poll().await {
        if matches!(event, DataChannelEvent::OnOpen) {
            return Ok(());
        }
    }
    Err("the channel closed".to_owned())
}

async fn message(channel: &Arc<dyn DataChannel>) -> Result<BytesMut, String> {
    while let Some(event) = channel.poll().await {
        if let DataChannelEvent::OnMessage(message) = event {
            return Ok(message.data);
        }
    }
    Err("the channel closed".to_owned())
}

async fn open(task: &Task, wire: &mut Wire) -> Result<(End, Arc<dyn DataChannel>), String> {
    let mut end = End::build(task.address).await?;
    let channel = if task.role == Role::Offer {
        let channel = end.connection.create_data_channel("bench", None).await.map_err(text)?;
        let offer = end.offer().await?;
        wire.send(&serde_json::to_string(&offer).map_err(text)?);
        let answer = serde_json::from_str(&wire.recv_in_task()?).map_err(text)?;
        end.connection.set_remote_description(answer).await.map_err(text)?;
        channel
    } else {
        let offer = serde_json::from_str(&wire.recv_in_task()?).map_err(text)?;
        let answer = end.answer(offer).await?;
        wire.send(&serde_json::to_string(&answer).map_err(text)?);
        end.channels.recv().await.ok_or("no channel came")?
    };
    opened(&channel).await?;
    Ok((end, channel))
}

async fn work((_end, channel): (End, Arc<dyn DataChannel>), task: Task) -> Result<(), String> {
    match (task.role, task.job) {
        (Role::Offer, Job::Flood(bytes)) => {
            let payload = vec![7; bytes];
            loop {
                channel.send(BytesMut::from(payload.as_slice())).await.map_err(text)?;
            }
        }
        (Role::Answer, Job::Flood(_)) => loop {
            wire::count(message(&channel).await?.len());
        },
        (Role::Offer, Job::PingPong(wanted) | Job::BlockingPingPong(wanted)) => {
            let mut rounds = Rounds::new(wanted);
            loop {
                rounds.ping();
                channel.send(BytesMut::from([7; PING].as_slice())).await.map_err(text)?;
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
            channel.send(data).await.map_err(text)?;
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
    _ends: [End; 2],
    _channels: [Arc<dyn DataChannel>; 2],
}

pub async fn connect() -> Result<(Pair, Duration), String> {
    let mut offerer = End::build(Ipv4Addr::LOCALHOST).await?;
    let mut answerer = End::build(Ipv4Addr::LOCALHOST).await?;
    let ours = offerer.connection.create_data_channel("bench", None).await.map_err(text)?;
    let begin = Instant::now();
    let offer = offerer.offer().await?;
    let answer = answerer.answer(offer).await?;
    offerer.connection.set_remote_description(answer).await.map_err(text)?;
    let theirs = answerer.channels.recv().await.ok_or("no channel came")?;
    opened(&theirs).await?;
    opened(&ours).await?;
    let took = begin.elapsed();
    Ok((Pair { _ends: [offerer, answerer], _channels: [ours, theirs] }, took))
}
