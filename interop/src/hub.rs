//! The web server that pages come from and report to.

use crate::agent::Agent;
use axum::{
    Router,
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};
use futures_util::{SinkExt, StreamExt};
use std::{net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

/// A browser starts, loads the page and connects within this time.
const PATIENCE: Duration = Duration::from_secs(45);

/// The server; pages that connect wait here to be taken.
pub(crate) struct Hub {
    address: SocketAddr,
    agents: mpsc::Receiver<Agent>,
    server: tokio::task::JoinHandle<()>,
}

impl Hub {
    pub(crate) async fn start() -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let (found, agents) = mpsc::channel(4);
        let routes = Router::new()
            .route("/", get(async || Html(include_str!("../page/index.html"))))
            .route("/agent.js", get(async || script()))
            .route("/agent", get(upgrade))
            .with_state(found);
        let server = tokio::spawn(async move {
            // Ends with the task; an error would end every scenario, which then say so.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self { address, agents, server })
    }

    /// What a browser opens. `localhost`, because camera and microphone want a secure context.
    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}/", self.address.port())
    }

    /// The next page that connects: after a start, or after a reload.
    pub(crate) async fn next_agent(&mut self) -> Result<Agent, String> {
        match timeout(PATIENCE, self.agents.recv()).await {
            Ok(Some(agent)) => Ok(agent),
            _ => Err(format!("no page connected within {} s", PATIENCE.as_secs())),
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript")], include_str!("../page/agent.js"))
}

async fn upgrade(State(found): State<mpsc::Sender<Agent>>, upgrade: WebSocketUpgrade) -> impl IntoResponse {
    upgrade.max_message_size(16 << 20).on_upgrade(move |socket| page(socket, found))
}

async fn page(socket: WebSocket, found: mpsc::Sender<Agent>) {
    let (mut sink, mut stream) = socket.split();
    let (lines_out, mut to_send) = mpsc::channel::<String>(16);
    let (received, lines_in) = mpsc::channel(16);
    tokio::spawn(async move {
        if let Ok(agent) = Agent::connect(lines_out, lines_in).await {
            // Nobody waits for one more page: it is left alone.
            let _ = found.send(agent).await;
        }
    });
    loop {
        tokio::select! {
            line = to_send.recv() => {
                let Some(line) = line else { return };
                if sink.send(Message::Text(line.into())).await.is_err() {
                    return;
                }
            }
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    if received.send(text.to_string()).await.is_err() {
                        return;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    }
}
