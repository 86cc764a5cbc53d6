//! Offers and answers in mid-call.

use super::{Context, Outcome, check, media, number, ours, text};
use peerlane::{MediaKind, OfferOptions};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

pub(super) async fn tracks(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    context.call("create_channel", json!({ "label": "chat" })).await?;
    context.answer_to_peer(&ours, json!({})).await?;
    context.connected(&ours).await?;
    let channel = ours.incoming_channel().await?;
    ours.echo(channel);

    // The peer adds audio and video.
    context.call("add_media", json!({ "audio": true, "video": true })).await?;
    context.answer_to_peer(&ours, json!({})).await?;
    let recordings = media::record(&mut ours, &context.folder, 2).await?;
    sleep(Duration::from_secs(2)).await;
    let before: u64 = recordings.iter().map(crate::ours::Recording::frames).sum();
    check(before > 50, || format!("{before} frames arrived after the peer added its tracks"))?;

    // The peer takes the video away.
    context.call("remove_media", json!({ "kind": "video" })).await?;
    context.answer_to_peer(&ours, json!({})).await?;
    sleep(Duration::from_millis(500)).await;

    // We add a clip of our own.
    ours.add_clip(MediaKind::Video).await?;
    context.offer_to_peer(&ours).await?;
    sleep(Duration::from_secs(3)).await;
    let stats = context.call("stats", json!({})).await?;
    let frames = number(&stats, "framesDecoded");
    check(frames >= 30.0, || format!("the peer decoded {frames} frames of the track we added: {stats}"))?;

    // We take it away again, and the rest goes on.
    for transceiver in ours.connection.transceivers().await.map_err(|error| error.to_string())? {
        if transceiver.kind() == MediaKind::Video && transceiver.direction().sends() {
            ours.connection.remove_track(&transceiver.sender()).await.map_err(|error| error.to_string())?;
        }
    }
    context.offer_to_peer(&ours).await?;
    context.call("exchange", json!({ "label": "chat", "sizes": [1, 10_000] })).await?;
    let audio_before = recordings.iter().map(crate::ours::Recording::frames).max().unwrap_or_default();
    sleep(Duration::from_secs(1)).await;
    let audio_after = recordings.iter().map(crate::ours::Recording::frames).max().unwrap_or_default();
    check(audio_after > audio_before + 20, || {
        format!("audio stopped: {audio_before}, then {audio_after} frames")
    })?;
    ours.close().await?;
    Ok("4 renegotiations".to_owned())
}

pub(super) async fn ice_restart(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    context.call("add_media", json!({ "audio": true, "video": true })).await?;
    context.call("create_channel", json!({ "label": "chat" })).await?;
    let first = context.answer_to_peer(&ours, json!({})).await?;
    context.connected(&ours).await?;
    let channel = ours.incoming_channel().await?;
    ours.echo(channel);
    let recordings = media::record(&mut ours, &context.folder, 2).await?;
    context.call("wait_channel", json!({ "label": "chat" })).await?;

    let second = context.answer_to_peer(&ours, json!({ "iceRestart": true })).await?;
    check(ufrag(&first) != ufrag(&second), || "the peer did not restart ICE".to_owned())?;
    sleep(Duration::from_secs(1)).await;
    context.call("exchange", json!({ "label": "chat", "sizes": [1, 20_000] })).await?;

    let offer = ours.offer(OfferOptions::new().with_ice_restart()).await?;
    let answer = context.call("answer", json!({ "sdp": offer })).await?;
    ours.accept(text(&answer, "sdp")?).await?;
    context.connected(&ours).await?;
    context.call("exchange", json!({ "label": "chat", "sizes": [1, 20_000] })).await?;
    let before: u64 = recordings.iter().map(crate::ours::Recording::frames).sum();
    sleep(Duration::from_secs(2)).await;
    let after: u64 = recordings.iter().map(crate::ours::Recording::frames).sum();
    check(after > before + 50, || format!("media stopped: {before} frames, then {after}"))?;
    ours.close().await?;
    Ok(format!("{} frames in 2 s after it", after - before))
}

fn ufrag(sdp: &str) -> Option<&str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"))
}
