//! Data channels under load: rates, the largest messages, many channels.

use super::{Context, Outcome, check, number, ours};
use crate::{bulk, peers::PeerKind, usage};
use peerlane::{DataChannel, DataChannelInit, Message};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// A transfer that stands still for so long has failed.
const STILL: Duration = Duration::from_secs(15);

/// 64 MiB; of a peer in Python less, for it is slow.
fn count(context: &Context<'_>) -> u32 {
    if context.kind == PeerKind::Aiortc { 256 } else { 1_024 }
}

/// The peer sends as fast as it can.
pub(super) async fn receive(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    context.call("create_channel", json!({ "label": "bulk" })).await?;
    context.answer_to_peer(&ours, json!({})).await?;
    context.connected(&ours).await?;
    let mut channel = ours.incoming_channel().await?;
    context.call("wait_channel", json!({ "label": "bulk" })).await?;
    let count = count(&context);
    let load = Load::begin(&context);
    context.call("pump", json!({ "label": "bulk", "count": count, "size": bulk::SIZE })).await?;
    for expected in 0..count {
        let message =
            timeout(STILL, channel.recv()).await.map_err(|_| format!("{expected} messages, then none"))?;
        let Some(Message::Binary(bytes)) = message else {
            return Err(format!("instead of message {expected} came {message:?}"));
        };
        check(bulk::is_message(expected, &bytes), || format!("message {expected} came changed"))?;
    }
    let found = load.end(&context, count);
    ours.close().await?;
    Ok(found)
}

/// We send as fast as we can.
pub(super) async fn send(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let ours = ours().await?;
    let channel = ours.connection.create_data_channel("bulk", DataChannelInit::new()).await.map_err(text)?;
    context.offer_to_peer(&ours).await?;
    context.connected(&ours).await?;
    channel.opened().await.map_err(text)?;
    context.call("wait_channel", json!({ "label": "bulk" })).await?;
    context.call("drain", json!({ "label": "bulk" })).await?;
    let count = count(&context);
    let load = Load::begin(&context);
    for number in 0..count {
        let sent = timeout(STILL, channel.send(bulk::message(number))).await;
        sent.map_err(|_| format!("message {number} is not taken"))?.map_err(text)?;
    }
    let mut progress = Instant::now();
    let mut before = 0.0;
    loop {
        let seen = context.call("progress", json!({ "label": "bulk" })).await?;
        check(number(&seen, "bad") == 0.0, || format!("messages came changed: {seen}"))?;
        let received = number(&seen, "received");
        if received >= f64::from(count) {
            break;
        }
        if received > before {
            (before, progress) = (received, Instant::now());
        }
        check(progress.elapsed() < STILL, || format!("the peer stands still: {seen}"))?;
        sleep(Duration::from_millis(20)).await;
    }
    let found = load.end(&context, count);
    ours.close().await?;
    Ok(found)
}

/// The largest messages that are announced by default, both ways.
pub(super) async fn large_messages(context: Context<'_>) -> Outcome {
    const LARGE: usize = 256 << 10;
    const TIMES: usize = 16;
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    let mut sending =
        ours.connection.create_data_channel("ours", DataChannelInit::new()).await.map_err(text)?;
    context.offer_to_peer(&ours).await?;
    context.connected(&ours).await?;
    sending.opened().await.map_err(text)?;
    context.call("wait_channel", json!({ "label": "ours" })).await?;
    context.call("echo", json!({ "label": "ours" })).await?;
    check(sending.max_message_size() >= LARGE, || format!("the peer takes {}", sending.max_message_size()))?;
    for round in 0..TIMES {
        let sent: Vec<u8> = (0..LARGE).map(|i| ((i * 7 + round * 31) % 251) as u8).collect();
        sending.send(sent.clone()).await.map_err(text)?;
        let back = timeout(STILL, sending.recv()).await.map_err(|_| "no echo of 256 KiB")?;
        check(back == Some(Message::Binary(sent.into())), || format!("message {round} came back changed"))?;
    }
    context.call("create_channel", json!({ "label": "theirs" })).await?;
    let receiving = ours.incoming_channel().await?;
    ours.echo(receiving);
    context.call("wait_channel", json!({ "label": "theirs" })).await?;
    context.call("exchange", json!({ "label": "theirs", "sizes": vec![LARGE; TIMES] })).await?;
    ours.close().await?;
    Ok(format!("{TIMES} of 256 KiB each way and back"))
}

/// A thousand channels, a hundred at a time, half of them opened and closed by each side.
pub(super) async fn many_channels(context: Context<'_>) -> Outcome {
    const BATCHES: usize = 10;
    const HALF: usize = 50;
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    let kept = ours.connection.create_data_channel("kept", DataChannelInit::new()).await.map_err(text)?;
    context.offer_to_peer(&ours).await?;
    context.connected(&ours).await?;
    kept.opened().await.map_err(text)?;
    context.call("wait_channel", json!({ "label": "kept" })).await?;
    let mut ids = BTreeSet::new();
    let begun = Instant::now();
    for batch in 0..BATCHES {
        let names = |who: &str| (0..HALF).map(|i| format!("{who}-{batch}-{i}")).collect::<Vec<_>>();
        let (by_us, by_them) = (names("ours"), names("theirs"));
        let all: Vec<String> = by_us.iter().chain(&by_them).cloned().collect();
        let mut channels = Vec::new();
        for label in &by_us {
            let channel = ours.connection.create_data_channel(label.clone(), DataChannelInit::new()).await;
            channels.push(channel.map_err(text)?);
        }
        context.call("create_channels", json!({ "labels": by_them })).await?;
        for _ in 0..HALF {
            channels.push(ours.incoming_channel().await?);
        }
        for channel in &channels {
            timeout(STILL, channel.opened()).await.map_err(|_| "a channel does not open")?.map_err(text)?;
        }
        let open = context.call("wait_channels", json!({ "labels": all, "state": "open" })).await?;
        let own: BTreeSet<u64> = channels.iter().filter_map(DataChannel::id).map(u64::from).collect();
        let seen: BTreeSet<u64> =
            open["ids"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        check(own.len() == 2 * HALF && own == seen, || format!("ids: ours {own:?}, theirs {seen:?}"))?;
        ids.extend(own);
        let incoming = channels.split_off(HALF);
        for channel in channels {
            channel.close().await;
        }
        context.call("close_channels", json!({ "labels": by_them })).await?;
        for mut channel in incoming {
            let end =
                timeout(STILL, channel.recv()).await.map_err(|_| "no end of a channel the peer closed")?;
            check(end.is_none(), || format!("{end:?} on a channel where nothing was sent"))?;
        }
        let closed = context.call("wait_channels", json!({ "labels": all, "state": "closed" })).await?;
        if context.kind != PeerKind::Aiortc {
            // It says nothing of its own ends.
            let events = (number(&open, "opened"), number(&closed, "closed"));
            check(events == (100.0, 100.0), || format!("of 100 channels {events:?} opened and closed"))?;
        }
        let left = context.call("forget_channels", json!({ "labels": all })).await?;
        check(number(&left, "left") == 1.0, || format!("channels left: {left}"))?;
    }
    // The first batch, the one channel that stays, and what was closed by one side and not yet by the other.
    check(ids.len() <= 3 * HALF * 2, || format!("{} ids for 100 channels at a time", ids.len()))?;
    let seconds = begun.elapsed().as_secs_f64();
    ours.close().await?;
    Ok(format!("{} with {} ids in {seconds:.1} s", BATCHES * 2 * HALF, ids.len()))
}

/// What a transfer costs.
struct Load {
    begun: Instant,
    ours: f64,
    theirs: f64,
}

impl Load {
    fn begin(context: &Context<'_>) -> Self {
        Self {
            begun: Instant::now(),
            ours: usage::of_ourselves(),
            theirs: context.process.map_or(0.0, usage::of_tree),
        }
    }

    fn end(&self, context: &Context<'_>, count: u32) -> String {
        let megabits = f64::from(count) * bulk::SIZE as f64 * 8.0 / 1e6;
        let rate = megabits / self.begun.elapsed().as_secs_f64();
        let ours = usage::of_ourselves() - self.ours;
        let theirs = context.process.map_or(0.0, usage::of_tree) - self.theirs;
        format!(
            "{rate:.0} Mbit/s; CPU for {} MiB: the peer {theirs:.1} s, we {ours:.1} s",
            (u64::from(count) * bulk::SIZE as u64) >> 20
        )
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
