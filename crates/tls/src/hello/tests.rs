#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use super::{Hello, Peeked, peek};
use proptest::prelude::*;

fn vector(length_octets: usize, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    [&length[4 - length_octets..], body].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &vector(2, body)].concat()
}

fn server_name(name: &str) -> Vec<u8> {
    let entry = [&[0][..], &vector(2, name.as_bytes())].concat();
    extension(0, &vector(2, &entry))
}

fn message(suites: &[u16], extensions: &[Vec<u8>]) -> Vec<u8> {
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend(vector(1, &[9; 32]));
    body.extend(vector(2, &suites));
    body.extend(vector(1, &[0]));
    body.extend(vector(2, &extensions.concat()));
    [&[1][..], &vector(3, &body)].concat()
}

fn records(message: &[u8], piece: usize) -> Vec<u8> {
    message.chunks(piece).flat_map(|piece| [&[22, 3, 1][..], &vector(2, piece)].concat()).collect()
}

fn example() -> Vec<u8> {
    message(&[0x1301, 0x1303], &[server_name("Shop.Example.com"), extension(16, &vector(2, b"\x08http/1.1"))])
}

fn expected() -> Peeked {
    Peeked::Hello(Hello {
        server_name: Some("shop.example.com".into()),
        prefers_chacha: false,
        protocols: b"\x08http/1.1"[..].into(),
    })
}

#[test]
fn a_hello_is_read_whole_and_in_any_records_and_at_every_cut() {
    let message = example();
    for piece in [1, 3, 50, message.len()] {
        let whole = records(&message, piece);
        assert_eq!(peek(&whole), expected());
        for cut in 0..whole.len() {
            assert_eq!(peek(&whole[..cut]), Peeked::More, "{piece} {cut}");
        }
        let more = [&whole[..], b"whatever comes next"].concat();
        assert_eq!(peek(&more), expected());
    }
}

#[test]
fn who_puts_chacha_first_prefers_it_whatever_grease_stands_before() {
    let prefers = |suites: &[u16]| match peek(&records(&message(suites, &[]), 4096)) {
        Peeked::Hello(hello) => hello.prefers_chacha,
        other => panic!("{other:?}"),
    };
    assert!(prefers(&[0x1303, 0x1301]));
    assert!(prefers(&[0x2a2a, 0xcca8]));
    assert!(!prefers(&[0x1301, 0x1303]));
    assert!(!prefers(&[]));
}

#[test]
fn what_is_no_hello_is_told_at_once() {
    for octets in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"\x16\x02",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",
    ] {
        assert_eq!(peek(octets), Peeked::Other, "{octets:?}");
    }
    let twice = message(&[0x1301], &[server_name("a.example"), server_name("b.example")]);
    assert_eq!(peek(&records(&twice, 4096)), Peeked::Other);
    let not_ascii = message(&[0x1301], &[server_name("ä.example")]);
    assert_eq!(peek(&records(&not_ascii, 4096)), Peeked::Other);
}

proptest! {
    #[test]
    fn any_octets_are_survived(octets: Vec<u8>) {
        let _ = peek(&octets);
        let _ = peek(&records(&[&[1][..], &octets].concat(), 7));
    }

    #[test]
    fn a_changed_hello_is_survived(place: usize, octet: u8) {
        let mut whole = records(&example(), 60);
        let place = place % whole.len();
        whole[place] = octet;
        let _ = peek(&whole);
    }
}
