//! Messages that know who they are, and what must become of them.

use crate::end::{Mode, PPID, Received, Reliability, Sent};
use crate::rig::{Rig, Side};
use std::time::Duration;

/// Messages of one stream in one direction.
#[derive(Debug)]
pub(crate) struct Flow {
    from: Side,
    stream: u16,
    mode: Mode,
    sizes: Vec<usize>,
    sent: usize,
    /// What is outstanding, by number.
    missing: Vec<bool>,
    /// The number after the last one that came.
    next: usize,
    arrived: usize,
}

impl Flow {
    pub(crate) fn new(from: Side, stream: u16, mode: Mode, sizes: impl IntoIterator<Item = usize>) -> Self {
        let sizes: Vec<usize> = sizes.into_iter().collect();
        let missing = vec![true; sizes.len()];
        Self { from, stream, mode, sizes, sent: 0, missing, next: 0, arrived: 0 }
    }

    pub(crate) fn arrived(&self) -> usize {
        self.arrived
    }

    pub(crate) fn count(&self) -> usize {
        self.sizes.len()
    }

    /// Whether all of it was handed over.
    pub(crate) fn is_sent(&self) -> bool {
        self.sent == self.sizes.len()
    }

    fn is_complete(&self) -> bool {
        self.is_sent() && (self.mode.reliability != Reliability::Reliable || self.arrived == self.sizes.len())
    }

    /// Sends until it is full.
    pub(crate) fn send(&mut self, rig: &mut Rig) -> Result<(), String> {
        while let Some(size) = self.sizes.get(self.sent) {
            let payload = body(self.stream, self.sent, *size);
            let now = rig.now;
            match rig.end(self.from).send(now, self.stream, &payload, self.mode) {
                Sent::Taken => self.sent += 1,
                Sent::Full => break,
                Sent::Refused(why) => {
                    return Err(format!(
                        "{:?} refuses message {} of {size} bytes: {why}",
                        self.from, self.sent
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether a message is one of these, and the right one.
    fn take(&mut self, message: &Received) -> Result<(), String> {
        let name = format!("message to {:?} on stream {}", self.from.other(), self.stream);
        if message.ppid != PPID {
            return Err(format!("{name}: PPID {}", message.ppid));
        }
        let is_exact = self.mode.ordered && self.mode.reliability == Reliability::Reliable;
        // Where order is not kept any that fits will do: the smallest ones cannot be told apart.
        let from = if self.mode.ordered { self.next } else { 0 };
        let to = if is_exact { self.next + 1 } else { self.sent };
        let range = match message.payload.first_chunk() {
            // It says its number.
            Some(first) if message.payload.len() >= 6 => {
                let number = u32::from_be_bytes(*first) as usize;
                number.max(from)..(number + 1).min(to).min(self.sent)
            }
            _ => from..to.min(self.sent),
        };
        let found = range.into_iter().find(|number| {
            self.missing[*number]
                && self.sizes[*number] == message.payload.len()
                && body(self.stream, *number, self.sizes[*number]) == message.payload
        });
        let Some(number) = found else {
            return Err(format!(
                "{name}: {} bytes that nobody sent, or sent twice, or out of order; {} of {} had come, next {}",
                message.payload.len(),
                self.arrived,
                self.sizes.len(),
                self.next,
            ));
        };
        self.missing[number] = false;
        self.next = number + 1;
        self.arrived += 1;
        Ok(())
    }
}

/// Sends everything and checks what comes, until all that is reliable is there.
pub(crate) fn transfer(rig: &mut Rig, flows: &mut [Flow], limit: Duration) -> Result<(), String> {
    let outcome = rig.run_until(limit, "transfer", |rig| {
        check_inboxes(rig, flows)?;
        for flow in &mut *flows {
            flow.send(rig)?;
        }
        Ok(flows.iter().all(Flow::is_complete))
    });
    outcome.map_err(|error| {
        let lacking: Vec<String> = flows
            .iter()
            .filter(|flow| !flow.is_complete())
            .map(|flow| {
                let (from, stream, count) = (flow.from, flow.stream, flow.count());
                format!("{from:?} {stream}: {} sent, {} arrived of {count}", flow.sent, flow.arrived)
            })
            .collect();
        format!("{error}; {}; {:?}", lacking.join("; "), rig.ours.association.stats())
    })
}

/// Gives what has come to the flows.
pub(crate) fn check_inboxes(rig: &mut Rig, flows: &mut [Flow]) -> Result<(), String> {
    for side in Side::BOTH {
        for message in std::mem::take(&mut rig.inbox[side as usize]) {
            let flow =
                flows.iter_mut().find(|flow| flow.from == side.other() && flow.stream == message.stream);
            let Some(flow) = flow else {
                return Err(format!(
                    "a message to {side:?} on stream {}, where none was sent",
                    message.stream
                ));
            };
            flow.take(&message)?;
        }
    }
    Ok(())
}

/// The content of a message: no two of six bytes or more are alike.
fn body(stream: u16, number: usize, size: usize) -> Vec<u8> {
    let mut state = (u64::from(stream) << 32 | number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut body = Vec::with_capacity(size + 8);
    body.extend((number as u32).to_be_bytes());
    body.extend(stream.to_be_bytes());
    while body.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        body.extend(state.to_le_bytes());
    }
    body.truncate(size);
    // The first bytes of a number are zero: a short one shows its last.
    if size < 4 {
        body.fill(number as u8);
    }
    body
}
