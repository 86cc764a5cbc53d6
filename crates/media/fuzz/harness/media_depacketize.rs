//! Any payloads in any order to the depacketizers, with loss, and what they make of them through the packetizers.

use bytes::Bytes;
use media::{
    Codec, H264Mode,
    payload::{self, Frame, Packet},
};
use rtp::Timestamp;
use testkit::fuzz::{Input, reached};

const CODECS: [Codec; 4] = [Codec::Vp8, Codec::H264(H264Mode::NonInterleaved), Codec::Opus, Codec::G711];
const MOST: usize = 4_096;

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let codec = input.pick(&CODECS);
    let mut depacketizer = payload::depacketizer(codec, MOST).expect("built in");
    let mut given = 0;
    while !input.is_empty() {
        let code = input.u8();
        let timestamp = Timestamp(u32::from(code >> 4));
        match code & 7 {
            0 => _ = depacketizer.lost(),
            1 => {
                if let Some(frame) = depacketizer.finish() {
                    check(codec, &frame, given);
                }
            }
            _ => {
                let payload = input.chunk();
                given += payload.len();
                let _ = payload::begins(codec, payload);
                let mut packet = Packet::new(Bytes::copy_from_slice(payload), timestamp);
                if code & 8 != 0 {
                    packet = packet.with_marker();
                }
                match depacketizer.push(packet) {
                    Ok(Some(frame)) => check(codec, &frame, given),
                    Ok(None) => {}
                    Err(error) => assert!(!error.to_string().is_empty()),
                }
            }
        }
    }
}

/// A frame is no larger than allowed, nor than what it was made of; start codes of four bytes come with NAL units.
fn check(codec: Codec, frame: &Frame, given: usize) {
    reached(match codec {
        Codec::Vp8 => "VP8",
        Codec::H264(_) => "H.264",
        Codec::Opus => "Opus",
        Codec::G711 | Codec::Other(_) | _ => "G.711",
    });
    let is_video = matches!(codec, Codec::Vp8 | Codec::H264(_));
    assert!(!is_video || frame.payload.len() <= MOST, "a frame of {} bytes", frame.payload.len());
    assert!(frame.payload.len() <= 5 * given, "{} bytes of {given}", frame.payload.len());
    let mut packetizer = payload::packetizer(codec, 1).expect("built in");
    let mut pieces = Vec::new();
    if packetizer.packetize(&frame.payload, 1_100, &mut pieces).is_err() {
        assert!(pieces.is_empty(), "after an error there is nothing");
    }
}
