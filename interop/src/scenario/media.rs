//! Audio and video.

use super::{Context, Outcome, check, number, ours};
use crate::ours::{Ours, Recording};
use peerlane::MediaKind;
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tokio::time::sleep;

/// How long media flows before it is judged.
const WATCH: Duration = Duration::from_secs(4);

pub(super) async fn receive(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    context.call("add_media", json!({ "audio": true, "video": true })).await?;
    context.answer_to_peer(&ours, json!({})).await?;
    context.connected(&ours).await?;
    let recordings = record(&mut ours, &context.folder, 2).await?;
    sleep(WATCH).await;
    ours.close().await?;
    sleep(Duration::from_millis(200)).await;
    judge(&context, &recordings).await
}

pub(super) async fn send(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    ours.add_clip(MediaKind::Audio).await?;
    ours.add_clip(MediaKind::Video).await?;
    context.offer_to_peer(&ours).await?;
    context.connected(&ours).await?;
    sleep(WATCH).await;
    let stats = context.call("stats", json!({})).await?;
    ours.close().await?;
    judge_stats(&stats)
}

pub(super) async fn with_data(context: Context<'_>) -> Outcome {
    context.call("new", json!({})).await?;
    let mut ours = ours().await?;
    context.call("add_media", json!({ "audio": true, "video": true })).await?;
    context.call("create_channel", json!({ "label": "chat" })).await?;
    ours.add_clip(MediaKind::Audio).await?;
    ours.add_clip(MediaKind::Video).await?;
    context.answer_to_peer(&ours, json!({})).await?;
    context.connected(&ours).await?;
    let channel = ours.incoming_channel().await?;
    ours.echo(channel);
    let recordings = record(&mut ours, &context.folder, 2).await?;
    context.call("wait_channel", json!({ "label": "chat" })).await?;
    let sizes = vec![16_384; 64];
    context.call("exchange", json!({ "label": "chat", "sizes": sizes })).await?;
    sleep(WATCH).await;
    let stats = context.call("stats", json!({})).await?;
    ours.close().await?;
    sleep(Duration::from_millis(200)).await;
    let received = judge(&context, &recordings).await?;
    let sent = judge_stats(&stats)?;
    Ok(format!("in: {received}; out: {sent}; data: 1 MiB"))
}

/// Writes the next tracks to files.
pub(super) async fn record(ours: &mut Ours, folder: &Path, count: usize) -> Result<Vec<Recording>, String> {
    let mut recordings = Vec::new();
    for _ in 0..count {
        let event = ours.incoming_track().await?;
        recordings.push(ours.record(event.track, folder));
    }
    Ok(recordings)
}

/// Enough frames arrived, and a decoder of somebody else reads the files.
pub(super) async fn judge(context: &Context<'_>, recordings: &[Recording]) -> Outcome {
    let mut found = Vec::new();
    for recording in recordings {
        let is_video = recording.path.extension().is_some_and(|extension| extension == "ivf");
        let (kind, least) = if is_video { ("video", 40) } else { ("audio", 100) };
        let frames = recording.frames();
        check(frames >= least, || format!("{frames} {kind} frames received, at least {least} expected"))?;
        let decoded = decode(context, &recording.path, kind).await?;
        check(decoded * 10 >= least * 8, || format!("{decoded} of {frames} {kind} frames could be decoded"))?;
        found.push(format!("{decoded} {kind}"));
    }
    Ok(format!("{} frames decoded", found.join(" + ")))
}

async fn decode(context: &Context<'_>, path: &Path, kind: &str) -> Result<u64, String> {
    let python = context.python.as_ref().ok_or("no decoder: the aiortc environment is not there")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/aiortc/decode.py");
    let output = tokio::process::Command::new(python).arg(script).arg(path).output().await;
    let output = output.map_err(|error| format!("the decoder did not start: {error}"))?;
    check(output.status.success(), || {
        format!("{} cannot be decoded: {}", path.display(), String::from_utf8_lossy(&output.stderr))
    })?;
    let counts: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    Ok(counts[kind].as_u64().unwrap_or_default())
}

/// The peer's own figures about what it received.
pub(super) fn judge_stats(stats: &Value) -> Outcome {
    let frames = number(stats, "framesDecoded");
    let energy = number(stats, "audioEnergy");
    check(frames >= 40.0, || format!("the peer decoded {frames} frames, at least 40 expected: {stats}"))?;
    check(energy > 0.0, || format!("the peer heard nothing: {stats}"))?;
    Ok(format!("{frames} frames decoded, audio energy {energy:.3}"))
}
