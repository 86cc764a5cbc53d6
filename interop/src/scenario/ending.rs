//! The peer goes away.

use super::{Context, Outcome, check, ours};
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
    context.call("new", json!({})).await?;
    let mut second = ours().await?;
    context.call("create_channel", json!({ "label": "again" })).await?;
    context.answer_to_peer(&second, json!({})).await?;
    context.connected(&second).await?;
    let again = second.incoming_channel().await?;
    second.echo(again);
    context.call("wait_channel", json!({ "label": "again" })).await?;
    context.call("exchange", json!({ "label": "again", "sizes": [1, 1_000] })).await?;

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
