#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Coder, Coding, Compress, choose};
use crate::testing::{Case, shown};
use proptest::prelude::*;
use std::io::{Read, Write};
use strait_message::BodyLength;

const ALL: [Coding; 3] = [Coding::Zstd, Coding::Brotli, Coding::Gzip];

#[test]
fn the_client_chooses_and_our_order_decides_between_equals() {
    for (fields, expected) in [
        (&["gzip"][..], Some("gzip")),
        (&["gzip, br"], Some("br")),
        (&["gzip, deflate, br, zstd"], Some("zstd")),
        (&["br;q=0.5, gzip"], Some("gzip")),
        (&["br;q=0.5, gzip;q=0.50"], Some("br")),
        (&["GZIP"], Some("gzip")),
        (&["x-gzip"], Some("gzip")),
        (&["gzip;q=0"], None),
        (&["gzip;q=0.000"], None),
        (&["gzip;q=0.001"], Some("gzip")),
        (&["*"], Some("zstd")),
        (&["*;q=0"], None),
        (&["zstd;q=0, *"], Some("br")),
        (&["*, br;q=0, zstd;q=0"], Some("gzip")),
        (&["identity"], None),
        (&["identity, gzip;q=0.5"], None),
        (&["identity;q=0.5, gzip"], Some("gzip")),
        (&["identity;q=0, gzip;q=0.1"], Some("gzip")),
        (&["gzip;q=1.5"], None),
        (&["gzip;q=1.000"], Some("gzip")),
        (&["gzip;q=1.001"], None),
        (&["gzip;q=abc"], None),
        (&["gzip;q=0.1234"], None),
        (&["gzip;q="], None),
        (&["gzip ; q=0.8 , br ; q=0.7"], Some("gzip")),
        (&["gzip;level=1;q=0.8"], Some("gzip")),
        (&["gzip;Q=0"], None),
        (&["deflate"], None),
        (&["compress, deflate;q=1, gzip;q=0.1"], Some("gzip")),
        (&["gzipx, xgzip"], None),
        (&["br", "gzip;q=0.9"], Some("br")),
        (&["", "gzip"], Some("gzip")),
        (&[",,gzip,,"], Some("gzip")),
        (&[";q=1"], None),
        (&[""], None),
        (&[], None),
    ] {
        let chosen = choose(fields.iter().map(|field| field.as_bytes()), ALL.into_iter());
        assert_eq!(chosen.map(Coding::name), expected, "{fields:?}");
    }
}

fn compress() -> Compress {
    let types = vec!["text/*".into(), "application/json".into()];
    Compress { codings: vec![(Coding::Brotli, 4), (Coding::Gzip, 5)], types, octets_min: 100 }
}

#[track_caller]
fn check(request: &str, status: u16, body: BodyLength, before: &str, after: &str, codes: bool) {
    let mut case = Case::new("GET /", request);
    case.body = body;
    assert_eq!(shown(&case.respond(&compress(), status, before).headers), after);
    assert_eq!(case.notes.coder.is_some(), codes);
}

const GZIP: &str = "Accept-Encoding: gzip";
const TEXT: &str = "Content-Type: text/html; charset=utf-8\n";

#[test]
fn a_coded_body_is_described_as_one() {
    let before = format!("{TEXT}ETag: \"a\"\nAccept-Ranges: bytes\nContent-MD5: x");
    let after = format!("{TEXT}Vary: Accept-Encoding\nContent-Encoding: gzip\nETag: W/\"a\"\n");
    check(GZIP, 200, BodyLength::Fixed(100), &before, &after, true);
    let weak = format!("{TEXT}ETag: W/\"a\"\nVary: accept-encoding\n");
    check(GZIP, 404, BodyLength::Unknown, &weak, &format!("{weak}Content-Encoding: gzip\n"), true);
}

#[test]
fn what_may_not_or_need_not_be_coded_is_left_alone() {
    let fixed = BodyLength::Fixed(1000);
    for before in [
        format!("{TEXT}Content-Encoding: br\n"),
        format!("{TEXT}Cache-Control: public, no-transform\n"),
        format!("{TEXT}Content-Range: bytes 0-1/2\n"),
        "Content-Type: image/png\n".to_owned(),
        "Content-Type: application/grpc\n".to_owned(),
        String::new(),
    ] {
        check(GZIP, 200, fixed, &before, &before, false);
    }
    check(GZIP, 200, BodyLength::Fixed(99), TEXT, TEXT, false);
    check(GZIP, 200, BodyLength::None, TEXT, TEXT, false);
    check(GZIP, 206, fixed, TEXT, TEXT, false);
    check(GZIP, 304, fixed, TEXT, TEXT, false);
    check("Accept-Encoding: deflate", 200, fixed, TEXT, &format!("{TEXT}Vary: Accept-Encoding\n"), false);
    check("", 200, fixed, TEXT, &format!("{TEXT}Vary: Accept-Encoding\n"), false);
}

/// What a client reads of a coded body, as far as it came.
fn decoded(coding: Coding, coded: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match coding {
        Coding::Gzip => flate2::write::GzDecoder::new(&mut out).write_all(coded).unwrap(),
        Coding::Brotli => drop(brotli::Decompressor::new(coded, 4096).read_to_end(&mut out)),
        Coding::Zstd => drop(zstd::stream::read::Decoder::new(coded).unwrap().read_to_end(&mut out)),
    }
    out
}

#[test]
fn a_flush_brings_out_all_that_was_taken_in() {
    for coding in ALL {
        let mut coder = Coder::new(coding, 3).unwrap();
        let mut coded = Vec::new();
        for event in ["data: one\n\n", "data: two\n\n"] {
            coder.push(event.as_bytes());
            coder.flush();
            coder.drain(|out| coded.extend_from_slice(out));
            assert!(decoded(coding, &coded).ends_with(event.as_bytes()), "{}", coding.name());
        }
        coder.flush();
        assert!(coder.drain(<[u8]>::is_empty), "nothing new, nothing to flush");
    }
}

proptest! {
    #[test]
    fn pieces_come_out_as_they_went_in(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..20), flushes in any::<u32>()) {
        for coding in ALL {
            let mut coder = Coder::new(coding, 4).unwrap();
            let mut coded = Vec::new();
            for (at, piece) in pieces.iter().enumerate() {
                coder.push(piece);
                if flushes >> (at % 32) & 1 == 1 {
                    coder.flush();
                }
                coder.drain(|out| coded.extend_from_slice(out));
            }
            coder.finish();
            coder.drain(|out| coded.extend_from_slice(out));
            prop_assert_eq!(decoded(coding, &coded), pieces.concat());
        }
    }
}
