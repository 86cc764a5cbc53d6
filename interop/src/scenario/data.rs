//! Data channels.

use super::{Context, Outcome, check, number, ours};
use peerlane::{DataChannelInit, Message};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// From one byte to the largest message that is announced by default; none of zero, which the peer's echo of
/// `exchange` cannot tell from nothing.
const SIZES: &[usize] = &[1, 2, 100, 1_199, 1_200, 1_201, 16_384, 65_535, 65_536, 262_144];
/// aiortc announces 65,536 bytes.
const SMALL_SIZES: &[usize] = &[1, 2, 100, 1_199, 1_200, 1_201, 16_384, 65_535, 65_536];

pub(super) async fn our_offer(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let ours = ours().await?;
    let mut ordered =
        ours.connection.create_data_channel("ordered", DataChannelInit::new()).await.map_err(text)?;
    let init = DataChannelInit::new().unordered().protocol("test");
    let mut unordered = ours.connection.create_data_channel("unordered", init).await.map_err(text)?;
    context.offer_to_peer(&ours).await?;
    context.connected(&ours).await?;
    let seen = context.call("wait_channel", json!({ "label": "unordered" })).await?;
    check(seen["ordered"] == false && seen["protocol"] == "test", || {
        format!("the peer sees the channel as {seen}")
    })?;
    let mut bytes = 0;
    for channel in [&mut ordered, &mut unordered] {
        let label = channel.label().to_owned();
        context.call("wait_channel", json!({ "label": label })).await?;
        context.call("echo", json!({ "label": label })).await?;
        channel.opened().await.map_err(text)?;
        let limit = channel.max_message_size();
        for size in SIZES.iter().copied().filter(|size| *size <= limit) {
            bytes += round_trip(channel, pattern(size)).await?;
        }
        let sent = "grüße".to_owned();
        channel.send(sent.clone()).await.map_err(text)?;
        let back = timeout(Duration::from_secs(5), channel.recv()).await.map_err(|_| "no echo of a text")?;
        check(back == Some(Message::Text(sent)), || format!("the text came back as {back:?}"))?;
        bytes += round_trip(channel, Vec::new()).await?;
    }
    ours.close().await?;
    Ok(format!("{} KiB echoed", bytes / 1024))
}

pub(super) async fn our_answer(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    context.call("create_channel", json!({ "label": "ordered" })).await?;
    let init = json!({ "ordered": false, "protocol": "test" });
    context.call("create_channel", json!({ "label": "unordered", "init": init })).await?;
    context.answer_to_peer(&ours, json!({})).await?;
    context.connected(&ours).await?;
    let mut bytes = 0.0;
    for _ in 0..2 {
        let channel = ours.incoming_channel().await?;
        let label = channel.label().to_owned();
        check((label == "ordered") == channel.ordered(), || {
            format!("{label} is ordered: {}", channel.ordered())
        })?;
        let sizes = if channel.max_message_size() < 262_144 { SMALL_SIZES } else { SIZES };
        ours.echo(channel);
        context.call("wait_channel", json!({ "label": label })).await?;
        let exchanged = context.call("exchange", json!({ "label": label, "sizes": sizes })).await?;
        bytes += number(&exchanged, "bytes");
        context.call("exchange", json!({ "label": label, "sizes": [1, 5_000], "text": true })).await?;
    }
    ours.close().await?;
    Ok(format!("{:.0} KiB echoed", bytes / 1024.0))
}

pub(super) async fn negotiated(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    let init = DataChannelInit::new().negotiated(42);
    let channel = ours.connection.create_data_channel("agreed", init).await.map_err(text)?;
    let theirs = json!({ "negotiated": true, "id": 42 });
    context.call("create_channel", json!({ "label": "agreed", "init": theirs })).await?;
    context.answer_to_peer(&ours, json!({})).await?;
    context.connected(&ours).await?;
    channel.opened().await.map_err(text)?;
    check(channel.id() == Some(42), || format!("our id is {:?}", channel.id()))?;
    ours.echo(channel);
    let seen = context.call("wait_channel", json!({ "label": "agreed" })).await?;
    check(seen["announced"] == false, || "the peer got an OPEN message".to_owned())?;
    context.call("exchange", json!({ "label": "agreed", "sizes": [1, 1_000, 60_000] })).await?;
    ours.close().await?;
    Ok("id 42".to_owned())
}

pub(super) async fn partially_reliable(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let ours = ours().await?;
    let counted = DataChannelInit::new().unordered().max_retransmits(0);
    let timed = DataChannelInit::new().max_packet_life_time(Duration::from_millis(500));
    let channels = [
        ours.connection.create_data_channel("counted", counted).await.map_err(text)?,
        ours.connection.create_data_channel("timed", timed).await.map_err(text)?,
    ];
    context.offer_to_peer(&ours).await?;
    context.connected(&ours).await?;
    let seen = context.call("wait_channel", json!({ "label": "counted" })).await?;
    check(seen["maxRetransmits"] == 0, || format!("the peer sees {seen}"))?;
    let seen = context.call("wait_channel", json!({ "label": "timed" })).await?;
    check(seen["maxPacketLifeTime"] == 500, || format!("the peer sees {seen}"))?;
    for channel in &channels {
        channel.opened().await.map_err(text)?;
        for _ in 0..50 {
            channel.send(pattern(1_000)).await.map_err(text)?;
        }
        // Nothing is lost on this network, so nothing is given up.
        let got = context.call("received", json!({ "label": channel.label(), "count": 50 })).await?;
        check(number(&got, "bytes") == 50_000.0, || format!("the peer received {got}"))?;
    }
    ours.close().await?;
    Ok("100 messages".to_owned())
}

async fn round_trip(channel: &mut peerlane::DataChannel, sent: Vec<u8>) -> Result<usize, String> {
    let size = sent.len();
    channel.send(sent.clone()).await.map_err(text)?;
    let back = timeout(Duration::from_secs(20), channel.recv()).await;
    let back = back.map_err(|_| format!("no echo of {size} bytes"))?;
    check(back == Some(Message::Binary(sent.into())), || format!("{size} bytes came back changed"))?;
    Ok(size)
}

fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * 7 % 251) as u8).collect()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
