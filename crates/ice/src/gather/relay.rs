//! One TURN allocation.

use crate::checklist::RelayId;
use std::{net::SocketAddr, ops::Range, time::Instant};
use stun::net::{FiveTuple, Transmit};

#[derive(Debug)]
pub(crate) enum Relay {}

pub(crate) enum RelayReceived {
    Control,
    Ignored,
    Peer { from: SocketAddr, payload: Range<usize> },
}

pub(crate) enum RelayEvent {
    Allocated,
    Failed { code: u16, reason: String },
    Refused { peer: SocketAddr },
}

impl Relay {
    pub(crate) fn id(&self) -> RelayId {
        match *self {}
    }
    pub(crate) fn server(&self) -> usize {
        match *self {}
    }
    pub(crate) fn socket(&self) -> SocketAddr {
        match *self {}
    }
    pub(crate) fn server_address(&self) -> SocketAddr {
        match *self {}
    }
    pub(crate) fn relayed(&self) -> Option<SocketAddr> {
        match *self {}
    }
    pub(crate) fn mapped(&self) -> Option<SocketAddr> {
        match *self {}
    }
    pub(crate) fn is_queued(&self) -> bool {
        match *self {}
    }
    pub(crate) fn is_pending(&self) -> bool {
        match *self {}
    }
    pub(crate) fn is_over(&self) -> bool {
        match *self {}
    }
    pub(crate) fn start(&mut self, _now: Instant) {
        match *self {}
    }
    pub(crate) fn give_up(&mut self) {
        match *self {}
    }
    pub(crate) fn permit(&mut self, _now: Instant, _peer: SocketAddr) {
        match *self {}
    }
    pub(crate) fn is_permitted(&self, _peer: SocketAddr) -> bool {
        match *self {}
    }
    pub(crate) fn bind(&mut self, _now: Instant, _peer: SocketAddr) {
        match *self {}
    }
    pub(crate) fn handle_datagram(&mut self, _now: Instant, _path: FiveTuple, _datagram: &[u8]) -> RelayReceived {
        match *self {}
    }
    pub(crate) fn handle_timeout(&mut self, _now: Instant) {
        match *self {}
    }
    pub(crate) fn poll_transmit(&mut self, _now: Instant, _out: &mut Vec<u8>) -> Option<Transmit> {
        match *self {}
    }
    pub(crate) fn poll_event(&mut self) -> Option<RelayEvent> {
        match *self {}
    }
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match *self {}
    }
    pub(crate) fn frame_with<R>(
        &mut self,
        _peer: SocketAddr,
        _out: &mut Vec<u8>,
        _write: impl FnOnce(&mut Vec<u8>) -> Option<R>,
    ) -> Option<(R, Transmit)> {
        match *self {}
    }
    pub(crate) fn overhead(&self, _peer: SocketAddr) -> usize {
        match *self {}
    }
    pub(crate) fn close(&mut self, _now: Instant) {
        match *self {}
    }
}
