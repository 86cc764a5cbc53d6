//! A file that comes over a data channel goes back over it, and its SHA-256 with it.

use peerlane::{
    DataChannel, Message,
    crypto::{self, HashId},
};
use serde_json::{Value, json};

/// First a text `{"size":N}`, then the bytes, each piece sent back as it comes; at the end a text with the hash.
pub(crate) async fn echo(mut channel: DataChannel) {
    let Some(Message::Text(header)) = channel.recv().await else { return };
    let header: Value = serde_json::from_str(&header).unwrap_or_default();
    let Some(mut left) = header.get("size").and_then(Value::as_u64) else { return };
    let Some(hash) = crypto::rustcrypto::provider().hash(HashId::Sha256) else { return };
    let mut running = hash.start();
    while left > 0 {
        let Some(Message::Binary(piece)) = channel.recv().await else { return };
        running.update(&piece);
        left = left.saturating_sub(piece.len() as u64);
        if channel.send(piece).await.is_err() {
            return;
        }
    }
    let mut digest = [0; 32];
    running.current(&mut digest);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    if channel.send(json!({ "sha256": hex }).to_string()).await.is_ok() {
        // The page closes when it has compared; closing here could cut it short.
        while channel.recv().await.is_some() {}
    }
}
