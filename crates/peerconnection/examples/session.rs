//! Two sessions in memory exchange a message: the whole stack without a socket, a runtime or a wait.
//!
//! `cargo run -p peerlane-peerconnection --example session`

use peerconnection::{
    Configuration, DataChannelInit, DataChannelState, Datagram, Description, Session, SessionEvent,
    bytes::BytesMut, crypto, datachannel::Payload,
};
use std::{
    error::Error,
    io::Write,
    net::SocketAddr,
    num::NonZeroUsize,
    time::{Duration, Instant, SystemTime},
};

/// By then the message has arrived or never will.
const PATIENCE: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "a program reads the clock; the sessions do not")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut screen = std::io::stdout();
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let start = Instant::now();
    let mut alice = session("192.0.2.1:5000", start, unix)?;
    let mut bob = session("192.0.2.2:5000", start, unix)?;

    // Offer and answer travel as text, with the candidates in them.
    let chat = alice.create_data_channel(start, "chat", &DataChannelInit::new())?;
    alice.set_local_description(start, None)?;
    let offer = alice.descriptions().pending_local.ok_or("no offer")?.sdp();
    bob.set_remote_description(start, Description::offer(&offer)?)?;
    bob.set_local_description(start, None)?;
    let answer = bob.descriptions().current_local.ok_or("no answer")?.sdp();
    alice.set_remote_description(start, Description::answer(&answer)?)?;

    // A turn: carry datagrams until nobody has any, look at the events, then let time jump to the next alarm.
    let mut now = start;
    loop {
        while carry(now, &mut alice, &mut bob) || carry(now, &mut bob, &mut alice) {}
        while let Some(event) = alice.poll_event() {
            if let SessionEvent::ConnectionStateChange(state) = event {
                writeln!(screen, "alice is {state}")?;
            } else if let SessionEvent::DataChannelStateChange(key) = event
                && alice.data_channel_state(key) == DataChannelState::Open
            {
                // Refused only when the channel is not open or its buffer full.
                alice.send_data(now, chat, Payload::text("hello")).map_err(|_| "not sent")?;
            }
        }
        while let Some(event) = bob.poll_event() {
            if let SessionEvent::ConnectionStateChange(state) = event {
                writeln!(screen, "bob is {state}")?;
            } else if let SessionEvent::DataChannelReadable(key) = event
                && let Some(message) = bob.recv_data(now, key)
            {
                let took = now.saturating_duration_since(start);
                writeln!(screen, "bob reads {:?} after {took:?} of virtual time", message.data)?;
                return Ok(());
            }
        }
        let next = [alice.poll_timeout(), bob.poll_timeout()].into_iter().flatten().min();
        now = next.filter(|next| *next < start + PATIENCE).ok_or("no message came")?.max(now);
        alice.handle_timeout(now);
        bob.handle_timeout(now);
    }
}

/// A session with one socket, at least in its own view.
fn session(address: &str, now: Instant, unix: Duration) -> Result<Session, Box<dyn Error>> {
    let mut session = Session::new(Configuration::default(), now, unix, crypto::os_random)?;
    session.add_local_address(now, address.parse::<SocketAddr>()?, None);
    session.local_addresses_complete(now);
    Ok(session)
}

/// The network: what one session sends, the other receives at once. Returns whether there was anything.
fn carry(now: Instant, from: &mut Session, to: &mut Session) -> bool {
    let mut out = Vec::new();
    let mut carried = false;
    while let Some(transmit) = from.poll_transmit(now, NonZeroUsize::MIN, &mut out) {
        let payload = BytesMut::from(out.as_slice());
        to.handle_datagram(
            now,
            Datagram { path: transmit.path.reversed(), ecn: transmit.ecn, arrival: now, payload },
        );
        out.clear();
        carried = true;
    }
    carried
}
