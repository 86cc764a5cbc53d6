//! The grammar of RFC 8866: its own example, line order, and where errors are found.

use sdp::{Attribute, Candidate, Description, Direction, PacketTime, Rid, Setup};

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";

/// The description of RFC 8866 §5.
#[test]
fn the_example_of_the_rfc() {
    let text = "v=0\r\no=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\ns=Call to John Smith\r\n\
                i=SDP Offer #1\r\nu=http://www.jdoe.example.com/home.html\r\n\
                e=Jane Doe <jane@jdoe.example.com>\r\np=+1 617 555-6011\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n\
                m=audio 49170 RTP/AVP 0\r\nm=audio 49180 RTP/AVP 0\r\nm=video 51372 RTP/AVP 99\r\n\
                c=IN IP6 2001:db8::2\r\na=rtpmap:99 h263-1998/90000\r\n";
    let description = Description::parse(text).unwrap();
    assert_eq!(description.to_string(), text);
    assert_eq!(description.origin.username, "jdoe");
    assert_eq!(description.media[2].connections[0].address, "2001:db8::2");
}

#[test]
fn every_line_of_the_grammar_survives() {
    let text = "v=0\r\no=- 1 1 IN IP6 ::1\r\ns= \r\ni=x\r\nu=x\r\ne=a\r\ne=b\r\np=1\r\np=2\r\nc=IN IP4 224.2.1.1/127/3\r\n\
                b=X-YZ:128\r\nb=CT:1\r\nt=3724394400 3724398000\r\nr=7d 1h 0 25h\r\nr=604800 3600 0 90000\r\n\
                z=3730928400 -1h 3749680800 0\r\nt=0 0\r\nk=clear:x\r\na=x\r\nm=audio 49170/2 RTP/AVP 31\r\ni=y\r\n\
                c=IN IP4 224.2.1.1\r\nc=IN IP4 224.2.1.2\r\nb=TIAS:1\r\nk=prompt\r\na=y:\r\n";
    assert_eq!(Description::parse(text).unwrap().to_string(), text);
}

#[test]
fn sdp_line_order_enforced_with_line_numbers() {
    let lines = [
        "v=0",
        "o=- 1 1 IN IP4 h",
        "s=-",
        "i=x",
        "u=x",
        "e=x",
        "p=1",
        "c=IN IP4 h",
        "b=AS:1",
        "t=0 0",
        "k=x",
        "a=x",
    ];
    let text = |lines: &[&str]| lines.join("\r\n");
    assert!(Description::parse(&text(&lines)).is_ok());
    for index in 0..lines.len() - 1 {
        let mut swapped = lines;
        swapped.swap(index, index + 1);
        let error = Description::parse(&text(&swapped)).unwrap_err();
        let line = u32::try_from(index).unwrap() + 1;
        assert!(error.line == line || error.line == line + 1, "{index}: {error}");
    }
    for missing in [0, 1, 2, 9] {
        let mut fewer = lines.to_vec();
        fewer.remove(missing);
        let error = Description::parse(&text(&fewer)).unwrap_err();
        assert_eq!(error.line, u32::try_from(missing).unwrap() + 1, "{error}");
    }
    //= rfc8866 §5
    //= type=test
    //# The set of type letters is deliberately small and not intended to be
    //# extensible -- an SDP parser MUST completely ignore or reject any
    //# session description that contains a type letter that it does not
    //# understand.
    assert!(Description::parse(&format!("{HEAD}y=1\r\n")).is_err());
}

#[test]
fn errors_point_at_the_place() {
    let table = [
        ("m=audio 9 UDP/TLS/RTP/SAVPF 111 200", 5, 33, "a payload type from 0 to 127"),
        ("m=audio 65536 UDP/TLS/RTP/SAVPF 111", 5, 9, "a port"),
        ("m=audio 9 UDP/TLS/RTP/SAVPF", 5, 28, "a space"),
        ("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:0 PCMU/0", 6, 17, "a clock rate above zero"),
        ("a=setup:both", 5, 9, "active, passive, actpass or holdconn"),
        ("a=ice-ufrag:abc", 5, 13, "4 to 256 characters of A-Z a-z 0-9 + /"),
        ("a=ice-pwd", 5, 10, "a colon and a value"),
        ("a=rtcp-mux:1", 5, 11, "end of line"),
        ("a=candidate:1 0 udp 1 h 1 typ host", 5, 15, "a component from 1 to 256"),
        ("a=candidate:1 1 udp 1 h 1 typ host x", 5, 37, "a space"),
        ("a=fingerprint:sha-256 00:11", 5, 23, "as many bytes as the hash function gives"),
        ("a=sctp-port:05000", 5, 13, "a number without a leading zero"),
        ("a=simulcast:send a send b", 5, 20, "the other direction"),
        ("b=AS", 5, 1, "a line whose letter may stand here (RFC 8866 §5)"),
    ];
    for (lines, line, column, expected) in table {
        let error = Description::parse(&format!("{HEAD}{lines}\r\n")).unwrap_err();
        assert_eq!((error.line, error.column, error.expected), (line, column, expected), "{lines}");
    }
}

#[test]
fn candidates_that_come_alone() {
    let value = "candidate:842163049 1 udp 1677729535 203.0.113.7 40678 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag \
                 ZNcX network-cost 999";
    for text in [value.to_owned(), format!("a={value}")] {
        let candidate: Candidate = text.parse().unwrap();
        assert_eq!(candidate.to_string(), value);
        assert_eq!((candidate.ufrag(), candidate.related_port), (Some("ZNcX"), Some(0)));
    }
    let mdns: Candidate =
        "candidate:1 1 UDP 2122252543 d0a2b6c1-1b7f-4b5e-9a42-0d7b1e0a3c55.local 9 typ host".parse().unwrap();
    assert!(mdns.address.ends_with(".local"));
    for bad in [
        "",
        "candidate",
        "candidate:",
        "candidate:1",
        "1 1 udp 1 h 1 typ host",
        "a=candidate:1 1 udp 1 h 1 host",
    ] {
        assert!(bad.parse::<Candidate>().is_err(), "{bad}");
    }
}

#[test]
fn sdp_direction_answer_matrix_16() {
    use Direction::{Inactive, Recvonly, Sendonly, Sendrecv};
    let table = [
        (Sendrecv, [Sendrecv, Sendonly, Recvonly, Inactive]),
        (Sendonly, [Recvonly, Inactive, Recvonly, Inactive]),
        (Recvonly, [Sendonly, Sendonly, Inactive, Inactive]),
        (Inactive, [Inactive, Inactive, Inactive, Inactive]),
    ];
    for (offered, answers) in table {
        for (own, answer) in [Sendrecv, Sendonly, Recvonly, Inactive].into_iter().zip(answers) {
            assert_eq!(offered.reversed().intersection(own), answer, "{offered} offered, {own} wanted");
        }
    }
}

#[test]
fn small_values() {
    assert_eq!("setup:actpass".parse::<Attribute>().unwrap(), Attribute::Setup(Setup::Actpass));
    assert_eq!("x".parse::<Attribute>().unwrap(), Attribute::Unknown { name: "x".into(), value: None });
    let Ok(Attribute::Rid(rid)) = "rid:1 send pt=96,97,300;max-width=1280".parse::<Attribute>() else {
        panic!()
    };
    assert_eq!(rid.payload_types().map(sdp::PayloadType::value).collect::<Vec<_>>(), [96, 97]);
    assert_eq!(Rid::new("a", sdp::RidDirection::Recv).payload_types().count(), 0);
    let Ok(Attribute::Ptime(time)) = "ptime:2.5".parse::<Attribute>() else { panic!() };
    assert_eq!(time.duration(), std::time::Duration::from_micros(2_500));
    assert_eq!(PacketTime::from_millis(0), None);
    for bad in
        ["ptime:0", "ptime:0.0", "ptime:.5", "ptime:1.", "ptime:1.2.3", "ptime:01", "tls-id:short", "group:"]
    {
        assert!(bad.parse::<Attribute>().is_err(), "{bad}");
    }
    let lower: Attribute =
        "fingerprint:SHA-1 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:01:02:03:04".parse().unwrap();
    assert!(lower.to_string().contains("AA:BB"));
}
