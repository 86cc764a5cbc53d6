//! Any text as a description, as an attribute, as a candidate: what is read prints to a text that reads the same.

use sdp::{Attribute, Candidate, Description, Fingerprint, MAX_BYTES, MAX_LINES, MAX_MEDIA};
use testkit::fuzz::reached;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    stays_the_same(&text);
    // The four lines that every description begins with, so that what follows is reached.
    stays_the_same(&format!("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n{text}"));
    if let Ok(attribute) = text.parse::<Attribute>() {
        reached("attribute");
        let printed = attribute.to_string();
        assert_eq!(printed.parse::<Attribute>().as_ref(), Ok(&attribute), "{text:?} {printed:?}");
    }
    if let Ok(candidate) = Candidate::parse(&text) {
        reached("candidate");
        assert_eq!(Candidate::parse(&candidate.to_string()).as_ref(), Ok(&candidate), "{text:?}");
        let _ = (candidate.ufrag(), candidate.extension("generation"));
    }
    if let Ok(fingerprint) = Fingerprint::parse(&text) {
        reached("fingerprint");
        assert_eq!(Fingerprint::parse(&fingerprint.to_string()).as_ref(), Ok(&fingerprint), "{text:?}");
    }
}

fn stays_the_same(text: &str) {
    let description = match Description::parse(text) {
        Ok(description) => description,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    reached(if description.media.is_empty() { "description" } else { "media" });
    assert!(text.len() <= MAX_BYTES && description.media.len() <= MAX_MEDIA);
    let printed = description.to_string();
    assert!(u32::try_from(printed.lines().count()).is_ok_and(|lines| lines <= MAX_LINES));
    let again = Description::parse(&printed);
    assert_eq!(again.as_ref(), Ok(&description), "{text:?}\n{printed:?}");
    assert_eq!(description.to_string(), printed);
}
