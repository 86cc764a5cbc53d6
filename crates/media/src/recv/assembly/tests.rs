use super::*;

const TOLERANCE: Duration = Duration::from_millis(10);
const WAIT: Duration = Duration::from_millis(100);

#[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
fn start() -> Instant {
    Instant::now()
}

fn stored(now: Instant, timestamp: u32, payload: &'static [u8], marker: bool) -> Stored {
    Stored {
        payload: Bytes::from_static(payload),
        payload_type: PayloadType::from_header(96),
        codec: Codec::Vp8,
        marker,
        timestamp: Timestamp(timestamp),
        arrival: now,
        audio_level: None,
        orientation: None,
    }
}

const START: &[u8] = &[0x10, 0x11];
const MORE: &[u8] = &[0x00, 0x22];

struct Bench {
    assembly: Assembly,
    outcomes: VecDeque<Outcome>,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        Self { assembly: Assembly::new(10_000, 1_000), outcomes: VecDeque::new(), now: start() }
    }

    fn insert(&mut self, number: u64, timestamp: u32, payload: &'static [u8], marker: bool) -> bool {
        let stored = stored(self.now, timestamp, payload, marker);
        let is_late = self.assembly.insert(self.now, number, stored, TOLERANCE, &mut self.outcomes);
        self.assembly.release(self.now, WAIT, &mut self.outcomes);
        is_late
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.assembly.release(self.now, WAIT, &mut self.outcomes);
    }

    /// Time stamps of frames with their gaps, and gaps told, in order.
    fn told(&mut self) -> Vec<(Option<u32>, Option<u32>)> {
        let tell = |outcome| match outcome {
            Outcome::Frame(frame) => (Some(frame.timestamp.0), frame.gap),
            Outcome::Gap { packets } => (None, Some(packets)),
        };
        self.outcomes.drain(..).map(tell).collect()
    }
}

#[test]
fn packets_that_were_overtaken_by_the_first_one_find_their_place() {
    let mut bench = Bench::new();
    bench.insert(100_002, 2, START, true);
    bench.insert(100_001, 1, MORE, true);
    bench.insert(100_000, 1, START, false);
    assert_eq!(bench.told(), [], "held back at the beginning");
    assert_eq!(bench.assembly.deadline(WAIT), Some(bench.now + TOLERANCE));
    bench.wait(TOLERANCE);
    assert_eq!(bench.told(), [(Some(1), None), (Some(2), None)]);
    assert!(bench.insert(99_999, 0, START, true), "too late now");
}

#[test]
fn a_missing_packet_is_waited_for_and_then_given_up_once() {
    let mut bench = Bench::new();
    bench.insert(10, 1, START, true);
    bench.wait(TOLERANCE);
    bench.insert(13, 3, START, false);
    bench.insert(15, 4, START, true);
    assert_eq!(bench.told(), [(Some(1), None)]);
    assert_eq!(bench.assembly.deadline(WAIT), Some(bench.now + WAIT));
    bench.wait(WAIT - Duration::from_millis(1));
    assert_eq!(bench.told(), []);
    bench.wait(Duration::from_millis(1));
    // 11 and 12, then 14, are one hole between two frames.
    assert_eq!(bench.told(), [(None, Some(2)), (Some(4), Some(3))]);
    assert_eq!(bench.assembly.deadline(WAIT), None);
    assert!(bench.insert(12, 2, START, true), "too late");
}

#[test]
fn a_packet_that_comes_in_time_leaves_no_gap() {
    let mut bench = Bench::new();
    bench.insert(10, 1, START, true);
    bench.insert(12, 2, MORE, true);
    bench.wait(WAIT / 2);
    bench.insert(11, 2, START, false);
    assert_eq!(bench.told(), [(Some(1), None), (Some(2), None)]);
}

/// A sender that sets no marker: the next time stamp ends the frame.
#[test]
fn frames_end_at_a_new_time_stamp() {
    let mut bench = Bench::new();
    bench.insert(10, 1, START, false);
    bench.insert(11, 1, MORE, false);
    bench.insert(12, 2, START, false);
    bench.wait(TOLERANCE);
    assert_eq!(bench.told(), [(Some(1), None)]);
}

#[test]
fn padding_fills_a_number_and_no_frame() {
    let mut bench = Bench::new();
    bench.insert(10, 1, START, false);
    bench.insert(11, 1, &[], false);
    bench.insert(12, 1, MORE, true);
    bench.wait(TOLERANCE);
    assert_eq!(bench.told(), [(Some(1), None)]);
}

#[test]
fn what_cannot_be_read_is_a_gap_without_packets() {
    let mut bench = Bench::new();
    bench.insert(10, 1, START, true);
    bench.insert(11, 2, &[0x80], true);
    bench.insert(12, 3, &[0x80], true);
    bench.insert(13, 4, START, true);
    bench.wait(TOLERANCE);
    assert_eq!(bench.told(), [(Some(1), None), (None, Some(0)), (Some(4), Some(0))]);
    assert_eq!(bench.assembly.take_errors(), 2);
}

/// Users 64: a burst of loss larger than the buffer, in places and in bytes.
#[test]
fn users_64_bursts_larger_than_the_buffer_are_bounded() {
    let mut bench = Bench::new();
    bench.insert(10, 1, START, true);
    bench.wait(TOLERANCE);
    bench.insert(12, 2, START, true);
    bench.insert(12 + MAX_PLACES as u64, 9, START, true);
    assert_eq!(bench.told(), [(Some(1), None), (None, Some(1)), (Some(2), Some(1))]);
    bench.insert(1_000_000, 10, START, true);
    bench.wait(WAIT);
    let told = bench.told();
    assert_eq!(told.last(), Some(&(Some(10), told[told.len() - 1].1)));
    assert!(bench.assembly.slots.len() <= MAX_PLACES);

    static LARGE: [u8; 900] = [0; 900];
    for number in 0..40 {
        bench.insert(1_000_002 + number, 11, &LARGE, false);
        assert!(bench.assembly.bytes <= 10_000);
    }
    assert_eq!(bench.told()[0].0, None, "the missing packet was given up for the room");
}

#[test]
fn after_a_restart_there_is_one_gap() {
    let mut bench = Bench::new();
    bench.insert(10, 1, START, false);
    bench.wait(TOLERANCE);
    bench.assembly.restart(&mut bench.outcomes);
    bench.insert(200_000, 7, START, true);
    bench.wait(TOLERANCE);
    assert_eq!(bench.told(), [(None, Some(0)), (Some(7), Some(0))]);
}
