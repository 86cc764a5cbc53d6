//! peerlane as a peer: the calls of `page/agent.js` on our own API, over standard input and output.

mod load;

use crate::ours::Ours;
use peerlane::{
    Configuration, DataChannel, DataChannelInit, DataChannelReceiver, DataChannelSender, HostAddresses,
    IceServer, IceTransportPolicy, MediaKind, Message, OfferOptions,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    sync::Mutex,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(15);

struct Channel {
    sender: DataChannelSender,
    receiver: Arc<Mutex<DataChannelReceiver>>,
    facts: Value,
    id: Option<u16>,
    progress: Arc<load::Progress>,
}

#[derive(Default)]
struct State {
    ours: Option<Ours>,
    channels: BTreeMap<String, Channel>,
    recordings: Vec<crate::ours::Recording>,
    hidden: bool,
}

/// Serves calls until the input ends.
pub(crate) async fn run(hidden: bool) -> Result<(), String> {
    let mut state = State { hidden, ..State::default() };
    println!("{}", json!({ "ready": "peerlane" }));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let request: Value = serde_json::from_str(&line).map_err(text)?;
        let name = request["call"].as_str().unwrap_or_default();
        let answer = match state.call(name, &request["args"]).await {
            Ok(value) => json!({ "id": request["id"], "ok": value }),
            Err(error) => json!({ "id": request["id"], "error": error }),
        };
        println!("{answer}");
    }
    Ok(())
}

impl State {
    async fn call(&mut self, name: &str, args: &Value) -> Result<Value, String> {
        match name {
            "new" => self.new_connection(&args["config"]).await?,
            "close" => self.close().await?,
            "create_channel" => self.create_channel(args).await?,
            "add_media" => {
                for (word, kind) in [("audio", MediaKind::Audio), ("video", MediaKind::Video)] {
                    if args[word] == true {
                        self.ours()?.add_clip(kind).await?;
                    }
                }
            }
            "remove_media" => self.remove_media(&args["kind"]).await?,
            "offer" => {
                let options = OfferOptions::new();
                let restart = args["iceRestart"] == true;
                let options = if restart { options.with_ice_restart() } else { options };
                return Ok(json!({ "sdp": self.ours()?.offer(options).await? }));
            }
            "answer" => return Ok(json!({ "sdp": self.ours()?.answer(string(args, "sdp")?).await? })),
            "accept" => self.ours()?.accept(string(args, "sdp")?).await?,
            "wait_state" => self.ours()?.connected().await?,
            "wait_channel" => return self.wait_channel(string(args, "label")?).await,
            "echo" => self.echo(string(args, "label")?)?,
            "exchange" => return self.exchange(args).await,
            "received" => return self.received(args).await,
            "pump" => self.pump(args)?,
            "drain" => self.drain(string(args, "label")?)?,
            "progress" => return self.progress(string(args, "label")?),
            "create_channels" => self.create_channels(args).await?,
            "wait_channels" => return self.wait_channels(args).await,
            "close_channels" => self.close_channels(args).await?,
            "forget_channels" => return Ok(self.forget_channels(args)),
            "stats" => return self.stats().await,
            _ => return Err(format!("peerlane's agent has no {name}")),
        }
        Ok(json!({}))
    }

    fn ours(&mut self) -> Result<&mut Ours, String> {
        self.ours.as_mut().ok_or_else(|| "there is no connection".to_owned())
    }

    async fn new_connection(&mut self, config: &Value) -> Result<(), String> {
        self.close().await?;
        let mut configuration = Configuration::default();
        for server in config["iceServers"].as_array().into_iter().flatten() {
            let (name, secret) = (string(server, "username")?, string(server, "credential")?);
            let server =
                IceServer::with_credentials([string(server, "urls")?], name, secret).map_err(text)?;
            configuration = configuration.with_ice_servers([server]);
        }
        if config["iceTransportPolicy"] == "relay" {
            configuration = configuration.with_ice_transport_policy(IceTransportPolicy::Relay);
        }
        if self.hidden {
            configuration = configuration.with_host_addresses(HostAddresses::Hidden);
        }
        self.ours = Some(Ours::new(configuration).await?);
        Ok(())
    }

    async fn close(&mut self) -> Result<(), String> {
        self.channels.clear();
        self.recordings.clear();
        match self.ours.take() {
            Some(ours) => ours.close().await,
            None => Ok(()),
        }
    }

    async fn create_channel(&mut self, args: &Value) -> Result<(), String> {
        let init = &args["init"];
        let mut wanted = DataChannelInit::new();
        if init["ordered"] == false {
            wanted = wanted.unordered();
        }
        if let Some(protocol) = init["protocol"].as_str() {
            wanted = wanted.protocol(protocol);
        }
        if init["negotiated"] == true {
            let id = init["id"].as_u64().and_then(|id| u16::try_from(id).ok()).ok_or("no id")?;
            wanted = wanted.negotiated(id);
        }
        let label = string(args, "label")?.to_owned();
        let channel = self.ours()?.connection.create_data_channel(label, wanted).await.map_err(text)?;
        self.adopt(channel, false);
        Ok(())
    }

    fn adopt(&mut self, channel: DataChannel, announced: bool) {
        let facts = json!({
            "ordered": channel.ordered(), "protocol": channel.protocol(), "negotiated": channel.negotiated(),
            "maxRetransmits": channel.max_retransmits(),
            "maxPacketLifeTime": channel.max_packet_life_time().map(|time| time.as_millis() as u64),
            "announced": announced,
        });
        let (label, id) = (channel.label().to_owned(), channel.id());
        let (sender, receiver) = channel.split();
        let receiver = Arc::new(Mutex::new(receiver));
        let progress = Arc::default();
        self.channels.insert(label, Channel { sender, receiver, facts, id, progress });
    }

    async fn wait_channel(&mut self, label: &str) -> Result<Value, String> {
        while !self.channels.contains_key(label) {
            let channel = self.ours()?.incoming_channel().await?;
            self.adopt(channel, true);
        }
        let channel = self.channels.get(label).ok_or("no such channel")?;
        let opened = timeout(PATIENCE, channel.sender.opened()).await;
        opened.map_err(|_| "the channel did not open")?.map_err(text)?;
        Ok(channel.facts.clone())
    }

    fn echo(&mut self, label: &str) -> Result<(), String> {
        let channel = self.channels.get(label).ok_or("no such channel")?;
        let (sender, receiver) = (channel.sender.clone(), channel.receiver.clone());
        tokio::spawn(async move {
            let mut receiver = receiver.lock().await;
            while let Some(message) = receiver.recv().await {
                if sender.send(message).await.is_err() {
                    return;
                }
            }
        });
        Ok(())
    }

    async fn exchange(&mut self, args: &Value) -> Result<Value, String> {
        let channel = self.channels.get(string(args, "label")?).ok_or("no such channel")?;
        let mut receiver = channel.receiver.lock().await;
        let mut bytes = 0;
        for (n, size) in args["sizes"].as_array().into_iter().flatten().filter_map(Value::as_u64).enumerate()
        {
            let size = usize::try_from(size).map_err(text)?;
            let sent = if args["text"] == true {
                Message::Text("ä".repeat(size))
            } else {
                Message::Binary((0..size).map(|i| ((n * 31 + i * 7) % 251) as u8).collect())
            };
            channel.sender.send(sent.clone()).await.map_err(text)?;
            let got = timeout(PATIENCE, receiver.recv()).await.map_err(|_| format!("no echo of {size}"))?;
            if got.as_ref() != Some(&sent) {
                return Err(format!("message {n} of {size} came back changed"));
            }
            bytes += sent.len();
        }
        Ok(json!({ "bytes": bytes }))
    }

    async fn received(&mut self, args: &Value) -> Result<Value, String> {
        let wanted = args["count"].as_u64().unwrap_or_default();
        let channel = self.channels.get(string(args, "label")?).ok_or("no such channel")?;
        let mut receiver = channel.receiver.lock().await;
        let (mut count, mut bytes) = (0, 0);
        while count < wanted {
            let message =
                timeout(PATIENCE, receiver.recv()).await.map_err(|_| format!("only {count} messages"))?;
            bytes += message.ok_or("the channel closed")?.len();
            count += 1;
        }
        Ok(json!({ "count": count, "bytes": bytes }))
    }

    async fn remove_media(&mut self, kind: &Value) -> Result<(), String> {
        let connection = self.ours()?.connection.clone();
        for transceiver in connection.transceivers().await.map_err(text)? {
            if *kind == transceiver.kind().as_str() && transceiver.direction().sends() {
                connection.remove_track(&transceiver.sender()).await.map_err(text)?;
            }
        }
        Ok(())
    }

    /// Counts what arrives; decoding is nobody's job here, so complete frames stand for decoded ones.
    async fn stats(&mut self) -> Result<Value, String> {
        let stats = self.ours()?.connection.stats().await.map_err(text)?;
        let inbound = |kind: MediaKind| stats.inbound.iter().filter(move |stream| stream.kind == kind);
        let frames: u64 = inbound(MediaKind::Video).map(|stream| stream.counters.frames).sum();
        let audio: u64 = inbound(MediaKind::Audio).map(|stream| stream.counters.packets).sum();
        Ok(json!({
            "state": self.ours()?.connection.connection_state().as_str(),
            "framesDecoded": frames,
            "audioPackets": audio,
            "audioEnergy": audio,
            "tlsVersion": stats.transport.tls_version,
            "dtlsCipher": stats.transport.dtls_cipher,
            "srtpCipher": stats.transport.srtp_cipher,
        }))
    }
}

fn string<'v>(value: &'v Value, name: &str) -> Result<&'v str, String> {
    value[name].as_str().ok_or_else(|| format!("{name} is missing"))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
