//! Any text as a candidate, or as the address of a server: what is read prints to a text that reads the same.

use ice::{Candidate, ServerUrl};
use testkit::fuzz::reached;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(candidate) = text.parse::<Candidate>() {
        reached("candidate");
        let printed = candidate.to_string();
        let again: Candidate =
            printed.parse().unwrap_or_else(|error| panic!("{error}: {printed:?} of {text:?}"));
        assert_eq!(again, candidate, "{text:?}");
        assert_eq!(again.to_string(), printed);
        assert!(candidate.extensions().count() <= 32, "docs/limits.md");
        assert!(candidate.socket_addr().is_none_or(|address| address.port() == candidate.port()));
        let _ = (candidate.related(), candidate.tcp_type(), candidate.ufrag());
    }
    if let Ok(url) = text.parse::<ServerUrl>() {
        reached("server");
        assert_eq!(url.to_string().parse::<ServerUrl>().as_ref(), Ok(&url), "{text:?}");
    }
}
