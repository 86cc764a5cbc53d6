use super::*;
use crypto::rustcrypto;

/// RFC 7714 §16: what every SRTP example protects.
const RTP: &str = "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976697361\
                   20696e207061727465732074726573";

/// RFC 7714 §17: what every SRTCP example protects.
const RTCP: &str = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61\
                    deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn gcm(profile: Profile) -> Suite {
    let key: Vec<u8> = (0..profile.key_len() as u8).collect();
    Suite::AesGcm(AesGcm::from_session_keys(&rustcrypto::provider(), profile, &key, b"Quid pro quo"))
}

fn check_rtp(profile: Profile, protected: &str) {
    let suite = gcm(profile);
    let (plain, protected) = (hex(RTP), hex(protected));
    let header = RtpHeader::parse(&plain).unwrap();
    let mut packet = plain.clone();
    packet.extend([0; 16]);
    suite.seal_rtp(header, u64::from(header.sequence), &mut packet);
    assert_eq!(packet, protected);
    suite.open_rtp(header, u64::from(header.sequence), &mut packet).unwrap();
    assert_eq!(packet[..plain.len()], plain);

    let mut packet = protected;
    assert!(suite.open_rtp(header, u64::from(header.sequence) + (1 << 16), &mut packet).is_err());
}

/// RFC 7714 §16.1.1 and §16.1.2.
#[test]
fn rfc7714_16_1_srtp_aead_aes_128_gcm() {
    check_rtp(
        Profile::AeadAes128Gcm,
        "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf\
         8833899d7f27beb16a9152cf765ee4390cce",
    );
}

/// RFC 7714 §16.2.1 and §16.2.2.
#[test]
fn rfc7714_16_2_srtp_aead_aes_256_gcm() {
    check_rtp(
        Profile::AeadAes256Gcm,
        "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799\
         b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
    );
}

fn check_rtcp(profile: Profile, encryption: Encryption, protected: &str) {
    let suite = gcm(profile);
    let index = RtcpIndex { encryption, index: 0x5d4 };
    let (plain, protected) = (hex(RTCP), hex(protected));
    let sender = crate::header::rtcp_sender(&plain).unwrap();
    let mut packet = plain.clone();
    packet.extend([0; 20]);
    suite.seal_rtcp(sender, index, &mut packet);
    assert_eq!(packet, protected);
    assert_eq!(suite.rtcp_index(&packet), Some(index));
    suite.open_rtcp(sender, index, &mut packet).unwrap();
    assert_eq!(packet[..plain.len()], plain);

    for bit in 0..protected.len() * 8 {
        let mut packet = protected.clone();
        packet[bit / 8] ^= 1 << (bit % 8);
        let index = suite.rtcp_index(&packet).unwrap();
        assert!(suite.open_rtcp(sender, index, &mut packet).is_err(), "bit {bit}");
    }
}

/// RFC 7714 §17.1.
#[test]
fn rfc7714_17_1_srtcp_aead_aes_128_gcm_encryption() {
    check_rtcp(
        Profile::AeadAes128Gcm,
        Encryption::Encrypted,
        "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded\
         0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
    );
}

/// RFC 7714 §17.2.
#[test]
fn rfc7714_17_2_srtcp_aead_aes_256_gcm_decryption() {
    check_rtcp(
        Profile::AeadAes256Gcm,
        Encryption::Encrypted,
        "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de047\
         6f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
    );
}

/// RFC 7714 §17.3.
#[test]
fn rfc7714_17_3_srtcp_aead_aes_128_gcm_tagging_only() {
    check_rtcp(
        Profile::AeadAes128Gcm,
        Encryption::Clear,
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeef\
         deadbeef841dd9683dd78ec92ae58790125f62b3000005d4",
    );
}

/// RFC 7714 §17.4.
#[test]
fn rfc7714_17_4_srtcp_aead_aes_256_gcm_tag_verification() {
    check_rtcp(
        Profile::AeadAes256Gcm,
        Encryption::Clear,
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeef\
         deadbeef91db4afbfeee5a978fab4393ed2615fe000005d4",
    );
}

/// RFC 3711 appendix B.2.
#[test]
fn rfc3711_b2_aes_cm_key_stream() {
    let key = hex("2b7e151628aed2a6abf7158809cf4f3c");
    let salt = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd");
    let mut stream = vec![0; 0xff02 * 16];
    AesCmSha1::key_stream(&rustcrypto::provider(), &key, &salt, 0, &mut stream);
    let start = hex(
        "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0",
    );
    assert_eq!(stream[..48], start);
    let end = hex(
        "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44",
    );
    assert_eq!(stream[0xfeff * 16..], end);
}

#[test]
fn e_flag_and_index_share_a_word() {
    for (word, encryption, index) in [
        ([0x80, 0, 5, 0xd4], Encryption::Encrypted, 0x5d4),
        ([0x7f, 0xff, 0xff, 0xff], Encryption::Clear, 0x7fff_ffff),
    ] {
        assert_eq!(RtcpIndex::from_word(word), RtcpIndex { encryption, index });
        assert_eq!(RtcpIndex { encryption, index }.to_word(), word);
    }
}

#[test]
fn debug_shows_no_key() {
    for profile in Profile::ALL {
        let (key, salt) = (vec![0x41; profile.key_len()], vec![0x41; profile.salt_len()]);
        let text = format!("{:?}", Suite::new(&rustcrypto::provider(), profile, &key, &salt).unwrap());
        assert!(text.len() < 12, "{text}");
    }
}
