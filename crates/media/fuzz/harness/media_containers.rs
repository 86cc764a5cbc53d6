//! Any bytes as IVF, Ogg and Annex B files: what is read from them is written and read again.

use bytes::Bytes;
use media::container::{
    annexb::AccessUnits,
    ivf::{IvfReader, IvfWriter},
    ogg::{OggReader, OggWriter},
};
use testkit::fuzz::reached;

pub(crate) fn run(data: &[u8]) {
    let file = Bytes::copy_from_slice(data);
    ivf(&file);
    ogg(&file);
    let mut mended = data.to_vec();
    mend_ogg(&mut mended);
    ogg(&Bytes::from(mended));
    let units: Vec<usize> = AccessUnits::new(file).map(|unit| unit.len()).collect();
    if units.len() > 1 {
        reached("access units");
    }
    let units: usize = units.iter().sum();
    assert!(units <= data.len(), "access units do not overlap");
}

fn ivf(file: &Bytes) {
    let Ok(reader) = IvfReader::new(file.clone()) else { return };
    let header = reader.header();
    let mut out = Vec::new();
    let mut writer = IvfWriter::new(&header, &mut out);
    let mut frames = Vec::new();
    for frame in reader.map_while(Result::ok) {
        writer.frame(frame.time, &frame.payload, &mut out);
        frames.push(frame);
    }
    writer.finish(&mut out);
    let again = IvfReader::new(Bytes::from(out)).expect("what was written can be read");
    assert_eq!(usize::try_from(again.header().frames), Ok(frames.len()));
    let again: Vec<_> = again.collect::<Result<_, _>>().expect("what was written can be read");
    assert_eq!(again, frames);
    reached(if frames.is_empty() { "IVF" } else { "IVF with frames" });
}

fn ogg(file: &Bytes) {
    let Ok(reader) = OggReader::new(file.clone()) else { return };
    let mut out = Vec::new();
    let mut writer = OggWriter::new(7, &reader.head(), &mut out);
    let mut packets = Vec::new();
    for packet in reader.map_while(Result::ok) {
        assert!(packet.len() <= file.len());
        if writer.packet(&packet, &mut out).is_ok() {
            packets.push(packet);
        }
    }
    writer.finish(&mut out);
    let again = OggReader::new(Bytes::from(out)).expect("what was written can be read");
    let again: Vec<Bytes> = again.collect::<Result<_, _>>().expect("what was written can be read");
    assert_eq!(again, packets);
    reached(if packets.is_empty() { "Ogg" } else { "Ogg with packets" });
}

/// Puts the right checksum into every page (RFC 3533 §6).
fn mend_ogg(file: &mut [u8]) {
    let mut at = 0;
    while let Some(page) = file.get_mut(at..) {
        let Some(segments) = page.get(26).copied() else { return };
        let Some(lens) = page.get(27..27 + usize::from(segments)) else { return };
        let total = 27 + lens.len() + lens.iter().map(|len| usize::from(*len)).sum::<usize>();
        let Some(page) = page.get_mut(..total) else { return };
        page[22..26].fill(0);
        let checksum = page.iter().fold(0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
                crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
            })
        });
        page[22..26].copy_from_slice(&checksum.to_le_bytes());
        at += total;
    }
}
