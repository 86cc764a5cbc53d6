//! Any text as a URI: what is read prints to a text that reads the same.

use stun::uri::{Authority, StunUri};
use testkit::fuzz::reached;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(uri) = text.parse::<StunUri>() {
        reached("URI");
        let printed = uri.to_string();
        assert_eq!(printed.parse::<StunUri>().as_ref(), Ok(&uri), "{text:?} {printed:?}");
        assert!(uri.explicit_port().is_none_or(|port| port == uri.port()));
        assert!(!uri.host().to_string().is_empty());
    }
    if let Ok(authority) = text.parse::<Authority>() {
        reached("authority");
        assert_eq!(authority.to_string().parse::<Authority>().as_ref(), Ok(&authority), "{text:?}");
    }
}
