//! How packets travel: roles, ciphers, relays, names.

use super::{Context, Outcome, check, media, ours, text};
use crate::ours::Ours;
use peerlane::{
    Configuration, DataChannelInit, DtlsSetup, IceServer, IceTransportPolicy, TurnServer, srtp::Profile,
    turn::server::IpNet,
};
use serde_json::{Value, json};
use std::{net::IpAddr, time::Duration};
use tokio::time::sleep;

pub(super) async fn dtls_active(context: Context<'_>) -> Outcome {
    dtls(context, DtlsSetup::Active, "active").await
}

pub(super) async fn dtls_passive(context: Context<'_>) -> Outcome {
    dtls(context, DtlsSetup::Passive, "passive").await
}

async fn dtls(context: Context<'_>, setup: DtlsSetup, word: &str) -> Outcome {
    context.call("new", json!({})).await?;
    let mut ours = Ours::new(Configuration::default().with_dtls_setup(setup)).await?;
    context.call("create_channel", json!({ "label": "chat" })).await?;
    context.answer_to_peer(&ours, json!({})).await?;
    context.connected(&ours).await?;
    let local = ours.connection.local_description().ok_or("no local description")?.sdp();
    check(local.contains(&format!("a=setup:{word}")), || format!("our answer is not {word}: {local}"))?;
    exchange(&context, &mut ours).await?;
    let stats = context.call("stats", json!({})).await?;
    ours.close().await?;
    Ok(described(&stats))
}

pub(super) async fn srtp_aes_cm(context: Context<'_>) -> Outcome {
    srtp(context, Profile::Aes128CmHmacSha1_80, "_CM_").await
}

pub(super) async fn srtp_aes_gcm(context: Context<'_>) -> Outcome {
    srtp(context, Profile::AeadAes128Gcm, "GCM").await
}

async fn srtp(context: Context<'_>, profile: Profile, cipher: &str) -> Outcome {
    context.call("new", json!({})).await?;
    let mut ours = Ours::new(Configuration::default().with_srtp_profiles([profile])).await?;
    context.call("add_media", json!({ "audio": true, "video": true })).await?;
    context.answer_to_peer(&ours, json!({})).await?;
    context.connected(&ours).await?;
    let recordings = media::record(&mut ours, &context.folder, 2).await?;
    sleep(Duration::from_secs(3)).await;
    let stats = context.call("stats", json!({})).await?;
    if let Some(named) = stats.get("srtpCipher").and_then(Value::as_str) {
        check(named.contains(cipher), || format!("the peer says {named}"))?;
    }
    ours.close().await?;
    sleep(Duration::from_millis(200)).await;
    let frames: u64 = recordings.iter().map(crate::ours::Recording::frames).sum();
    check(frames > 100, || format!("{frames} frames arrived in 3 s"))?;
    Ok(format!("{frames} frames {}", stats.get("srtpCipher").and_then(Value::as_str).unwrap_or_default()))
}

pub(super) async fn relay_only(context: Context<'_>) -> Outcome {
    let address = own_address().map_err(|error| format!("this machine has no address: {error}"))?;
    let everywhere = IpNet::new(IpAddr::from([0, 0, 0, 0]), 0);
    let relay = TurnServer::builder()
        .user("relay", "secret")
        .bind((address, 0).into())
        .allow_peers(everywhere)
        .start()
        .await
        .map_err(|error| format!("our TURN server did not start: {error}"))?;
    let url = format!("turn:{}", relay.local_addr());
    let config = json!({
        "iceServers": [{ "urls": url, "username": "relay", "credential": "secret" }],
        "iceTransportPolicy": "relay",
    });
    context.call("new", json!({ "config": config })).await?;
    let server = IceServer::with_credentials([url], "relay", "secret").map_err(|error| error.to_string())?;
    let mut ours = Ours::new(
        Configuration::default()
            .with_ice_servers([server])
            .with_ice_transport_policy(IceTransportPolicy::Relay),
    )
    .await?;
    context.call("create_channel", json!({ "label": "chat" })).await?;
    let offer = context.answer_to_peer(&ours, json!({})).await?;
    check(offer.contains("typ relay") && !offer.contains("typ host"), || format!("the offer is {offer}"))?;
    context.connected(&ours).await?;
    exchange(&context, &mut ours).await?;
    let stats = context.call("stats", json!({})).await?;
    if let (Some(local), Some(remote)) = (stats["local"].as_str(), stats["remote"].as_str()) {
        check(local == "relay" && remote == "relay", || format!("the pair is {local} and {remote}"))?;
    }
    ours.close().await?;
    Ok("relay to relay".to_owned())
}

pub(super) async fn mdns(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    context.call("create_channel", json!({ "label": "chat" })).await?;
    let offer = context.answer_to_peer(&ours, json!({})).await?;
    let shown = offer.lines().filter(|line| line.starts_with("a=candidate:") && line.contains("typ host"));
    check(shown.clone().all(|line| line.contains(".local")) && shown.count() > 0, || {
        format!("the offer shows addresses: {offer}")
    })?;
    context.connected(&ours).await?;
    exchange(&context, &mut ours).await?;
    ours.close().await?;
    // The other way round, with our names hidden as well.
    context.call("new", json!({})).await?;
    let mut ours =
        Ours::new(Configuration::default().with_host_addresses(peerlane::HostAddresses::Hidden)).await?;
    let channel = ours.connection.create_data_channel("chat", DataChannelInit::new()).await;
    let channel = channel.map_err(|error| error.to_string())?;
    let offer = ours.offer(peerlane::OfferOptions::new()).await?;
    check(offer.contains(".local") && !offer.contains("192.0.2."), || {
        format!("our offer shows addresses: {offer}")
    })?;
    let answer = context.call("answer", json!({ "sdp": offer })).await?;
    ours.accept(text(&answer, "sdp")?).await?;
    context.connected(&ours).await?;
    ours.echo(channel);
    context.call("wait_channel", json!({ "label": "chat" })).await?;
    context.call("exchange", json!({ "label": "chat", "sizes": [1, 10_000] })).await?;
    ours.close().await?;
    Ok("both ways".to_owned())
}

/// The address of the interface with the default route. Connecting a UDP socket sends nothing.
fn own_address() -> std::io::Result<IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    socket.connect("192.0.2.254:9")?;
    Ok(socket.local_addr()?.ip())
}

async fn exchange(context: &Context<'_>, ours: &mut Ours) -> Result<(), String> {
    let channel = ours.incoming_channel().await?;
    ours.echo(channel);
    context.call("wait_channel", json!({ "label": "chat" })).await?;
    context.call("exchange", json!({ "label": "chat", "sizes": [1, 10_000, 60_000] })).await.map(drop)
}

fn described(stats: &Value) -> String {
    let part = |name: &str| stats.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    format!("{} {}", part("tlsVersion"), part("dtlsCipher")).trim().to_owned()
}
