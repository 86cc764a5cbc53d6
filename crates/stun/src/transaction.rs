//! The client side of a request: when to send it again and when to give up (RFC 8489 §6.2).

use std::time::{Duration, Instant};

/// How a request is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionConfig {
    rto: Duration,
    max_requests: u32,
    last_wait_rtos: u32,
    reliable_timeout: Duration,
}

impl TransactionConfig {
    /// The defaults of RFC 8489: 7 requests at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s, failure at 39.5 s.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rto: Duration::from_millis(500),
            max_requests: 7,
            last_wait_rtos: 16,
            reliable_timeout: Duration::from_millis(39_500),
        }
    }

    /// The first retransmission timeout, which doubles each time. Default 500 ms, at least 1 ms (RFC 8489 §6.2.1).
    ///
    /// Below 500 ms only where something else limits the rate, as the pacing of ICE checks does.
    #[must_use]
    pub fn with_rto(mut self, rto: Duration) -> Self {
        self.rto = rto.max(Duration::from_millis(1));
        self
    }

    /// Requests sent in all, the first included: `Rc`. Default 7, at least 1 (RFC 8489 §6.2.1).
    #[must_use]
    pub const fn with_max_requests(mut self, count: u32) -> Self {
        self.max_requests = if count == 0 { 1 } else { count };
        self
    }

    /// How many times the first timeout to wait after the last request: `Rm`. Default 16 (RFC 8489 §6.2.1).
    #[must_use]
    pub const fn with_last_wait_rtos(mut self, count: u32) -> Self {
        self.last_wait_rtos = count;
        self
    }

    /// How long to wait over a reliable transport: `Ti`. Default 39.5 s (RFC 8489 §6.2.2).
    #[must_use]
    pub const fn with_reliable_timeout(mut self, timeout: Duration) -> Self {
        self.reliable_timeout = timeout;
        self
    }
}

impl Default for TransactionConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// The timing of one request. The owner keeps the bytes and matches the transaction id.
///
/// ```
/// # use std::time::{Duration, Instant};
/// use stun::{Step, Transaction, TransactionConfig};
///
/// # let now = Instant::now();
/// let mut transaction = Transaction::new(now, &TransactionConfig::new());
/// assert_eq!(transaction.poll(now), Step::Send);
/// assert_eq!(transaction.poll(now), Step::Wait);
/// assert_eq!(transaction.poll_timeout(), Some(now + Duration::from_millis(500)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Transaction {
    state: State,
    first_sent: Instant,
    latest: Instant,
    sent: u32,
    interval: Duration,
    last_wait: Duration,
    max_requests: u32,
    violated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A request is to be sent at this time.
    Sending(Instant),
    /// The last request is out; gives up at this time.
    LastWait(Instant),
    Ended(Failure),
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "`Send` counts as sent"]
#[expect(clippy::exhaustive_enums, reason = "one sends, waits, or is done")]
pub enum Step {
    /// It is over without a response.
    Failed(Failure),
    /// Send the request, the same bytes every time.
    Send,
    /// Nothing before [`Transaction::poll_timeout`].
    Wait,
}

/// Why a transaction ended without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// Responses came, and none of them proved the key (RFC 8489 §9.1.4, §9.2.5).
    IntegrityViolated,
    /// No response came.
    Timeout,
}

impl Transaction {
    /// A request over UDP, to be sent at once.
    #[must_use]
    pub fn new(now: Instant, config: &TransactionConfig) -> Self {
        Self {
            state: State::Sending(now),
            first_sent: now,
            latest: now,
            sent: 0,
            interval: config.rto,
            last_wait: config.rto.saturating_mul(config.last_wait_rtos),
            max_requests: config.max_requests,
            violated: false,
        }
    }

    /// A request over a reliable transport: sent once.
    #[must_use]
    pub fn reliable(now: Instant, config: &TransactionConfig) -> Self {
        Self { last_wait: config.reliable_timeout, max_requests: 1, ..Self::new(now, config) }
    }

    /// Says what to do now. After [`Step::Send`] it counts the request as sent at `now`.
    pub fn poll(&mut self, now: Instant) -> Step {
        self.latest = self.latest.max(now);
        let now = self.latest;
        match self.state {
            State::Sending(at) if at <= now => {
                if self.sent == 0 {
                    self.first_sent = now;
                }
                self.sent += 1;
                self.state = if self.sent >= self.max_requests {
                    State::LastWait(now + self.last_wait)
                } else {
                    State::Sending(now + self.interval)
                };
                self.interval = self.interval.saturating_mul(2);
                Step::Send
            }
            State::LastWait(at) if at <= now => {
                let failure = if self.violated { Failure::IntegrityViolated } else { Failure::Timeout };
                self.state = State::Ended(failure);
                Step::Failed(failure)
            }
            State::Sending(_) | State::LastWait(_) => Step::Wait,
            State::Ended(failure) => Step::Failed(failure),
        }
    }

    /// Notes that a response failed verification. It was dropped as if it had never come; when no good one follows,
    /// the end is [`Failure::IntegrityViolated`].
    pub const fn note_violation(&mut self) {
        self.violated = true;
    }

    /// When to poll next; `None` once it has failed.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Sending(at) | State::LastWait(at) => Some(at),
            State::Ended(_) => None,
        }
    }

    /// Requests sent so far.
    #[must_use]
    pub const fn requests_sent(&self) -> u32 {
        self.sent
    }

    /// The round-trip time when the response comes at `now`; `None` after a retransmission, when it cannot be told
    /// which request was answered (Karn's algorithm, RFC 8489 §6.2.1).
    #[must_use]
    pub fn round_trip(&self, now: Instant) -> Option<Duration> {
        (self.sent == 1).then(|| now.saturating_duration_since(self.first_sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn start() -> Instant {
        Instant::now()
    }

    /// Runs it by its own timeouts; returns when it sent and how it ended.
    fn run(mut transaction: Transaction, start: Instant) -> (Vec<Duration>, Failure, Duration) {
        let mut sent = Vec::new();
        let mut now = start;
        loop {
            match transaction.poll(now) {
                Step::Send => sent.push(now - start),
                Step::Wait => {
                    let next =
                        transaction.poll_timeout().expect("invariant: a waiting transaction has a timeout");
                    assert!(next > now, "no busy loop");
                    now = next;
                }
                Step::Failed(failure) => {
                    assert_eq!(transaction.poll_timeout(), None);
                    assert_eq!(transaction.poll(now), Step::Failed(failure));
                    return (sent, failure, now - start);
                }
            }
        }
    }

    //= rfc8489 §6.2.1
    //# For example, assuming an
    //# RTO of 500 ms, requests would be sent at times 0 ms, 500 ms, 1500 ms,
    //# 3500 ms, 7500 ms, 15500 ms, and 31500 ms.
    #[test]
    fn stun_retransmit_schedule_rto500_rc7_rm16() {
        let start = start();
        let (sent, failure, end) = run(Transaction::new(start, &TransactionConfig::new()), start);
        assert_eq!(sent, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500].map(ms));
        assert_eq!((failure, end), (Failure::Timeout, ms(39_500)));
    }

    /// RFC 8489 §6.2.2.
    #[test]
    fn stun_tcp_no_retransmit_ti_39_5s() {
        let start = start();
        let (sent, failure, end) = run(Transaction::reliable(start, &TransactionConfig::new()), start);
        assert_eq!((sent, failure, end), (vec![ms(0)], Failure::Timeout, ms(39_500)));
    }

    /// RFC 8489 §9.1.4.
    #[test]
    fn stun_integrity_violation_reported_not_timeout() {
        let start = start();
        let config = TransactionConfig::new().with_rto(ms(100)).with_max_requests(2).with_last_wait_rtos(3);
        let mut transaction = Transaction::new(start, &config);
        transaction.note_violation();
        let (sent, failure, end) = run(transaction, start);
        assert_eq!((sent, failure, end), (vec![ms(0), ms(100)], Failure::IntegrityViolated, ms(400)));
    }

    #[test]
    fn round_trips_are_measured_only_without_retransmission() {
        let start = start();
        let mut transaction = Transaction::new(start, &TransactionConfig::new());
        assert_eq!(transaction.round_trip(start), None);
        assert_eq!(transaction.poll(start), Step::Send);
        assert_eq!(transaction.round_trip(start + ms(80)), Some(ms(80)));
        assert_eq!(transaction.poll(start + ms(500)), Step::Send);
        assert_eq!(transaction.round_trip(start + ms(580)), None);
    }

    /// Law L3: a clock that goes back neither repeats nor delays anything.
    #[test]
    fn an_earlier_now_is_the_latest_seen() {
        let start = start();
        let mut transaction = Transaction::new(start + ms(1_000), &TransactionConfig::new());
        assert_eq!(transaction.poll(start), Step::Send);
        assert_eq!(transaction.poll_timeout(), Some(start + ms(1_500)));
    }
}
