//! The signalling of the webrtc-echoes tests: complete descriptions over HTTP, no trickle.

use crate::{calls::Calls, echo, web::Refusal};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use peerlane::{
    AnswerOptions, DataChannelInit, Description, Direction, MediaKind, OfferOptions, PeerConnection,
    PeerConnectionState, SdpType, TransceiverInit,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A client that does not answer an offer of ours in this time is forgotten.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
/// An unreachable STUN server must not hold up an answer.
const GATHER_PATIENCE: Duration = Duration::from_secs(3);

/// `POST /offer[?negotiated=N]`: a new connection that echoes.
pub(crate) async fn post_offer(
    State(calls): State<Arc<Calls>>,
    Query(query): Query<BTreeMap<String, String>>,
    body: String,
) -> Result<Json<Value>, Refusal> {
    let offer = description(&body, SdpType::Offer)?;
    let negotiated = query.get("negotiated").map(|id| channel_id(id)).transpose()?;
    let (id, connection, events) = calls.start().await?;
    let session = echo::Session::start(connection.clone(), events);
    let answered = async {
        connection.set_remote_description(offer).await?;
        check_usable(&connection).await?;
        echo::accept_media(&connection).await?;
        if let Some(channel) = negotiated {
            let init = DataChannelInit::new().negotiated(channel);
            session.echo_channel(connection.create_data_channel("negotiated", init).await?);
        }
        answer(&connection, &id).await
    };
    let result = answered.await;
    if result.is_err() {
        calls.end(&id).await;
    } else {
        forget_when_unused(calls, id, connection);
    }
    result
}

/// `POST /offer/ID`: renegotiation or ICE restart of a connection.
pub(crate) async fn post_further_offer(
    State(calls): State<Arc<Calls>>,
    Path(id): Path<String>,
    body: String,
) -> Result<Json<Value>, Refusal> {
    let connection = calls.get(&id).await.ok_or_else(|| unknown(&id))?;
    let offer = description(&body, SdpType::Offer)?;
    connection.set_remote_description(offer).await?;
    echo::accept_media(&connection).await?;
    answer(&connection, &id).await
}

/// `GET /offer?data=1&audio=1&video=1`: a connection that starts from our side.
pub(crate) async fn get_offer(
    State(calls): State<Arc<Calls>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, Refusal> {
    let wants = |name: &str| query.get(name).is_some_and(|value| value != "0" && value != "false");
    if !wants("data") && !wants("audio") && !wants("video") {
        return Err(Refusal(
            StatusCode::BAD_REQUEST,
            "nothing to offer: say data=1, audio=1 or video=1 in the query".to_owned(),
        ));
    }
    let (id, connection, events) = calls.start().await?;
    let session = echo::Session::start(connection.clone(), events);
    if wants("data") {
        session.echo_channel(connection.create_data_channel("echo", DataChannelInit::new()).await?);
    }
    for (name, kind) in [("audio", MediaKind::Audio), ("video", MediaKind::Video)] {
        if wants(name) {
            let init = TransceiverInit::new().direction(Direction::SendRecv).stream("echo");
            connection.add_transceiver(kind, init).await?;
        }
    }
    let offer = connection.create_offer(OfferOptions::new()).await?;
    connection.set_local_description(offer).await?;
    let local = described(&connection).await?;
    forget_when_unused(calls, id.clone(), connection);
    Ok(Json(json!({ "id": id, "type": "offer", "sdp": local.sdp() })))
}

/// `POST /answer/ID`: completes an offer of ours.
pub(crate) async fn post_answer(
    State(calls): State<Arc<Calls>>,
    Path(id): Path<String>,
    body: String,
) -> Result<Json<Value>, Refusal> {
    let connection = calls.get(&id).await.ok_or_else(|| unknown(&id))?;
    connection.set_remote_description(description(&body, SdpType::Answer)?).await?;
    Ok(Json(json!({ "id": id })))
}

async fn answer(connection: &PeerConnection, id: &str) -> Result<Json<Value>, Refusal> {
    let answer = connection.create_answer(AnswerOptions::new()).await?;
    connection.set_local_description(answer).await?;
    let local = described(connection).await?;
    Ok(Json(json!({ "id": id, "type": "answer", "sdp": local.sdp() })))
}

/// The local description with its candidates.
async fn described(connection: &PeerConnection) -> Result<Description, Refusal> {
    // What has been gathered by then is enough.
    let _ = tokio::time::timeout(GATHER_PATIENCE, connection.gathering_complete()).await;
    connection
        .local_description()
        .ok_or_else(|| Refusal(StatusCode::INTERNAL_SERVER_ERROR, "there is no local description".to_owned()))
}

/// An offer in which nothing can be accepted is the client's mistake, and better said than answered.
async fn check_usable(connection: &PeerConnection) -> Result<(), Refusal> {
    let preview = connection.create_answer(AnswerOptions::new()).await?.sdp();
    let usable = preview.lines().any(|line| line.starts_with("m=") && line.split(' ').nth(1) != Some("0"));
    if usable {
        return Ok(());
    }
    Err(Refusal(
        StatusCode::UNPROCESSABLE_ENTITY,
        "the offer has no usable media: no data channel, and no codec in common (Opus, PCMU, PCMA, VP8, H264)"
            .to_owned(),
    ))
}

fn description(body: &str, kind: SdpType) -> Result<Description, Refusal> {
    let refuse = |sentence: String| Refusal(StatusCode::BAD_REQUEST, sentence);
    let json: Value =
        serde_json::from_str(body).map_err(|error| refuse(format!("the body is not JSON: {error}")))?;
    let named = json.get("type").and_then(Value::as_str);
    if named != Some(kind.as_str()) {
        let named = named.map_or_else(|| "missing".to_owned(), |named| format!("{named:?}"));
        return Err(refuse(format!(
            "the body must be {{\"type\":\"{kind}\",\"sdp\":…}}, its type is {named}"
        )));
    }
    let sdp = json
        .get("sdp")
        .and_then(Value::as_str)
        .ok_or_else(|| refuse("the body has no text \"sdp\"".into()))?;
    Ok(Description::parse(kind, sdp)?)
}

fn channel_id(id: &str) -> Result<u16, Refusal> {
    id.parse().ok().filter(|id| *id != u16::MAX).ok_or_else(|| {
        Refusal(StatusCode::BAD_REQUEST, format!("negotiated={id:?} is not a channel number from 0 to 65534"))
    })
}

fn unknown(id: &str) -> Refusal {
    Refusal(StatusCode::NOT_FOUND, format!("there is no connection {id:?}; it may have ended"))
}

/// Ends a connection that never comes up, or that has failed.
fn forget_when_unused(calls: Arc<Calls>, id: String, connection: PeerConnection) {
    tokio::spawn(async move {
        let up = tokio::time::timeout(ANSWER_PATIENCE, connection.connected()).await;
        if matches!(up, Ok(Ok(()))) {
            connection
                .wait_for(|state| matches!(state, PeerConnectionState::Failed | PeerConnectionState::Closed))
                .await;
        }
        drop(connection);
        calls.end(&id).await;
    });
}
