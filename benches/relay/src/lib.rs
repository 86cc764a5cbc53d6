//! Two networks on one machine, and a bad line between them.
//!
//! Each network is a namespace of its own with one TUN device in it; the relay moves IP packets from one device to the
//! other, late, at a rate, and not all of them. It carries packets, not streams: UDP and the kernel's TCP meet the very
//! same delay, loss and queue. The namespaces have no name and live as long as the [`Relay`]: nothing is left behind,
//! however the process ends.

mod error;
mod line;
mod namespace;
mod pump;
mod tun;

pub use error::RelayError;
pub use line::{Impairment, Impairments, Spoken};
pub use namespace::Namespace;
pub use pump::Counters;

use pump::Pump;
use std::{net::Ipv4Addr, sync::Arc};

/// The address of each side.
pub const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 77, 0, 1), Ipv4Addr::new(10, 77, 0, 2)];

/// The side of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a line has two ends")]
pub enum Side {
    /// 10.77.0.1
    Left,
    /// 10.77.0.2
    Right,
}

impl Side {
    const fn place(self) -> usize {
        match self {
            Self::Left => 0,
            Self::Right => 1,
        }
    }

    /// The address of this side.
    #[must_use]
    pub const fn address(self) -> Ipv4Addr {
        ADDRESSES[self.place()]
    }
}

/// Two namespaces and the line between them.
#[derive(Debug)]
pub struct Relay {
    // Declared first, dropped first: nobody moves packets when the namespaces go.
    pumps: [Pump; 2],
    namespaces: [Namespace; 2],
}

impl Relay {
    /// Makes both networks, with devices of this MTU in bytes, and starts to carry.
    pub fn start(impairments: &Impairments, mtu: u16) -> Result<Self, RelayError> {
        let make = |side: Side| Namespace::new(side, mtu);
        let (left, left_tun) = make(Side::Left)?;
        let (right, right_tun) = make(Side::Right)?;
        let (left_tun, right_tun) = (Arc::new(left_tun), Arc::new(right_tun));
        let pump = |from: &Arc<tun::Tun>, to: &Arc<tun::Tun>, impairment: &Impairment| {
            Pump::start(Arc::clone(from), Arc::clone(to), impairment.clone(), usize::from(mtu))
        };
        Ok(Self {
            pumps: [
                pump(&left_tun, &right_tun, &impairments.to_right)?,
                pump(&right_tun, &left_tun, &impairments.to_left)?,
            ],
            namespaces: [left, right],
        })
    }

    /// Changes the line for packets that come from now on.
    pub fn set(&self, impairments: &Impairments) {
        let [to_right, to_left] = &self.pumps;
        to_right.set(impairments.to_right.clone());
        to_left.set(impairments.to_left.clone());
    }

    /// The network of a side.
    #[must_use]
    pub fn namespace(&self, side: Side) -> &Namespace {
        &self.namespaces[side.place()]
    }

    /// What was carried so far: to the right, and to the left.
    #[must_use]
    pub fn counters(&self) -> [Counters; 2] {
        self.pumps.each_ref().map(Pump::counters)
    }
}
