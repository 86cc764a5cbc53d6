//! Connections that never come up: wrong credentials, nobody there, somebody who says nothing, another certificate.

use crate::{
    Failure,
    options::Options,
    peers::{answer, because, connection, within},
    probe::Probes,
    random::Random,
    rounds::{Phase, Plan, at_a_time},
};
use peerlane::{
    Configuration, DataChannelInit, Description, MediaKind, PeerConnection, PeerConnectionState,
    TransceiverInit,
};
use std::{net::SocketAddr, time::Duration};
use tokio::net::UdpSocket;

/// A round, all of it at the same time.
const PER_ROUND: u64 = 40;
/// Every so many rounds, each connection waits until it has failed: 39.5 s (RFC 8863 §4).
const PATIENT_ROUND: u64 = 8;

/// What is wrong with the answer, or with both descriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The certificate is not the one that was announced: ICE works, DTLS fails.
    Certificate,
    /// Nothing listens where the candidates point.
    Nobody,
    /// The password of ICE is wrong: every check is refused.
    Password,
    /// Somebody listens and never answers.
    Silence,
}

const FAULTS: [Fault; 4] = [Fault::Certificate, Fault::Nobody, Fault::Password, Fault::Silence];

pub(crate) async fn run(options: &Options, workers: usize, probes: &Probes) -> Result<Phase, Failure> {
    let (seed, short) = (options.seed, options.short);
    let per_round = if short { 10 } else { PER_ROUND };
    let plan = Plan { name: "failing", workers, total: options.failing, per_round };
    // Opened before the descriptors are counted, and held until the end.
    let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.map_err(because("a port"))?;
    let silent = socket.local_addr().map_err(because("a port"))?;
    plan.run(probes, async |numbers| {
        let probes = probes.clone();
        let patient = !short && (numbers.start / per_round).is_multiple_of(PATIENT_ROUND);
        at_a_time(per_round, numbers, move |number| {
            let random = Random::new(seed, number);
            fail(number, patient, silent, random, probes.clone())
        })
        .await
    })
    .await
}

async fn fail(
    number: u64,
    patient: bool,
    silent: SocketAddr,
    mut random: Random,
    probes: Probes,
) -> Result<(), Failure> {
    let fault =
        FAULTS.get(usize::try_from(number % 4).unwrap_or_default()).copied().unwrap_or(Fault::Silence);
    let (a, a_events) = connection(Configuration::default(), None).await?;
    let (b, b_events) = connection(Configuration::default(), None).await?;
    let channel =
        a.create_data_channel("chat", DataChannelInit::new()).await.map_err(because("a channel"))?;
    let track = a.add_track(MediaKind::Video, TransceiverInit::new()).await.map_err(because("a track"))?;
    for mut events in [a_events, b_events] {
        let probe = probes.probe();
        tokio::spawn(async move {
            let _probe = probe;
            while events.next().await.is_some() {}
        });
    }
    // Never sent, and given back all the same.
    channel.send(probes.bytes(vec![1; 10_000])).await.map_err(because("a message"))?;
    a.set_local_description(None).await.map_err(because("the offer"))?;
    within("gathering", a.gathering_complete()).await?.map_err(because("gathering"))?;
    let mut offer = a.local_description().ok_or("there is no offer")?;
    if matches!(fault, Fault::Nobody | Fault::Silence) {
        // Neither side may know where the other one is: one check that arrives would be enough.
        offer = spoil(&offer, fault, silent)?;
    }
    b.set_remote_description(offer).await.map_err(because("the offer"))?;
    let spoiled = spoil(&answer(&b).await?, fault, silent)?;
    a.set_remote_description(spoiled).await.map_err(because("the spoiled answer"))?;
    if patient || fault == Fault::Certificate {
        let outcome = within("failing", a.connected()).await?;
        if outcome.is_ok() {
            return Err(format!("{fault:?}: it connected"));
        }
        check_failed(&a, fault)?;
    } else {
        tokio::time::sleep(Duration::from_millis(random.below(300))).await;
    }
    match random.below(3) {
        0 => {
            within("close", a.close()).await?;
            within("close", b.close()).await?;
        }
        1 => {
            drop(a);
            within("close", b.close()).await?;
        }
        _ => drop((b, a)),
    }
    drop((channel, track));
    Ok(())
}

fn check_failed(a: &PeerConnection, fault: Fault) -> Result<(), Failure> {
    match a.connection_state() {
        PeerConnectionState::Failed | PeerConnectionState::Closed => Ok(()),
        state @ (PeerConnectionState::New
        | PeerConnectionState::Connecting
        | PeerConnectionState::Connected
        | PeerConnectionState::Disconnected) => Err(format!("{fault:?}: {state} instead of failed")),
    }
}

fn spoil(description: &Description, fault: Fault, silent: SocketAddr) -> Result<Description, Failure> {
    let mut text = String::new();
    for line in description.sdp().lines() {
        let line = match fault {
            Fault::Certificate if line.starts_with("a=fingerprint:") => turn_last(line),
            Fault::Password if line.starts_with("a=ice-pwd:") => turn_last(line),
            // No peer of this machine has 127.0.0.2.
            Fault::Nobody if line.starts_with("a=candidate:") => {
                move_candidate(line, ([127, 0, 0, 2], 9).into())
            }
            Fault::Silence if line.starts_with("a=candidate:") => move_candidate(line, silent),
            Fault::Certificate | Fault::Nobody | Fault::Password | Fault::Silence => line.to_owned(),
        };
        text.push_str(&line);
        text.push_str("\r\n");
    }
    Description::parse(description.kind(), &text).map_err(because("a spoiled description"))
}

/// Another last letter: still a digit of a fingerprint, still a letter of a password.
fn turn_last(line: &str) -> String {
    let mut line = line.to_owned();
    let last = line.pop();
    line.push(if last == Some('0') { '1' } else { '0' });
    line
}

/// `a=candidate:foundation component transport priority ADDRESS PORT typ ...`.
fn move_candidate(line: &str, to: SocketAddr) -> String {
    let (ip, port) = (to.ip().to_string(), to.port().to_string());
    let words = line.split(' ').enumerate().map(|(index, word)| match index {
        4 => ip.as_str(),
        5 => port.as_str(),
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_spoiled_where_it_counts() {
        assert_eq!(turn_last("a=ice-pwd:abc0"), "a=ice-pwd:abc1");
        assert_eq!(turn_last("a=fingerprint:sha-256 AA:BF"), "a=fingerprint:sha-256 AA:B0");
        let moved = move_candidate("a=candidate:1 1 udp 99 127.0.0.1 5 typ host", ([127, 0, 0, 2], 9).into());
        assert_eq!(moved, "a=candidate:1 1 udp 99 127.0.0.2 9 typ host");
    }
}
