//! `dcsctp`: the SCTP of Chromium's WebRTC, in Rust.

use crate::end::{End, Fact, MAX_MESSAGE, MAX_PACKET, Mode, PPID, Received, Reliability, Sent, Settings};
use dcsctp::api::{
    DcSctpSocket, ErrorKind, Message, Options, PpId, SendError, SendOptions, SocketEvent, SocketTime,
    StreamId, ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS,
};
use std::{collections::VecDeque, time::Duration};

pub(super) struct Socket {
    socket: Box<dyn DcSctpSocket>,
    /// Its time counts from its birth.
    born: Duration,
    packets: VecDeque<Vec<u8>>,
    facts: VecDeque<Fact>,
}

impl Socket {
    pub(super) fn new(settings: Settings, now: Duration) -> Self {
        fastrand::seed(settings.seed);
        let mut options = Options {
            mtu: MAX_PACKET,
            max_message_size: MAX_MESSAGE,
            max_receiver_window_buffer_size: settings.receive_window,
            // As Chromium sets it.
            max_timer_backoff_duration: Some(Duration::from_secs(3)),
            max_retransmissions: None,
            max_init_retransmits: None,
            enable_message_interleaving: settings.interleaving,
            ..Options::default()
        };
        if settings.zero_checksum {
            options.zero_checksum_alternate_error_detection_method =
                ZERO_CHECKSUM_ALTERNATE_ERROR_DETECTION_METHOD_LOWER_LAYER_DTLS;
        }
        Self {
            socket: dcsctp::new_socket("theirs", &options),
            born: now,
            packets: VecDeque::new(),
            facts: VecDeque::new(),
        }
    }

    fn at(&mut self, now: Duration) {
        self.socket.advance_time(SocketTime::zero() + (now - self.born));
    }

    fn gather(&mut self) {
        while let Some(event) = self.socket.poll_event() {
            match event {
                SocketEvent::SendPacket(packet) => self.packets.push_back(packet),
                SocketEvent::OnConnected() => self.facts.push_back(Fact::Connected),
                SocketEvent::OnConnectionRestarted() => self.facts.push_back(Fact::Restarted),
                SocketEvent::OnClosed() => {
                    self.facts.push_back(Fact::Closed { gracefully: true, why: "closed".to_owned() });
                }
                SocketEvent::OnAborted(kind, why) => {
                    // What it says of a graceful end.
                    let gracefully = kind == ErrorKind::NoError;
                    self.facts.push_back(Fact::Closed { gracefully, why: format!("{kind:?}: {why}") });
                }
                SocketEvent::OnError(kind, why) => {
                    self.facts.push_back(Fact::Remark(format!("{kind:?}: {why}")));
                }
                SocketEvent::OnStreamsResetPerformed(streams) => {
                    self.facts.extend(streams.iter().map(|stream| Fact::OutgoingReset(stream.0)));
                }
                SocketEvent::OnIncomingStreamReset(streams) => {
                    self.facts.extend(streams.iter().map(|stream| Fact::IncomingReset(stream.0)));
                }
                SocketEvent::OnStreamsResetFailed(streams) => {
                    self.facts.push_back(Fact::Remark(format!("reset of {streams:?} failed")));
                }
                _ => {}
            }
        }
    }
}

impl End for Socket {
    fn connect(&mut self, now: Duration) {
        self.at(now);
        self.socket.connect();
    }

    fn send(&mut self, now: Duration, stream: u16, payload: &[u8], mode: Mode) -> Sent {
        self.at(now);
        let mut options = SendOptions { unordered: !mode.ordered, ..SendOptions::default() };
        match mode.reliability {
            Reliability::Reliable => {}
            Reliability::Retransmits(times) => options.max_retransmissions = Some(times),
            Reliability::Lifetime(time) => options.lifetime = Some(time),
        }
        match self.socket.send(Message::new(StreamId(stream), PpId(PPID), payload.to_vec()), &options) {
            Ok(()) => Sent::Taken,
            Err(SendError::ResourceExhaustion) => Sent::Full,
            Err(error) => Sent::Refused(error.to_string()),
        }
    }

    fn recv(&mut self, _now: Duration) -> Option<Received> {
        if self.socket.messages_ready_count() == 0 {
            return None;
        }
        let message = self.socket.get_next_message()?;
        Some(Received { stream: message.stream_id.0, ppid: message.ppid.0, payload: message.payload })
    }

    fn handle_packet(&mut self, now: Duration, packet: &[u8]) {
        self.at(now);
        self.socket.handle_input(packet);
    }

    fn poll_packet(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.at(now);
        self.gather();
        self.packets.pop_front()
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.at(now);
    }

    fn poll_timeout(&self) -> Option<Duration> {
        let at = self.socket.poll_timeout();
        (at != SocketTime::infinite_future()).then(|| self.born + (at - SocketTime::zero()))
    }

    fn poll_fact(&mut self, _now: Duration) -> Option<Fact> {
        self.gather();
        self.facts.pop_front()
    }

    fn reset(&mut self, now: Duration, stream: u16) -> Result<(), String> {
        self.at(now);
        self.socket.reset_streams(&[StreamId(stream)]).map_err(|error| error.to_string())
    }

    fn shutdown(&mut self, now: Duration) {
        self.at(now);
        self.socket.shutdown();
    }

    fn abort(&mut self, now: Duration) {
        self.at(now);
        self.socket.close();
    }
}
