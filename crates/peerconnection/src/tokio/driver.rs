//! The one task of a connection. It owns the session by value: no lock, no shared state on the packet path.
//!
//! A turn delivers what has arrived, transmits what is due, and waits for whatever comes first. Work per turn is
//! bounded, so that one busy connection does not starve its timers or its neighbours on the runtime.

mod channels;
mod deliver;
mod media;
mod port;
mod transmit;

pub(super) use self::port::Port;

use self::{channels::ChannelSink, media::TransceiverSink, transmit::Outbox};
use super::{
    command::{Command, Link, Outgoing},
    data_channel::MessageFate,
    events::Event,
    mdns,
    peer_connection::Snapshot,
    track::OutgoingMedia,
    udp::{Batch, Clock},
};
use crate::{StatsReport, data_channel::ChannelKey, session::Session, transceiver::TransceiverId};
use datachannel::MessageId;
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
    pub(super) outgoing: mpsc::UnboundedReceiver<Outgoing>,
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
    /// Who wants to know what becomes of a message.
    receipts: BTreeMap<MessageId, (ChannelKey, oneshot::Sender<MessageFate>)>,
    last_message_id: u64,
    /// When the session has to be told the time, as of the last wait.
    deadline: Option<Instant>,
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
    Read(Read),
    Resolved(mdns::Resolved),
}

/// A read of a socket.
#[derive(Debug)]
struct Read {
    clock: Clock,
    batch: std::io::Result<Batch>,
    /// It was there before anybody waited for it: the driver does not keep up, or just does.
    is_backlog: bool,
}

/// What one turn collected, kept between turns for its memory.
#[derive(Default)]
struct Collected {
    commands: Vec<Command>,
    outgoing: Vec<Outgoing>,
    media: Vec<OutgoingMedia>,
}

impl Driver {
    pub(super) fn new(
        mut session: Session,
        ports: Vec<Port>,
        queues: Queues,
        link: Link,
        reports: Reports,
        wake: Arc<Notify>,
    ) -> Self {
        let Reports { events, snapshot, last_stats } = reports;
        let max_segments = ports.iter().map(Port::max_segments).min().unwrap_or(1);
        if let Some(held) = ports.iter().map(Port::held).min() {
            session.set_socket_buffer(held);
        }
        Self {
            session,
            ports,
            queues,
            link,
            events,
            wake,
            outbox: Outbox::new(max_segments),
            receipts: BTreeMap::new(),
            last_message_id: 0,
            deadline: None,
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
            let more = self.advance(clock.now);
            if self.session.is_closed() {
                break;
            }
            let wake = self.wait(&mut collected, sleep.as_mut(), more, owned).await;
            clock = if let Wake::Read(read) = &wake { read.clock } else { Clock::read() };
            let mut reads_on = false;
            match wake {
                Wake::Abandoned(channel) => self.abandon_channel(clock.now, channel),
                Wake::OwnerGone => {
                    owned = false;
                    self.close(clock.now);
                }
                Wake::Read(Read { batch: Ok(batch), is_backlog, .. }) => {
                    // A single datagram that was waited for is answered before the socket is asked for more.
                    reads_on = is_backlog || batch.bytes.len() > batch.stride;
                    self.receive(clock.now, batch);
                }
                Wake::Resolved(resolved) => {
                    self.session.resolved(clock.now, &resolved.name, resolved.address);
                }
                // A failed read is an ICMP error of an earlier send; the next read goes on.
                Wake::Read(_) | Wake::Commands | Wake::Media | Wake::Messages | Wake::Nothing => {}
            }
            #[cfg(test)]
            {
                self.turns += 1;
            }
            self.collect(&mut collected);
            self.work(clock.now, &mut collected);
            if reads_on && self.outbox.blocked_port().is_none() {
                self.read_more(clock);
            }
        }
        self.finish();
    }

    /// Hands over what has arrived, and sends what is due. Returns whether there may be more to send.
    fn advance(&mut self, now: Instant) -> bool {
        self.deliver(now);
        let before = self.outbox.batches();
        let more = self.transmit(now);
        // What was sent or given up makes room: for messages that wait here, and for handles that wait for credit.
        let fed = if self.outbox.batches() == before { self.flush_channels(now) } else { self.deliver(now) };
        if fed { self.transmit(now) } else { more }
    }

    /// Waits for the first thing to happen.
    async fn wait(
        &mut self,
        collected: &mut Collected,
        mut sleep: std::pin::Pin<&mut Sleep>,
        more: bool,
        owned: bool,
    ) -> Wake {
        let Self { session, ports, queues, wake, outbox, names, deadline: due, .. } = self;
        let full = outbox.blocked_port().and_then(|port| ports.get(port)).map(|port| port.socket().clone());
        let is_full = full.is_some();
        let mut deadline = session.poll_timeout();
        *due = deadline;
        if is_full {
            // What is due to be sent cannot be sent, and stays due: without a pause the loop would spin.
            deadline = deadline.map(|deadline| deadline.max(Clock::read().now + FULL_PAUSE));
        }
        // A timer that is due too early wakes the task once for nothing. Moving it with every datagram costs more.
        if let Some(deadline) = deadline.map(tokio::time::Instant::from)
            && (deadline < sleep.deadline() || sleep.is_elapsed())
        {
            sleep.as_mut().reset(deadline);
        }
        let mut looks = 0_u32;
        tokio::select! {
            biased;
            _ = queues.commands.recv_many(&mut collected.commands, COMMANDS_PER_TURN) => Wake::Commands,
            _ = &mut queues.owner_gone, if owned => Wake::OwnerGone,
            read = poll_fn(|cx| {
                // A full socket also stops reading: what it answers could not be sent.
                let clock = Clock::read();
                looks += 1;
                for port in ports.iter_mut() {
                    if let Poll::Ready(batch) = port.poll_read(cx, clock) {
                        return Poll::Ready(Read { clock, batch, is_backlog: looks == 1 });
                    }
                }
                Poll::Pending
            }), if !is_full => Wake::Read(read),
            () = port::writable(full), if is_full => Wake::Nothing,
            _ = queues.outgoing.recv_many(&mut collected.outgoing, ITEMS_PER_TURN) => Wake::Messages,
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
        while collected.outgoing.len() < ITEMS_PER_TURN
            && let Ok(outgoing) = self.queues.outgoing.try_recv()
        {
            collected.outgoing.push(outgoing);
        }
        while collected.media.len() < ITEMS_PER_TURN
            && let Ok(media) = self.queues.media.try_recv()
        {
            collected.media.push(media);
        }
    }

    fn work(&mut self, now: Instant, collected: &mut Collected) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.session.handle_timeout(now);
        }
        for command in collected.commands.drain(..) {
            command.run(self, now);
        }
        for outgoing in collected.outgoing.drain(..) {
            self.queue(now, outgoing);
        }
        for media in collected.media.drain(..) {
            self.send_media(now, media);
        }
    }

    /// Empties the sockets, up to a bound: the more datagrams one turn handles, the fewer answers it takes.
    fn read_more(&mut self, clock: Clock) {
        for index in 0..self.ports.len() {
            for _ in 0..READS_PER_TURN {
                let Some(port) = self.ports.get_mut(index) else { break };
                let Ok(batch) = port.try_read(clock) else { break };
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
