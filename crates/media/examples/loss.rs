//! Sends video over a network that loses packets, in virtual time, and tells what retransmission made of it:
//! `cargo run --example loss -- 10` loses ten percent.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use media::{
    Codec, Config, EncodedFrame, Engine, FeedbackKinds, MediaKind, MediaTime, Payload, ReceiveStreamConfig,
    Rtx, SendStreamConfig, WallClock,
};
use rtp::{PayloadType, Ssrc};

const DELAY: Duration = Duration::from_millis(30);

#[expect(clippy::print_stdout, reason = "an example speaks to its user")]
#[expect(clippy::disallowed_methods, reason = "some instant to start from")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let loss: u64 = std::env::args().nth(1).map_or(Ok(10), |text| text.parse())?;
    let (vp8, rtx) = (PayloadType::new(96).ok_or("7 bits")?, PayloadType::new(97).ok_or("7 bits")?);
    let feedback = FeedbackKinds::none().with_nack().with_pli();
    let start = Instant::now();
    let mut now = start;
    let wall = WallClock::new(now, Duration::from_secs(1_750_000_000));
    let mut engines =
        [(); 2].map(|()| Engine::new(Config::new(), wall, now, crypto::rustcrypto::os_random()));
    let sender = engines[0].add_sender(
        now,
        SendStreamConfig::new(Codec::Vp8, vp8, 90_000, Ssrc(1))
            .with_rtx(Rtx::new(rtx, Ssrc(2)))
            .with_feedback(feedback),
    );
    let payloads = vec![Payload::media(vp8, Codec::Vp8, 90_000), Payload::rtx(rtx, vp8)];
    let receiver = engines[1]
        .add_receiver(now, ReceiveStreamConfig::new(MediaKind::Video, payloads).with_feedback(feedback));

    let mut dice = crypto::rustcrypto::os_random();
    let mut wire: BTreeMap<(Instant, u64), (usize, bool, BytesMut)> = BTreeMap::new();
    let (mut count, mut whole, mut gaps, mut next_frame) = (0, 0, 0, 0_u32);
    while now < start + Duration::from_secs(12) {
        // Ten seconds of 30 frames, then time to settle.
        while next_frame < 300 && start + next_frame * Duration::from_micros(33_333) <= now {
            let kind = if next_frame.is_multiple_of(100) { 0x10 } else { 0x11 };
            let time = MediaTime(u64::from(next_frame) * 3_000);
            engines[0].send_frame(
                now,
                sender,
                EncodedFrame::new(Bytes::from(vec![kind; 8_000]), time, now),
            )?;
            next_frame += 1;
        }
        for (from, engine) in engines.iter_mut().enumerate() {
            let mut out = Vec::new();
            loop {
                let (is_rtp, len) = match engine.poll_rtcp(now, &mut out) {
                    Some(len) => (false, len),
                    None => match engine.poll_rtp(now, &mut out) {
                        Some(len) => (true, len),
                        None => break,
                    },
                };
                let packet = BytesMut::from(&out[out.len() - len.get()..]);
                count += 1;
                if dice.u32() % 100 >= loss as u32 {
                    wire.insert((now + DELAY, count), (1 - from, is_rtp, packet));
                }
            }
            while engine.poll_event().is_some() {}
        }
        now += Duration::from_millis(1);
        while let Some(entry) = wire.first_entry().filter(|entry| entry.key().0 <= now) {
            match entry.remove() {
                (to, true, packet) => engines[to].handle_rtp(now, now, packet),
                (to, false, packet) => engines[to].handle_rtcp(now, &packet),
            }
        }
        engines.iter_mut().for_each(|engine| engine.handle_timeout(now));
        while let Some(frame) = engines[1].recv_frame(receiver) {
            whole += 1;
            gaps += u32::from(frame.gap.is_some());
        }
    }
    println!("{whole} of {next_frame} frames arrived whole, with {gaps} gaps");
    println!("sender:   {:?}", engines[0].sender_stats(sender).ok_or("still there")?);
    println!("receiver: {:?}", engines[1].receiver_stats(receiver).ok_or("still there")?);
    Ok(())
}
