//! The one task of a connection. It owns the session by value: no lock, no shared state on the packet path.
//!
//! A turn transmits what is due, delivers what has arrived, and waits for whatever comes first. Work per turn is
//! bounded, so that one busy connection does not starve its timers or its neighbours on the runtime.

mod channels;
mod deliver;
mod media;
mod port;
mod transmit;

pub(super) use self::port::Port;

use self::{channels::ChannelSink, media::TransceiverSink, transmit::Outbox};
use super::{
    command::{Command, Link, OutgoingMessage},
    events::Event,
    mdns,
    peer_connection::Snapshot,
    track::OutgoingMedia,
    udp::{Batch, Clock, ReadBuffer},
};
use crate::{StatsReport, data_channel::ChannelKey, session::Session, transceiver::TransceiverId};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    sync::{Arc, OnceLock},
    task::Poll,
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::{Sleep, sleep_until},
};

/// Commands taken per turn.
const COMMANDS_PER_TURN: usize = 16;
/// Messages and frames taken per turn.
const ITEMS_PER_TURN: usize = 256;
/// Reads per port and turn; each may be a batch of up to 64 datagrams.
const READS_PER_TURN: usize = 16;
/// Between two looks at the timers while a socket is full. Room in the socket ends the pause.
const FULL_PAUSE: Duration = Duration::from_millis(10);

/// The receiving ends of [`Link`], and the sign that nobody holds the connection any more.
pub(super) struct Queues {
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) messages: mpsc::UnboundedReceiver<OutgoingMessage>,
    pub(super) media: mpsc::Receiver<OutgoingMedia>,
    pub(super) abandoned: mpsc::UnboundedReceiver<ChannelKey>,
    pub(super) owner_gone: oneshot::Receiver<()>,
}

/// What the handles hear from the driver.
pub(super) struct Reports {
    pub(super) events: mpsc::Sender<Event>,
    pub(super) snapshot: watch::Sender<Snapshot>,
    pub(super) last_stats: Arc<OnceLock<StatsReport>>,
}

pub(super) struct Driver {
    pub(super) session: Session,
    ports: Vec<Port>,
    queues: Queues,
    link: Link,
    events: mpsc::Sender<Event>,
    /// Handles wake the driver through this when a reader has made room.
    wake: Arc<Notify>,
    outbox: Outbox,
    read_buffer: ReadBuffer,
    channels: BTreeMap<ChannelKey, ChannelSink>,
    /// Channels with bytes on their way out, whose credit has to be given back.
    sending: BTreeSet<ChannelKey>,
    /// Channels with messages waiting in the session.
    readable: BTreeSet<ChannelKey>,
    transceivers: BTreeMap<TransceiverId, TransceiverSink>,
    names: mdns::Names,
    last_stats: Arc<OnceLock<StatsReport>>,
    /// Everything else is gone when this goes: `close` waits for it.
    snapshot: watch::Sender<Snapshot>,
    #[cfg(test)]
    pub(super) turns: u64,
}

/// What ended the waiting.
#[derive(Debug)]
enum Wake {
    Abandoned(ChannelKey),
    Commands,
    Media,
    Messages,
    /// Nothing to carry: a timer, room in a socket or in a reader's queue.
    Nothing,
    OwnerGone,
    Read(std::io::Result<Batch>),
    Resolved(mdns::Resolved),
}

/// What one turn collected, kept between turns for its memory.
#[derive(Default)]
struct Collected {
    commands: Vec<Command>,
    messages: Vec<OutgoingMessage>,
    media: Vec<OutgoingMedia>,
}

impl Driver {
    pub(super) fn new(
        session: Session,
        ports: Vec<Port>,
        queues: Queues,
        link: Link,
        reports: Reports,
        wake: Arc<Notify>,
    ) -> Self {
        let Reports { events, snapshot, last_stats } = reports;
        let max_segments = ports.iter().map(Port::max_segments).min().unwrap_or(1);
        Self {
            session,
            ports,
            queues,
            link,
            events,
            wake,
            outbox: Outbox::new(max_segments),
            read_buffer: ReadBuffer::default(),
            channels: BTreeMap::new(),
            sending: BTreeSet::new(),
            readable: BTreeSet::new(),
            transceivers: BTreeMap::new(),
            names: mdns::Names::default(),
            last_stats,
            snapshot,
            #[cfg(test)]
            turns: 0,
        }
    }

    pub(super) async fn run(mut self) {
        let mut collected = Collected::default();
        let mut clock = Clock::read();
        let sleep = sleep_until(clock.now.into());
        tokio::pin!(sleep);
        let mut owned = true;
        loop {
            self.transmit(clock.now);
            self.deliver(clock.now);
            // What was delivered has something to say in turn: a message that waited, a window that opened again.
            let more = self.transmit(clock.now);
            if self.session.is_closed() {
                break;
            }
            let wake = self.wait(&mut collected, sleep.as_mut(), more, owned).await;
            clock = Clock::read();
            match wake {
                Wake::Abandoned(channel) => self.abandon_channel(clock.now, channel),
                Wake::OwnerGone => {
                    owned = false;
                    self.close(clock.now);
                }
                Wake::Read(Ok(batch)) => self.receive(clock.now, batch),
                Wake::Resolved(resolved) => {
                    self.session.resolved(clock.now, &resolved.name, resolved.address);
                }
                // A failed read is an ICMP error of an earlier send; the next read goes on.
                Wake::Read(Err(_)) | Wake::Commands | Wake::Media | Wake::Messages | Wake::Nothing => {}
            }
            #[cfg(test)]
            {
                self.turns += 1;
            }
            self.collect(&mut collected);
            self.work(clock, &mut collected);
        }
        self.finish();
    }

    /// Waits for the first thing to happen.
    async fn wait(
        &mut self,
        collected: &mut Collected,
        mut sleep: std::pin::Pin<&mut Sleep>,
        more: bool,
        owned: bool,
    ) -> Wake {
        let Self { session, ports, queues, wake, outbox, read_buffer, names, .. } = self;
        let full = outbox.blocked_port().and_then(|port| ports.get(port)).map(|port| port.socket().clone());
        let is_full = full.is_some();
        let clock = Clock::read();
        let mut deadline = session.poll_timeout();
        if is_full {
            // What is due to be sent cannot be sent, and stays due: without a pause the loop would spin.
            deadline = deadline.map(|deadline| deadline.max(clock.now + FULL_PAUSE));
        }
        if let Some(deadline) = deadline
            && sleep.deadline() != deadline.into()
        {
            sleep.as_mut().reset(deadline.into());
        }
        tokio::select! {
            biased;
            _ = queues.commands.recv_many(&mut collected.commands, COMMANDS_PER_TURN) => Wake::Commands,
            _ = &mut queues.owner_gone, if owned => Wake::OwnerGone,
            batch = poll_fn(|cx| {
                // A full socket also stops reading: what it answers could not be sent.
                for port in ports.iter_mut() {
                    if let Poll::Ready(batch) = port.poll_read(cx, read_buffer, clock) {
                        return Poll::Ready(batch);
                    }
                }
                Poll::Pending
            }), if !is_full => Wake::Read(batch),
            () = port::writable(full), if is_full => Wake::Nothing,
            _ = queues.messages.recv_many(&mut collected.messages, ITEMS_PER_TURN) => Wake::Messages,
            _ = queues.media.recv_many(&mut collected.media, ITEMS_PER_TURN) => Wake::Media,
            Some(channel) = queues.abandoned.recv() => Wake::Abandoned(channel),
            Some(resolved) = names.next() => Wake::Resolved(resolved),
            () = wake.notified() => Wake::Nothing,
            () = sleep, if deadline.is_some() => Wake::Nothing,
            () = tokio::task::yield_now(), if more => Wake::Nothing,
        }
    }

    /// Takes what else is waiting, so that every source gets its turn whatever woke the task.
    fn collect(&mut self, collected: &mut Collected) {
        while collected.commands.len() < COMMANDS_PER_TURN
            && let Ok(command) = self.queues.commands.try_recv()
        {
            collected.commands.push(command);
        }
        while collected.messages.len() < ITEMS_PER_TURN
            && let Ok(message) = self.queues.messages.try_recv()
        {
            collected.messages.push(message);
        }
        while collected.media.len() < ITEMS_PER_TURN
            && let Ok(media) = self.queues.media.try_recv()
        {
            collected.media.push(media);
        }
    }

    fn work(&mut self, clock: Clock, collected: &mut Collected) {
        let now = clock.now;
        self.session.handle_timeout(now);
        for command in collected.commands.drain(..) {
            command.run(self, now);
        }
        for message in collected.messages.drain(..) {
            self.queue_message(now, message);
        }
        for media in collected.media.drain(..) {
            self.send_media(now, media);
        }
        if self.outbox.blocked_port().is_none() {
            self.read_more(clock);
        }
    }

    /// Empties the sockets, up to a bound: the more datagrams one turn handles, the fewer answers it takes.
    fn read_more(&mut self, clock: Clock) {
        for index in 0..self.ports.len() {
            for _ in 0..READS_PER_TURN {
                let Some(port) = self.ports.get_mut(index) else { break };
                let Ok(batch) = port.try_read(&mut self.read_buffer, clock) else { break };
                self.receive(clock.now, batch);
            }
        }
    }

    /// From now on the sockets take nothing.
    #[cfg(test)]
    pub(super) fn stick(&mut self) {
        for port in &self.ports {
            port.socket().is_stuck.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }

    fn receive(&mut self, now: Instant, batch: Batch) {
        for datagram in batch.into_datagrams() {
            self.session.handle_datagram(now, datagram);
        }
    }

    /// Starts the end: the loop sends the farewells and stops.
    pub(super) fn close(&mut self, now: Instant) {
        self.session.close(now);
    }

    /// Tells every handle that it is over. The rest is given back by dropping.
    fn finish(mut self) {
        self.channels.clear();
        self.publish();
        // Who asks afterwards finds the reasons of a failure. Set once, here.
        let _ = self.last_stats.set(self.session.stats());
        let Self { session, ports, queues, events, transceivers, names, snapshot, .. } = self;
        drop((session, ports, queues, events, transceivers, names));
        // Last: whoever waits for the end finds the sockets and the queues closed.
        drop(snapshot);
    }
}
