//! Any bytes as ChannelData, any text as a `turn:` URI or a network.

use testkit::fuzz::{Input, reached};
use turn::{ChannelData, ChannelNumber, TurnUri, server::IpNet};

pub(crate) fn run(data: &[u8]) {
    if let Some(frame) = ChannelData::parse(data) {
        reached("channel data");
        assert!(ChannelData::matches(data));
        assert_eq!(&data[frame.payload_range()], frame.payload());
        let mut out = b"before".to_vec();
        let written = ChannelData::append_with(frame.channel(), &mut out, |out| {
            out.extend_from_slice(frame.payload());
            Some(())
        });
        assert_eq!(written, Some(()));
        assert_eq!(ChannelData::parse(&out[6..]), Some(frame), "what was written reads the same");
    }
    let mut input = Input::new(data);
    let number = input.u16();
    assert_eq!(ChannelNumber::new(number).is_some(), (0x4000..=0x4fff).contains(&number));
    let text = String::from_utf8_lossy(data);
    if let Ok(uri) = text.parse::<TurnUri>() {
        reached("URI");
        assert_eq!(uri.to_string().parse::<TurnUri>().as_ref(), Ok(&uri), "{text:?}");
    }
    if let Ok(net) = text.parse::<IpNet>() {
        reached("network");
        assert_eq!(net.to_string().parse::<IpNet>().as_ref(), Ok(&net), "{text:?}");
    }
}
