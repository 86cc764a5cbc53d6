//! A provider whose AEAD destroys what it refuses, as hardware and one-pass implementations do.

#[path = "common/pair.rs"]
mod pair;

use crypto::{Aead, AeadId, AeadKey, AuthError, CryptoError, Provider};
use pair::{Pair, keys, provider};
use srtp::{Config, Profile, UnprotectError, Unprotector};

#[derive(Debug)]
struct Clobbering(AeadId);

impl Aead for Clobbering {
    fn id(&self) -> AeadId {
        self.0
    }

    fn key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        let aead = provider().aead(self.0).ok_or(CryptoError::Unsupported)?;
        Ok(Box::new(ClobberingKey(aead.key(key)?)))
    }
}

#[derive(Debug)]
struct ClobberingKey(Box<dyn AeadKey>);

impl AeadKey for ClobberingKey {
    fn seal(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &mut [u8; 16]) {
        self.0.seal(nonce, aad, in_out, tag);
    }

    fn open(&self, nonce: &[u8; 12], aad: &[u8], in_out: &mut [u8], tag: &[u8; 16]) -> Result<(), AuthError> {
        self.0.open(nonce, aad, in_out, tag).inspect_err(|_| in_out.fill(0))
    }
}

const AEADS: &[&dyn Aead] = &[&Clobbering(AeadId::Aes128Gcm), &Clobbering(AeadId::Aes256Gcm)];

/// T-S04: another index is tried with the packet as it arrived, not with what the first try left of it.
#[test]
fn t_s04_searching_for_the_index_works_on_the_packet_that_arrived() {
    for profile in [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm] {
        let mut pair = Pair::new(profile);
        let clobbering: Provider = provider().with_aeads(AEADS);
        let (key, salt) = keys(profile);
        let config = Config::new().with_rollover_search(3);
        pair.rx = Unprotector::new(&clobbering, profile, &key, &salt, config).unwrap();

        let packets: Vec<_> = (0..140_000_u32).map(|number| pair.rtp(1, number as u16)).collect();
        // The first packet heard is in its second roll-over.
        pair.receive_rtp(&packets[131_080]).unwrap();
        let mut forged = packets[131_081].clone();
        forged[30] ^= 1;
        assert_eq!(pair.receive_rtp(&forged), Err(UnprotectError::Unauthentic));
        pair.receive_rtp(&packets[131_081]).unwrap();

        // An outage: the stream is found again one roll-over later.
        pair.rx = Unprotector::new(&clobbering, profile, &key, &salt, config).unwrap();
        pair.receive_rtp(&packets[10]).unwrap();
        let heard = packets[33_500..33_540].iter().filter(|packet| pair.receive_rtp(packet).is_ok()).count();
        assert_eq!(heard, 40, "within the same roll-over nothing has to be searched");
        let heard = packets[67_000 + 32_800..][..40].iter().filter(|packet| pair.receive_rtp(packet).is_ok());
        assert!(heard.count() >= 24);
    }
}
