//! Whole calls in virtual time, each with one datagram changed on the wire: nothing panics, and the call survives.
//!
//! A call is the same every time, to the byte, so "the same call with another fate for its n-th datagram" is a replay
//! of a recorded call. A changed datagram does not authenticate any more and counts as lost; what it carried comes
//! again. Two kinds are beyond that: the flights of the DTLS handshake before its keys, which only the handshake as a
//! whole proves, and of which a change may end it; and the real-time media, of which a little may be missing.
//!
//! `cargo test` runs a few hundred; `cargo xtask fuzz --sessions 100000` as many as it is told.

#[path = "session/call.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod call;
#[path = "session/peer.rs"]
mod peer;

use call::{Call, Kind, Who, kind_of, ms, picture, secs, sound};
use peerconnection::{ChannelKey, Direction, DtlsTransportState, MediaKind, TransceiverId};
use std::{cell::RefCell, env, rc::Rc, sync::OnceLock, time::Instant};
use testkit::{Attack, NetworkId, Point, Seed, SeededRandom, Sighting, Verdict};

/// Without the variable.
const COUNT: u64 = 300;
const VARIABLE: &str = "PEERLANE_MUTATED_SESSIONS";
/// Messages, sounds and pictures that each side sends.
const MESSAGES: u8 = 8;
const SOUNDS: u8 = 8;
const PICTURES: u8 = 4;
/// A sound that is lost is gone, and what is lost at the end of a stream nobody misses.
const MOST_MISSING: usize = 2;

/// What happens to the one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutation {
    Duplicate,
    FlipBit,
    Reorder,
    /// Its beginning, and the end of one of another call; or all of that one.
    Splice,
    Truncate,
}

impl Mutation {
    const ALL: [Self; 5] = [Self::Duplicate, Self::FlipBit, Self::Reorder, Self::Splice, Self::Truncate];

    /// Whether what arrives is other than what was sent.
    fn changes_bytes(self) -> bool {
        matches!(self, Self::FlipBit | Self::Splice | Self::Truncate)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The handshake was changed where nothing protects it, and its end told so.
    Ended,
    Survived,
}

#[test]
fn duplicated() {
    run_all(Mutation::Duplicate);
}

#[test]
fn with_a_flipped_bit() {
    run_all(Mutation::FlipBit);
}

#[test]
fn reordered() {
    run_all(Mutation::Reorder);
}

#[test]
fn spliced() {
    run_all(Mutation::Splice);
}

#[test]
fn truncated() {
    run_all(Mutation::Truncate);
}

/// Without any change all arrives, and nobody ends anything.
#[test]
fn untouched() {
    let talk = Talk::run(Seed::from_env_or(0), None);
    assert_eq!(talk.check(None), Outcome::Survived);
    assert_eq!(talk.missing(), 0);
    assert!(talk.recorded.borrow().len() > 100, "{} datagrams", talk.recorded.borrow().len());
}

/// A share of all sessions with one kind of mutation.
#[expect(clippy::print_stdout, reason = "a long run says how far it is")]
fn run_all(mutation: Mutation) {
    let count = env::var(VARIABLE).map_or(COUNT, |text| text.parse().expect("a number of sessions"));
    let kinds = Mutation::ALL.len() as u64;
    let share = count.div_ceil(kinds);
    let mut ended = 0;
    let mut survived = 0;
    for number in 0..share {
        let seed = Seed::from_env_or(number).fork(&format!("{mutation:?}"));
        match run_one(mutation, number, seed) {
            Outcome::Ended => ended += 1,
            Outcome::Survived => survived += 1,
        }
        if (number + 1).is_multiple_of(1_000) {
            println!("{mutation:?}: {} of {share} sessions", number + 1);
        }
    }
    println!(
        "{mutation:?}: {survived} of {share} sessions survived, {ended} ended in a handshake that was changed"
    );
    assert!(mutation.changes_bytes() || ended == 0);
    // The handshake is a small part of a session.
    assert!(ended * 3 <= share, "{ended} of {share} ended");
}

fn run_one(mutation: Mutation, number: u64, seed: Seed) -> Outcome {
    let _announce = Announce { mutation, number };
    let mut random = seed.random();
    // A few calls, so that a run is not about the accidents of one.
    let call = Seed::new(random.below(CALLS));
    let (count, _) = recording(call);
    let target = Target { mutation, at: random.below(*count as u64) as usize, random };
    let talk = Talk::run(call, Some(target));
    talk.check(Some(mutation))
}

/// Prints which session it was.
struct Announce {
    mutation: Mutation,
    number: u64,
}

impl Drop for Announce {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with session {} of {:?}", self.number, self.mutation);
        }
    }
}

/// Calls that are replayed.
const CALLS: u64 = 4;

/// How many datagrams a call has, and what they are.
fn recording(call: Seed) -> &'static (usize, Vec<Vec<u8>>) {
    static RECORDINGS: [OnceLock<(usize, Vec<Vec<u8>>)>; CALLS as usize] =
        [const { OnceLock::new() }; CALLS as usize];
    RECORDINGS[call.value() as usize].get_or_init(|| {
        let talk = Talk::run(call, None);
        let datagrams = talk.recorded.take();
        (datagrams.len(), datagrams)
    })
}

/// Which datagram meets which fate.
struct Target {
    mutation: Mutation,
    at: usize,
    random: SeededRandom,
}

impl Target {
    fn apply(
        &mut self,
        network: NetworkId,
        call: Seed,
        sighting: &Sighting<'_>,
        attack: &mut Attack,
    ) -> Verdict {
        let datagram = sighting.datagram;
        let (source, destination) = (sighting.source, sighting.destination);
        match self.mutation {
            Mutation::Duplicate => {
                let delay = self.random.up_to(ms(400));
                attack.inject(network, delay, source, destination, datagram);
                Verdict::Pass
            }
            Mutation::Reorder => {
                let delay = self.random.up_to(ms(400));
                attack.inject(network, delay, source, destination, datagram);
                Verdict::Drop
            }
            Mutation::FlipBit => {
                let mut changed = datagram.to_vec();
                let bit = self.random.below(8 * changed.len() as u64);
                changed[(bit / 8) as usize] ^= 1 << (bit % 8);
                Verdict::Replace(changed)
            }
            Mutation::Truncate => {
                let len = self.random.below(datagram.len() as u64) as usize;
                Verdict::Replace(datagram[..len].to_vec())
            }
            Mutation::Splice => {
                let (_, foreign) = recording(Seed::new((call.value() + 1) % CALLS));
                // Mostly of the same kind, whose shape is right.
                let alike: Vec<&Vec<u8>> =
                    foreign.iter().filter(|other| kind_of(other) == kind_of(datagram)).collect();
                let other = match self.random.chance(0.8) {
                    true if !alike.is_empty() => alike[self.random.below(alike.len() as u64) as usize],
                    _ => &foreign[self.random.below(foreign.len() as u64) as usize],
                };
                let at = self.random.below(1 + datagram.len().min(other.len()) as u64) as usize;
                let mut spliced = datagram[..at].to_vec();
                spliced.extend_from_slice(&other[at..]);
                Verdict::Replace(spliced)
            }
        }
    }
}

/// One side of a call.
struct End {
    who: Who,
    channel: ChannelKey,
    audio: TransceiverId,
    video: TransceiverId,
    sent: u8,
    messages: u8,
    sounds: usize,
    pictures: usize,
}

/// A call in which both sides say something in every way there is.
struct Talk {
    call: Call,
    ends: Vec<End>,
    recorded: Rc<RefCell<Vec<Vec<u8>>>>,
    /// The datagram that was changed was one of the handshake before its keys.
    hit_clear_text: Rc<RefCell<bool>>,
}

impl Talk {
    fn run(seed: Seed, target: Option<Target>) -> Self {
        let mut call = Call::new(seed.value());
        let recorded = Rc::new(RefCell::new(Vec::new()));
        let hit_clear_text = Rc::new(RefCell::new(false));
        intercept(&mut call, seed, target, (Rc::clone(&recorded), Rc::clone(&hit_clear_text)));
        let mut talk = Self { call, ends: Vec::new(), recorded, hit_clear_text };
        talk.set_up();
        talk.say_everything();
        // Consent is asked for, and nobody is late.
        talk.call.world.run_for(secs(8));
        talk
    }

    fn set_up(&mut self) {
        let call = &mut self.call;
        let channel = call.open(Who::Alice, "chat");
        let audio = call.transceiver(Who::Alice, MediaKind::Audio, Direction::SendRecv);
        let video = call.transceiver(Who::Alice, MediaKind::Video, Direction::SendRecv);
        let offer = call.offer(Who::Alice);
        call.take(Who::Bob, offer);
        let theirs = (call.track(Who::Bob, MediaKind::Audio), call.track(Who::Bob, MediaKind::Video));
        let answer = call.answer(Who::Bob);
        call.take(Who::Alice, answer);
        let is_over = |call: &Call| {
            !call.announced(Who::Bob).is_empty()
                || Who::BOTH.iter().any(|who| call.session(*who).dtls_state() == DtlsTransportState::Failed)
        };
        let _ = call.until(secs(60), is_over);
        let Some(announced) = call.announced(Who::Bob).first().map(|channel| channel.channel) else { return };
        let end = |who, channel, audio, video| End {
            who,
            channel,
            audio,
            video,
            sent: 0,
            messages: 0,
            sounds: 0,
            pictures: 0,
        };
        self.ends =
            vec![end(Who::Alice, channel, audio, video), end(Who::Bob, announced, theirs.0, theirs.1)];
    }

    fn say_everything(&mut self) {
        let start: Instant = self.call.world.now();
        for tick in 0_u8.. {
            let mut is_done = true;
            for end in &mut self.ends {
                let call = &mut self.call;
                if tick < SOUNDS {
                    call.frame(end.who, end.audio, sound(tick), u64::from(tick) * 960);
                }
                if tick < PICTURES {
                    call.frame(end.who, end.video, picture(tick == 0, 2_000, tick), u64::from(tick) * 3_000);
                }
                if end.sent < MESSAGES && call.send(end.who, end.channel, message(end.sent)) {
                    end.sent += 1;
                }
                while let Some(arrived) = call.recv(end.who, end.channel) {
                    assert_eq!(arrived, message(end.messages), "message {} at {:?}", end.messages, end.who);
                    end.messages += 1;
                }
                end.sounds += call.frames(end.who, end.audio).len();
                end.pictures += call.frames(end.who, end.video).len();
                is_done &= end.messages == MESSAGES && tick >= SOUNDS;
            }
            let took = self.call.world.now().saturating_duration_since(start);
            if (is_done && took >= ms(800)) || took >= secs(60) {
                return;
            }
            self.call.world.run_for(ms(20));
        }
    }

    /// Sounds and pictures that did not arrive.
    fn missing(&self) -> usize {
        let sent = usize::from(SOUNDS) + usize::from(PICTURES);
        self.ends.iter().map(|end| sent.saturating_sub(end.sounds + end.pictures)).sum()
    }

    fn check(&self, mutation: Option<Mutation>) -> Outcome {
        let is_complete = self.ends.len() == 2
            && self.call.are_connected()
            && self.ends.iter().all(|end| end.messages == MESSAGES)
            && self.missing() <= MOST_MISSING;
        if is_complete {
            return Outcome::Survived;
        }
        let may_end = *self.hit_clear_text.borrow() && mutation.is_some_and(Mutation::changes_bytes);
        let has_ended =
            Who::BOTH.iter().any(|who| self.call.session(*who).dtls_state() == DtlsTransportState::Failed);
        assert!(
            may_end && has_ended,
            "the call did not survive: {} ends, messages {:?}, {} missing; Alice {:#?}",
            self.ends.len(),
            self.ends.iter().map(|end| end.messages).collect::<Vec<_>>(),
            self.missing(),
            self.call.session(Who::Alice).stats(),
        );
        Outcome::Ended
    }
}

type Seen = (Rc<RefCell<Vec<Vec<u8>>>>, Rc<RefCell<bool>>);

/// Records what is sent, or lets the target meet its fate.
fn intercept(call: &mut Call, seed: Seed, mut target: Option<Target>, (recorded, hit_clear_text): Seen) {
    let network = call.world.internet();
    let is_recording = target.is_none();
    let mut count = 0;
    call.world.on_wire(move |sighting, attack| {
        if !matches!(sighting.point, Point::Sent(_)) {
            return Verdict::Pass;
        }
        if is_recording {
            recorded.borrow_mut().push(sighting.datagram.to_vec());
        }
        count += 1;
        let Some(mut target) = target.take_if(|target| target.at + 1 == count) else { return Verdict::Pass };
        *hit_clear_text.borrow_mut() = is_clear_text(sighting.datagram);
        target.apply(network, seed, sighting, attack)
    });
}

/// A record of the DTLS handshake before its keys: epoch 0 (RFC 6347 §4.1).
fn is_clear_text(datagram: &[u8]) -> bool {
    kind_of(datagram) == Kind::Dtls && datagram.get(3..5) == Some(&[0, 0])
}

fn message(number: u8) -> Vec<u8> {
    vec![number; 1 + usize::from(number) * 397]
}
