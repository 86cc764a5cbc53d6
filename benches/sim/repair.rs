//! Lost media, asked for and sent again.

use crate::{
    ms,
    peer::Load,
    rig::{self, Who},
    row::{Bound::AtLeast, Family, Figure, Reduce, Row, Sample, Unit},
    secs,
};
use peerconnection::{MediaKind, media::SenderStats};
use std::{collections::BTreeMap, time::Duration};

const ONE_WAY: Duration = Duration::from_millis(25);
/// When a packet is too late to be of use.
const TOO_LATE: Duration = Duration::from_millis(400);

pub(crate) fn family() -> Family {
    let rows = [(1, 99.99, 99.9999), (5, 99.95, 99.995), (10, 99.8, 99.93), (20, 98.5, 99.1)];
    Family {
        name: "repair",
        title: "Media over a lossy link",
        about: "100 packets of video a second for a minute, over a round trip of 50 ms, with loss in both directions: \
            requests (NACK) and repetitions (RTX) are lost like everything else. A packet counts when it reaches the \
            application within 400 ms of being sent. The aims are what three tries give in theory.",
        is_wide: false,
        rows: rows.map(row).into(),
    }
}

fn row((loss, must, aim): (u32, f64, f64)) -> Row {
    let figures = [
        Figure::new("in time", "within 400 ms", Unit::Share, Reduce::Mean)
            .must(AtLeast(must))
            .aim(AtLeast(aim)),
        Figure::new("p95", "delay of repaired packets, p95", Unit::Seconds, Reduce::Mean),
        Figure::new("repeated", "packets sent again", Unit::Percent, Reduce::Mean),
        Figure::new("refused", "requests refused by the limit", Unit::Percent, Reduce::Mean),
    ];
    let row = Row::new(format!("nack-loss{loss}"), format!("{loss} % loss"), figures, move |seed| {
        let mut call = rig::connected(seed, ONE_WAY, |setup| setup.media(MediaKind::Video));
        let link = rig::wire().latency(ONE_WAY).loss(f64::from(loss) / 100.0);
        call.set_links(link.clone(), link);
        call.load(Who::Alice, Load::Pictures { every: ms(10) });
        call.world.run_for(secs(60));
        // What follows the last packet shows that it is missing.
        let counted = call.peer(Who::Alice).packets_sent.len();
        call.world.run_for(secs(1));
        let (alice, bob) = (call.peer(Who::Alice), call.peer(Who::Bob));
        let arrived: BTreeMap<u64, _> =
            bob.packets.iter().rev().map(|packet| (packet.number, packet.at)).collect();
        let mut in_time = 0_u32;
        let mut repaired = Vec::new();
        for (number, sent) in (0..).zip(alice.packets_sent.iter().take(counted)) {
            let Some(at) = arrived.get(&number) else { continue };
            let delay = at.saturating_duration_since(*sent);
            in_time += u32::from(delay <= TOO_LATE);
            if delay > ONE_WAY {
                repaired.push(delay.as_secs_f64());
            }
        }
        repaired.sort_by(f64::total_cmp);
        let p95 = repaired.get(repaired.len() * 95 / 100).copied();
        let sent = counted as f64;
        let stats = call.stats(Who::Alice);
        let sum = |of: fn(&SenderStats) -> u64| {
            stats.outbound.iter().map(|outbound| of(&outbound.counters)).sum::<u64>() as f64 / sent * 100.0
        };
        Sample::new()
            .with("in time", f64::from(in_time) / sent * 100.0)
            .with_some("p95", p95)
            .with("repeated", sum(|counters| counters.retransmitted_packets))
            .with("refused", sum(|counters| counters.retransmissions_refused))
    });
    if loss == 20 { row.short(1) } else { row }
}
