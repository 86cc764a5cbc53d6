//! Any bytes as a compound RTCP packet: everything in it is read, in steps that its bytes pay for.

use rtp::rtcp::{Compound, ExtendedReport, RtcpPacket};

pub(crate) fn run(data: &[u8]) {
    let mut packets = 0;
    for packet in Compound::new(data) {
        packets += 1;
        assert!(packets * 4 <= data.len() + 4, "T-S12: each packet takes four bytes at least");
        match packet {
            Ok(packet) => {
                let steps = read(&packet);
                // T-S11: 16 bits of count, looked at twice; otherwise up to 8 in a byte.
                assert!(steps <= 2 * 65_536 + 8 * data.len(), "{steps} steps");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// How many things there are in it.
fn read(packet: &RtcpPacket<'_>) -> usize {
    match packet {
        RtcpPacket::App(app) => app.data.len(),
        RtcpPacket::Bye(bye) => bye.sources().count(),
        RtcpPacket::CongestionFeedback(feedback) => {
            feedback.streams().map(|stream| stream.packets().count() + 1).sum()
        }
        RtcpPacket::ExtendedReport(report) => read_extended(report),
        RtcpPacket::Fir(fir) => fir.entries().count(),
        RtcpPacket::Nack(nack) => nack.lost().count(),
        RtcpPacket::Pli(_) => 1,
        RtcpPacket::ReceiverReport(report) => report.blocks.count(),
        RtcpPacket::Remb(remb) => remb.ssrcs().count(),
        RtcpPacket::SenderReport(report) => report.blocks.count(),
        RtcpPacket::SourceDescription(sdes) => sdes.chunks.map(|chunk| chunk.items.count() + 1).sum(),
        RtcpPacket::Tmmbn(tmmbn) => tmmbn.entries().count(),
        RtcpPacket::Tmmbr(tmmbr) => tmmbr.entries().count(),
        RtcpPacket::TransportFeedback(feedback) => {
            let statuses = feedback.statuses().count();
            assert_eq!(statuses, usize::from(feedback.status_count));
            let arrivals = feedback.arrivals().count();
            assert_eq!(arrivals, statuses);
            statuses + arrivals
        }
        RtcpPacket::Unknown(unknown) => unknown.body.len(),
        _ => 0,
    }
}

fn read_extended(report: &ExtendedReport<'_>) -> usize {
    report.blocks.count()
}
