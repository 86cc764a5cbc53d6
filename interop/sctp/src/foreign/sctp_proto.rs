//! `sctp-proto`: the SCTP of `str0m`.

use crate::end::{End, Fact, MAX_MESSAGE, MAX_PACKET, Mode, Received, Reliability, Sent, Settings};
use crate::ours::BASE;
use bytes::Bytes;
use sctp_proto::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Error, Event,
    Payload, PayloadProtocolIdentifier, ReliabilityType, ServerConfig, StreamEvent, TransportConfig,
};
use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// Beyond it `send` waits: it takes everything by itself.
const SEND_BUFFER: usize = 1 << 20;

/// The common header and that of DATA, which its configuration does not count.
const HEADERS: usize = 12 + 16;

pub(super) struct Peer {
    endpoint: Endpoint,
    association: Option<(AssociationHandle, Association)>,
    transport: Arc<TransportConfig>,
    packets: VecDeque<Vec<u8>>,
    facts: VecDeque<Fact>,
}

impl Peer {
    pub(super) fn new(settings: Settings, _now: Duration) -> Self {
        let transport = Arc::new(
            TransportConfig::default()
                .with_max_receive_buffer_size(settings.receive_window as u32)
                .with_max_send_message_size(MAX_MESSAGE as u32)
                .with_max_receive_message_size(MAX_MESSAGE as u32)
                .with_max_init_retransmits(None)
                .with_rto_initial_ms(500)
                .with_rto_min_ms(400)
                .with_rto_max_ms(3_000),
        );
        let mut config = EndpointConfig::new();
        config.max_payload_size((MAX_PACKET - HEADERS) as u32);
        let mut server = ServerConfig::new();
        server.transport = Arc::clone(&transport);
        let mut endpoint = Endpoint::new(Arc::new(config), Some(Arc::new(server)));
        if !settings.passive {
            // It would not join an INIT of the other side with its own association but begin a second one.
            endpoint.reject_new_associations();
        }
        Self { endpoint, association: None, transport, packets: VecDeque::new(), facts: VecDeque::new() }
    }

    fn gather(&mut self, now: Duration) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            take(&mut self.packets, transmit.payload);
        }
        let Some((_, association)) = &mut self.association else { return };
        while let Some(transmit) = association.poll_transmit(*BASE + now) {
            take(&mut self.packets, transmit.payload);
        }
        // It calls itself drained when a shutdown begins: the endpoint would forget it too early.
        while association.poll_endpoint_event().is_some() {}
        while let Some(event) = association.poll() {
            match event {
                Event::Connected => self.facts.push_back(Fact::Connected),
                Event::HandshakeFailed { reason } => {
                    self.facts.push_back(Fact::Closed { gracefully: false, why: reason.to_string() });
                }
                Event::AssociationLost { reason } => {
                    self.facts.push_back(Fact::Closed { gracefully: true, why: reason.to_string() });
                }
                Event::Stream(StreamEvent::Finished { id }) => self.facts.push_back(Fact::IncomingReset(id)),
                Event::Stream(StreamEvent::ResetComplete { id }) => {
                    self.facts.push_back(Fact::OutgoingReset(id));
                }
                Event::Stream(StreamEvent::ResetFailed { id, reason }) => {
                    self.facts.push_back(Fact::Remark(format!("reset of {id} failed: {reason:?}")));
                }
                _ => {}
            }
        }
    }
}

impl End for Peer {
    fn connect(&mut self, _now: Duration) {
        let mut config = ClientConfig::new();
        config.transport = Arc::clone(&self.transport);
        self.association = self.endpoint.connect(config, address()).ok();
    }

    fn send(&mut self, _now: Duration, stream: u16, payload: &[u8], mode: Mode) -> Sent {
        let Some((_, association)) = &mut self.association else { return Sent::Full };
        if association.is_handshaking() {
            return Sent::Full;
        }
        let ppid = PayloadProtocolIdentifier::Binary;
        if association.stream(stream).is_err() {
            match association.open_stream(stream, ppid) {
                Ok(_) => {}
                Err(Error::ErrStreamResetPending) => return Sent::Full,
                Err(error) => return Sent::Refused(error.to_string()),
            }
        }
        let (kind, value) = match mode.reliability {
            Reliability::Reliable => (ReliabilityType::Reliable, 0),
            Reliability::Retransmits(times) => (ReliabilityType::Rexmit, u32::from(times)),
            Reliability::Lifetime(time) => (ReliabilityType::Timed, time.as_millis() as u32),
        };
        let written = association.stream(stream).and_then(|mut open| {
            if open.buffered_amount()? + payload.len() > SEND_BUFFER {
                return Ok(None);
            }
            open.set_reliability_params(!mode.ordered, kind, value)?;
            open.write_with_ppi(payload, ppid).map(Some)
        });
        match written {
            Ok(Some(len)) if len == payload.len() => Sent::Taken,
            Ok(Some(len)) => Sent::Refused(format!("{len} of {} bytes taken", payload.len())),
            Ok(None) => Sent::Full,
            Err(error) => Sent::Refused(error.to_string()),
        }
    }

    fn recv(&mut self, _now: Duration) -> Option<Received> {
        let (_, association) = self.association.as_mut()?;
        while association.accept_stream().is_some() {}
        for stream in association.stream_ids() {
            let chunks = association.stream(stream).and_then(|mut open| open.read_sctp());
            if let Ok(Some(chunks)) = chunks {
                let mut payload = vec![0; chunks.len()];
                chunks.read(&mut payload).ok()?;
                return Some(Received { stream, ppid: chunks.ppi as u32, payload });
            }
        }
        None
    }

    fn handle_packet(&mut self, now: Duration, packet: &[u8]) {
        let packet = Bytes::copy_from_slice(packet);
        match self.endpoint.handle(*BASE + now, address(), None, None, packet) {
            Some((handle, DatagramEvent::NewAssociation(association))) => {
                self.association.get_or_insert((handle, association));
            }
            Some((handle, DatagramEvent::AssociationEvent(event))) => {
                if let Some((own, association)) = &mut self.association
                    && *own == handle
                {
                    association.handle_event(event);
                }
            }
            None => {}
        }
    }

    fn poll_packet(&mut self, now: Duration) -> Option<Vec<u8>> {
        if self.packets.is_empty() {
            self.gather(now);
        }
        self.packets.pop_front()
    }

    fn handle_timeout(&mut self, now: Duration) {
        if let Some((_, association)) = &mut self.association {
            association.handle_timeout(*BASE + now);
        }
    }

    fn poll_timeout(&self) -> Option<Duration> {
        let (_, association) = self.association.as_ref()?;
        association.poll_timeout().map(|at| at.saturating_duration_since(*BASE))
    }

    fn poll_fact(&mut self, now: Duration) -> Option<Fact> {
        self.gather(now);
        self.facts.pop_front()
    }

    fn reset(&mut self, _now: Duration, stream: u16) -> Result<(), String> {
        let Some((_, association)) = &mut self.association else { return Err("not connected".to_owned()) };
        // It answers a reset with one of its own: the stream is gone then, and this has nothing left to do.
        match association.stream(stream) {
            Ok(mut open) => open.close().map_err(|error| error.to_string()),
            Err(_) => Ok(()),
        }
    }

    fn shutdown(&mut self, _now: Duration) {
        if let Some((_, association)) = &mut self.association {
            let _ = association.shutdown();
        }
    }

    fn abort(&mut self, _now: Duration) {
        if let Some((_, association)) = &mut self.association {
            let _ = association.close();
        }
    }
}

fn take(packets: &mut VecDeque<Vec<u8>>, payload: Payload) {
    if let Payload::RawEncode(written) = payload {
        packets.extend(written.into_iter().map(Vec::from));
    }
}

/// It wants one and never uses it.
fn address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 5_000).into()
}
