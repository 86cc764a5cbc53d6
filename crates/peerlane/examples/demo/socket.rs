//! Trickle signalling with the page over a WebSocket. The page is the polite side; we are not.

use crate::{
    calls::Calls,
    echo::{Session, Signal, accept_media, wants_recording},
    play,
};
use axum::{
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::IntoResponse,
};
use peerlane::{Description, Error, IceCandidateInit, SdpType, SignalingState};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::mpsc;

pub(crate) async fn upgrade(State(calls): State<Arc<Calls>>, upgrade: WebSocketUpgrade) -> impl IntoResponse {
    upgrade.max_message_size(1 << 20).on_upgrade(move |socket| serve(socket, calls))
}

async fn serve(mut socket: WebSocket, calls: Arc<Calls>) {
    let (id, connection, events) = match calls.start().await {
        Ok(started) => started,
        Err(error) => {
            // The page shows it; if it has gone already, nobody minds.
            let _ = socket.send(refusal(&error)).await;
            return;
        }
    };
    let (session, signals) = Session::start_with_signals(connection, events);
    talk(&mut socket, &calls, &session, signals).await;
    drop(session);
    calls.end(&id).await;
}

async fn talk(
    socket: &mut WebSocket,
    calls: &Calls,
    session: &Session,
    mut signals: mpsc::UnboundedReceiver<Signal>,
) {
    loop {
        let answer = tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => receive(&text, calls, session).await,
                Some(Ok(_)) => Ok(None),
                Some(Err(_)) | None => return,
            },
            signal = signals.recv() => match signal {
                Some(signal) => tell(signal, session).await,
                None => return,
            },
        };
        let reply = match answer {
            Ok(Some(reply)) => Message::Text(reply.to_string().into()),
            Ok(None) => continue,
            Err(error) => refusal(&error),
        };
        if socket.send(reply).await.is_err() {
            return;
        }
    }
}

/// What the page says.
async fn receive(text: &str, calls: &Calls, session: &Session) -> Result<Option<Value>, Error> {
    let syntax = |sentence: &str| Error::new(peerlane::ErrorKind::SyntaxError, sentence);
    let message: Value = serde_json::from_str(text).map_err(|_| syntax("the message is not JSON"))?;
    let connection = session.connection();
    let sdp = || message.get("sdp").and_then(Value::as_str).ok_or_else(|| syntax("the message has no sdp"));
    match message.get("type").and_then(Value::as_str) {
        Some("offer") => {
            // We are impolite: in a collision our own offer stands, the page takes back its own.
            if connection.signaling_state() != SignalingState::Stable {
                return Ok(None);
            }
            connection.set_remote_description(Description::parse(SdpType::Offer, sdp()?)?).await?;
            accept_media(connection).await?;
            connection.set_local_description(None).await?;
            Ok(connection.local_description().map(|local| described(&local)))
        }
        Some("answer") => {
            connection.set_remote_description(Description::parse(SdpType::Answer, sdp()?)?).await?;
            Ok(None)
        }
        Some("candidate") => {
            // A candidate of an offer that was ignored is of no use either.
            let _ = connection.add_ice_candidate(candidate(message.get("candidate"))).await;
            Ok(None)
        }
        Some("record") => {
            session.record(wants_recording(&message).then(|| calls.recordings.clone()));
            Ok(None)
        }
        Some("play") => {
            play::start(connection).await?;
            Ok(None)
        }
        _ => Err(syntax("the message has no known type: offer, answer, candidate, record or play")),
    }
}

/// What the connection says.
async fn tell(signal: Signal, session: &Session) -> Result<Option<Value>, Error> {
    let connection = session.connection();
    Ok(match signal {
        Signal::Candidate(candidate) => Some(json!({ "type": "candidate", "candidate": {
            "candidate": candidate.candidate(),
            "sdpMid": candidate.mid(),
            "sdpMLineIndex": candidate.m_line_index(),
            "usernameFragment": candidate.ufrag(),
        }})),
        Signal::NegotiationNeeded => {
            if connection.signaling_state() != SignalingState::Stable {
                return Ok(None);
            }
            connection.set_local_description(None).await?;
            connection.local_description().map(|local| described(&local))
        }
        Signal::Recording(on, files) => Some(json!({ "type": "recording", "on": on, "files": files })),
    })
}

fn described(description: &Description) -> Value {
    json!({ "type": description.kind().as_str(), "sdp": description.sdp() })
}

fn candidate(json: Option<&Value>) -> IceCandidateInit {
    let text = |name: &str| json.and_then(|json| json.get(name)).and_then(Value::as_str).map(str::to_owned);
    let index = json.and_then(|json| json.get("sdpMLineIndex")).and_then(Value::as_u64);
    IceCandidateInit::new(text("candidate").unwrap_or_default())
        .sdp_mid(text("sdpMid"))
        .sdp_m_line_index(index.and_then(|index| u16::try_from(index).ok()))
        .username_fragment(text("usernameFragment"))
}

fn refusal(error: &Error) -> Message {
    Message::Text(json!({ "type": "error", "message": error.to_string() }).to_string().into())
}
