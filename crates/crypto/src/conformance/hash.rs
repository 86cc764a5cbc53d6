use super::{Failure, Report, hex};
use crate::{Hash, HashId, Provider};

/// The messages of FIPS 180-2 and RFC 1321: nothing, "abc", two blocks; a million times "a" follows.
const MESSAGES: [&[u8]; 3] = [b"", b"abc", b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"];

const ANSWERS: &[(HashId, [&str; 4])] = &[
    (
        HashId::Md5,
        [
            "d41d8cd98f00b204e9800998ecf8427e",
            "900150983cd24fb0d6963f7d28e17f72",
            "8215ef0796a20bcaaae116d3876c664a",
            "7707d6ae4e027c70eea2a935c2296f21",
        ],
    ),
    (
        HashId::Sha1,
        [
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
        ],
    ),
    (
        HashId::Sha256,
        [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ],
    ),
    (
        HashId::Sha384,
        [
            "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da\
             274edebfe76f65fbd51ad2f14898b95b",
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
             8086072ba1e7cc2358baeca134c825a7",
            "3391fdddfc8dc7393707a65b1b4709397cf8b1d162af05abfe8f450de5f36bc6\
             b0455a8520bc4e6f5fe95b1fe3c8452b",
            "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b\
             07b8b3dc38ecc4ebae97ddd87f3d8985",
        ],
    ),
    (
        HashId::Sha512,
        [
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
             47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335\
             96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445",
            "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb\
             de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
        ],
    ),
];

/// Checks the hashes, at once and running.
///
/// # Errors
/// The first [`Failure`].
pub fn hash(provider: &Provider) -> Result<Report, Failure> {
    let mut report = Report::default();
    let million = vec![b'a'; 1_000_000];
    for (id, answers) in ANSWERS {
        let Some(algorithm) = provider.hash(*id) else {
            report.absent(id);
            continue;
        };
        for (message, answer) in MESSAGES.into_iter().chain([&million[..]]).zip(answers) {
            one_message(algorithm, message, &hex(answer), &mut report)?;
        }
    }
    Ok(report)
}

fn one_message(
    algorithm: &dyn Hash,
    message: &[u8],
    answer: &[u8],
    report: &mut Report,
) -> Result<(), Failure> {
    let id = algorithm.id();
    let name = format!("{id:?} of {} bytes", message.len());
    let (front, back) = message.split_at(message.len() / 3);

    let mut out = [0xee; HashId::MAX_LEN];
    let len = algorithm.hash(&[message], &mut out);
    report.check(&name, len == id.output_len() && out[..len] == *answer)?;
    report.check(format_args!("{name}: write no more"), out[len..].iter().all(|byte| *byte == 0xee))?;
    algorithm.hash(&[front, &[], back], &mut out);
    report.check(format_args!("{name}, in parts"), out[..len] == *answer)?;

    let mut context = algorithm.start();
    context.update(front);
    let mut between = [0; HashId::MAX_LEN];
    context.current(&mut between);
    algorithm.hash(&[front], &mut out);
    report.check(format_args!("{name}: read on the way"), between[..len] == out[..len])?;
    let mut fork = context.fork();
    context.update(back);
    let same = context.current(&mut out) == len && out[..len] == *answer;
    report.check(format_args!("{name}, running"), same)?;
    fork.update(back);
    fork.current(&mut out);
    report.check(format_args!("{name}, forked"), out[..len] == *answer)
}
