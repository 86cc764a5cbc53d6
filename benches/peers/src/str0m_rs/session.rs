//! str0m without sockets.

use crate::memory::{FORWARDED, Forwarder, Node, Pair, SUBSCRIBERS, address};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::SdpApi,
    media::{Direction, MediaKind, Mid},
    net::{Protocol, Receive},
    rtp::{RtpPacket, RtpWrite},
};

pub struct End {
    rtc: Rtc,
    last: u8,
    open: bool,
    packets: Vec<RtpPacket>,
}

impl End {
    fn new(now: Instant, last: u8, config: RtcConfig) -> Self {
        let mut rtc = config.build(now);
        rtc.add_local_candidate(Candidate::host(address(last), "udp").expect("a candidate"));
        Self { rtc, last, open: false, packets: Vec::new() }
    }

    /// Everything there is to send goes to `take`.
    fn drain(&mut self, mut take: impl FnMut(&[u8])) -> Instant {
        loop {
            match self.rtc.poll_output().expect("alive") {
                Output::Timeout(due) => return due,
                Output::Transmit(transmit) => take(&transmit.contents),
                Output::Event(Event::ChannelOpen(..)) => self.open = true,
                Output::Event(Event::RtpPacket(packet)) => self.packets.push(packet),
                Output::Event(_) => {}
            }
        }
    }
}

impl Node for End {
    fn poll(&mut self, _now: Instant, out: &mut Vec<Vec<u8>>) -> Option<Instant> {
        Some(self.drain(|datagram| out.push(datagram.to_vec())))
    }

    fn receive(&mut self, now: Instant, datagram: &[u8]) {
        let (source, destination) = (address(3 - self.last), address(self.last));
        let contents = datagram.try_into().expect("of a known protocol");
        let receive = Receive { proto: Protocol::Udp, source, destination, contents };
        self.rtc.handle_input(Input::Receive(now, receive)).expect("taken");
    }

    fn timeout(&mut self, now: Instant) {
        self.rtc.handle_input(Input::Timeout(now)).expect("taken");
    }

    fn is_ready(&self) -> bool {
        self.open
    }
}

fn negotiate(a: &mut Rtc, b: &mut Rtc, prepare: impl FnOnce(&mut SdpApi<'_>)) {
    let mut change = a.sdp_api();
    prepare(&mut change);
    let (offer, pending) = change.apply().expect("an offer");
    let offer = str0m::change::SdpOffer::from_sdp_string(&offer.to_sdp_string()).expect("readable");
    let answer = b.sdp_api().accept_offer(offer).expect("taken");
    let answer = str0m::change::SdpAnswer::from_sdp_string(&answer.to_sdp_string()).expect("readable");
    a.sdp_api().accept_answer(pending, answer).expect("taken");
}

pub fn pair(now: Instant) -> Pair<End> {
    let mut a = End::new(now, 1, RtcConfig::new());
    let mut b = End::new(now, 2, RtcConfig::new());
    negotiate(&mut a.rtc, &mut b.rtc, |change| {
        change.add_channel("bench".to_owned());
    });
    Pair::new([a, b])
}

/// A pair whose first end sends video packets to the second.
fn video(now: &mut Instant) -> (Pair<End>, Mid) {
    let config = || RtcConfig::new().set_rtp_mode(true);
    let mut a = End::new(*now, 1, config());
    let mut b = End::new(*now, 2, config());
    let mut mid = None;
    negotiate(&mut a.rtc, &mut b.rtc, |change| {
        change.add_channel("ready".to_owned());
        mid = Some(change.add_media(MediaKind::Video, Direction::SendOnly, None, None, None));
    });
    let mut pair = Pair::new([a, b]);
    *now = pair.connect(*now).expect("connects");
    (pair, mid.expect("added"))
}

pub struct Sfu {
    now: Instant,
    publisher: (Pair<End>, Mid),
    subscribers: Vec<(Pair<End>, Mid)>,
    published: Vec<Vec<u8>>,
    payload: Arc<[u8]>,
    number: u64,
}

impl Sfu {
    pub fn new() -> Self {
        let mut now = Instant::now();
        let publisher = video(&mut now);
        let subscribers = (0..SUBSCRIBERS).map(|_| video(&mut now)).collect();
        let payload = Arc::from(vec![0x10; FORWARDED]);
        Self { now, publisher, subscribers, published: Vec::new(), payload, number: 0 }
    }
}

fn write(end: &mut End, mid: Mid, now: Instant, number: u64, time: u32, payload: Arc<[u8]>) {
    let pt = *end.rtc.media(mid).expect("negotiated").remote_pts().first().expect("negotiated");
    let mut api = end.rtc.direct_api();
    let stream = api.stream_tx_by_mid(mid, None).expect("negotiated");
    stream.set_unpaced(true);
    stream.write_rtp(RtpWrite::new(pt, number.into(), time, now, payload).marker(true));
}

impl Forwarder for Sfu {
    fn publish(&mut self) {
        self.now += Duration::from_millis(1);
        self.number += 1;
        let (pair, mid) = &mut self.publisher;
        let time = u32::try_from(self.number & 0x00ff_ffff).unwrap_or(0) * 90;
        let end = &mut pair.ends[0];
        end.timeout(self.now);
        write(end, *mid, self.now, self.number, time, self.payload.clone());
        end.drain(|datagram| self.published.push(datagram.to_vec()));
    }

    fn forward(&mut self) -> usize {
        let mut forwarded = 0;
        let end = &mut self.publisher.0.ends[1];
        for datagram in self.published.drain(..) {
            end.receive(self.now, &datagram);
            end.drain(|_| {});
        }
        for packet in std::mem::take(&mut end.packets) {
            for (pair, mid) in &mut self.subscribers {
                let end = &mut pair.ends[0];
                let number = *packet.seq_no;
                write(end, *mid, self.now, number, packet.header.timestamp, packet.payload.clone());
                let mut sent = 0;
                end.drain(|datagram| sent += usize::from(datagram.len() > FORWARDED));
                if sent == 0 {
                    // Its clock moves by this call only.
                    end.timeout(self.now);
                    end.drain(|datagram| sent += usize::from(datagram.len() > FORWARDED));
                }
                forwarded += sent;
            }
        }
        forwarded
    }
}
