//! The plots of the report.

use crate::{
    chart::{Axis, Chart, Mark, Series},
    connect, goodput, outage,
    rig::Who,
    row::Measured,
    secs,
};
use peerconnection::{PeerConnectionState, SessionEvent};
use std::{collections::BTreeMap, time::Duration};

/// A plot: its file, and what it says for those who cannot see it.
pub(crate) struct Plot {
    pub(crate) family: &'static str,
    pub(crate) file: &'static str,
    pub(crate) caption: &'static str,
    pub(crate) svg: String,
}

pub(crate) fn all(results: &BTreeMap<String, Measured>) -> Vec<Plot> {
    vec![
        Plot {
            family: "connect",
            file: "connect.svg",
            caption: "How many of the calls are up after how long, by loss, at 50 ms round trip",
            svg: connect_times(results),
        },
        Plot {
            family: "bulk",
            file: "goodput.svg",
            caption: "Goodput over loss, with what loss-based control reaches in theory",
            svg: goodput_over_loss(results),
        },
        Plot {
            family: "outage",
            file: "blackout.svg",
            caption: "Messages written by Alice and read by Bob around 10 s in which nothing of Alice's arrives",
            svg: blackout(),
        },
    ]
}

fn values(results: &BTreeMap<String, Measured>, row: &str, key: &str) -> Vec<f64> {
    let samples = results.get(row).map(|measured| measured.samples.as_slice()).unwrap_or_default();
    let mut values: Vec<f64> = samples.iter().filter_map(|(_, sample)| sample.get(key)).collect();
    values.sort_by(f64::total_cmp);
    values
}

fn plain(value: f64) -> String {
    format!("{value}")
}

fn connect_times(results: &BTreeMap<String, Measured>) -> String {
    let x = Axis::new("seconds until the data channel is open", 0.2, 20.0)
        .log()
        .ticks(&[0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0], plain);
    let y = Axis::new("share of the calls", 0.0, 100.0)
        .ticks(&[0.0, 25.0, 50.0, 75.0, 100.0], |tick| format!("{tick} %"));
    let mut chart = Chart::new("Connecting at 50 ms round trip", x, y);
    for (colour, loss) in connect::LOSSES.iter().enumerate() {
        let name = connect::name(connect::PROMISED, *loss);
        let all = results.get(&name).map_or(1, |measured| measured.samples.len()).max(1) as f64;
        let mut points = Vec::new();
        let mut share = 0.0;
        for (rank, time) in (1..).zip(values(results, &name, "connect")) {
            points.push((time, share));
            share = f64::from(rank) / all * 100.0;
            points.push((time, share));
        }
        points.push((20.0, share));
        chart.line(format!("{loss} % loss"), colour, Mark::Line, points);
    }
    chart.svg()
}

fn goodput_over_loss(results: &BTreeMap<String, Measured>) -> String {
    let x = Axis::new("loss each way", 0.5, 25.0)
        .log()
        .ticks(&[0.5, 1.0, 2.0, 5.0, 10.0, 20.0], |tick| format!("{tick} %"));
    let y = Axis::new("Mbit/s", 0.05, 10.0).log().ticks(&[0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0], plain);
    let mut chart = Chart::new("Goodput of a data channel at 60 ms round trip", x, y);
    let steps = (0..=40).map(|step| 0.5 * 50_f64.powf(f64::from(step) / 40.0));
    let theory = steps.map(|loss| (loss, goodput::theory(loss / 100.0))).collect();
    chart.line("theory", 5, Mark::Dashed, theory);
    let mut series = Series {
        label: "measured".to_owned(),
        colour: 0,
        mark: Mark::Points,
        points: Vec::new(),
        ranges: Vec::new(),
    };
    let mut musts = Vec::new();
    for (loss, must) in goodput::LOSSES {
        let rates = values(results, &goodput::name(loss), "rate");
        let mean = rates.iter().sum::<f64>() / rates.len().max(1) as f64;
        if let (Some(low), Some(high)) = (rates.first(), rates.last()) {
            series.points.push((f64::from(loss), mean));
            series.ranges.push((*low, *high));
        }
        musts.push((f64::from(loss), must));
    }
    chart.series.push(series);
    let aims = goodput::LOSSES.iter().zip(goodput::AIMS).map(|((loss, _), aim)| (f64::from(*loss), aim));
    chart.line("aim", 1, Mark::Dashed, aims.collect());
    chart.line("must", 4, Mark::Dashed, musts);
    chart.svg()
}

fn blackout() -> String {
    let lead = secs(5);
    let length = secs(10);
    let mut call = outage::talking(1, |setup| setup);
    let (sent_before, read_before) =
        (call.peer(Who::Alice).messages_sent, call.peer(Who::Bob).messages.len());
    let begin = call.world.now();
    let mut written = Vec::new();
    let mut note = |call: &crate::rig::Call| {
        let at = call.world.now().saturating_duration_since(begin).as_secs_f64();
        written.push((at, (call.peer(Who::Alice).messages_sent - sent_before) as f64));
    };
    let mut step = |call: &mut crate::rig::Call, span: Duration| {
        let end = call.world.now() + span;
        while call.world.now() < end {
            call.world.run_for(Duration::from_millis(100));
            note(call);
        }
    };
    step(&mut call, lead);
    let stopped = call.world.now();
    outage::stop(&mut call);
    step(&mut call, length);
    outage::go_on(&mut call);
    step(&mut call, secs(10));
    let bob = call.peer(Who::Bob);
    let read: Vec<(f64, f64)> = (1..)
        .zip(bob.messages.iter().skip(read_before))
        .map(|(count, message)| (message.at.saturating_duration_since(begin).as_secs_f64(), f64::from(count)))
        .collect();
    let x = Axis::new("seconds", 0.0, 25.0).ticks(&[0.0, 5.0, 10.0, 15.0, 20.0, 25.0], plain);
    let y = Axis::new("messages", 0.0, 520.0).ticks(&[0.0, 100.0, 200.0, 300.0, 400.0, 500.0], plain);
    let mut chart = Chart::new("Ten seconds without a way from Alice to Bob", x, y);
    chart.bands.push((5.0, 15.0, "nothing of Alice's arrives".to_owned()));
    for (at, event) in bob.events.iter().filter(|(at, _)| *at >= stopped) {
        let SessionEvent::ConnectionStateChange(state) = event else { continue };
        let at = at.saturating_duration_since(begin).as_secs_f64();
        let name = match state {
            PeerConnectionState::Disconnected => "Bob: disconnected",
            PeerConnectionState::Connected => "Bob: connected",
            PeerConnectionState::Failed => "Bob: failed",
            PeerConnectionState::Closed | PeerConnectionState::Connecting | PeerConnectionState::New => {
                continue;
            }
        };
        chart.moments.push((at, name.to_owned()));
    }
    chart.line("written", 5, Mark::Dashed, written);
    chart.line("read", 0, Mark::Line, read);
    chart.svg()
}
