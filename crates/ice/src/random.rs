//! A generator derived from the agent's, for the clients it owns.

use crypto::{MacId, MacKey, Provider, Random};

/// HMAC of a counter under a random key: as unpredictable as the key is, and as repeatable.
#[derive(Debug)]
pub(crate) struct DerivedRandom {
    key: Box<dyn MacKey>,
    counter: u64,
}

impl DerivedRandom {
    /// `None` when the provider has no HMAC.
    pub(crate) fn new(provider: &Provider, parent: &mut dyn Random) -> Option<Self> {
        let mac = provider.mac(MacId::HmacSha256).or_else(|| provider.mac(MacId::HmacSha1))?;
        let seed: [u8; 32] = parent.bytes();
        Some(Self { key: mac.key(&seed), counter: 0 })
    }
}

impl Random for DerivedRandom {
    fn fill(&mut self, out: &mut [u8]) {
        // 20 bytes are what the shorter of the two gives.
        for chunk in out.chunks_mut(20) {
            self.counter += 1;
            self.key.sign(&[&self.counter.to_be_bytes()], chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros;

    impl Random for Zeros {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(0);
        }
    }

    /// T-I06: no value comes twice; the same seed gives the same values.
    #[test]
    fn t_i06_derived_values_differ_and_repeat_with_the_seed() {
        let make = || DerivedRandom::new(&crypto::rustcrypto::provider(), &mut Zeros).unwrap();
        let (mut one, mut other) = (make(), make());
        let (mut first, mut second, mut again) = ([0; 50], [0; 50], [0; 50]);
        one.fill(&mut first);
        one.fill(&mut second);
        other.fill(&mut again);
        assert_eq!(first, again);
        assert_ne!(first, second);
        assert_ne!(first[..20], first[20..40]);
    }
}
