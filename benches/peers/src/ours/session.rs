//! peerlane without sockets: `Session`.

use super::WALL;
use crate::{
    machine::thread_time,
    measure::Who,
    memory::{FORWARDED, Forwarder, Node, Pair, SUBSCRIBERS, address},
};
use crypto::Provider;
use media::PacketToSend;
use peerconnection::{
    ChannelKey, Configuration, DataChannelInit, DataChannelState, Datagram, Description, Direction,
    MediaDelivery, MediaKind, Session, SessionEvent, TransceiverId, TransceiverInit,
    bytes::{Bytes, BytesMut},
    datachannel::Payload,
    stun::net::FiveTuple,
};
use std::{num::NonZeroUsize, time::Instant};

pub struct End {
    pub session: Session,
    path: FiveTuple,
    channel: Option<ChannelKey>,
    out: Vec<u8>,
}

impl End {
    fn new(now: Instant, last: u8, config: Configuration) -> Self {
        let mut session = Session::new(config, now, WALL, crypto::os_random).expect("made");
        session.add_local_address(now, address(last), None);
        session.local_addresses_complete(now);
        let path = FiveTuple::udp(address(last), address(3 - last));
        Self { session, path, channel: None, out: Vec::new() }
    }
}

impl Node for End {
    fn poll(&mut self, now: Instant, out: &mut Vec<Vec<u8>>) -> Option<Instant> {
        while self.session.poll_transmit(now, NonZeroUsize::MIN, &mut self.out).is_some() {
            out.push(self.out.clone());
            self.out.clear();
        }
        while let Some(event) = self.session.poll_event() {
            if let SessionEvent::DataChannel(announced) = event {
                self.channel = Some(announced.channel);
            }
        }
        self.session.poll_timeout()
    }

    fn receive(&mut self, now: Instant, datagram: &[u8]) {
        let payload = BytesMut::from(datagram);
        self.session.handle_datagram(now, Datagram { path: self.path, ecn: None, arrival: now, payload });
    }

    fn timeout(&mut self, now: Instant) {
        self.session.handle_timeout(now);
    }

    fn is_ready(&self) -> bool {
        self.channel.is_some_and(|channel| self.session.data_channel_state(channel) == DataChannelState::Open)
    }
}

fn negotiate(now: Instant, a: &mut Session, b: &mut Session) {
    a.set_local_description(now, None).expect("an offer");
    let offer = a.descriptions().pending_local.expect("an offer").sdp();
    b.set_remote_description(now, Description::offer(&offer).expect("readable")).expect("taken");
    b.set_local_description(now, None).expect("an answer");
    let answer = b.descriptions().current_local.expect("an answer").sdp();
    a.set_remote_description(now, Description::answer(&answer).expect("readable")).expect("taken");
}

/// Two sessions with a channel, after the exchange of descriptions.
pub fn pair(provider: Provider, now: Instant) -> Pair<End> {
    let mut a = End::new(now, 1, Configuration::new(provider));
    let mut b = End::new(now, 2, Configuration::new(provider));
    a.channel = Some(a.session.create_data_channel(now, "bench", &DataChannelInit::new()).expect("made"));
    negotiate(now, &mut a.session, &mut b.session);
    Pair::new([a, b])
}

/// Opens so many more channels, and waits until the other end knows them all and has nothing left to say.
pub fn open_channels(pair: &mut Pair<End>, now: &mut Instant, count: usize) -> Result<usize, String> {
    let mut keys = Vec::with_capacity(count);
    for number in 0..count {
        let made = pair.ends[0].session.create_data_channel(*now, "idle", &DataChannelInit::new());
        keys.push(made.map_err(|error| format!("channel {number}: {error}"))?);
        if number % 16 == 0 {
            *now += std::time::Duration::from_millis(1);
            pair.wake(*now);
        }
    }
    for _ in 0..1_000 {
        *now += std::time::Duration::from_millis(20);
        pair.carry(*now);
        pair.wake(*now);
    }
    let session = &pair.ends[0].session;
    let is_open = |key: &&ChannelKey| session.data_channel_state(**key) == DataChannelState::Open;
    let open = keys.iter().filter(is_open).count();
    if open == count { Ok(count) } else { Err(format!("{open} of {count} channels are open")) }
}

/// Messages through two sessions: the whole stack without sockets. One piece of work is one message.
pub fn messages(who: Who, bytes: usize) -> crate::kernel::Timed {
    let mut now = Instant::now();
    let mut pair = pair(super::provider(who), now);
    now = pair.connect(now).expect("connects");
    let [a, b] = &mut pair.ends;
    let channels = [a, b].map(|end| end.channel.expect("open"));
    let payload = Bytes::from(vec![7; bytes]);
    let batch = NonZeroUsize::new(16).unwrap_or(NonZeroUsize::MIN);
    Box::new(move |times| {
        let begin = thread_time();
        let (mut sent, mut received) = (0, 0);
        let [a, b] = &mut pair.ends;
        while received < times {
            while sent < times
                && a.session.send_data(now, channels[0], Payload::binary(payload.clone())).is_ok()
            {
                sent += 1;
            }
            let mut carried = false;
            while let Some(transmit) = a.session.poll_transmit(now, batch, &mut a.out) {
                let size = transmit.segment.map_or(a.out.len(), NonZeroUsize::get);
                let mut arrived = BytesMut::from(a.out.as_slice());
                a.out.clear();
                while !arrived.is_empty() {
                    let payload = arrived.split_to(size.min(arrived.len()));
                    b.session
                        .handle_datagram(now, Datagram { path: b.path, ecn: None, arrival: now, payload });
                }
                carried = true;
            }
            while b.session.poll_transmit(now, batch, &mut b.out).is_some() {
                a.receive(now, &std::mem::take(&mut b.out));
                carried = true;
            }
            while b.session.recv_data(now, channels[1]).is_some() {
                received += 1;
            }
            while a.session.poll_event().is_some() {}
            while b.session.poll_event().is_some() {}
            if !carried {
                now += std::time::Duration::from_millis(1);
                a.session.handle_timeout(now);
                b.session.handle_timeout(now);
            }
        }
        thread_time().saturating_sub(begin)
    })
}

fn first(session: &Session) -> TransceiverId {
    session.transceivers().next().expect("negotiated").id
}

/// A pair whose first end sends video packets to the second, connected at `now`.
fn video(provider: Provider, now: &mut Instant) -> Pair<End> {
    let config = || Configuration::new(provider).with_media_delivery(MediaDelivery::Packets);
    let mut a = End::new(*now, 1, config());
    let mut b = End::new(*now, 2, config());
    a.channel = Some(a.session.create_data_channel(*now, "ready", &DataChannelInit::new()).expect("made"));
    let init = TransceiverInit::new().direction(Direction::SendOnly);
    a.session.add_transceiver(*now, MediaKind::Video, init).expect("made");
    negotiate(*now, &mut a.session, &mut b.session);
    let mut pair = Pair::new([a, b]);
    *now = pair.connect(*now).expect("connects");
    pair
}

pub struct Sfu {
    now: Instant,
    publisher: Pair<End>,
    incoming: TransceiverId,
    subscribers: Vec<(Pair<End>, TransceiverId)>,
    published: Vec<Vec<u8>>,
    payload: Bytes,
    timestamp: u32,
    out: Vec<u8>,
}

impl Sfu {
    pub fn new(provider: Provider) -> Self {
        let mut now = Instant::now();
        let publisher = video(provider, &mut now);
        let subscribers = (0..SUBSCRIBERS)
            .map(|_| {
                let pair = video(provider, &mut now);
                let id = first(&pair.ends[0].session);
                (pair, id)
            })
            .collect();
        let incoming = first(&publisher.ends[1].session);
        Self {
            now,
            incoming,
            publisher,
            subscribers,
            published: Vec::new(),
            payload: Bytes::from(vec![0x10; FORWARDED]),
            timestamp: 0,
            out: Vec::with_capacity(1 << 16),
        }
    }
}

impl Forwarder for Sfu {
    fn publish(&mut self) {
        self.now += std::time::Duration::from_millis(1);
        self.timestamp += 90;
        let packet = PacketToSend::new(self.payload.clone(), rtp::Timestamp(self.timestamp));
        let end = &mut self.publisher.ends[0];
        let id = first(&end.session);
        end.session.send_packet(self.now, id, packet.with_marker()).expect("connected");
        end.poll(self.now, &mut self.published);
    }

    fn forward(&mut self) -> usize {
        let mut forwarded = 0;
        let end = &mut self.publisher.ends[1];
        for datagram in self.published.drain(..) {
            end.receive(self.now, &datagram);
        }
        while let Some(received) = end.session.recv_packet(self.incoming) {
            let mut packet =
                PacketToSend::new(received.packet.payload.clone(), received.packet.header.timestamp);
            packet.marker = received.packet.header.marker;
            for (subscriber, id) in &mut self.subscribers {
                let session = &mut subscriber.ends[0].session;
                session.send_packet(self.now, *id, packet.clone()).expect("connected");
                while session.poll_transmit(self.now, NonZeroUsize::MIN, &mut self.out).is_some() {
                    forwarded += usize::from(self.out.len() > FORWARDED);
                    self.out.clear();
                }
            }
        }
        forwarded
    }
}
