//! An association leaves a process, and goes on in another.

use super::{Association, Local, Peer};
use crate::chunk::init::Extensions;
use crate::config::Config;
use crate::cookie::{self, CookieKey, CookieKeySnapshot};
use crate::event::{EventSnapshot, Events};
use crate::handover::wire::{Contradiction, ensure, wire_enum, wire_struct};
use crate::handover::{Handover, HandoverError, ResumeError};
use crate::packet::Checksum;
use crate::path::Fragmentation;
use crate::pmtu::PathMtu;
use crate::procedure::heartbeat::Heartbeat;
use crate::procedure::reset::Resets;
use crate::procedure::transmit::Pending;
use crate::rx::{Receiver, TooMuch};
use crate::state::{self, State, Timer};
use crate::stats::Stats;
use crate::tx::Sender;
use base::Serial32;
use crypto::Random;
use std::sync::Arc;
use std::time::Instant;

/// More than anyone counts.
const MOST_ERRORS: u32 = 1 << 30;

/// Who the two are, and how far they have come.
#[derive(Debug)]
pub(crate) struct IdentitySnapshot {
    local_port: u16,
    remote_port: u16,
    local_tag: u32,
    local_tsn: Serial32,
    peer_tag: u32,
    outbound: u16,
    inbound: u16,
    /// As in a cookie.
    extensions: u8,
    state: StateSnapshot,
    errors: u32,
    /// Packets of the peer may have no checksum.
    or_zero: bool,
    /// A COOKIE ACK is owed.
    cookie_ack: bool,
    cookies: CookieKeySnapshot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StateSnapshot {
    Established,
    ShutdownPending,
    ShutdownSent,
    ShutdownReceived,
    ShutdownAckSent,
}

wire_struct!(IdentitySnapshot {
    local_port,
    remote_port,
    local_tag,
    local_tsn,
    peer_tag,
    outbound,
    inbound,
    extensions,
    state,
    errors,
    or_zero,
    cookie_ack,
    cookies
});
wire_enum!(StateSnapshot {
    0 => Established,
    1 => ShutdownPending,
    2 => ShutdownSent,
    3 => ShutdownReceived,
    4 => ShutdownAckSent
});

impl IdentitySnapshot {
    pub(crate) fn check(&self) -> Result<(), Contradiction> {
        let known = cookie::flags_of(self.extensions());
        ensure(known == self.extensions, "an extension that is not known")?;
        ensure(self.local_tag != 0 && self.peer_tag != 0, "a verification tag of zero")?;
        ensure(self.outbound != 0 && self.inbound != 0, "a direction without streams")?;
        ensure(self.errors <= MOST_ERRORS, "the number of errors")?;
        self.cookies.check()
    }

    pub(crate) fn peer(&self) -> Peer {
        let Self { peer_tag: tag, outbound, inbound, .. } = *self;
        Peer { tag, outbound, inbound, extensions: self.extensions() }
    }

    fn extensions(&self) -> Extensions {
        cookie::extensions_of(self.extensions)
    }
}

impl StateSnapshot {
    /// `None` for what does not move.
    fn of(state: &State) -> Option<Self> {
        match state {
            State::Established => Some(Self::Established),
            State::ShutdownPending => Some(Self::ShutdownPending),
            State::ShutdownSent => Some(Self::ShutdownSent),
            State::ShutdownReceived => Some(Self::ShutdownReceived),
            State::ShutdownAckSent => Some(Self::ShutdownAckSent),
            State::Closed
            | State::CookieWait
            | State::CookieEchoed { .. }
            | State::Ending { .. }
            | State::Done => None,
        }
    }

    fn restore(self) -> State {
        match self {
            Self::Established => State::Established,
            Self::ShutdownPending => State::ShutdownPending,
            Self::ShutdownSent => State::ShutdownSent,
            Self::ShutdownReceived => State::ShutdownReceived,
            Self::ShutdownAckSent => State::ShutdownAckSent,
        }
    }
}

impl Association {
    /// Takes the association out of this process, to [go on](Self::resume) in another, whatever is under way: data in
    /// flight, queued, half received or not yet pulled, messages open for more pieces, resets, a shutdown.
    ///
    /// Nothing must be written for it here afterwards: two that speak with one tag are one too many. Packets that
    /// arrive meanwhile may be dropped, as the network might have; or handed to the new place.
    ///
    /// # Errors
    /// [`HandoverError`] when it is not established, or over. It comes back then.
    pub fn hand_over(mut self, now: Instant) -> Result<Handover, HandoverError> {
        let now = self.tick(now);
        let Some(state) = StateSnapshot::of(&self.state) else {
            let over = self.state.is_over();
            let association = Box::new(self);
            return Err(match over {
                true => HandoverError::Over(association),
                false => HandoverError::NotConnected(association),
            });
        };
        let Self {
            config,
            rng: _,
            now: _,
            state: _,
            local,
            peer,
            cookies,
            sender,
            receiver,
            resets,
            // What is in flight of these is not waited for there.
            heartbeat: _,
            timers: _,
            // The rest are answers that may be lost on their way as well.
            pending,
            replies: _,
            errors,
            max_packet_len: _,
            path_mtu,
            fragmentation: _,
            accepted,
            events,
            stats,
        } = &self;
        let identity = IdentitySnapshot {
            local_port: config.local_port,
            remote_port: config.remote_port,
            local_tag: local.tag,
            local_tsn: local.tsn,
            peer_tag: peer.tag,
            outbound: peer.outbound,
            inbound: peer.inbound,
            extensions: cookie::flags_of(peer.extensions),
            state,
            errors: (*errors).min(MOST_ERRORS),
            or_zero: *accepted == Checksum::OrZero,
            cookie_ack: pending.cookie_ack,
            cookies: cookies.snapshot(now),
        };
        Ok(Handover {
            identity,
            sender: sender.snapshot(now),
            receiver: receiver.snapshot(),
            resets: resets.snapshot(),
            path: path_mtu.snapshot(now),
            events: events.snapshot(),
            counters: stats.snapshot(),
        })
    }

    /// Goes on with an association that was [handed over](Self::hand_over), here or elsewhere. Its ports and all that
    /// was agreed with the peer are those it had; buffers, timeouts, scheduler and congestion control are those of
    /// `config`. The budget of [`set_send_budget`](Self::set_send_budget), weights, thresholds and ways of delivery came
    /// along; events that were not polled are there to be polled.
    ///
    /// The time between the two does not count: no lifetime of a message passes in it. What was in flight is not taken
    /// to be lost: T3-rtx begins anew, with the round trip that was known. Congestion control begins as on a new path,
    /// since the path may be one. The size of packets stays, and is asked for at once where it was searched for
    /// ([`set_path`](Self::set_path) begins the search anew).
    ///
    /// The first packet has a SACK, with a HEARTBEAT when no data goes, so that the peer learns quickly where we are.
    ///
    /// # Errors
    /// [`ResumeError`] when the configuration has no room for what is held.
    pub fn resume(
        config: Arc<Config>,
        now: Instant,
        rng: Box<dyn Random>,
        handover: Handover,
    ) -> Result<Self, ResumeError> {
        let Handover { identity, sender, receiver, resets, path, events, counters } = handover;
        let peer = identity.peer();
        let IdentitySnapshot {
            local_port,
            remote_port,
            local_tag,
            local_tsn,
            peer_tag: _,
            outbound: _,
            inbound: _,
            extensions: _,
            state,
            errors,
            or_zero,
            cookie_ack,
            cookies,
        } = identity;
        let config = if (config.local_port, config.remote_port) == (local_port, remote_port) {
            config
        } else {
            Arc::new(Config::clone(&config).with_ports(local_port, remote_port))
        };
        let receiver = Receiver::restore(receiver, &config, &peer)
            .map_err(|TooMuch { held, limit }| ResumeError::ReceiveBuffer { held, limit })?;
        let state = state.restore();
        let named = events.iter().filter(|event| EventSnapshot::is_named(event)).count();
        let path_mtu = PathMtu::restore(path, now, peer.extensions.pad);
        let mut association = Self {
            rng,
            now,
            local: Local { tag: local_tag, tsn: local_tsn },
            cookies: CookieKey::restore(cookies, config.cookie_mac, now, config.cookie_lifetime),
            sender: Sender::restore(sender, now, &config, &peer, path_mtu.packet_len(), named),
            receiver,
            resets: Resets::restore(resets, state.may_send_data()),
            heartbeat: Heartbeat::default(),
            timers: state::timers(),
            pending: Pending { cookie_ack, ..Pending::default() },
            replies: Vec::new(),
            errors,
            max_packet_len: path_mtu.packet_len(),
            path_mtu,
            fragmentation: Fragmentation::Forbidden,
            accepted: if or_zero { Checksum::OrZero } else { Checksum::Crc32c },
            events: Events::restore(events),
            stats: Stats::restore(counters),
            state,
            peer,
            config,
        };
        association.go_on(now);
        Ok(association)
    }

    /// What was waited for is waited for anew, and the peer hears of us.
    fn go_on(&mut self, now: Instant) {
        self.apply_path_mtu();
        self.arm_retransmit(now);
        self.arm_probe(now);
        self.arm_heartbeat(now);
        self.pending.heartbeat = self.sender.is_all_acked();
        let timeout = self.sender.rto.timeout();
        if self.resets.has_request() && self.state.may_send_data() {
            self.timers.set(Timer::Reconfig, now + timeout);
        }
        match self.state {
            State::ShutdownSent => self.pending.shutdown = true,
            State::ShutdownAckSent => self.pending.shutdown_ack = true,
            State::Closed
            | State::CookieWait
            | State::CookieEchoed { .. }
            | State::Established
            | State::ShutdownPending
            | State::ShutdownReceived
            | State::Ending { .. }
            | State::Done => return self.continue_shutdown(now),
        }
        self.timers.set(Timer::Shutdown, now + timeout);
    }
}
