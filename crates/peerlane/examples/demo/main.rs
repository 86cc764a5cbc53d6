//! The demo: a web page and a Rust peer that talk WebRTC, with an embedded STUN and TURN server.
//!
//! `cargo xtask demo` builds and starts it. It also speaks the signalling of the public webrtc-echoes tests.

#![expect(clippy::print_stdout, reason = "a command-line tool talks on standard output")]

mod calls;
mod echo;
mod file;
mod offers;
mod options;
mod play;
mod record;
mod socket;
mod web;

use options::Options;
use peerlane::{TurnServer, UdpMux};
use std::{net::SocketAddr, sync::Arc};

#[tokio::main]
async fn main() {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            std::process::exit(2);
        }
    };
    if let Err(message) = run(options).await {
        eprintln!("{message}");
        std::process::exit(1);
    }
}

async fn run(options: Options) -> Result<(), String> {
    let mux_address = SocketAddr::new(options.bind, options.udp_port);
    let mux = UdpMux::bind(mux_address).await.map_err(|error| {
        format!("UDP port {mux_address} cannot be bound ({error}); choose another with --udp-port")
    })?;
    let secret = options.secret();
    let relay = TurnServer::builder()
        .user("demo", secret.clone())
        .bind(SocketAddr::new(options.bind, 0))
        .start()
        .await
        .map_err(|error| format!("the embedded TURN server could not be started: {error}"))?;
    let address = SocketAddr::new(options.bind, options.port);
    let listener = tokio::net::TcpListener::bind(address).await.map_err(|error| {
        format!("TCP port {address} cannot be bound ({error}); choose another with --port")
    })?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let media = mux.local_addr();
    let calls = Arc::new(calls::Calls::new(mux, relay, secret, &options));
    println!("The demo is at http://localhost:{}/ (media: UDP {media}). Ctrl-C ends it.", address.port());
    axum::serve(listener, web::routes(calls.clone()))
        .with_graceful_shutdown(async {
            // Without a signal handler Ctrl-C ends the process as it is, which is as good.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await
        .map_err(|error| error.to_string())?;
    calls.close_all().await;
    Ok(())
}
