use super::{Failure, Report, hex};
use crate::{Mac, MacId, Provider};

/// RFC 2202 §3 (cases 1 to 6) for SHA-1, RFC 4231 §4 (cases 1 to 7) for the others.
const ANSWERS: &[(MacId, &[&str])] = &[
    (
        MacId::HmacSha1,
        &[
            "b617318655057264e28bc0b6fb378c8ef146be00",
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
            "4c9007f4026250c6bc8414f9bf50c86c2d7235da",
            "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04",
            "aa4ae5e15272d00e95705637ce8a3b55ed402112",
        ],
    ),
    (
        MacId::HmacSha256,
        &[
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            "a3b6167473100ee06e0c796c2955552bfa6f7c0a6a8aef8b93f860aab0cd20c5",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ],
    ),
    (
        MacId::HmacSha384,
        &[
            "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c\
             faea9ea9076ede7f4af152e8b2fa9cb6",
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e\
             8e2240ca5e69e2c78b3239ecfab21649",
            "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b\
             2a5ab39dc13814b94e3ab6e101a34f27",
            "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e\
             6801dd23c4a7d679ccf8a386c674cffb",
            "3abf34c3503b2a23a46efc619baef897f4c8e42c934ce55ccbae9740fcbc1af4\
             ca62269e2a37cd88ba926341efe4aeea",
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6\
             0c2ef6ab4030fe8296248df163f44952",
            "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5\
             a678cc31e799176d3860e6110c46523e",
        ],
    ),
    (
        MacId::HmacSha512,
        &[
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde\
             daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39\
             bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
            "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db\
             a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
            "415fad6271580a531d4179bc891d87a650188707922a4fbb36663a1eb16da008\
             711c5b50ddd0fc235084eb9d3364a1454fb2ef67cd1d29fe6773068ea266e96b",
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352\
             6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
            "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944\
             b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
        ],
    ),
];

fn inputs(id: MacId) -> Vec<(Vec<u8>, Vec<u8>)> {
    // RFC 2202 and RFC 4231 differ only in the length of the longest key.
    let long = vec![0xaa; if id == MacId::HmacSha1 { 80 } else { 131 }];
    vec![
        (vec![0x0b; 20], b"Hi There".to_vec()),
        (b"Jefe".to_vec(), b"what do ya want for nothing?".to_vec()),
        (vec![0xaa; 20], vec![0xdd; 50]),
        ((1..=25).collect(), vec![0xcd; 50]),
        (vec![0x0c; 20], b"Test With Truncation".to_vec()),
        (long.clone(), b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec()),
        (
            long,
            b"This is a test using a larger than block-size key and a larger than block-size data. \
              The key needs to be hashed before being used by the HMAC algorithm."
                .to_vec(),
        ),
    ]
}

/// Checks the MACs: whole and truncated, made and verified.
///
/// # Errors
/// The first [`Failure`].
pub fn mac(provider: &Provider) -> Result<Report, Failure> {
    let mut report = Report::default();
    for (id, answers) in ANSWERS {
        let Some(algorithm) = provider.mac(*id) else {
            report.absent(id);
            continue;
        };
        for (case, ((key, data), answer)) in inputs(*id).into_iter().zip(*answers).enumerate() {
            one_case(algorithm, case + 1, (&key, &data), &hex(answer), &mut report)?;
        }
    }
    Ok(report)
}

fn one_case(
    algorithm: &dyn Mac,
    case: usize,
    (key, data): (&[u8], &[u8]),
    answer: &[u8],
    report: &mut Report,
) -> Result<(), Failure> {
    let name = format!("{:?}, test case {case}", algorithm.id());
    let key = algorithm.key(key);
    let (front, back) = data.split_at(data.len() / 2);

    let mut out = [0xee; MacId::MAX_LEN];
    let len = key.sign(&[data], &mut out);
    report.check(&name, len == algorithm.id().output_len() && out[..len] == *answer)?;
    report.check(format_args!("{name}: write no more"), out[len..].iter().all(|byte| *byte == 0xee))?;
    key.sign(&[front, &[], back], &mut out);
    report.check(format_args!("{name}, in parts"), out[..len] == *answer)?;

    for short in 0..=len {
        let mut out = [0; MacId::MAX_LEN];
        let written = key.sign(&[data], &mut out[..short]);
        let right = written == short && out[..short] == answer[..short];
        report.check(format_args!("{name}: cut to {short} bytes"), right)?;
        let verified = key.verify(&[front, back], &answer[..short]).is_ok();
        report.check(format_args!("{name}: verify {short} bytes"), verified == (short > 0))?;
    }
    let overlong = [answer, &[0]].concat();
    report.check(format_args!("{name}: refuse an overlong tag"), key.verify(&[data], &overlong).is_err())?;
    for bit in 0..len * 8 {
        let mut forged = answer.to_vec();
        forged[bit / 8] ^= 1 << (bit % 8);
        let refused =
            key.verify(&[data], &forged).is_err() && key.verify(&[data], &forged[..=bit / 8]).is_err();
        report.check(format_args!("{name}: refuse bit {bit} flipped"), refused)?;
    }
    report.check(format_args!("{name}: refuse other data"), key.verify(&[data, b"x"], answer).is_err())
}
