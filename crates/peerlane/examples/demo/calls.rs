//! All connections of the demo.

use crate::options::Options;
use peerlane::{
    Configuration, Error, Events, Loopback, PeerConnection, TurnServer, UdpMux, crypto::os_random,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::sync::Mutex;

/// More connections than this at a time are refused: a demo is not a service.
const MAX_CALLS: usize = 256;

/// What the parts of the demo share.
pub(crate) struct Calls {
    mux: UdpMux,
    relay: TurnServer,
    secret: String,
    pub(crate) recordings: PathBuf,
    next_id: AtomicU64,
    open: Mutex<BTreeMap<String, PeerConnection>>,
}

impl Calls {
    pub(crate) fn new(mux: UdpMux, relay: TurnServer, secret: String, options: &Options) -> Self {
        Self {
            mux,
            relay,
            secret,
            recordings: options.recordings.clone(),
            next_id: AtomicU64::new(1),
            open: Mutex::new(BTreeMap::new()),
        }
    }

    /// A new connection on the shared port, under a name.
    pub(crate) async fn start(&self) -> Result<(String, PeerConnection, Events), Error> {
        let built = PeerConnection::builder()
            .configuration(Configuration::default())
            .udp_mux(self.mux.clone())
            .loopback(Loopback::Include)
            .build()
            .await?;
        let (connection, events) = built;
        let mut open = self.open.lock().await;
        // Connections that have ended since are forgotten here: nobody has to watch them.
        open.retain(|_, call| call.connection_state() != peerlane::PeerConnectionState::Closed);
        if open.len() >= MAX_CALLS {
            return Err(Error::new(
                peerlane::ErrorKind::OperationError,
                "the demo is full; close another page and try again",
            ));
        }
        // Not guessable: the name is all it takes to renegotiate the connection.
        let id = format!("{}-{}", self.next_id.fetch_add(1, Ordering::Relaxed), random_name());
        open.insert(id.clone(), connection.clone());
        Ok((id, connection, events))
    }

    pub(crate) async fn get(&self, id: &str) -> Option<PeerConnection> {
        self.open.lock().await.get(id).cloned()
    }

    pub(crate) async fn end(&self, id: &str) {
        let call = self.open.lock().await.remove(id);
        if let Some(call) = call {
            call.close().await;
        }
    }

    pub(crate) async fn close_all(&self) {
        let open = std::mem::take(&mut *self.open.lock().await);
        for call in open.into_values() {
            call.close().await;
        }
    }

    /// What the page needs to know: our own relay, as a browser's `RTCIceServer`.
    pub(crate) fn page_config(&self, host: &str) -> Value {
        let port = self.relay.local_addr().port();
        let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
        // A browser asks a STUN server by address or name alike; "localhost" may mean ::1, where nobody listens.
        let host = if host == "localhost" { "127.0.0.1" } else { host };
        json!({ "iceServers": [
            { "urls": format!("stun:{host}:{port}") },
            { "urls": format!("turn:{host}:{port}"), "username": "demo", "credential": self.secret },
        ]})
    }
}

fn random_name() -> String {
    let mut bytes = [0; 8];
    os_random().fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
