//! Texts that want to hurt the reader.

use sdp::{Attribute, Candidate, Description, MAX_BYTES, MAX_LINES, MAX_MEDIA};

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";
const AUDIO: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n";

/// Texts with one number in the place of `#`, and whether 0, 127, 128, 65535 and 2^32 are welcome there.
const FIELDS: [(&str, [bool; 5]); 31] = [
    ("m=audio # UDP/TLS/RTP/SAVPF 0", [true, true, true, true, false]),
    ("m=audio 9/# UDP/TLS/RTP/SAVPF 0", [true, true, true, true, false]),
    ("m=audio 9 UDP/TLS/RTP/SAVPF #", [true, true, false, false, false]),
    ("m=audio 9 UDP/TLS/RTP/SAVPF 0 #", [true, true, false, false, false]),
    ("b=AS:#", [true, true, true, true, true]),
    ("a=rtpmap:# opus/48000/2", [true, true, false, false, false]),
    ("a=rtpmap:1 opus/#/2", [false, true, true, true, false]),
    ("a=rtpmap:1 opus/48000/#", [true, true, true, true, false]),
    ("a=fmtp:# apt=1", [true, true, false, false, false]),
    ("a=rtcp-fb:# nack", [true, true, false, false, false]),
    ("a=extmap:# urn:x", [false, true, true, false, false]),
    ("a=extmap:#/sendonly urn:x", [false, true, true, false, false]),
    ("a=candidate:1 # udp 1 192.0.2.1 9 typ host", [false, true, true, false, false]),
    ("a=candidate:1 1 udp # 192.0.2.1 9 typ host", [true, true, true, true, false]),
    ("a=candidate:1 1 udp 1 192.0.2.1 # typ host", [true, true, true, true, false]),
    ("a=candidate:1 1 udp 1 192.0.2.1 9 typ srflx raddr 192.0.2.1 rport #", [true, true, true, true, false]),
    ("a=candidate:1 1 udp 1 192.0.2.1 9 typ srflx rport #", [true, true, true, true, false]),
    ("a=rtcp:#", [true, true, true, true, false]),
    ("a=rtcp:# IN IP4 0.0.0.0", [true, true, true, true, false]),
    ("a=sctp-port:#", [true, true, true, true, false]),
    ("a=max-message-size:#", [true, true, true, true, true]),
    ("a=sctpmap:# webrtc-datachannel 1", [true, true, true, true, false]),
    ("a=sctpmap:5000 webrtc-datachannel #", [true, true, true, true, false]),
    ("a=ssrc:# cname:x", [true, true, true, true, false]),
    ("a=ssrc-group:FID #", [true, true, true, true, false]),
    ("a=ssrc-group:FID 1 #", [true, true, true, true, false]),
    ("a=ptime:#", [false, true, true, true, true]),
    ("a=maxptime:#", [false, true, true, true, true]),
    ("b=TIAS:#", [true, true, true, true, true]),
    ("m=video # RTP/AVP 96", [true, true, true, true, false]),
    ("m=application 9 UDP/DTLS/SCTP #", [true, true, true, true, true]),
];

/// T-P01: numbers at and over the edges, in every numeric field.
#[test]
fn t_p01_numbers() {
    for (line, welcome) in FIELDS {
        let text = |number: &str| {
            let line = line.replace('#', number);
            if line.starts_with("m=") {
                format!("{HEAD}{line}\r\n")
            } else {
                format!("{HEAD}{AUDIO}{line}\r\n")
            }
        };
        for (number, welcome) in ["0", "127", "128", "65535", "4294967296"].into_iter().zip(welcome) {
            let text = text(number);
            let result = Description::parse(&text);
            assert_eq!(result.is_ok(), welcome, "{line} with {number}: {result:?}");
            if let Ok(description) = result {
                assert_eq!(description.to_string(), text);
            }
        }
        // A format that is not of RTP is a word: digits of any kind are welcome, and mean nothing here.
        let words = line.ends_with("SCTP #");
        for number in ["-1", "007", "18446744073709551616"] {
            let number_welcome = words || (line.contains("ptime") && number.starts_with('1'));
            assert_eq!(Description::parse(&text(number)).is_ok(), number_welcome, "{line} with {number}");
        }
        for number in ["", " ", "+1", "1e3", "0x10", "١"] {
            let number_welcome = words && ["+1", "1e3", "0x10"].contains(&number);
            assert_eq!(Description::parse(&text(number)).is_ok(), number_welcome, "{line} with {number:?}");
        }
    }
    for number in ["-1", "", "01", "18446744073709551616", "x"] {
        let time = format!("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt={number} 0\r\n");
        assert!(Description::parse(&time).is_err(), "{time}");
    }
    // The numbers of the origin have no length: they are kept as text.
    for (number, welcome) in
        [("007", true), ("18446744073709551616", true), ("-1", false), ("", false), ("x", false)]
    {
        for origin in [format!("o=- {number} 1 IN IP4 h\r\n"), format!("o=- 1 {number} IN IP4 h\r\n")] {
            let text = format!("v=0\r\n{origin}s=-\r\nt=0 0\r\n");
            let result = Description::parse(&text);
            assert_eq!(result.is_ok(), welcome, "{text}");
            assert!(result.is_err() || result.unwrap().to_string() == text);
        }
    }
}

/// Attributes to repeat, each with a place for a long value.
const ATTRIBUTES: [&str; 36] = [
    "bundle-only",
    "candidate:1 1 udp 1 192.0.2.1 9 typ host x #",
    "sendrecv",
    "end-of-candidates",
    "extmap:1 urn:#",
    "extmap-allow-mixed",
    "fingerprint:x 00",
    "fmtp:0 #",
    "group:BUNDLE #",
    "ice-lite",
    "ice-options:#",
    "ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa",
    "ice-ufrag:aaaa",
    "max-message-size:1",
    "maxptime:1",
    "mid:#",
    "msid:#",
    "msid:a #",
    "msid-semantic:#",
    "ptime:1",
    "rid:# send",
    "rid:a send #",
    "rtcp:9 IN IP4 #",
    "rtcp-fb:0 #",
    "rtcp-fb:* nack #",
    "rtcp-mux",
    "rtcp-rsize",
    "rtpmap:0 #/8000",
    "sctp-port:1",
    "setup:active",
    "simulcast:send #",
    "ssrc:1 cname:#",
    "ssrc-group:# 1",
    "tls-id:aaaaaaaaaaaaaaaaaaaaaaaa",
    "x-unknown:#",
    "crypto:1 #",
];

/// T-P02: every attribute 10,000 times, on the session and on the media.
#[test]
fn t_p02_every_attribute_repeated() {
    for attribute in ATTRIBUTES {
        let lines = format!("a={}\r\n", attribute.replace('#', "x")).repeat(10_000);
        for text in [format!("{HEAD}{lines}"), format!("{HEAD}{AUDIO}{lines}")] {
            if text.len() > MAX_BYTES {
                continue;
            }
            let description =
                Description::parse(&text).unwrap_or_else(|error| panic!("{attribute}: {error}"));
            assert_eq!(description.to_string(), text);
        }
    }
}

/// T-P02: values of 64 KiB: read or refused, never more.
#[test]
fn t_p02_every_value_of_64_kib() {
    for filler in ["x", "1", ";", "=", ":", " ", ",", "~", "a=", "\u{fffd}", "x ", "1 "] {
        let long = filler.repeat(65_536 / filler.len());
        for attribute in ATTRIBUTES {
            let text = format!("{HEAD}{AUDIO}a={}\r\n", attribute.replace('#', &long));
            if let Ok(description) = Description::parse(&text) {
                assert_eq!(description.to_string(), text);
            }
        }
        for line in
            ["s=#", "i=#", "e=#", "o=# 1 1 IN IP4 h", "m=# 9 RTP/AVP 0", "m=audio 9 # 0", "a=#", "#=", "a#"]
        {
            let text = format!("{HEAD}{}\r\n", line.replace('#', &long));
            let _ = Description::parse(&text);
        }
    }
}

/// T-P03: what is too large is refused at once.
#[test]
fn t_p03_refused_by_size() {
    let text = format!("{HEAD}{}", "a=d\r\n".repeat(2_000_000));
    let error = Description::parse(&text).unwrap_err();
    assert_eq!((error.line, error.column), (1, 1));
    let error = Description::parse(&format!("{HEAD}s={}", "x".repeat(MAX_BYTES))).unwrap_err();
    assert_eq!(error.line, 1);

    let lines = usize::try_from(MAX_LINES).unwrap() - 4;
    assert!(Description::parse(&format!("{HEAD}{}", "a=d\n".repeat(lines))).is_ok());
    let error = Description::parse(&format!("{HEAD}{}", "a=d\n".repeat(lines + 1))).unwrap_err();
    assert_eq!(error.line, MAX_LINES + 1);

    assert!(Description::parse(&format!("{HEAD}{}", AUDIO.repeat(MAX_MEDIA))).is_ok());
    let error = Description::parse(&format!("{HEAD}{}", AUDIO.repeat(MAX_MEDIA + 1))).unwrap_err();
    assert_eq!(error.expected, "at most 1024 media descriptions");
}

/// A value cannot be a longer list than anybody needs.
#[test]
fn lists_are_bounded() {
    for (start, item) in [
        ("a=group:BUNDLE", " x"),
        ("a=ssrc-group:FID", " 1"),
        ("a=simulcast:send x", ",x"),
        ("a=simulcast:send x", ";x"),
        ("a=candidate:1 1 udp 1 h 1 typ host", " x y"),
        ("a=ice-options:x", " x"),
        ("m=application 9 UDP/DTLS/SCTP x", " x"),
    ] {
        let text = |count| format!("{HEAD}{AUDIO}{start}{}\r\n", item.repeat(count));
        assert!(Description::parse(&text(1_000)).is_ok(), "{start}");
        assert_eq!(Description::parse(&text(1_025)).unwrap_err().expected, "at most 1024 items", "{start}");
    }
}

/// Users 69: garbage is refused with its place, and nothing worse; unknown protocols are read.
#[test]
fn users_69_garbage() {
    assert!(Description::parse(&format!("{HEAD}{AUDIO}a=rtpmap:200 opus/48000\r\n")).is_err());
    assert!(Description::parse(&format!("{HEAD}m=audio 9 X/Y/Z pcm\r\n")).is_ok());
    for id in [1, 14, 15, 255] {
        assert!(Description::parse(&format!("{HEAD}{AUDIO}a=extmap:{id} urn:x\r\n")).is_ok());
    }
    for bad in
        ["", "\r\n", "v", "v=", "v=0", "v=1\r\n", "\0", "=", "==", "a=", "é=1", "v=0\r\n\r\n", "\u{feff}v=0"]
    {
        assert!(Description::parse(bad).is_err(), "{bad:?}");
    }
    for bad in [
        "a=\r\n",
        "a=:x\r\n",
        "x=1\r\n",
        "a\r\n",
        "a=x\0\r\n",
        "a=x\ry\r\n",
        " a=x\r\n",
        "A=x\r\n",
        "\r\na=x",
    ] {
        let error = Description::parse(&format!("{HEAD}{bad}")).unwrap_err();
        assert_eq!(error.line, 5, "{bad:?}: {error}");
    }
}

/// What one text does to another's lines: nothing.
#[test]
fn a_value_cannot_become_a_line() {
    let mut description = Description::parse(HEAD).unwrap();
    description.session_name = "x\r\na=evil".to_owned();
    description.attributes.push(Attribute::Mid("0\nm=audio 9 RTP/AVP 0\r\0".to_owned()));
    let printed = description.to_string();
    assert_eq!(printed.lines().count(), 5);
    let again = Description::parse(&printed).unwrap_err();
    assert_eq!((again.line, again.expected), (5, "end of line"));
    assert!("candidate:1 1 udp 1 h 1 typ host\r\na=x".parse::<Candidate>().is_err());
    assert!("mid:0\n".parse::<Attribute>().is_err());
}
