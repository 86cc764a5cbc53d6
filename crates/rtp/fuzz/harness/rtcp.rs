//! Any bytes as a compound RTCP packet: everything in it is read, in steps that its bytes pay for.

use rtp::rtcp::{Compound, ExtendedReport, RtcpPacket};
use testkit::fuzz::reached;

pub(crate) fn run(data: &[u8]) {
    let mut packets = 0;
    for packet in Compound::new(data) {
        packets += 1;
        assert!(packets * 4 <= data.len() + 4, "T-S12: each packet takes four bytes at least");
        match packet {
            Ok(packet) => {
                let (kind, steps) = read(&packet);
                reached(kind);
                // T-S11: 16 bits of count, looked at twice; otherwise up to 8 in a byte.
                assert!(steps <= 2 * 65_536 + 8 * data.len(), "{steps} steps");
            }
            Err(error) => {
                reached("error");
                assert!(!error.to_string().is_empty());
            }
        }
    }
}

/// What it is, and how many things there are in it.
fn read(packet: &RtcpPacket<'_>) -> (&'static str, usize) {
    match packet {
        RtcpPacket::App(app) => ("APP", app.data.len()),
        RtcpPacket::Bye(bye) => ("BYE", bye.sources().count()),
        RtcpPacket::CongestionFeedback(feedback) => {
            ("CCFB", feedback.streams().map(|stream| stream.packets().count() + 1).sum())
        }
        RtcpPacket::ExtendedReport(report) => ("XR", read_extended(report)),
        RtcpPacket::Fir(fir) => ("FIR", fir.entries().count()),
        RtcpPacket::Nack(nack) => ("NACK", nack.lost().count()),
        RtcpPacket::Pli(_) => ("PLI", 1),
        RtcpPacket::ReceiverReport(report) => ("RR", report.blocks.count()),
        RtcpPacket::Remb(remb) => ("REMB", remb.ssrcs().count()),
        RtcpPacket::SenderReport(report) => ("SR", report.blocks.count()),
        RtcpPacket::SourceDescription(sdes) => {
            ("SDES", sdes.chunks.map(|chunk| chunk.items.count() + 1).sum())
        }
        RtcpPacket::Tmmbn(tmmbn) => ("TMMBN", tmmbn.entries().count()),
        RtcpPacket::Tmmbr(tmmbr) => ("TMMBR", tmmbr.entries().count()),
        RtcpPacket::TransportFeedback(feedback) => {
            let statuses = feedback.statuses().count();
            assert_eq!(statuses, usize::from(feedback.status_count));
            let arrivals = feedback.arrivals().count();
            assert_eq!(arrivals, statuses);
            ("transport-cc", statuses + arrivals)
        }
        RtcpPacket::Unknown(unknown) => ("unknown", unknown.body.len()),
        _ => ("new", 0),
    }
}

fn read_extended(report: &ExtendedReport<'_>) -> usize {
    report.blocks.count()
}
