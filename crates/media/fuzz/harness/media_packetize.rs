//! Any frame into packets of any size, and back: nothing is lost, no packet is too large.

use bytes::Bytes;
use media::{
    Codec, H264Mode,
    payload::{self, Packet},
};
use rtp::Timestamp;
use testkit::fuzz::{Input, reached};

const CODECS: [Codec; 5] = [
    Codec::Vp8,
    Codec::H264(H264Mode::NonInterleaved),
    Codec::H264(H264Mode::SingleNal),
    Codec::Opus,
    Codec::G711,
];

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let codec = input.pick(&CODECS);
    let max_payload = 1 + input.below(1_500);
    let mut packetizer = payload::packetizer(codec, input.u16()).expect("built in");
    let mut depacketizer = payload::depacketizer(codec, 1 << 20).expect("built in");
    for turn in 0..3 {
        let frame = if turn == 2 { input.rest() } else { input.chunk() };
        let mut pieces = Vec::new();
        let kind = match packetizer.packetize(frame, max_payload, &mut pieces) {
            Ok(kind) => kind,
            Err(error) => {
                assert!(pieces.is_empty() && !error.to_string().is_empty());
                continue;
            }
        };
        let mut payloads = vec![Vec::new()];
        for piece in &pieces {
            let payload = payloads.last_mut().expect("one at least");
            let before = payload.len();
            piece.write(frame, payload);
            assert_eq!(payload.len() - before, piece.encoded_len());
            if piece.is_last() {
                payloads.push(Vec::new());
            }
        }
        assert_eq!(payloads.pop(), Some(Vec::new()), "the last piece ends its packet");
        let count = payloads.len();
        reached(match codec {
            Codec::Vp8 if count > 1 => "VP8 in pieces",
            Codec::H264(_) if count > 1 => "H.264 in pieces",
            Codec::Opus => "Opus",
            Codec::G711 | Codec::H264(_) | Codec::Other(_) | Codec::Vp8 | _ => "in one",
        });
        let mut given = None;
        for (index, payload) in payloads.into_iter().enumerate() {
            assert!(
                !payload.is_empty() && payload.len() <= max_payload,
                "{} of {max_payload}",
                payload.len()
            );
            assert!(given.is_none(), "a frame before its last packet");
            let packet = Packet::new(Bytes::from(payload), Timestamp(turn));
            let packet = if index + 1 == count { packet.with_marker() } else { packet };
            given = depacketizer.push(packet).unwrap_or_else(|error| panic!("{codec:?}: {error}"));
        }
        let given = given.expect("a frame came back");
        assert_eq!(given.kind, kind, "{codec:?}");
        assert_eq!(plain(codec, &given.payload), plain(codec, frame), "{codec:?}");
    }
}

/// H.264 comes back with start codes of four bytes and without zeros behind its NAL units.
fn plain(codec: Codec, frame: &[u8]) -> Vec<Vec<u8>> {
    if !matches!(codec, Codec::H264(_)) {
        return vec![frame.to_vec()];
    }
    payload::h264::nal_units(frame).map(|(start, end)| frame[start..end].to_vec()).collect()
}
