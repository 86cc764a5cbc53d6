//! Channels under load: many messages, and many channels.

use super::{State, string, text};
use crate::bulk;
use peerlane::{DataChannelInit, DataChannelState, Message};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// What has happened on a channel.
#[derive(Debug, Default)]
pub(super) struct Progress {
    sent: AtomicU64,
    received: AtomicU64,
    bad: AtomicU64,
}

impl State {
    pub(super) fn pump(&mut self, args: &Value) -> Result<(), String> {
        let channel = self.channels.get(string(args, "label")?).ok_or("no such channel")?;
        let (sender, progress) = (channel.sender.clone(), Arc::clone(&channel.progress));
        let count = args["count"].as_u64().unwrap_or_default();
        if args["size"].as_u64() != Some(bulk::SIZE as u64) {
            return Err(format!("messages of {} bytes only", bulk::SIZE));
        }
        tokio::spawn(async move {
            for number in 0..u32::try_from(count).unwrap_or(u32::MAX) {
                if sender.send(bulk::message(number)).await.is_err() {
                    return;
                }
                progress.sent.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(())
    }

    pub(super) fn drain(&mut self, label: &str) -> Result<(), String> {
        let channel = self.channels.get(label).ok_or("no such channel")?;
        let (receiver, progress) = (Arc::clone(&channel.receiver), Arc::clone(&channel.progress));
        tokio::spawn(async move {
            let mut receiver = receiver.lock().await;
            let mut number = 0;
            while let Some(message) = receiver.recv().await {
                if !matches!(&message, Message::Binary(bytes) if bulk::is_message(number, bytes)) {
                    progress.bad.fetch_add(1, Ordering::Relaxed);
                }
                number += 1;
                progress.received.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(())
    }

    pub(super) fn progress(&mut self, label: &str) -> Result<Value, String> {
        let channel = self.channels.get(label).ok_or("no such channel")?;
        let figure = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let Progress { sent, received, bad } = &*channel.progress;
        Ok(json!({ "sent": figure(sent), "received": figure(received), "bad": figure(bad) }))
    }

    pub(super) async fn create_channels(&mut self, args: &Value) -> Result<(), String> {
        for label in labels(args) {
            let channel = self.ours()?.connection.create_data_channel(label, DataChannelInit::new()).await;
            self.adopt(channel.map_err(text)?, false);
        }
        Ok(())
    }

    pub(super) async fn wait_channels(&mut self, args: &Value) -> Result<Value, String> {
        let wanted = match string(args, "state")? {
            "open" => DataChannelState::Open,
            _ => DataChannelState::Closed,
        };
        let labels: Vec<&str> = labels(args).collect();
        while labels.iter().any(|label| !self.channels.contains_key(*label)) {
            let channel = self.ours()?.incoming_channel().await?;
            self.adopt(channel, true);
        }
        let end = Instant::now() + Duration::from_secs(30);
        let mut ids = Vec::new();
        for label in &labels {
            let channel = self.channels.get(*label).ok_or("no such channel")?;
            if wanted == DataChannelState::Open {
                let opened = timeout(Duration::from_secs(30), channel.sender.opened()).await;
                opened.map_err(|_| format!("{label} does not open"))?.map_err(text)?;
            }
            while channel.sender.ready_state() != wanted {
                if Instant::now() > end {
                    return Err(format!("{label} is {:?}", channel.sender.ready_state()));
                }
                sleep(Duration::from_millis(5)).await;
            }
            ids.push(channel.id);
        }
        let count = labels.len();
        Ok(json!({ "ids": ids, "opened": count, "closed": count }))
    }

    pub(super) async fn close_channels(&mut self, args: &Value) -> Result<(), String> {
        for label in labels(args) {
            self.channels.get(label).ok_or("no such channel")?.sender.close().await;
        }
        Ok(())
    }

    pub(super) fn forget_channels(&mut self, args: &Value) -> Value {
        for label in labels(args) {
            self.channels.remove(label);
        }
        json!({ "left": self.channels.len() })
    }
}

fn labels(args: &Value) -> impl Iterator<Item = &str> {
    args["labels"].as_array().into_iter().flatten().filter_map(Value::as_str)
}
