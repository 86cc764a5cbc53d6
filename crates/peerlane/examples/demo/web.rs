//! Routes of the web server.

use crate::{calls::Calls, offers, socket};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::Value;
use std::sync::Arc;

/// A description has at most some ten thousand bytes; a megabyte is what the SDP parser takes.
const MAX_BODY: usize = 1 << 20;

const PAGE: &[(&str, &str, &str)] = &[
    ("", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("app.js", "text/javascript", include_str!("page/app.js")),
    ("auto.js", "text/javascript", include_str!("page/auto.js")),
    ("call.js", "text/javascript", include_str!("page/call.js")),
    ("charts.js", "text/javascript", include_str!("page/charts.js")),
    ("stats.js", "text/javascript", include_str!("page/stats.js")),
    ("style.css", "text/css", include_str!("page/style.css")),
];

pub(crate) fn routes(calls: Arc<Calls>) -> Router {
    let mut router = Router::new();
    for (name, kind, content) in PAGE {
        router =
            router.route(&format!("/{name}"), get(async move || ([(header::CONTENT_TYPE, *kind)], *content)));
    }
    router
        .route("/config", get(config))
        .route("/ws", get(socket::upgrade))
        .route("/offer", post(offers::post_offer).get(offers::get_offer))
        .route("/offer/{id}", post(offers::post_further_offer))
        .route("/answer/{id}", post(offers::post_answer))
        .route("/recordings/{name}", get(recording))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(calls)
}

/// A refusal: a status and a sentence that says what is wrong.
pub(crate) struct Refusal(pub(crate) StatusCode, pub(crate) String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

impl From<peerlane::Error> for Refusal {
    fn from(error: peerlane::Error) -> Self {
        Self(StatusCode::BAD_REQUEST, error.to_string())
    }
}

async fn config(State(calls): State<Arc<Calls>>, headers: HeaderMap) -> Json<Value> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    Json(calls.page_config(host))
}

async fn recording(State(calls): State<Arc<Calls>>, Path(name): Path<String>) -> Result<Vec<u8>, Refusal> {
    let missing = || Refusal(StatusCode::NOT_FOUND, format!("there is no recording {name:?}"));
    let legal =
        name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) && !name.starts_with('.');
    if !legal {
        return Err(missing());
    }
    tokio::fs::read(calls.recordings.join(&name)).await.map_err(|_| missing())
}
