use super::{Failure, Report, hex};
use crate::{AeadId, CryptoError, Provider};

struct Vector {
    name: &'static str,
    id: AeadId,
    key: &'static str,
    nonce: &'static str,
    aad: &'static str,
    plaintext: &'static str,
    ciphertext: &'static str,
    tag: &'static str,
}

const ZERO_NONCE: &str = "000000000000000000000000";
const NONCE: &str = "cafebabefacedbaddecaf888";
const AAD: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const PLAINTEXT_60: &str = "\
    d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
    1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
const PLAINTEXT_64: &str = "\
    d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
    1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";

/// The test cases of the GCM submission to NIST, McGrew and Viega, appendix B.
const VECTORS: &[Vector] = &[
    Vector {
        name: "GCM test case 1",
        id: AeadId::Aes128Gcm,
        key: "00000000000000000000000000000000",
        nonce: ZERO_NONCE,
        aad: "",
        plaintext: "",
        ciphertext: "",
        tag: "58e2fccefa7e3061367f1d57a4e7455a",
    },
    Vector {
        name: "GCM test case 2",
        id: AeadId::Aes128Gcm,
        key: "00000000000000000000000000000000",
        nonce: ZERO_NONCE,
        aad: "",
        plaintext: "00000000000000000000000000000000",
        ciphertext: "0388dace60b6a392f328c2b971b2fe78",
        tag: "ab6e47d42cec13bdf53a67b21257bddf",
    },
    Vector {
        name: "GCM test case 3",
        id: AeadId::Aes128Gcm,
        key: "feffe9928665731c6d6a8f9467308308",
        nonce: NONCE,
        aad: "",
        plaintext: PLAINTEXT_64,
        ciphertext: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
                     21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
        tag: "4d5c2af327cd64a62cf35abd2ba6fab4",
    },
    Vector {
        name: "GCM test case 4",
        id: AeadId::Aes128Gcm,
        key: "feffe9928665731c6d6a8f9467308308",
        nonce: NONCE,
        aad: AAD,
        plaintext: PLAINTEXT_60,
        ciphertext: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
                     21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
        tag: "5bc94fbc3221a5db94fae95ae7121a47",
    },
    Vector {
        name: "GCM test case 13",
        id: AeadId::Aes256Gcm,
        key: "0000000000000000000000000000000000000000000000000000000000000000",
        nonce: ZERO_NONCE,
        aad: "",
        plaintext: "",
        ciphertext: "",
        tag: "530f8afbc74536b9a963b4f1c4cb738b",
    },
    Vector {
        name: "GCM test case 14",
        id: AeadId::Aes256Gcm,
        key: "0000000000000000000000000000000000000000000000000000000000000000",
        nonce: ZERO_NONCE,
        aad: "",
        plaintext: "00000000000000000000000000000000",
        ciphertext: "cea7403d4d606b6e074ec5d3baf39d18",
        tag: "d0d1c8a799996bf0265b98b5d48ab919",
    },
    Vector {
        name: "GCM test case 15",
        id: AeadId::Aes256Gcm,
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        nonce: NONCE,
        aad: "",
        plaintext: PLAINTEXT_64,
        ciphertext: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                     8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
        tag: "b094dac5d93471bdec1a502270e3cc6c",
    },
    Vector {
        name: "GCM test case 16",
        id: AeadId::Aes256Gcm,
        key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        nonce: NONCE,
        aad: AAD,
        plaintext: PLAINTEXT_60,
        ciphertext: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                     8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        tag: "76fc6ece0f4e1768cddf8853bb2d551b",
    },
    Vector {
        name: "RFC 8439 §2.8.2",
        id: AeadId::ChaCha20Poly1305,
        key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        nonce: "070000004041424344454647",
        aad: "50515253c0c1c2c3c4c5c6c7",
        plaintext: "4c616469657320616e642047656e746c656d656e206f662074686520636c6173\
                    73206f66202739393a204966204920636f756c64206f6666657220796f75206f\
                    6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73\
                    637265656e20776f756c642062652069742e",
        ciphertext: "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6\
                     3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36\
                     92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc\
                     3ff4def08e4b7a9de576d26586cec64b6116",
        tag: "1ae10b594f09e26a7e902ecbd0600691",
    },
];

/// Checks the AEADs.
///
/// # Errors
/// The first [`Failure`].
pub fn aead(provider: &Provider) -> Result<Report, Failure> {
    let mut report = Report::default();
    for id in [AeadId::Aes128Gcm, AeadId::Aes256Gcm, AeadId::ChaCha20Poly1305] {
        let Some(algorithm) = provider.aead(id) else {
            report.absent(id);
            continue;
        };
        for len in [0, id.key_len() - 1, id.key_len() + 1] {
            let expected = CryptoError::KeyLength { expected: id.key_len(), actual: len };
            let refused = algorithm.key(&vec![7; len]).err() == Some(expected);
            report.check(format_args!("{id:?}: refuse a key of {len} bytes"), refused)?;
        }
        for vector in VECTORS.iter().filter(|vector| vector.id == id) {
            known_answer(provider, vector, &mut report)?;
        }
        every_length(provider, id, &mut report)?;
    }
    Ok(report)
}

fn known_answer(provider: &Provider, vector: &Vector, report: &mut Report) -> Result<(), Failure> {
    let Vector { name, id, .. } = vector;
    let key = provider.aead(*id).and_then(|algorithm| algorithm.key(&hex(vector.key)).ok());
    let key = key.ok_or_else(|| Failure { case: format!("{name}: expand the key") })?;
    let nonce = nonce(vector.nonce);
    let (aad, plaintext, ciphertext) = (hex(vector.aad), hex(vector.plaintext), hex(vector.ciphertext));

    let mut bytes = plaintext.clone();
    let mut tag = [0; 16];
    key.seal(&nonce, &aad, &mut bytes, &mut tag);
    report.check(format_args!("{name}: ciphertext"), bytes == ciphertext)?;
    report.check(format_args!("{name}: tag"), tag[..] == hex(vector.tag))?;
    let opened = key.open(&nonce, &aad, &mut bytes, &tag);
    report.check(format_args!("{name}: open"), opened.is_ok() && bytes == plaintext)?;

    for bit in 0..128 {
        let mut forged = tag;
        forged[bit / 8] ^= 1 << (bit % 8);
        let opened = key.open(&nonce, &aad, &mut ciphertext.clone(), &forged);
        report.check(format_args!("{name}: refuse the tag with bit {bit} flipped"), opened.is_err())?;
    }
    for byte in 0..ciphertext.len() {
        let mut forged = ciphertext.clone();
        forged[byte] ^= 0x10;
        let opened = key.open(&nonce, &aad, &mut forged, &tag);
        report.check(format_args!("{name}: refuse byte {byte} changed"), opened.is_err())?;
    }
    for byte in 0..aad.len() {
        let mut forged = aad.clone();
        forged[byte] ^= 0x80;
        let opened = key.open(&nonce, &forged, &mut ciphertext.clone(), &tag);
        report.check(format_args!("{name}: refuse associated byte {byte} changed"), opened.is_err())?;
    }
    let mut other = nonce;
    other[11] ^= 1;
    let mut bytes = ciphertext;
    let opened = key.open(&other, &aad, &mut bytes, &tag);
    report.check(format_args!("{name}: refuse another nonce"), opened.is_err())
}

/// Lengths around every block and batch size: the key stream must be the same whatever the length.
fn every_length(provider: &Provider, id: AeadId, report: &mut Report) -> Result<(), Failure> {
    let key = provider.aead(id).and_then(|algorithm| algorithm.key(&vec![0x42; id.key_len()]).ok());
    let key = key.ok_or_else(|| Failure { case: format!("{id:?}: expand the key") })?;
    let nonce = nonce(NONCE);
    let mut stream = vec![0; 600];
    key.seal(&nonce, &[], &mut stream, &mut [0; 16]);
    for len in 0..stream.len() {
        let mut bytes = vec![0; len];
        let mut tag = [0; 16];
        key.seal(&nonce, &stream[..len % 40], &mut bytes, &mut tag);
        report.check(format_args!("{id:?}: key stream of {len} bytes"), bytes == stream[..len])?;
        let opened = key.open(&nonce, &stream[..len % 40], &mut bytes, &tag);
        let whole = opened.is_ok() && bytes.iter().all(|byte| *byte == 0);
        report.check(format_args!("{id:?}: open {len} bytes"), whole)?;
    }
    Ok(())
}

fn nonce(text: &str) -> [u8; 12] {
    hex(text).try_into().expect("invariant: the nonces of the vectors have 12 bytes")
}
