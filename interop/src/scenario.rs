//! Everything that is tried with every peer.

mod bulk;
mod data;
mod ending;
mod media;
mod negotiation;
mod path;

use crate::{agent::Agent, browser::Addresses, hub::Hub, ours::Ours, peers::PeerKind};
use peerlane::Configuration;
use serde_json::Value;
use std::{future::Future, path::PathBuf, pin::Pin};

/// What a scenario works with.
pub(crate) struct Context<'a> {
    pub(crate) agent: Agent,
    pub(crate) kind: PeerKind,
    /// The peer's process, the root of its tree.
    pub(crate) process: Option<u32>,
    /// Set for browsers: pages come back here after a reload.
    pub(crate) hub: Option<&'a mut Hub>,
    /// Files of this scenario.
    pub(crate) folder: PathBuf,
    /// Decodes recordings.
    pub(crate) python: Option<PathBuf>,
}

/// What a scenario found: a figure for the matrix, or what went wrong.
pub(crate) type Outcome = Result<String, String>;

/// One row of the matrix.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) addresses: Addresses,
    /// Peers that cannot do it, and why: their cells say so.
    pub(crate) lacking: &'static [(PeerKind, &'static str)],
    pub(crate) run: for<'a> fn(Context<'a>) -> Pin<Box<dyn Future<Output = Outcome> + 'a>>,
}

macro_rules! scenario {
    ($name:literal, $about:literal, $run:path $(, addresses $addresses:ident)? $(, lacking $lacking:expr)?) => {
        Scenario {
            name: $name,
            about: $about,
            addresses: scenario!(@addresses $($addresses)?),
            lacking: scenario!(@lacking $($lacking)?),
            run: |context| Box::pin($run(context)),
        }
    };
    (@addresses) => { Addresses::Shown };
    (@addresses $addresses:ident) => { Addresses::$addresses };
    (@lacking) => { &[] };
    (@lacking $lacking:expr) => { $lacking };
}

/// All of them, in the order of the matrix.
pub(crate) const ALL: &[Scenario] = &[
    scenario!("data-offer", "data channels of every kind, our offer", data::our_offer),
    scenario!("data-answer", "data channels of every kind, the peer's offer", data::our_answer),
    scenario!("data-negotiated", "a channel both sides open by agreement", data::negotiated),
    scenario!("data-partial", "partially reliable channels", data::partially_reliable),
    scenario!("bulk-receive", "the peer sends messages of 64 KiB as fast as it can", bulk::receive),
    scenario!("bulk-send", "we send messages of 64 KiB as fast as we can", bulk::send),
    scenario!(
        "large-messages",
        "messages of 256 KiB both ways",
        bulk::large_messages,
        lacking & [(PeerKind::Aiortc, "takes 64 KiB at most")]
    ),
    scenario!("channels-1000", "1,000 channels opened and closed by both sides", bulk::many_channels),
    scenario!("media-receive", "audio and video received, written and decoded", media::receive),
    scenario!("media-send", "audio and video sent and decoded by the peer", media::send),
    scenario!("media-data", "audio, video and data at the same time, both ways", media::with_data),
    scenario!("renegotiation", "a track added and removed in mid-call, by both sides", negotiation::tracks),
    scenario!(
        "ice-restart",
        "ICE restarted in mid-call, by both sides",
        negotiation::ice_restart,
        lacking & [(PeerKind::Aiortc, "has no ICE restart")]
    ),
    scenario!("dtls-active", "we are the DTLS client", path::dtls_active),
    scenario!("dtls-passive", "we are the DTLS server", path::dtls_passive),
    scenario!("srtp-aes-cm", "SRTP with AES-CM and HMAC-SHA1", path::srtp_aes_cm),
    scenario!("srtp-aes-gcm", "SRTP with AES-GCM", path::srtp_aes_gcm),
    scenario!(
        "relay-only",
        "both sides through our TURN server only",
        path::relay_only,
        lacking & [(PeerKind::Aiortc, "has no relay-only policy")]
    ),
    scenario!(
        "mdns", "the peer shows .local names only", path::mdns, addresses Hidden,
        lacking &[(PeerKind::Aiortc, "has no .local names")]
    ),
    scenario!("peer-closes", "the peer closes: we notice", ending::peer_closes),
    scenario!(
        "peer-reloads",
        "the tab is reloaded: we notice, and a new call works",
        ending::peer_reloads,
        lacking & [(PeerKind::Aiortc, "is no browser"), (PeerKind::Peerlane, "is no browser")]
    ),
    scenario!(
        "reload-in-transfer",
        "the tab is reloaded, or the program begins anew, in the middle of a transfer both ways",
        ending::reload_in_transfer
    ),
];

impl Context<'_> {
    /// Makes the peer do something.
    pub(crate) async fn call(&self, name: &str, args: Value) -> Result<Value, String> {
        self.agent.call(name, args).await
    }

    /// Our offer, the peer's answer.
    pub(crate) async fn offer_to_peer(&self, ours: &Ours) -> Result<(), String> {
        let offer = ours.offer(peerlane::OfferOptions::new()).await?;
        let answer = self.call("answer", serde_json::json!({ "sdp": offer })).await?;
        ours.accept(text(&answer, "sdp")?).await
    }

    /// The peer's offer, our answer. Returns the offer.
    pub(crate) async fn answer_to_peer(&self, ours: &Ours, args: Value) -> Result<String, String> {
        let offer = self.call("offer", args).await?;
        let offer = text(&offer, "sdp")?;
        let answer = ours.answer(offer).await?;
        self.call("accept", serde_json::json!({ "sdp": answer })).await?;
        Ok(offer.to_owned())
    }

    /// Both sides say that they are connected.
    pub(crate) async fn connected(&self, ours: &Ours) -> Result<(), String> {
        ours.connected().await?;
        self.call("wait_state", serde_json::json!({ "state": "connected" })).await.map(drop)
    }
}

pub(crate) fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str, String> {
    value.get(name).and_then(Value::as_str).ok_or_else(|| format!("the peer's answer has no {name}: {value}"))
}

pub(crate) fn number(value: &Value, name: &str) -> f64 {
    value.get(name).and_then(Value::as_f64).unwrap_or_default()
}

/// A connection of ours with default settings.
pub(crate) async fn ours() -> Result<Ours, String> {
    Ours::new(Configuration::default()).await
}

/// `Err` with the sentence unless the condition holds.
pub(crate) fn check(condition: bool, sentence: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(sentence()) }
}
