//! sctp-proto 0.10, as str0m uses it.

use super::{End, settle};
use crate::kernel::Timed;
use bytes::Bytes;
use sctp_proto::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Payload,
    PayloadProtocolIdentifier, ServerConfig,
};
use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Instant};

const STREAM: u16 = 1;

struct SctpProto {
    endpoint: Endpoint,
    association: Option<(AssociationHandle, Association)>,
    peer: SocketAddr,
    out: VecDeque<Bytes>,
    scratch: Vec<u8>,
}

impl SctpProto {
    fn drive(&mut self, now: Instant) {
        let Some((handle, association)) = &mut self.association else { return };
        while let Some(event) = association.poll_endpoint_event() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                association.handle_event(event);
            }
        }
        while let Some(transmit) = association.poll_transmit(now) {
            if let Payload::RawEncode(packets) = transmit.payload {
                self.out.extend(packets);
            }
        }
    }

    fn take(&mut self, now: Instant, packet: Bytes) {
        match self.endpoint.handle(now, self.peer, None, None, packet) {
            Some((handle, DatagramEvent::NewAssociation(association))) => {
                self.association = Some((handle, association));
            }
            Some((_, DatagramEvent::AssociationEvent(event))) => {
                if let Some((_, association)) = &mut self.association {
                    association.handle_event(event);
                }
            }
            None => {}
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            if let Payload::RawEncode(packets) = transmit.payload {
                self.out.extend(packets);
            }
        }
    }

    fn association(&mut self) -> &mut Association {
        &mut self.association.as_mut().expect("connected").1
    }
}

impl End for SctpProto {
    fn buffered(&mut self) -> usize {
        self.association().stream(STREAM).and_then(|stream| stream.buffered_amount()).expect("open")
    }

    fn send(&mut self, _now: Instant, message: &Bytes) {
        self.association().stream(STREAM).and_then(|mut stream| stream.write_chunk(message)).expect("room");
    }

    fn packets(&mut self, now: Instant, most: usize, deliver: &mut dyn FnMut(&[u8])) -> usize {
        self.drive(now);
        let count = self.out.len().min(most);
        for packet in self.out.drain(..count) {
            deliver(&packet);
        }
        count
    }

    fn handle(&mut self, now: Instant, packet: &[u8]) {
        self.take(now, Bytes::copy_from_slice(packet));
    }

    fn received(&mut self) -> u64 {
        let Some((_, association)) = &mut self.association else { return 0 };
        while association.poll().is_some() {}
        while association.accept_stream().is_some() {}
        let Ok(mut stream) = association.stream(STREAM) else { return 0 };
        let mut count = 0;
        while let Ok(Some(chunks)) = stream.read_sctp() {
            chunks.read(&mut self.scratch).expect("fits");
            count += 1;
        }
        count
    }

    fn timeout(&mut self, now: Instant) {
        if let Some((_, association)) = &mut self.association
            && association.poll_timeout().is_some_and(|due| due <= now)
        {
            association.handle_timeout(now);
        }
    }
}

pub fn messages(bytes: usize) -> Timed {
    let now = Instant::now();
    let addresses: [SocketAddr; 2] =
        ["192.0.2.1:5000".parse().expect("an address"), "192.0.2.2:5000".parse().expect("an address")];
    let config = Arc::new(EndpointConfig::default());
    let end = |server: Option<Arc<ServerConfig>>, peer| SctpProto {
        endpoint: Endpoint::new(config.clone(), server),
        association: None,
        peer,
        out: VecDeque::new(),
        scratch: vec![0; bytes],
    };
    let mut a = end(None, addresses[1]);
    let mut b = end(Some(Arc::new(ServerConfig::default())), addresses[0]);
    a.association = Some(a.endpoint.connect(ClientConfig::default(), addresses[1]).expect("started"));
    settle(now, &mut a, &mut b);
    a.association().open_stream(STREAM, PayloadProtocolIdentifier::Binary).expect("opened");
    super::messages(a, b, now, bytes)
}
