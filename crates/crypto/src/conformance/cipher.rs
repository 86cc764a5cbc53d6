use super::{Failure, Report, hex};
use crate::{CipherId, CryptoError, Provider};

/// Key streams: RFC 3711 appendix B.2, RFC 6188 §7.1 and §7.3. Blocks 0 to 2, then 0xfeff to 0xff01.
const STREAMS: &[(CipherId, &str, [&str; 2])] = &[
    (
        CipherId::Aes128,
        "2b7e151628aed2a6abf7158809cf4f3c",
        [
            "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0",
            "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44",
        ],
    ),
    (
        CipherId::Aes192,
        "eab234764e517b2d3d160d587d8c86219740f65f99b6bcf7",
        [
            "35096cba4610028dc1b57503804ce37c5de986291dcce161d5165ec4568f5c9a474a40c77894bc17180202272a4c264d",
            "d108d1a31a00bad6367ec23eb044b415c8f57129fdeb970b59f917b257662d4ca5dab625811034e8cebdfeb6dc158dd3",
        ],
    ),
    (
        CipherId::Aes256,
        "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
        [
            "92bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165bac63c4868b7096d88421b563b8c94c9a31",
            "cea518c90fd91ced9cbb18c078a547113dbc4814f4da5f00a08772b63c6a046d6eb246913062a16891433e97dd01a57f",
        ],
    ),
];

/// The offset of all of them.
const IV: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfd0000";

/// One block each: FIPS 197 appendix C.
const BLOCKS: &[(CipherId, &str, &str)] = &[
    (CipherId::Aes128, "000102030405060708090a0b0c0d0e0f", "69c4e0d86a7b0430d8cdb78070b4c55a"),
    (
        CipherId::Aes192,
        "000102030405060708090a0b0c0d0e0f1011121314151617",
        "dda97ca4864cdfe06eaf70a0ec0d7191",
    ),
    (
        CipherId::Aes256,
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "8ea2b7ca516745bfeafc49904b496089",
    ),
];

/// Checks the counter-mode ciphers and the bare block ciphers.
///
/// # Errors
/// The first [`Failure`].
pub fn cipher(provider: &Provider) -> Result<Report, Failure> {
    let mut report = Report::default();
    for (id, key, blocks) in STREAMS {
        stream(provider, *id, &hex(key), *blocks, &mut report)?;
    }
    for (id, key, block) in BLOCKS {
        self::block(provider, *id, &hex(key), block, &mut report)?;
    }
    Ok(report)
}

fn stream(
    provider: &Provider,
    id: CipherId,
    key: &[u8],
    blocks: [&str; 2],
    report: &mut Report,
) -> Result<(), Failure> {
    let Some(algorithm) = provider.stream_cipher(id) else {
        report.absent(format_args!("{id:?} in counter mode"));
        return Ok(());
    };
    for len in wrong_lengths(id) {
        let expected = CryptoError::KeyLength { expected: id.key_len(), actual: len };
        let refused = algorithm.key(&vec![7; len]).err() == Some(expected);
        report.check(format_args!("{id:?} in counter mode: refuse a key of {len} bytes"), refused)?;
    }
    let key = algorithm.key(key).map_err(|_| Failure { case: format!("{id:?}: expand the key") })?;
    let iv = hex(IV).try_into().expect("invariant: the offset has 16 bytes");

    // 1,044,512 octets, as the RFCs have it.
    let mut keystream = vec![0; 0xff02 * 16];
    key.apply(&iv, &mut keystream);
    report.check(format_args!("{id:?} in counter mode: first blocks"), keystream[..48] == hex(blocks[0]))?;
    let late = keystream[0xfeff * 16..] == hex(blocks[1]);
    report.check(format_args!("{id:?} in counter mode: blocks 0xfeff to 0xff01"), late)?;

    for len in 0..300 {
        let mut bytes = vec![0xff; len];
        key.apply(&iv, &mut bytes);
        let right = bytes.iter().zip(&keystream).all(|(byte, stream)| *byte == !stream);
        report.check(format_args!("{id:?} in counter mode: {len} bytes"), right)?;
    }

    // The counter is the whole block: it carries out of the last 16, 32 and 64 bits, and wraps.
    for low in [0xffff_u128, 0xffff_ffff, 0xffff_ffff_ffff_ffff, u128::MAX] {
        let start = u128::from_be_bytes(iv) | low;
        let mut bytes = [0; 32];
        key.apply(&start.to_be_bytes(), &mut bytes);
        let mut second = [0; 16];
        key.apply(&start.wrapping_add(1).to_be_bytes(), &mut second);
        report.check(format_args!("{id:?} in counter mode: carry at {low:#x}"), bytes[16..] == second)?;
    }
    Ok(())
}

fn block(
    provider: &Provider,
    id: CipherId,
    key: &[u8],
    answer: &str,
    report: &mut Report,
) -> Result<(), Failure> {
    let Some(algorithm) = provider.block_cipher(id) else {
        // Nothing in peerlane needs a bare AES-192.
        if id != CipherId::Aes192 {
            report.absent(format_args!("{id:?} block"));
        }
        return Ok(());
    };
    for len in wrong_lengths(id) {
        let refused = algorithm.key(&vec![7; len]).is_err();
        report.check(format_args!("{id:?} block: refuse a key of {len} bytes"), refused)?;
    }
    let key = algorithm.key(key).map_err(|_| Failure { case: format!("{id:?}: expand the key") })?;
    let mut block = *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
    key.encrypt(&mut block);
    report.check(format_args!("{id:?} block: FIPS 197 appendix C"), block[..] == hex(answer))
}

fn wrong_lengths(id: CipherId) -> [usize; 3] {
    [0, id.key_len() - 1, id.key_len() + 1]
}
