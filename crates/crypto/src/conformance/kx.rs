use super::{Counter, Failure, Repeat, Report, hex};
use crate::{CryptoError, Group, KeyExchange, Provider};

struct Vector {
    name: &'static str,
    group: Group,
    private: &'static str,
    public: Option<&'static str>,
    peer: &'static str,
    shared: &'static str,
}

const VECTORS: &[Vector] = &[
    Vector {
        name: "RFC 7748 §5.2, first",
        group: Group::X25519,
        private: "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        public: None,
        peer: "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        shared: "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    },
    Vector {
        name: "RFC 7748 §5.2, second: the top bit of the peer's key is ignored",
        group: Group::X25519,
        private: "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        public: None,
        peer: "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        shared: "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    },
    Vector {
        name: "RFC 7748 §6.1, Alice",
        group: Group::X25519,
        private: "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        public: Some("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
        peer: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        shared: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    },
    Vector {
        name: "RFC 7748 §6.1, Bob",
        group: Group::X25519,
        private: "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        public: Some("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
        peer: "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        shared: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    },
    Vector {
        name: "RFC 5903 §8.1, initiator",
        group: Group::Secp256r1,
        private: "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
        public: Some(
            "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d61f1c456fa3e59ab1\
             f45b33accf5f58389e0577b8990bb3",
        ),
        peer: "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e8157854c13c58d6aac\
               23f046ada30f8353e74f33039872ab",
        shared: "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de",
    },
    Vector {
        name: "RFC 5903 §8.1, responder",
        group: Group::Secp256r1,
        private: "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
        public: Some(
            "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e8157854c13c58d6aac\
             23f046ada30f8353e74f33039872ab",
        ),
        peer: "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d61f1c456fa3e59ab1\
               f45b33accf5f58389e0577b8990bb3",
        shared: "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de",
    },
];

/// Keys that no honest peer sends.
const FORBIDDEN: &[(Group, &str, &str)] = &[
    (Group::X25519, "zero", "0000000000000000000000000000000000000000000000000000000000000000"),
    (Group::X25519, "one", "0100000000000000000000000000000000000000000000000000000000000000"),
    (Group::X25519, "a point of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    (
        Group::X25519,
        "the other point of order 8",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ),
    (Group::X25519, "p - 1", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    (Group::X25519, "p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    (Group::X25519, "p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    (
        Group::X25519,
        "zero with the top bit",
        "0000000000000000000000000000000000000000000000000000000000000080",
    ),
    (Group::X25519, "nothing", ""),
    (Group::X25519, "31 bytes", "09000000000000000000000000000000000000000000000000000000000000"),
    (Group::X25519, "33 bytes", "090000000000000000000000000000000000000000000000000000000000000000"),
    (Group::Secp256r1, "nothing", ""),
    (Group::Secp256r1, "the point at infinity", "00"),
    (
        Group::Secp256r1,
        "a point that is not on the curve",
        "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d61f1c456fa3e59ab1\
         f45b33accf5f58389e0577b8990bb4",
    ),
    (
        Group::Secp256r1,
        "zero coordinates",
        "0400000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
         000000000000000000000000000000",
    ),
    (
        Group::Secp256r1,
        "coordinates above the field",
        "04ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
         ffffffffffffffffffffffffffffff",
    ),
    (
        Group::Secp256r1,
        "a compressed point",
        "03dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180",
    ),
    (
        Group::Secp256r1,
        "a hybrid point",
        "07dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d61f1c456fa3e59ab1\
         f45b33accf5f58389e0577b8990bb3",
    ),
    (
        Group::Secp256r1,
        "a point cut short",
        "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d61f1c456fa3e59ab1\
         f45b33accf5f58389e0577b8990b",
    ),
    (
        Group::Secp256r1,
        "a point and a byte",
        "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d61f1c456fa3e59ab1\
         f45b33accf5f58389e0577b8990bb300",
    ),
];

/// Checks the key exchange groups.
///
/// # Errors
/// The first [`Failure`].
pub fn kx(provider: &Provider) -> Result<Report, Failure> {
    let mut report = Report::default();
    for group in [Group::X25519, Group::Secp256r1] {
        let Some(algorithm) = provider.group(group) else {
            report.absent(group);
            continue;
        };
        for vector in VECTORS.iter().filter(|vector| vector.group == group) {
            known_answer(algorithm, vector, &mut report)?;
        }
        agreement(algorithm, &mut report)?;
        for (_, name, key) in FORBIDDEN.iter().filter(|(of, ..)| *of == group) {
            forbidden(algorithm, name, &hex(key), &mut report)?;
        }
    }
    if let Some(p256) = provider.group(Group::Secp256r1) {
        hopeless_random(p256, &mut report)?;
    }
    Ok(report)
}

fn known_answer(algorithm: &dyn KeyExchange, vector: &Vector, report: &mut Report) -> Result<(), Failure> {
    let name = vector.name;
    let failure = |what: &str| Failure { case: format!("{name}: {what}") };
    let draw = || algorithm.start(&mut Repeat(hex(vector.private))).map_err(|_| failure("make the key pair"));
    let (pair, again) = (draw()?, draw()?);
    if pair.public_key() != again.public_key() {
        report.not_reproducible.push(name.to_owned());
        return Ok(());
    }
    report.check(format_args!("{name}: group"), pair.group() == algorithm.group())?;
    if let Some(public) = vector.public {
        report.check(format_args!("{name}: public key"), pair.public_key() == hex(public))?;
    }
    let shared = pair.complete(&hex(vector.peer)).map_err(|_| failure("complete"))?;
    report.check(format_args!("{name}: shared secret"), shared.as_bytes() == hex(vector.shared))
}

fn agreement(algorithm: &dyn KeyExchange, report: &mut Report) -> Result<(), Failure> {
    let group = algorithm.group();
    let failure = |_| Failure { case: format!("{group:?}: agree") };
    let mut rng = Counter(1);
    for _ in 0..8 {
        let ours = algorithm.start(&mut rng).map_err(failure)?;
        let theirs = algorithm.start(&mut rng).map_err(failure)?;
        let (our_key, their_key) = (ours.public_key().to_vec(), theirs.public_key().to_vec());
        report.check(format_args!("{group:?}: draw different keys"), our_key != their_key)?;
        let one = ours.complete(&their_key).map_err(failure)?;
        let other = theirs.complete(&our_key).map_err(failure)?;
        report.check(format_args!("{group:?}: agree"), one.as_bytes() == other.as_bytes())?;
    }
    Ok(())
}

fn forbidden(
    algorithm: &dyn KeyExchange,
    name: &str,
    key: &[u8],
    report: &mut Report,
) -> Result<(), Failure> {
    let group = algorithm.group();
    let pair = algorithm.start(&mut Counter(2)).map_err(|_| Failure { case: format!("{group:?}: start") })?;
    let refused = pair.complete(key).err() == Some(CryptoError::InvalidPublicKey);
    report.check(format_args!("{group:?}: refuse {name}"), refused)
}

/// A source that never gives a scalar below the group order must not hang us, nor give a key.
fn hopeless_random(algorithm: &dyn KeyExchange, report: &mut Report) -> Result<(), Failure> {
    for byte in [0x00, 0xff] {
        match algorithm.start(&mut Repeat(vec![byte])) {
            Err(CryptoError::Random) => report.check("a hopeless random source", true)?,
            Err(_) => report.check("a hopeless random source: the error", false)?,
            Ok(_) => report.not_reproducible.push("a hopeless random source".to_owned()),
        }
    }
    Ok(())
}
