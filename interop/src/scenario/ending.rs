//! The peer goes away.

use super::{Context, Outcome, check, number, ours};
use crate::bulk;
use crate::ours::Ours;
use peerlane::{DataChannelInit, Message, SendError};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Consent expires after 30 s (RFC 7675 §5.1); nothing takes longer than that to be noticed.
const LONGEST: Duration = Duration::from_secs(35);

pub(super) async fn peer_closes(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    context.call("create_channel", json!({ "label": "chat" })).await?;
    context.answer_to_peer(&ours, json!({})).await?;
    context.connected(&ours).await?;
    let mut channel = ours.incoming_channel().await?;
    let begun = Instant::now();
    context.call("close", json!({})).await?;
    let end = timeout(LONGEST, channel.recv()).await.map_err(|_| "our channel did not end within 35 s")?;
    check(end.is_none(), || format!("a message came instead of the end: {end:?}"))?;
    let seconds = begun.elapsed().as_secs_f64();
    check(channel.send("late").await.is_err(), || "sending on a closed channel works".to_owned())?;
    ours.close().await?;
    Ok(format!("noticed after {seconds:.1} s"))
}

pub(super) async fn peer_reloads(mut context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let mut first = ours().await?;
    context.call("create_channel", json!({ "label": "chat" })).await?;
    context.answer_to_peer(&first, json!({})).await?;
    context.connected(&first).await?;
    let mut channel = first.incoming_channel().await?;
    let begun = Instant::now();
    context.call("reload", json!({})).await?;
    let hub = context.hub.as_mut().ok_or("only a browser can reload")?;
    context.agent = hub.next_agent().await?;

    // A new call works at once, whatever the old one knows.
    let second = call_again(&mut context, &[1, 1_000]).await?;

    // The old one notices: by what the browser said when it left, or because it no longer consents.
    let noticed = async {
        tokio::select! {
            message = channel.recv() => check(message.is_none(), || format!("{message:?} after the reload")),
            () = first.connection.wait_for(|state| state != peerlane::PeerConnectionState::Connected) => Ok(()),
        }
    };
    timeout(LONGEST, noticed).await.map_err(|_| "the old connection noticed nothing within 35 s")??;
    let seconds = begun.elapsed().as_secs_f64();
    first.close().await?;
    second.close().await?;
    Ok(format!("noticed after {seconds:.1} s"))
}

pub(super) async fn reload_in_transfer(mut context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let mut first = ours().await?;
    let sending = first.connection.create_data_channel("ours", DataChannelInit::new()).await;
    let sending = sending.map_err(|error| error.to_string())?;
    context.call("create_channel", json!({ "label": "theirs" })).await?;
    context.answer_to_peer(&first, json!({})).await?;
    context.connected(&first).await?;
    let mut receiving = first.incoming_channel().await?;
    sending.opened().await.map_err(|error| error.to_string())?;
    for label in ["ours", "theirs"] {
        context.call("wait_channel", json!({ "label": label })).await?;
    }
    context.call("drain", json!({ "label": "ours" })).await?;
    context.call("pump", json!({ "label": "theirs", "count": 1_000_000, "size": bulk::SIZE })).await?;
    // Ends with the error.
    let sender = tokio::spawn(async move {
        let mut number = 0;
        loop {
            match sending.send(bulk::message(number)).await {
                Ok(()) => number += 1,
                Err(error) => return (number, error),
            }
        }
    });
    for expected in 0..32 {
        let Ok(message) = timeout(LONGEST / 2, receiving.recv()).await else {
            let ours = context.call("progress", json!({ "label": "ours" })).await?;
            let theirs = context.call("progress", json!({ "label": "theirs" })).await?;
            return Err(format!(
                "no message {expected} from the peer: it sees {ours} of ours, {theirs} of its own"
            ));
        };
        let is_right = matches!(&message, Some(Message::Binary(bytes)) if bulk::is_message(expected, bytes));
        check(is_right, || format!("message {expected} came changed"))?;
    }
    let seen = context.call("progress", json!({ "label": "ours" })).await?;
    check(number(&seen, "bad") == 0.0, || format!("{seen}"))?;

    let begun = Instant::now();
    // Messages still come while the page goes.
    let rest = tokio::spawn(async move {
        let mut count = 32_u32;
        while receiving.recv().await.is_some() {
            count += 1;
        }
        (count, Instant::now())
    });
    if let Some(hub) = context.hub.as_mut() {
        context.agent.call("reload", json!({})).await?;
        context.agent = hub.next_agent().await?;
    }
    // A program forgets the old connection here, as it would in a new life.
    let second = call_again(&mut context, &[1, 60_000]).await?;

    let ended = timeout(LONGEST, rest).await.map_err(|_| "our receiver did not end within 35 s")?;
    let (received, at) = ended.map_err(|error| error.to_string())?;
    let ended = timeout(LONGEST, sender).await.map_err(|_| "our sender did not end within 35 s")?;
    let (sent, error) = ended.map_err(|error| error.to_string())?;
    check(matches!(error, SendError::Closed(_)), || format!("sending ended with {error}"))?;
    first.close().await?;
    second.close().await?;
    let seconds = at.saturating_duration_since(begun).as_secs_f64();
    Ok(format!("noticed after {seconds:.1} s, {sent} messages out and {received} in"))
}

/// A new call with the same peer, over which messages of these sizes go there and back.
async fn call_again(context: &mut Context<'_>, sizes: &[usize]) -> Result<Ours, String> {
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    context.call("create_channel", json!({ "label": "again" })).await?;
    context.answer_to_peer(&ours, json!({})).await?;
    context.connected(&ours).await?;
    let channel = ours.incoming_channel().await?;
    ours.echo(channel);
    context.call("wait_channel", json!({ "label": "again" })).await?;
    context.call("exchange", json!({ "label": "again", "sizes": sizes })).await?;
    Ok(ours)
}
