//! Every asynchronous function of the API, each ready to be dropped half-way.

use super::{Scene, Stage};
use peerlane::{
    AnswerOptions, ByteStream, ByteStreamError, Configuration, DataChannel, DataChannelInit, Direction,
    IceCandidateInit, IceServer, MediaKind, OfferOptions, PeerConnection, TransceiverInit, TurnServer,
    UdpMux, datachannel::Kind,
};
use std::{future::Future, net::SocketAddr, pin::Pin};

/// A call, and how far the connection has come when it is made.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) stage: Stage,
    pub(super) start: for<'a> fn(&'a mut Scene) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
}

/// Makes the table: name, stage, the scene, and the call in it.
macro_rules! calls {
    ($($name:literal, $stage:ident, |$scene:ident| $call:expr;)*) => {
        &[$(Call {
            name: $name,
            stage: Stage::$stage,
            start: |$scene| Box::pin(async move { let _ = $call; }),
        }),*]
    };
}

/// Named after type and function, so that a test can compare the list with the source.
pub(super) const CALLS: &[Call] = calls! {
    "ByteStream::close", Connected, |scene| if let Some(Ok(stream)) = byte_stream(scene) {
        stream.close().await;
    };
    "ByteStream::flushed", Connected, |scene| match byte_stream(scene) {
        Some(Ok(mut stream)) => stream.flushed().await.is_ok(),
        _ => false
    };
    "DataChannel::buffered_amount_low", Connected, |scene| if let Some(channel) = &scene.channel {
        channel.buffered_amount_low().await;
    };
    "DataChannel::close", Connected, |scene| if let Some(channel) = scene.channel.take() {
        channel.close().await;
    };
    "DataChannel::close", Fresh, |scene| if let Some(channel) = scene.channel.take() {
        channel.close().await;
    };
    "DataChannel::closed", Connected, |scene| if let Some(channel) = &scene.channel {
        channel.closed().await;
    };
    "DataChannel::flush", Connected, |scene| match &scene.channel {
        Some(channel) => channel.flush().await.is_ok(),
        None => false
    };
    "DataChannel::opened", Offered, |scene| match &scene.channel {
        Some(channel) => channel.opened().await.is_ok(),
        None => false
    };
    "DataChannel::recv", Connected, |scene| match &mut scene.other {
        Some(other) => other.recv().await,
        None => None
    };
    "DataChannel::recv_streamed", Connected, |scene| match &mut scene.other {
        Some(other) => other.recv_streamed().await.is_some(),
        None => false
    };
    "DataChannel::send", Connected, |scene| match &scene.channel {
        Some(channel) => channel.send(scene.probes.bytes(vec![1; 100_000])).await.is_ok(),
        None => false
    };
    "DataChannel::send_tracked", Connected, |scene| match &scene.channel {
        Some(channel) => channel.send_tracked(scene.probes.bytes(vec![1; 100_000])).await.is_ok(),
        None => false
    };
    "DataChannel::writer", Connected, |scene| match &scene.channel {
        Some(channel) => channel.writer(Kind::Binary).await.is_ok(),
        None => false
    };
    "DataChannelReceiver::closed", Connected, |scene| if let Some(other) = scene.other.take() {
        other.split().1.closed().await;
    };
    "DataChannelReceiver::recv", Connected, |scene| match scene.other.take() {
        Some(other) => other.split().1.recv().await,
        None => None
    };
    "DataChannelReceiver::recv_streamed", Connected, |scene| match scene.other.take() {
        Some(other) => other.split().1.recv_streamed().await.is_some(),
        None => false
    };
    "DataChannelSender::buffered_amount_low", Connected, |scene| if let Some(channel) = scene.channel.take() {
        channel.split().0.buffered_amount_low().await;
    };
    "DataChannelSender::close", Connected, |scene| if let Some(other) = scene.other.take() {
        other.split().0.close().await;
    };
    "DataChannelSender::closed", Connected, |scene| if let Some(other) = scene.other.take() {
        other.split().0.closed().await;
    };
    "DataChannelSender::flush", Connected, |scene| match scene.other.take() {
        Some(other) => other.split().0.flush().await.is_ok(),
        None => false
    };
    "DataChannelSender::opened", Fresh, |scene| match scene.channel.take() {
        Some(channel) => channel.split().0.opened().await.is_ok(),
        None => false
    };
    "DataChannelSender::send", Connected, |scene| match scene.other.take() {
        Some(other) => other.split().0.send(scene.probes.bytes(vec![1; 10])).await.is_ok(),
        None => false
    };
    "DataChannelSender::send_tracked", Connected, |scene| match scene.other.take() {
        Some(other) => other.split().0.send_tracked(scene.probes.bytes(vec![1; 10])).await.is_ok(),
        None => false
    };
    "DataChannelSender::writer", Connected, |scene| match scene.other.take() {
        Some(other) => other.split().0.writer(Kind::Text).await.is_ok(),
        None => false
    };
    "Events::next", Connected, |scene| scene.a_events.next().await;
    "Events::next", Fresh, |scene| while scene.a_events.next().await.is_some() {};
    "LocalTrack::key_frame_requested", Connected, |scene| scene.track.key_frame_requested().await;
    "LocalTrack::write", Connected, |scene| {
        let frame = crate::peers::picture(3_000, |frame| scene.probes.bytes(frame));
        scene.track.write(frame).await.is_ok()
    };
    "MessageReader::read", Connected, |scene| match &mut scene.other {
        Some(other) => match other.recv_streamed().await {
            Some(mut reader) => reader.read().await.is_ok(),
            None => false,
        },
        None => false
    };
    "MessageWriter::finish", Connected, |scene| match &scene.channel {
        Some(channel) => match channel.writer(Kind::Binary).await {
            Ok(mut writer) => {
                writer.write(scene.probes.bytes(vec![1; 3_000])).await.is_ok() && writer.finish().await.is_ok()
            }
            Err(_) => false,
        },
        None => false
    };
    "MessageWriter::write", Connected, |scene| match &scene.channel {
        Some(channel) => match channel.writer(Kind::Binary).await {
            Ok(mut writer) => writer.write(scene.probes.bytes(vec![1; 3_000_000])).await.is_ok(),
            Err(_) => false,
        },
        None => false
    };
    "PeerConnection::add_ice_candidate", Offered, |scene| {
        let candidate = "candidate:1 1 udp 1 127.0.0.2 9 typ host";
        scene.b.add_ice_candidate(IceCandidateInit::new(candidate)).await
    };
    "PeerConnection::add_track", Fresh, |scene| {
        scene.a.add_track(MediaKind::Audio, TransceiverInit::new()).await
    };
    "PeerConnection::add_transceiver", Connected, |scene| {
        scene.a.add_transceiver(MediaKind::Audio, TransceiverInit::new()).await
    };
    "PeerConnection::close", Connected, |scene| scene.a.close().await;
    "PeerConnection::close", Fresh, |scene| scene.a.close().await;
    "PeerConnection::closed", Offered, |scene| scene.a.closed().await;
    "PeerConnection::configuration", Fresh, |scene| scene.a.configuration().await;
    "PeerConnection::connected", Offered, |scene| scene.b.connected().await;
    "PeerConnection::create_answer", Offered, |scene| scene.b.create_answer(AnswerOptions::new()).await;
    "PeerConnection::create_data_channel", Connected, |scene| {
        scene.a.create_data_channel("more", DataChannelInit::new()).await
    };
    "PeerConnection::create_offer", Fresh, |scene| scene.a.create_offer(OfferOptions::new()).await;
    "PeerConnection::gathering_complete", Fresh, |scene| {
        scene.a.set_local_description(None).await.is_ok() && scene.a.gathering_complete().await.is_ok()
    };
    "PeerConnection::remove_track", Connected, |scene| scene.a.remove_track(&scene.sender).await;
    "PeerConnection::restart_ice", Connected, |scene| scene.a.restart_ice().await;
    "PeerConnection::set_ice_servers", Offered, |scene| {
        // A name, which is looked up on another thread.
        let servers = IceServer::new(["stun:localhost:9"]).into_iter().collect();
        scene.a.set_ice_servers(servers).await
    };
    "PeerConnection::set_local_description", Fresh, |scene| scene.a.set_local_description(None).await;
    "PeerConnection::set_local_description", Offered, |scene| scene.b.set_local_description(None).await;
    "PeerConnection::set_remote_description", Offered, |scene| match scene.a.local_description() {
        Some(offer) => scene.b.set_remote_description(offer).await.is_ok(),
        None => false
    };
    "PeerConnection::stats", Connected, |scene| scene.a.stats().await;
    "PeerConnection::transceivers", Connected, |scene| scene.b.transceivers().await;
    "PeerConnection::wait_for", Offered, |scene| {
        let probe = scene.probes.probe();
        let never = |_| { let _held = &probe; false };
        scene.a.wait_for(never).await;
    };
    "PeerConnectionBuilder::build", Fresh, |scene| {
        let _probe = scene.probes.probe();
        // A name, which is looked up on another thread: without one there is nothing to wait for.
        let servers = IceServer::new(["stun:localhost:9"]);
        let configuration = Configuration::default().with_ice_servers(servers);
        PeerConnection::builder().configuration(configuration).build().await
    };
    "RemoteTrack::recv_frame", Connected, |scene| match &mut scene.remote {
        Some(remote) => remote.recv_frame().await.is_some(),
        None => false
    };
    "RemoteTrack::recv_packet", Connected, |scene| match &mut scene.remote {
        Some(remote) => remote.recv_packet().await.is_some(),
        None => false
    };
    "RemoteTrack::request_key_frame", Connected, |scene| match &scene.remote {
        Some(remote) => remote.request_key_frame().await.is_ok(),
        None => false
    };
    "RtpTransceiver::set_codec_preferences", Fresh, |scene| {
        scene.transceiver.set_codec_preferences(["VP8"]).await
    };
    "RtpTransceiver::set_direction", Connected, |scene| {
        scene.transceiver.set_direction(Direction::Inactive).await
    };
    "RtpTransceiver::stop", Connected, |scene| scene.transceiver.stop().await;
    "TurnServerBuilder::start", Fresh, |scene| {
        let _probe = scene.probes.probe();
        TurnServer::builder().start().await
    };
    "UdpMux::bind", Fresh, |scene| {
        let _probe = scene.probes.probe();
        UdpMux::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await
    };
};

fn byte_stream(scene: &mut Scene) -> Option<Result<ByteStream, ByteStreamError>> {
    scene.channel.take().map(DataChannel::into_byte_stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    /// `Type::function` for each public asynchronous function in a source file.
    fn public_async(source: &str, found: &mut BTreeSet<String>) {
        let mut owner = String::new();
        for line in source.lines() {
            if let Some(rest) = line.strip_prefix("impl ").or_else(|| line.strip_prefix("impl<'a> ")) {
                owner = rest.trim_end_matches('{').trim().trim_end_matches("<'a>").to_owned();
            }
            if let Some(rest) = line.strip_prefix("    pub async fn ") {
                let name = rest.split(['(', '<']).next().unwrap_or_default();
                found.insert(format!("{owner}::{name}"));
            }
        }
    }

    /// Whoever adds an asynchronous function to the API adds it here.
    #[test]
    fn every_public_asynchronous_function_is_dropped_half_way() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/peerconnection/src/tokio");
        let mut found = BTreeSet::new();
        let inside = fs::read_dir(folder.join("data_channel")).unwrap();
        for entry in fs::read_dir(folder).unwrap().chain(inside) {
            let path = entry.unwrap().path();
            if path.is_file() {
                public_async(&fs::read_to_string(path).unwrap(), &mut found);
            }
        }
        let listed: BTreeSet<String> = CALLS.iter().map(|call| call.name.to_owned()).collect();
        assert!(found.len() >= 40, "the sources were not read: {found:?}");
        assert_eq!(listed, found);
    }
}
