//! Handles, as they move to another process: they stay what they are.

use super::{ChannelKey, Slab, Slot};
use crate::handover::wire::{Malformed, Wire, wire_struct};

/// Of each slot its generation, and what it holds.
#[derive(Clone, Debug)]
pub(crate) struct SlabSnapshot<T>(pub(crate) Vec<(u32, Option<T>)>);

wire_struct!(ChannelKey { index, generation });

impl<T: Wire> Wire for SlabSnapshot<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Wire::take(bytes).map(Self)
    }
}

impl<T> SlabSnapshot<T> {
    /// What there is, with its handles.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ChannelKey, &T)> {
        let slots = self.0.iter().zip(0_u32..);
        slots.filter_map(|((generation, value), index)| {
            Some((ChannelKey { index, generation: *generation }, value.as_ref()?))
        })
    }
}

impl<T> Slab<T> {
    pub(crate) fn snapshot<S>(&self, snapshot: impl Fn(&T) -> S) -> SlabSnapshot<S> {
        let Self { slots, free: _ } = self;
        let slot = |slot: &Slot<T>| {
            let Slot { generation, value } = slot;
            (*generation, value.as_ref().map(&snapshot))
        };
        SlabSnapshot(slots.iter().map(slot).collect())
    }

    /// Slots that hold nothing are free, the first ones first, but for those whose generations are used up.
    pub(crate) fn restore<S>(snapshot: SlabSnapshot<S>, restore: impl Fn(S) -> T) -> Self {
        let slots: Vec<_> = snapshot
            .0
            .into_iter()
            .map(|(generation, value)| Slot { generation, value: value.map(&restore) })
            .collect();
        let is_free = |slot: &Slot<T>| slot.value.is_none() && slot.generation < u32::MAX;
        let free = slots.iter().zip(0_u32..).filter(|(slot, _)| is_free(slot));
        let mut free: Vec<_> = free.map(|(_, index)| index).collect();
        free.reverse();
        Self { slots, free }
    }
}
