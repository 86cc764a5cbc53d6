//! Feedback that is written from any arrivals and losses reads as it was meant.

use rtp::{
    SequenceNumber, Ssrc,
    rtcp::{Compound, Nack, Remb, RtcpPacket, TransportFeedbackBuilder},
};
use testkit::fuzz::{Input, reached};

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    transport_feedback(&mut input.clone());
    nack(&mut input.clone());
    remb(&mut input);
}

/// T-S11.
fn transport_feedback(input: &mut Input<'_>) {
    let mut builder = TransportFeedbackBuilder::new();
    let (base, max_len) = (SequenceNumber(input.u16()), 40 + usize::from(input.u16() & 0x7ff));
    let mut ticks = i64::from(input.u32());
    builder.start(base, ticks, max_len);
    let mut next = base;
    let mut pushed = Vec::new();
    while !input.is_empty() {
        let code = input.u8();
        let skip = if code & 0x80 == 0 { u16::from(code & 3) } else { input.u16() };
        let step = if code & 0x40 == 0 { i64::from(input.u8()) } else { i64::from(input.u16()) - 0x8000 };
        let sequence = next.plus(skip);
        if builder.push(sequence, ticks + step).is_ok() {
            ticks += step;
            pushed.push((sequence, ticks));
            next = sequence.next();
        }
    }
    let count = builder.status_count();
    let mut out = Vec::new();
    builder.write(&mut out, Ssrc(1), Ssrc(2), 3);
    assert_eq!(out.is_empty(), pushed.is_empty());
    assert!(out.len() <= max_len, "{} bytes of {max_len}", out.len());
    if out.is_empty() {
        return;
    }
    let mut packets = Compound::new(&out);
    let Some(Ok(RtcpPacket::TransportFeedback(feedback))) = packets.next() else {
        panic!("a transport feedback was written")
    };
    assert!(packets.next().is_none());
    assert_eq!((feedback.base, feedback.status_count), (base, count));
    reached(if usize::from(count) > pushed.len() { "feedback with gaps" } else { "feedback" });
    let arrived: Vec<_> = feedback.arrivals().filter(|arrival| arrival.ticks.is_some()).collect();
    assert!(arrived.iter().map(|arrival| arrival.sequence).eq(pushed.iter().map(|(sequence, _)| *sequence)));
    // The reference time has 24 bits: differences stay, the epoch does not.
    let since = |first: Option<i64>, at: Option<i64>| Some(at? - first?);
    let first = arrived.first().and_then(|arrival| arrival.ticks);
    for (arrival, (_, ticks)) in arrived.iter().zip(&pushed) {
        assert_eq!(since(first, arrival.ticks), Some(ticks - pushed[0].1));
    }
}

/// RFC 4585 §6.2.1: exactly what was asked for is asked for.
fn nack(input: &mut Input<'_>) {
    let most = 1 + usize::from(input.u8());
    let mut next = SequenceNumber(input.u16());
    let mut lost = Vec::new();
    while !input.is_empty() && lost.len() < 500 {
        next = next.plus(1 + u16::from(input.u8()));
        lost.push(next);
    }
    let mut out = Vec::new();
    let named = Nack::write(&mut out, Ssrc(1), Ssrc(2), lost.iter().copied(), most);
    assert!(out.len() <= 12 + 4 * most);
    let read: Vec<SequenceNumber> = Compound::new(&out)
        .flat_map(|packet| match packet {
            Ok(RtcpPacket::Nack(nack)) => nack.lost().collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(read, lost[..named]);
    reached(if named < lost.len() { "some of what was lost" } else { "all that was lost" });
}

fn remb(input: &mut Input<'_>) {
    let bitrate = input.u64();
    let ssrcs: Vec<Ssrc> = (0..input.u8()).map(|_| Ssrc(input.u32())).collect();
    let mut out = Vec::new();
    Remb::write(&mut out, Ssrc(1), bitrate, &ssrcs);
    let Some(Ok(RtcpPacket::Remb(remb))) = Compound::new(&out).next() else { panic!("a REMB was written") };
    assert!(remb.ssrcs().eq(ssrcs));
    // 18 bits of mantissa.
    assert!(remb.bitrate <= bitrate && bitrate - remb.bitrate <= bitrate >> 17, "{bitrate} {}", remb.bitrate);
}
