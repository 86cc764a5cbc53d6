//! Two connections in one process that exchange candidates as they find them: what is typed at one end comes out at the
//! other, in capitals.
//!
//! `cargo run -p peerlane --example trickle`, then type; an empty line ends it.

use peerlane::{
    DataChannel, DataChannelInit, Event, Events, IceCandidateInit, Loopback, Message, PeerConnection,
};
use std::{error::Error, io::Write};
use tokio::io::{AsyncBufReadExt, BufReader};

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (alice, mut alice_events) = PeerConnection::builder().loopback(Loopback::Include).build().await?;
    let (bob, bob_events) = PeerConnection::builder().loopback(Loopback::Include).build().await?;
    let mut chat = alice.create_data_channel("chat", DataChannelInit::new()).await?;

    // Trickle: the descriptions travel first, the candidates follow one by one as they are found.
    alice.set_local_description(None).await?;
    bob.set_remote_description(alice.local_description().ok_or("no offer")?).await?;
    bob.set_local_description(None).await?;
    alice.set_remote_description(bob.local_description().ok_or("no answer")?).await?;
    let echo = tokio::spawn(echo(bob_events, alice.clone()));
    let to_bob = bob.clone();
    let trickle = tokio::spawn(async move {
        while let Some(event) = alice_events.next().await {
            if let Event::IceCandidate(candidate) = event {
                pass(&to_bob, candidate).await;
            }
        }
    });
    chat.opened().await?;

    let mut screen = std::io::stdout();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    writeln!(screen, "connected; type something")?;
    while let Some(line) = lines.next_line().await?.filter(|line| !line.is_empty()) {
        chat.send(line).await?;
        if let Some(Message::Text(answer)) = chat.recv().await {
            writeln!(screen, "{answer}")?;
        }
    }
    alice.close().await;
    bob.close().await;
    // Both end with the connections whose events they read.
    trickle.await?;
    echo.await?;
    Ok(())
}

/// Bob: sends his candidates to Alice and answers on every channel she opens.
async fn echo(mut events: Events, alice: PeerConnection) {
    while let Some(event) = events.next().await {
        if let Event::IceCandidate(candidate) = event {
            pass(&alice, candidate).await;
        } else if let Event::DataChannel(channel) = event {
            tokio::spawn(answer(channel));
        }
    }
}

/// Bob's end of a channel.
async fn answer(mut channel: DataChannel) {
    while let Some(Message::Text(line)) = channel.recv().await {
        if channel.send(line.to_uppercase()).await.is_err() {
            return;
        }
    }
}

/// The signalling between the two. A candidate that cannot be used is no reason to stop.
async fn pass(to: &PeerConnection, candidate: IceCandidateInit) {
    let _ = to.add_ice_candidate(candidate).await;
}
