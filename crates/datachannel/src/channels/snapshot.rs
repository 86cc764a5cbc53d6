//! All channels leave a process, and go on in another.

use super::{Channels, Phase};
use crate::channel::{Channel, ChannelSnapshot};
use crate::config::Config;
use crate::event::Event;
use crate::handover::wire::{Contradiction, ensure, wire_enum, wire_struct};
use crate::handover::{Handover, HandoverError};
use crate::ids::{ChannelId, Role};
use crate::slab::{ChannelKey, Slab, SlabSnapshot};
use crate::stats::Stats;
use crypto::Random;
use sctp::{Association, ResumeError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// The channels, and whose numbers are whose.
#[derive(Clone, Debug)]
pub(crate) struct ChannelsSnapshot {
    channels: SlabSnapshot<ChannelSnapshot>,
    refused: Vec<ChannelId>,
    burned: Vec<ChannelId>,
    max_channels: u16,
    role: Option<Role>,
    remote_limit: Option<usize>,
    first_window: Option<usize>,
}

wire_struct!(ChannelsSnapshot { channels, refused, burned, max_channels, role, remote_limit, first_window });
wire_enum!(Role { 0 => Client, 1 => Server });

impl ChannelsSnapshot {
    pub(crate) fn check(&self) -> Result<(), Contradiction> {
        let Self { channels, refused, burned, .. } = self;
        let mut taken = BTreeSet::new();
        for (_, channel) in channels.iter() {
            channel.check()?;
            ensure(channel.holds().is_none_or(|id| taken.insert(id)), "two channels of one number")?;
        }
        let ascending = |ids: &[ChannelId]| ids.is_sorted_by(|one, next| one < next);
        ensure(ascending(refused) && ascending(burned), "the order of numbers")
    }
}

impl Channels {
    /// Takes all channels out of this process, to [go on](Self::resume) in another, whatever is under way: messages in
    /// flight, queued, half received or not yet pulled, channels that open or close. See
    /// [`sctp::Association::hand_over`].
    ///
    /// # Errors
    /// [`HandoverError`] when the association is not established, or over. The channels come back then.
    pub fn hand_over(mut self, now: Instant) -> Result<Handover, HandoverError> {
        self.drain(now);
        let Phase::Connected { max_channels } = self.phase else {
            let is_over = self.phase == Phase::Closed;
            let channels = Box::new(self);
            return Err(match is_over {
                true => HandoverError::Over(channels),
                false => HandoverError::NotConnected(channels),
            });
        };
        let Self {
            config,
            sctp,
            channels,
            by_id,
            refused,
            burned,
            phase,
            role,
            remote_limit,
            events,
            space_queued,
            first_window,
            stats,
        } = self;
        let association = match sctp.hand_over(now) {
            Ok(association) => association,
            Err(error) => {
                // Its last packet is not written yet.
                let sctp = error.into_association();
                return Err(HandoverError::Over(Box::new(Self {
                    config,
                    sctp,
                    channels,
                    by_id,
                    refused,
                    burned,
                    phase,
                    role,
                    remote_limit,
                    events,
                    space_queued,
                    first_window,
                    stats,
                })));
            }
        };
        Ok(Handover {
            channels: ChannelsSnapshot {
                channels: channels.snapshot(Channel::snapshot),
                refused: refused.into_iter().collect(),
                burned: burned.into_iter().collect(),
                max_channels,
                role,
                remote_limit,
                first_window,
            },
            events: events.iter().filter_map(Event::snapshot).collect(),
            counters: stats.snapshot(),
            association,
        })
    }

    /// Goes on with channels that were [handed over](Self::hand_over), here or elsewhere. Handles are what they were;
    /// [`keys`](Self::keys) lists them. What is said of the association is said at [`sctp::Association::resume`]; the
    /// limits of `config` count for channels opened from now on.
    ///
    /// # Errors
    /// [`ResumeError`] when the configuration has no room for what is held.
    pub fn resume(
        config: Arc<Config>,
        now: Instant,
        rng: Box<dyn Random>,
        handover: Handover,
    ) -> Result<Self, ResumeError> {
        let Handover { channels, events, counters, association } = handover;
        let ChannelsSnapshot { channels, refused, burned, max_channels, role, remote_limit, first_window } =
            channels;
        let numbers = channels.iter().filter_map(|(key, channel)| Some((channel.holds()?, key)));
        let mut resumed = Self {
            sctp: Association::resume(Arc::clone(&config.sctp), now, rng, association)?,
            config,
            by_id: numbers.collect(),
            channels: Slab::restore(channels, Channel::restore),
            refused: refused.into_iter().collect(),
            burned: burned.into_iter().collect(),
            phase: Phase::Connected { max_channels },
            role,
            remote_limit,
            events: events.into_iter().map(Event::restore).collect(),
            space_queued: false,
            first_window,
            stats: Stats::restore(counters),
        };
        resumed.note_queued();
        resumed.drain(now);
        Ok(resumed)
    }

    /// The handles of all channels there are, closed ones with messages left to be pulled included.
    #[must_use]
    pub fn keys(&self) -> Vec<ChannelKey> {
        self.channels.keys()
    }

    /// Events that are coalesced stand in the queue once.
    fn note_queued(&mut self) {
        for event in &self.events {
            match event {
                Event::Readable(key) => {
                    if let Some(channel) = self.channels.get_mut(*key) {
                        channel.readable_queued = true;
                    }
                }
                Event::BufferedAmountLow(key) => {
                    if let Some(channel) = self.channels.get_mut(*key) {
                        channel.low_queued = true;
                    }
                }
                Event::SendSpace => self.space_queued = true,
                Event::Abandoned { .. }
                | Event::Announced(_)
                | Event::AssociationClosed(_)
                | Event::Closed(..)
                | Event::Closing(_)
                | Event::Connected { .. }
                | Event::Delivered(_)
                | Event::Opened(_) => {}
            }
        }
    }
}
