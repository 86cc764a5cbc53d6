//! Sends a thousand packets over a link that loses, repeats, reorders and forges, and prints the counters.
//!
//! `cargo run -p peerlane-srtp --example protect`

#![expect(clippy::print_stdout, reason = "an example that talks to the terminal")]

use crypto::rustcrypto::{os_random, provider};
use srtp::{Config, KeyingMaterial, Profile, Protector, Unprotector};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let (provider, mut random) = (provider(), os_random());
    let profile = Profile::AeadAes128Gcm;
    // In a session these bytes come from DTLS.
    let mut exported = vec![0; profile.exported_len()];
    random.fill(&mut exported);
    let keys = KeyingMaterial::split(profile, &exported)?;
    let (key, salt) = (keys.client().key(), keys.client().salt());
    let mut tx = Protector::new(&provider, profile, key, salt, Config::new())?;
    let mut rx = Unprotector::new(&provider, profile, key, salt, Config::new())?;

    let mut link: Vec<Vec<u8>> = Vec::new();
    for number in 0..1_000_u32 {
        // The stream starts shortly before its sequence number wraps.
        let mut packet = vec![0x80, 111];
        packet.extend(((65_000 + number) as u16).to_be_bytes());
        packet.extend((number * 960).to_be_bytes());
        packet.extend(0x1234_5678_u32.to_be_bytes());
        packet.extend([number as u8; 80]);
        tx.protect_rtp(&mut packet, 0)?;
        match random.u32() % 10 {
            0 => {}
            1 => link.extend([packet.clone(), packet]),
            2 => link.insert(link.len().saturating_sub(5), packet),
            3 => {
                let mut forged = packet.clone();
                if let Some(byte) = forged.last_mut() {
                    *byte ^= 1;
                }
                link.extend([forged, packet]);
            }
            _ => link.push(packet),
        }
    }
    for mut packet in link {
        // Whatever is wrong with a packet, it is counted and forgotten.
        if let Ok(len) = rx.unprotect_rtp(&mut packet) {
            packet.truncate(len);
        }
    }
    println!("{}: {:?}", profile.name(), tx.stats());
    println!("{:?}", rx.stats());
    Ok(())
}
