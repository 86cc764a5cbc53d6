//! What every chunk does in every state.

#[path = "common/pair.rs"]
mod pair;
#[path = "common/raw.rs"]
mod raw;

use pair::*;
use raw::*;
use sctp::*;

/// The states of RFC 9260 §4.
const STATES: [&str; 9] = [
    "Closed",
    "CookieWait",
    "CookieEchoed",
    "Established",
    "ShutdownPending",
    "ShutdownSent",
    "ShutdownReceived",
    "ShutdownAckSent",
    "Done",
];

/// An association in that state. The peer is at [`TSN`], and has acknowledged nothing.
fn enter(state: &str) -> Script {
    let mut script = Script::new(Config::default());
    match state {
        "Closed" => script.ask(),
        "CookieWait" | "CookieEchoed" => {
            script.end.connect(script.now);
            script.written();
            script.ask();
        }
        _ => establish(&mut script),
    }
    match state {
        "CookieEchoed" => {
            let mut ack = words(&[TAG, 1 << 20, (9 << 16) | 9, TSN]);
            ack.extend(parameter(7, b"cookie"));
            script.say(&[chunk(2, 0, &ack)]);
        }
        "ShutdownPending" | "ShutdownReceived" => {
            script.end.send(script.now, StreamId(0), message("x"), SendOptions::new()).expect("room");
            script.written();
        }
        _ => {}
    }
    match state {
        "ShutdownPending" | "ShutdownSent" => script.end.shutdown(script.now),
        "ShutdownReceived" | "ShutdownAckSent" => script.say(&[chunk(7, 0, &words(&[TSN - 1]))]),
        "Done" => script.end.abort(script.now, "over"),
        _ => {}
    }
    script.written();
    script.events();
    assert_eq!(state_of(&script), state);
    script
}

fn establish(script: &mut Script) {
    script.ask();
    let echo = chunk(10, 0, &script.cookie.clone());
    script.say(&[echo]);
    script.written();
}

/// A chunk as a sound peer would write it in that state.
fn sound(kind: &str, script: &Script) -> (u32, Vec<u8>) {
    let tag = script.tag;
    let acknowledged = script.tsn.wrapping_sub(1);
    match kind {
        // With the I bit: it is acknowledged at once (RFC 7053).
        "DATA" => (tag, data(0x0b, TSN, 0, 0, b"hello")),
        "I-DATA" => (tag, i_data(0x0b, TSN, 0, 0, 53, b"hello")),
        "INIT" => (0, init(TAG, 1 << 20, 100, 100, TSN)),
        "INIT ACK" => {
            let mut value = words(&[TAG, 1 << 20, (9 << 16) | 9, TSN]);
            value.extend(parameter(7, b"cookie"));
            (tag, chunk(2, 0, &value))
        }
        "SACK" => {
            let is_sent = matches!(state_of(script).as_str(), "ShutdownPending" | "ShutdownReceived");
            let cumulative = if is_sent { script.tsn } else { acknowledged };
            (tag, chunk(3, 0, &words(&[cumulative, 1 << 20, 0])))
        }
        "SACK of nothing" => (tag, chunk(3, 0, &words(&[script.tsn.wrapping_add(1), 1 << 20, 0]))),
        "HEARTBEAT" => (tag, chunk(4, 0, &parameter(1, b"ping"))),
        "HEARTBEAT ACK" => (tag, chunk(5, 0, &parameter(1, b"pong"))),
        "ABORT" => (tag, chunk(6, 0, &[])),
        "SHUTDOWN" => (tag, chunk(7, 0, &words(&[acknowledged]))),
        "SHUTDOWN ACK" => (tag, chunk(8, 0, &[])),
        "ERROR" => (tag, chunk(9, 0, &parameter(99, &[]))),
        "COOKIE ECHO" => (tag, chunk(10, 0, &script.cookie)),
        "COOKIE ACK" => (tag, chunk(11, 0, &[])),
        "ECNE" => (tag, chunk(12, 0, &words(&[TSN]))),
        "CWR" => (tag, chunk(13, 0, &words(&[TSN]))),
        "SHUTDOWN COMPLETE" => (tag, chunk(14, 0, &[])),
        "RE-CONFIG" => (tag, outgoing_reset(TSN, TSN - 1, &[0])),
        "PAD" => (tag, chunk(132, 0, &[0; 8])),
        "FORWARD TSN" => (tag, chunk(192, 0, &words(&[TSN]))),
        "I-FORWARD-TSN" => (tag, i_forward_tsn(TSN, &[])),
        "unknown 00" => (tag, chunk(0x3e, 0, &[])),
        "unknown 01" => (tag, chunk(0x7e, 0, &[])),
        "unknown 10" => (tag, chunk(0xbe, 0, &[])),
        "unknown 11" => (tag, chunk(0xfe, 0, &[])),
        _ => unreachable!("a chunk of the table"),
    }
}

/// What was written, in short.
fn short(kind: u8) -> &'static str {
    match kind {
        0 => "data",
        1 => "init",
        2 => "init-ack",
        3 => "sack",
        4 => "heartbeat",
        5 => "heartbeat-ack",
        6 => "abort",
        7 => "shutdown",
        8 => "shutdown-ack",
        9 => "error",
        10 => "cookie-echo",
        11 => "cookie-ack",
        14 => "shutdown-complete",
        130 => "re-config",
        _ => "another",
    }
}

fn state_of(script: &Script) -> String {
    let shown = format!("{:?}", script.end);
    let state = shown.split("state: ").nth(1).expect("it shows its state");
    state.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// What the chunk does in that state: the chunks that answer it, and the state after it if that is another.
fn outcome(kind: &str, state: &str) -> String {
    let mut script = enter(state);
    let (tag, chunk) = sound(kind, &script);
    script.give(&packet(tag, &[chunk]));
    let answers: Vec<_> = script.answer().iter().map(|(kind, ..)| short(*kind)).collect();
    let after = state_of(&script);
    let mut words = answers;
    let arrow = format!("> {after}");
    if after != state {
        words.push(&arrow);
    }
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}

/// T-C10, `sctp_ootb_handling`, users 41: the outcome of every chunk in every state.
#[test]
fn t_c10_the_table_of_outcomes() {
    let mut wrong = Vec::new();
    for (kind, cells) in TABLE {
        for (state, expected) in STATES.into_iter().zip(*cells) {
            let got = outcome(kind, state);
            if got != *expected {
                wrong.push(format!("{kind} in {state}: {got}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One column for each of [`STATES`]; without any association, a packet is answered as RFC 9260 §8.4 says.
const TABLE: &[(&str, [&str; 9])] = &[
    // RFC 9260 §6: taken in three states, and where the peer may be in one of them already; §9.2: acknowledged with a SHUTDOWN.
    ("DATA", ["abort", "-", "-", "sack", "sack", "sack shutdown", "-", "-", "-"]),
    // RFC 8260 §2.2.1: a violation where it was not agreed upon.
    ("I-DATA", ["abort", "-", "abort > Done", "abort > Done", "abort > Done", "abort > Done", "-", "-", "-"]),
    // RFC 9260 §5.1, §5.2.1, §5.2.2; §9.2: while SHUTDOWN ACK waits for its answer, it is repeated.
    (
        "INIT",
        [
            "init-ack",
            "init-ack",
            "init-ack",
            "init-ack",
            "init-ack",
            "init-ack",
            "init-ack",
            "shutdown-ack",
            "-",
        ],
    ),
    // RFC 9260 §5.2.3.
    ("INIT ACK", ["-", "cookie-echo > CookieEchoed", "-", "-", "-", "-", "-", "-", "-"]),
    // What was waited for is acknowledged: RFC 9260 §9.2.
    (
        "SACK",
        ["abort", "-", "-", "-", "shutdown > ShutdownSent", "-", "shutdown-ack > ShutdownAckSent", "-", "-"],
    ),
    // RFC 9260 §12.4: it acknowledges what was never sent.
    (
        "SACK of nothing",
        [
            "abort",
            "-",
            "-",
            "abort > Done",
            "abort > Done",
            "abort > Done",
            "abort > Done",
            "abort > Done",
            "-",
        ],
    ),
    // RFC 9260 §8.3.
    (
        "HEARTBEAT",
        [
            "abort",
            "-",
            "-",
            "heartbeat-ack",
            "heartbeat-ack",
            "heartbeat-ack",
            "heartbeat-ack",
            "heartbeat-ack",
            "-",
        ],
    ),
    // One that was not asked for.
    ("HEARTBEAT ACK", ["abort", "-", "-", "-", "-", "-", "-", "-", "-"]),
    // RFC 9260 §9.1.
    ("ABORT", ["-", "> Done", "> Done", "> Done", "> Done", "> Done", "> Done", "> Done", "-"]),
    // RFC 9260 §9.2.
    (
        "SHUTDOWN",
        [
            "abort",
            "-",
            "-",
            "shutdown-ack > ShutdownAckSent",
            "> ShutdownReceived",
            "shutdown-ack > ShutdownAckSent",
            "-",
            "shutdown-ack",
            "-",
        ],
    ),
    // RFC 9260 §8.4, §8.5.1 E, §9.2.
    (
        "SHUTDOWN ACK",
        [
            "shutdown-complete",
            "shutdown-complete",
            "shutdown-complete",
            "-",
            "-",
            "shutdown-complete > Done",
            "-",
            "shutdown-complete > Done",
            "-",
        ],
    ),
    // Of a cause that is not known.
    ("ERROR", ["-", "-", "-", "-", "-", "-", "-", "-", "-"]),
    // RFC 9260 §5.1.5, §5.2.4 D.
    (
        "COOKIE ECHO",
        [
            "cookie-ack > Established",
            "cookie-ack > Established",
            "cookie-ack > Established",
            "cookie-ack",
            "cookie-ack",
            "cookie-ack",
            "cookie-ack",
            "cookie-ack",
            "-",
        ],
    ),
    // RFC 9260 §5.2.5.
    ("COOKIE ACK", ["-", "-", "> Established", "-", "-", "-", "-", "-", "-"]),
    // Explicit congestion notification is not offered.
    ("ECNE", ["abort", "-", "-", "-", "-", "-", "-", "-", "-"]),
    ("CWR", ["abort", "-", "-", "-", "-", "-", "-", "-", "-"]),
    // RFC 9260 §8.5.1 C.
    ("SHUTDOWN COMPLETE", ["-", "-", "-", "-", "-", "-", "-", "> Done", "-"]),
    // RFC 6525 §5.2.
    ("RE-CONFIG", ["abort", "-", "-", "re-config", "re-config", "re-config", "re-config", "re-config", "-"]),
    // RFC 4820 §3.
    ("PAD", ["abort", "-", "-", "-", "-", "-", "-", "-", "-"]),
    // RFC 3758 §3.6.
    ("FORWARD TSN", ["abort", "-", "-", "sack", "sack", "sack shutdown", "-", "-", "-"]),
    // RFC 8260 §2.3.1: a violation where it was not agreed upon.
    (
        "I-FORWARD-TSN",
        ["abort", "-", "abort > Done", "abort > Done", "abort > Done", "abort > Done", "-", "-", "-"],
    ),
    // RFC 9260 §3.2: the two highest bits say whether the packet ends there, and whether it is reported.
    ("unknown 00", ["abort", "-", "-", "-", "-", "-", "-", "-", "-"]),
    ("unknown 01", ["abort", "-", "-", "error", "error", "error", "error", "error", "-"]),
    ("unknown 10", ["abort", "-", "-", "-", "-", "-", "-", "-", "-"]),
    ("unknown 11", ["abort", "-", "-", "error", "error", "error", "error", "error", "-"]),
];
