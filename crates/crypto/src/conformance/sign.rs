use super::rsa as data;
use super::{Counter, Failure, Report, hex};
use crate::{HashId, KeyGenerator, Provider, SignatureScheme, SigningKey, Verifier};

/// RFC 6979 appendix A.2.5, as PKCS#8 (RFC 5208) and `SubjectPublicKeyInfo` (RFC 5480).
const PKCS8: &str = "\
    308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420c9afa9d845ba75166b5c215767b1d693\
    4e50c3db36e89b127b8a622b120f6721a1440342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f2\
    9fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
const SPKI: &str = "\
    3059301306072a8648ce3d020106082a8648ce3d0301070342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce6\
    69622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
const SAMPLE: &str = "\
    3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d657c41d436c7a1\
    b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
const TEST: &str = "\
    3045022100f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d383670220019f4113742a2b14bd25926b49\
    c649155f267e60d3814b4c0cc84250e46f0083";

/// Signatures that say nothing about any message, or say it in a form that DER does not have.
const BAD_ECDSA: &[(&str, &str)] = &[
    ("nothing", ""),
    ("an empty sequence", "3000"),
    ("r = s = 0", "3006020100020100"),
    ("r = s = 1", "3006020101020101"),
    ("r = 0", "3026020100022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"),
    (
        "s = n",
        "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100ffffffff00000000ffffffff\
         ffffffffbce6faada7179e84f3b9cac2fc632551",
    ),
    (
        "r + n",
        "3046022101efd48b29acb6a8fe1140dd9cd45e81d65a138228fdc29816b706d96b4b125c67022100f7cb1c942d657c41d436c7a1\
         b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    ),
    (
        "a negative r",
        "30450220efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d657c41d436c7a1\
         b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    ),
    (
        "a byte after the end",
        "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d657c41d436c7a1\
         b6e29f65f3e900dbb9aff4064dc4ab2f843acda800",
    ),
    (
        "a long form of the length",
        "308146022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d657c41d436c7\
         a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    ),
    (
        "the bare numbers",
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900db\
         b9aff4064dc4ab2f843acda8",
    ),
];

/// Checks key generation, signing and verification.
///
/// # Errors
/// The first [`Failure`].
pub fn sign(provider: &Provider) -> Result<Report, Failure> {
    let mut report = Report::default();
    let scheme = SignatureScheme::EcdsaSecp256r1Sha256;
    match (provider.key_generator(scheme), provider.verifier(scheme)) {
        (Some(generator), Some(verifier)) => {
            known_key(generator, verifier, &mut report)?;
            fresh_key(generator, verifier, &mut report)?;
            bad_private_keys(generator, &mut report)?;
            bad_ecdsa(verifier, &mut report)?;
        }
        _ => report.absent(scheme),
    }
    for (scheme, signature) in RSA {
        match provider.verifier(*scheme) {
            Some(verifier) => rsa(verifier, &hex(signature), &mut report)?,
            None => report.absent(scheme),
        }
    }
    if let Some(verifier) = provider.verifier(SignatureScheme::RsaPkcs1Sha256) {
        rsa_limits(provider, verifier, &mut report)?;
    }
    if let Some(verifier) = provider.verifier(SignatureScheme::RsaPssRsaeSha256) {
        let short = verifier.verify(&hex(data::SPKI_2048), data::MESSAGE, &hex(data::PSS_SHA256_SALT_20));
        report.check("RSA-PSS: refuse a salt shorter than the hash", short.is_err())?;
        let key = hex(data::SPKI_PSS_OID);
        let bound = verifier.verify(&key, data::MESSAGE, &hex(data::PSS_SHA256));
        report.check("RSA-PSS: refuse a key with the identifier of PSS", bound.is_err())?;
    }
    Ok(report)
}

fn known_key(
    generator: &dyn KeyGenerator,
    verifier: &dyn Verifier,
    report: &mut Report,
) -> Result<(), Failure> {
    let key = generator
        .from_pkcs8_der(&hex(PKCS8))
        .map_err(|_| Failure { case: "ECDSA P-256: load PKCS#8".to_owned() })?;
    report.check("ECDSA P-256: public key", key.spki_der() == hex(SPKI))?;
    report.check("ECDSA P-256: scheme", key.scheme() == generator.scheme())?;
    for (message, expected) in [("sample", SAMPLE), ("test", TEST)] {
        let expected = hex(expected);
        let known = verifier.verify(&hex(SPKI), message.as_bytes(), &expected);
        report.check(format_args!("RFC 6979 A.2.5: verify \"{message}\""), known.is_ok())?;
        let (one, other) = (signature(&*key, message)?, signature(&*key, message)?);
        if one == other {
            report.check(format_args!("RFC 6979 A.2.5: sign \"{message}\""), one == expected)?;
        } else {
            report.not_reproducible.push(format!("RFC 6979 A.2.5: sign \"{message}\""));
            let valid = verifier.verify(key.spki_der(), message.as_bytes(), &one);
            report.check("ECDSA P-256: verify our own", valid.is_ok())?;
        }
    }
    Ok(())
}

fn fresh_key(
    generator: &dyn KeyGenerator,
    verifier: &dyn Verifier,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut rng = Counter(3);
    let mut key =
        || generator.generate(&mut rng).map_err(|_| Failure { case: "ECDSA P-256: generate".into() });
    let (key, other) = (key()?, key()?);
    report.check("ECDSA P-256: draw different keys", key.spki_der() != other.spki_der())?;
    let message = "a certificate request";
    let signature = signature(&*key, message)?;
    let valid = verifier.verify(key.spki_der(), message.as_bytes(), &signature);
    report.check("ECDSA P-256: verify our own", valid.is_ok())?;
    let valid = verifier.verify(other.spki_der(), message.as_bytes(), &signature);
    report.check("ECDSA P-256: refuse another key", valid.is_err())?;
    let valid = verifier.verify(key.spki_der(), b"another message", &signature);
    report.check("ECDSA P-256: refuse another message", valid.is_err())
}

fn signature(key: &dyn SigningKey, message: &str) -> Result<Vec<u8>, Failure> {
    let mut out = vec![0xee];
    let signed = key.sign(&mut Counter(4), message.as_bytes(), &mut out);
    if signed.is_err() || out.first() != Some(&0xee) {
        return Err(Failure { case: "ECDSA P-256: append a signature".to_owned() });
    }
    Ok(out.split_off(1))
}

fn bad_private_keys(generator: &dyn KeyGenerator, report: &mut Report) -> Result<(), Failure> {
    let good = hex(PKCS8);
    for len in 0..good.len() {
        let refused = generator.from_pkcs8_der(&good[..len]).is_err();
        report.check(format_args!("ECDSA P-256: refuse PKCS#8 cut to {len} bytes"), refused)?;
    }
    for (name, scalar) in [("zero", [0; 32]), ("above the order", [0xff; 32])] {
        let mut bad = good.clone();
        bad[36..68].copy_from_slice(&scalar);
        let refused = generator.from_pkcs8_der(&bad).is_err();
        report.check(format_args!("ECDSA P-256: refuse a private key that is {name}"), refused)?;
    }
    let mut other_curve = good;
    // prime256v1 is 1.2.840.10045.3.1.7, prime192v1 is 1.2.840.10045.3.1.1.
    other_curve[26] = 1;
    report.check("ECDSA P-256: refuse another curve", generator.from_pkcs8_der(&other_curve).is_err())
}

fn bad_ecdsa(verifier: &dyn Verifier, report: &mut Report) -> Result<(), Failure> {
    let (spki, good) = (hex(SPKI), hex(SAMPLE));
    for (name, signature) in BAD_ECDSA {
        let refused = verifier.verify(&spki, b"sample", &hex(signature)).is_err();
        report.check(format_args!("ECDSA P-256: refuse {name}"), refused)?;
    }
    for bit in 0..good.len() * 8 {
        let mut forged = good.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        let refused = verifier.verify(&spki, b"sample", &forged).is_err();
        report.check(format_args!("ECDSA P-256: refuse a signature with bit {bit} flipped"), refused)?;
    }
    for len in 0..spki.len() {
        let refused = verifier.verify(&spki[..len], b"sample", &good).is_err();
        report.check(format_args!("ECDSA P-256: refuse a key cut to {len} bytes"), refused)?;
    }
    let refused = verifier.verify(&hex(data::SPKI_2048), b"sample", &good).is_err();
    report.check("ECDSA P-256: refuse an RSA key", refused)
}

const RSA: &[(SignatureScheme, &str)] = &[
    (SignatureScheme::RsaPkcs1Sha256, data::PKCS1_SHA256),
    (SignatureScheme::RsaPkcs1Sha384, data::PKCS1_SHA384),
    (SignatureScheme::RsaPkcs1Sha512, data::PKCS1_SHA512),
    (SignatureScheme::RsaPssRsaeSha256, data::PSS_SHA256),
    (SignatureScheme::RsaPssRsaeSha384, data::PSS_SHA384),
    (SignatureScheme::RsaPssRsaeSha512, data::PSS_SHA512),
];

fn rsa(verifier: &dyn Verifier, signature: &[u8], report: &mut Report) -> Result<(), Failure> {
    let scheme = verifier.scheme();
    let spki = hex(data::SPKI_2048);
    let accepted = verifier.verify(&spki, data::MESSAGE, signature).is_ok();
    report.check(format_args!("{scheme:?}: verify"), accepted)?;
    for (other, signature) in RSA.iter().filter(|(other, _)| *other != scheme) {
        let refused = verifier.verify(&spki, data::MESSAGE, &hex(signature)).is_err();
        report.check(format_args!("{scheme:?}: refuse {other:?}"), refused)?;
    }
    let refused = verifier.verify(&spki, data::MESSAGE, &hex(data::PKCS1_SHA1)).is_err();
    report.check(format_args!("{scheme:?}: refuse SHA-1"), refused)?;
    let refused = verifier.verify(&spki, b"another message", signature).is_err();
    report.check(format_args!("{scheme:?}: refuse another message"), refused)?;
    for byte in (0..signature.len()).step_by(17) {
        let mut forged = signature.to_vec();
        forged[byte] ^= 1;
        let refused = verifier.verify(&spki, data::MESSAGE, &forged).is_err();
        report.check(format_args!("{scheme:?}: refuse byte {byte} changed"), refused)?;
    }
    for (name, signature) in [
        ("nothing", Vec::new()),
        ("a short signature", signature[1..].to_vec()),
        ("a long signature", [&[0], signature].concat()),
        ("zero", vec![0; 256]),
        ("one", [vec![0; 255], vec![1]].concat()),
        ("a number above the modulus", vec![0xff; 256]),
    ] {
        let refused = verifier.verify(&spki, data::MESSAGE, &signature).is_err();
        report.check(format_args!("{scheme:?}: refuse {name}"), refused)?;
    }
    for (name, key) in
        [("an ECDSA key", hex(SPKI)), ("nothing as key", Vec::new()), ("half a key", spki[..150].to_vec())]
    {
        let refused = verifier.verify(&key, data::MESSAGE, signature).is_err();
        report.check(format_args!("{scheme:?}: refuse {name}"), refused)?;
    }
    Ok(())
}

/// Keys at and beyond the sizes that a verifier should calculate with.
fn rsa_limits(provider: &Provider, verifier: &dyn Verifier, report: &mut Report) -> Result<(), Failure> {
    let short = verifier.verify(&hex(data::SPKI_1024), data::MESSAGE, &hex(data::PKCS1_SHA256_1024));
    report.check("RSA: verify with 1,024 bits and exponent 3", short.is_ok())?;
    let shorter = verifier.verify(&hex(data::SPKI_1016), data::MESSAGE, &hex(data::PKCS1_SHA256_1016));
    report.check("RSA: refuse 1,016 bits", shorter.is_err())?;

    let mut digest = [0; HashId::MAX_LEN];
    let Some(hash) = provider.hash(HashId::Sha256) else {
        return Ok(());
    };
    let len = hash.hash(&[data::MESSAGE], &mut digest);
    // With exponent 1 the signature is the padded digest itself: anybody can write it (RFC 8017 §9.2).
    let encoded = |modulus: usize| {
        let info = hex("3031300d060960864801650304020105000420");
        let padding = vec![0xff; modulus - info.len() - len - 3];
        [&[0, 1][..], &padding, &[0], &info, &digest[..len]].concat()
    };
    for (name, modulus, exponent) in [
        ("exponent 1", vec![0xff; 256], &[1][..]),
        ("exponent 0", vec![0xff; 256], &[0]),
        ("exponent 2", vec![0xff; 256], &[2]),
        ("an even exponent", vec![0xff; 256], &[1, 0, 0]),
        ("an exponent of 72 bits", vec![0xff; 256], &[1, 0, 0, 0, 0, 0, 0, 0, 1]),
        ("an even modulus", [vec![0xff; 255], vec![0xfe]].concat(), &[1, 0, 1]),
        ("8,200 bits", vec![0xff; 1025], &[1, 0, 1]),
        ("16,384 bits", vec![0xff; 2048], &[1, 0, 1]),
        ("8 bits", vec![0xff], &[3]),
    ] {
        let key = rsa_spki(&modulus, exponent);
        let refused = verifier.verify(&key, data::MESSAGE, &encoded(modulus.len().max(256))).is_err();
        report.check(format_args!("RSA: refuse {name}"), refused)?;
    }
    Ok(())
}

/// Writes a `SubjectPublicKeyInfo` (RFC 3279 §2.3.1).
fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let integer =
        |number: &[u8]| der(0x02, &[&[0][..usize::from(number.first() >= Some(&0x80))], number].concat());
    let key = der(0x30, &[integer(modulus), integer(exponent)].concat());
    let algorithm = hex("300d06092a864886f70d0101010500");
    der(0x30, &[algorithm, der(0x03, &[vec![0], key].concat())].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let head = match len {
        0..=0x7f => vec![tag, len as u8],
        0x80..=0xff => vec![tag, 0x81, len as u8],
        _ => vec![tag, 0x82, (len >> 8) as u8, len as u8],
    };
    [&head[..], content].concat()
}
