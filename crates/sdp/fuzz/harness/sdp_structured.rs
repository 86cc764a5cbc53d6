//! Descriptions of browsers with some lines changed: they stay the same when printed, and their parts can be read.

use sdp::{Attribute, Description, MediaDescription};
use testkit::fuzz::{Input, edit_lines, reached};

const TEXTS: [&str; 6] = [
    include_str!("../../tests/vectors/chromium-offer.sdp"),
    include_str!("../../tests/vectors/chromium-offer-candidates.sdp"),
    include_str!("../../tests/vectors/chromium-offer-simulcast-vp8.sdp"),
    include_str!("../../tests/vectors/firefox-offer-simulcast-vp8.sdp"),
    include_str!("../../tests/vectors/firefox-answer-candidates.sdp"),
    include_str!("../../tests/vectors/aiortc-offer.sdp"),
];

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let text = edit_lines(input.pick(&TEXTS), &mut input);
    let Ok(description) = Description::parse(&text) else {
        reached("refused");
        return;
    };
    reached("description");
    let printed = description.to_string();
    assert_eq!(Description::parse(&printed).as_ref(), Ok(&description), "{text:?}");
    for group in description.groups() {
        assert!(!group.is_bundle() || group.semantics == "BUNDLE");
    }
    description.media.iter().for_each(read);
}

fn read(media: &MediaDescription) {
    assert!(media.payload_types().all(|number| number.value() < 128), "T-P01");
    assert!(media.rtpmaps().all(|map| map.payload_type.value() < 128), "T-P01");
    for fmtp in media.fmtps() {
        for (name, value) in fmtp.pairs() {
            let first = fmtp.parameter(name);
            assert!(first.is_some() || value.is_none(), "{name:?}");
        }
    }
    let _ = (media.mid(), media.direction(), media.is_rtp());
    let _ = (media.rtcp_fbs().count(), media.extmaps().count(), media.candidates().count());
    for attribute in &media.attributes {
        assert!(media.has(attribute));
        if let Attribute::Simulcast(simulcast) = attribute {
            reached("simulcast");
            assert!(simulcast.lists.iter().all(|list| !list.streams.is_empty()));
        }
    }
}
