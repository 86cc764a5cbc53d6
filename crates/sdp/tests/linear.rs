//! How long reading takes: linear in the length. A test binary of its own, so that nothing runs beside it.

use std::time::{Duration, Instant};

use sdp::Description;

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";
const AUDIO: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n";

/// T-P03: eight times the text takes about eight times the time, for texts that could be slow.
#[test]
fn t_p03_linear() {
    let list = |n: usize, start: &str, item: &str| {
        let line = format!("{start}{}\n", item.repeat(1_000));
        format!("{HEAD}{AUDIO}{}", line.repeat(n / line.len()))
    };
    let shapes: [&dyn Fn(usize) -> String; 5] = [
        &|n| format!("{HEAD}{}", "a=d\n".repeat(n / 12)),
        &|n| list(n, "a=group:BUNDLE", " x"),
        &|n| list(n, "a=simulcast:send x", ",x"),
        &|n| list(n, "a=candidate:1 1 udp 1 h 1 typ host", " x y"),
        &|n| list(n, "m=application 9 UDP/DTLS/SCTP x", " x"),
    ];
    for (index, shape) in shapes.into_iter().enumerate() {
        let (small, large) = (shape(25_000), shape(200_000));
        assert!(Description::parse(&small).is_ok() && Description::parse(&large).is_ok(), "shape {index}");
        // The fastest of many runs, since the machine does other work too.
        let fastest = |text: &str| (0..9).map(|_| cost(text)).min().expect("many runs");
        let (small, large) = (fastest(&small), fastest(&large));
        // Were it quadratic, it would be 64 times.
        assert!(large < small * 32 + Duration::from_millis(2), "shape {index}: {small:?} then {large:?}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the test measures how long parsing takes")]
fn cost(text: &str) -> Duration {
    let start = Instant::now();
    let _ = std::hint::black_box(Description::parse(std::hint::black_box(text)));
    start.elapsed()
}
