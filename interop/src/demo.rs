//! The demo without a person: its server as a child process, headless Chromium as the visitor.

use crate::browser::{Addresses, Browser, Kind, program};
use axum::{Json, Router, extract::State, http::header, response::IntoResponse, routing::post};
use serde_json::Value;
use std::{process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::Command,
    sync::mpsc,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(150);

/// Runs every feature of the page once; prints what was verified. Without a browser it says so.
pub(crate) async fn run(server: &str) -> Result<bool, String> {
    if program(Kind::Chromium).is_none() {
        println!("SKIPPED demo: Chromium is not installed (package `chromium`)");
        return Ok(!crate::is_strict());
    }
    let mut child = Command::new(server)
        .args(["--port", "0"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{server} did not start: {error}"))?;
    let output = child.stdout.take().ok_or("the demo has no output")?;
    let greeting = BufReader::new(output).lines().next_line().await.map_err(|error| error.to_string())?;
    let greeting = greeting.ok_or("the demo ended at once")?;
    let url = greeting
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .ok_or("the demo names no URL")?;

    let (reported, mut reports) = mpsc::channel(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    let routes = Router::new().route("/report", post(report).options(allow)).with_state(reported);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let page = format!("{url}?auto=http://localhost:{port}/report");
    println!("Chromium visits {url} ...");
    let browser =
        Browser::start(Kind::Chromium, Addresses::Shown, &page).map_err(|error| error.to_string())?;
    let report = timeout(PATIENCE, reports.recv()).await;
    drop(browser);
    let report =
        report.ok().flatten().ok_or_else(|| format!("the page reported nothing within {PATIENCE:?}"))?;
    Ok(judge(&report))
}

async fn report(State(reported): State<mpsc::Sender<Value>>, Json(value): Json<Value>) -> impl IntoResponse {
    // A second report has no reader.
    let _ = reported.send(value).await;
    allow().await
}

/// The page comes from the demo's server, not from here.
async fn allow() -> impl IntoResponse {
    [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type")]
}

/// Prints the table. `false` when anything is missing.
fn judge(report: &Value) -> bool {
    let number = |path: &str| report.pointer(path).and_then(Value::as_f64).unwrap_or_default();
    let text = |path: &str| report.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let recorded = report.pointer("/echo/recorded").and_then(Value::as_array).cloned().unwrap_or_default();
    let recorded_bytes: u64 = recorded.iter().filter_map(|file| file["bytes"].as_u64()).sum();
    let rows = [
        (
            "echo: video decoded by the browser",
            format!("{:.1} frames/s", number("/echo/media/fps")),
            number("/echo/media/fps") >= 5.0,
        ),
        (
            "echo: sound heard by the browser",
            format!("energy {:.4}", number("/echo/media/audioEnergy")),
            number("/echo/media/audioEnergy") > 0.0,
        ),
        (
            "echo: bytes through the data channel",
            format!("{:.0}", number("/echo/echoed")),
            number("/echo/echoed") == 328_881.0,
        ),
        (
            "echo: recorded on the Rust side",
            format!("{} files, {recorded_bytes} bytes", recorded.len()),
            recorded.len() == 2 && recorded_bytes > 20_000,
        ),
        (
            "echo: video after an ICE restart",
            format!("{:.1} frames/s", number("/echo/restart/fps")),
            number("/echo/restart/fps") >= 5.0
                && report.pointer("/echo/restart/restarted") == Some(&Value::Bool(true)),
        ),
        (
            "echo: selected pair",
            text("/echo/media/facts/Rust candidate"),
            !text("/echo/media/facts/Rust candidate").is_empty(),
        ),
        (
            "file: SHA-256 here, there and back",
            text("/file/sha256").chars().take(16).collect(),
            report.pointer("/file/same") == Some(&Value::Bool(true)),
        ),
        (
            "file: rate there and back",
            format!("{:.1} MB/s", number("/file/size") / number("/file/seconds").max(1e-3) / 1e6),
            number("/file/size") == 16_777_216.0,
        ),
        (
            "play: video decoded by the browser",
            format!("{:.1} frames/s", number("/play/media/fps")),
            number("/play/media/fps") >= 20.0,
        ),
        (
            "play: sound heard by the browser",
            format!("energy {:.4}", number("/play/media/audioEnergy")),
            number("/play/media/audioEnergy") > 0.0,
        ),
    ];
    println!();
    for (what, found, good) in &rows {
        println!("{:6}  {what:40} {found}", if *good { "ok" } else { "FAILED" });
    }
    for part in ["echo", "file", "play"] {
        if let Some(error) = report.pointer(&format!("/{part}/error")).and_then(Value::as_str) {
            println!("{part}: {error}");
        }
    }
    let failed = rows.iter().filter(|(.., good)| !good).count();
    println!("\n{} passed, {failed} failed", rows.len() - failed);
    failed == 0
}
