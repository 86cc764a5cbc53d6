//! Known answers and forbidden inputs, for any [`Provider`].
//!
//! A back end is right when [`run`] says so. Algorithms that it does not offer are listed in the [`Report`] rather than
//! passed over.

mod aead;
mod cipher;
mod hash;
mod kx;
mod mac;
mod rsa;
mod sign;

use crate::{Provider, Random};
use std::fmt;

pub use aead::aead;
pub use cipher::cipher;
pub use hash::hash;
pub use kx::kx;
pub use mac::mac;
pub use sign::sign;

/// Checks everything that `provider` offers.
///
/// # Errors
/// The first [`Failure`].
pub fn run(provider: &Provider) -> Result<Report, Failure> {
    let mut report = Report::default();
    for family in [aead, cipher, hash, kx, mac, sign] {
        report.merge(family(provider)?);
    }
    Ok(report)
}

/// What was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Cases that passed.
    pub passed: usize,
    /// Algorithms that the provider does not offer.
    pub absent: Vec<String>,
    /// Known answers that could not be asked for, because the provider does not take its private keys from the random
    /// source it is given, or does not sign deterministically. Its own results were checked for consistency instead.
    pub not_reproducible: Vec<String>,
}

impl Report {
    fn merge(&mut self, other: Self) {
        self.passed += other.passed;
        self.absent.extend(other.absent);
        self.not_reproducible.extend(other.not_reproducible);
    }

    /// Counts a case, or fails with its name.
    fn check(&mut self, name: impl fmt::Display, passed: bool) -> Result<(), Failure> {
        if !passed {
            return Err(Failure { case: name.to_string() });
        }
        self.passed += 1;
        Ok(())
    }

    fn absent(&mut self, algorithm: impl fmt::Debug) {
        self.absent.push(format!("{algorithm:?}"));
    }
}

/// A case that a provider got wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The algorithm and the case.
    pub case: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the provider fails {}", self.case)
    }
}

impl std::error::Error for Failure {}

/// Repeats the same bytes for ever, so that a private key is the one of a vector.
struct Repeat(Vec<u8>);

impl Random for Repeat {
    fn fill(&mut self, out: &mut [u8]) {
        for (byte, value) in out.iter_mut().zip(self.0.iter().cycle()) {
            *byte = *value;
        }
    }
}

/// A different byte at every call: enough for keys that nobody will use.
struct Counter(u8);

impl Random for Counter {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(113);
            *byte = self.0;
        }
    }
}

/// Reads a vector written in hexadecimal.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| character.to_digit(16).expect("invariant: vectors hold hexadecimal digits") as u8)
        .collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}
