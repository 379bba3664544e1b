#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::decode::Compression;
use super::{Decoder, Encoder, huffman};
use proptest::prelude::*;
use strait_message::Name;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter_map(|b| (b as char).to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<String, Compression> {
    let mut text = String::new();
    decoder.decode(block, |_, name, value| {
        text += &format!("{}: {}\n", name.escape_ascii(), value.escape_ascii());
        true
    })?;
    Ok(text)
}

/// RFC 7541 Appendix C: each block behind those before it, with what it decodes to.
#[test]
fn the_examples_of_the_rfc_decode() {
    let first = ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n";
    let second = format!("{first}cache-control: no-cache\n");
    let third =
        ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n";
    let requests = |blocks: [&str; 3]| {
        let mut decoder = Decoder::default();
        for (block, expected) in blocks.iter().zip([first, &second, third]) {
            assert_eq!(decode(&mut decoder, &hex(block)).unwrap(), *expected);
        }
    };
    requests([
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ]);
    requests([
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ]);
}

#[test]
fn entries_are_evicted_as_in_the_rfc() {
    // RFC 7541 C.6 with a table of 256 octets, which a size update sets first.
    let mut decoder = Decoder::default();
    let blocks = [
        "3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ];
    let last = blocks.map(|block| decode(&mut decoder, &hex(block)).unwrap())[2].clone();
    assert!(last.starts_with(":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\n"), "{last}");
    assert!(last.ends_with("set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n"), "{last}");
}

#[test]
fn what_cannot_be_decoded_is_refused() {
    let cases = [
        ("80", "index 0"),
        ("be", "an index behind both tables"),
        ("ff", "an integer cut off"),
        ("ffffffffffffff", "an integer that is too large"),
        ("4005616161", "a text cut off"),
        ("00", "a literal without name"),
        ("8220", "a size update behind a field"),
        ("3fe21f", "a table larger than was allowed"),
        ("0084ffffffff00", "EOS in a Huffman text"),
        ("00811800", "padding that is not ones"),
        ("0081ff00", "a Huffman text of padding alone"),
    ];
    for (block, what) in cases {
        assert_eq!(decode(&mut Decoder::default(), &hex(block)), Err(Compression), "{what}");
    }
}

#[test]
fn secrets_are_never_indexed() {
    for name in [Name::Authorization, Name::Cookie, Name::SetCookie] {
        let mut out = Vec::new();
        let mut encoder = Encoder::default();
        encoder.begin(&mut out);
        encoder.field(name, name.as_str().as_bytes(), b"secret", &mut out);
        assert_eq!(out[0] & 0xf0, 0x10, "{name:?}");
    }
}

#[test]
fn a_repeated_field_is_one_octet_and_a_smaller_table_is_told() {
    let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
    let mut block = |encoder: &mut Encoder| {
        let mut out = Vec::new();
        encoder.begin(&mut out);
        encoder.field(Name::UserAgent, b"User-Agent", b"curl/8", &mut out);
        assert_eq!(decode(&mut decoder, &out).unwrap(), "user-agent: curl/8\n");
        out.len()
    };
    assert!(block(&mut encoder) > 1);
    assert_eq!(block(&mut encoder), 1);
    encoder.set_table_max(0);
    encoder.set_table_max(100);
    assert!(block(&mut encoder) > 3, "both sizes, and the field anew");
    assert_eq!(block(&mut encoder), 1);
}

proptest! {
    #[test]
    fn huffman_round_trips(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (mut coded, mut decoded) = (Vec::new(), Vec::new());
        huffman::encode(&text, &mut coded);
        prop_assert_eq!(coded.len(), huffman::encoded_len(&text));
        prop_assert!(huffman::decode(&coded, &mut decoded).is_some());
        prop_assert_eq!(decoded, text);
    }

    /// Blocks of fields, with changes of the table's size between them, come out as they went in.
    #[test]
    fn blocks_round_trip(blocks in proptest::collection::vec(
        (proptest::option::of(0usize..5000), proptest::collection::vec(("[a-z-]{1,20}", "[ -~]{0,90}"), 0..12)), 1..12)
    ) {
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
        for (size, fields) in blocks {
            if let Some(size) = size {
                encoder.set_table_max(size);
            }
            let (mut out, mut expected) = (Vec::new(), String::new());
            encoder.begin(&mut out);
            for (name, value) in &fields {
                encoder.field(Name::from_bytes(name.as_bytes()), name.as_bytes(), value.as_bytes(), &mut out);
                expected += &format!("{name}: {}\n", value.as_bytes().escape_ascii());
            }
            prop_assert_eq!(decode(&mut decoder, &out).unwrap(), expected);
            prop_assert!(decoder.capacity() < 64 * 1024);
        }
    }

    #[test]
    fn any_octets_are_bounded(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut decoder = Decoder::default();
        let _ = decode(&mut decoder, &octets);
        prop_assert!(decoder.capacity() < 64 * 1024);
    }
}
