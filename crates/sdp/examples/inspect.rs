//! Reads a description from standard input and says what is in it:
//! `cargo run --example inspect < offer.sdp`

use std::io::{Read, Write};

use sdp::{Attribute, Description};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let description = Description::parse(&text)?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "session {} version {}",
        description.origin.session_id, description.origin.session_version
    )?;
    for media in &description.media {
        let direction = media.direction().unwrap_or_default();
        writeln!(out, "{} {} {direction}", media.mid().unwrap_or("?"), media.kind)?;
        for rtpmap in media.rtpmaps() {
            writeln!(out, "  {rtpmap}")?;
        }
        let unknown =
            media.attributes.iter().filter(|attribute| matches!(attribute, Attribute::Unknown { .. }));
        writeln!(out, "  {} attributes without a type", unknown.count())?;
    }
    Ok(())
}
