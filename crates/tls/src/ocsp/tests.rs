#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice)]

use super::der::{Element, children, element, time, wrap};
use super::*;
use proptest::prelude::*;

#[test]
fn elements_are_read_as_they_are_written() {
    for length in [0, 1, 127, 128, 255, 256, 70_000] {
        let written = wrap(0x30, &vec![7; length]);
        let (read, rest) = element(&written).unwrap();
        assert_eq!((read.tag, read.content.len(), read.whole.len(), rest.len()), (0x30, length, written.len(), 0));
    }
    for wrong in [&[][..], &[0x30], &[0x30, 1], &[0x30, 0x80], &[0x30, 0x81, 5, 0, 0, 0, 0, 0], &[0x30, 0x82, 0, 200]] {
        assert!(element(wrong).is_none(), "{wrong:?}");
    }
}

#[test]
fn times_are_read() {
    let of = |text: &str| time(&Element { tag: 0x18, content: text.as_bytes(), whole: &[] });
    assert_eq!(of("19700101000000Z"), Some(0));
    assert_eq!(of("20260228235959Z"), Some(1_772_323_199));
    for wrong in ["20260229000000Z", "2026022800000Z", "20260228250000Z", "20260228000000+", "+0260228000000Z"] {
        assert_eq!(of(wrong), None, "{wrong}");
    }
}

#[test]
fn a_request_names_the_certificate_by_its_issuer_and_number() {
    let id = [Box::from([1_u8; 20]), Box::from([2_u8; 20]), Box::from([3_u8])];
    let written = request(&id);
    let (mut inner, _) = element(&written).unwrap();
    for _ in 0..4 {
        inner = children(inner.content).unwrap()[0];
    }
    let parts = children(inner.content).unwrap();
    assert_eq!(parts[0].whole, SHA1);
    let contents: Vec<&[u8]> = parts[1..].iter().map(|part| part.content).collect();
    assert_eq!(contents, [&[1; 20][..], &[2; 20], &[3]]);
}

fn order() -> OcspOrder {
    let id = [Box::from([1_u8; 20]), Box::from([2_u8; 20]), Box::from([3_u8])];
    let (label, fingerprint, url) = ("a".into(), "b".into(), "http://localhost/".into());
    OcspOrder { label, fingerprint, url, request: Box::default(), id, issuer: CertificateDer::from(vec![0x30, 0]) }
}

#[test]
fn a_responder_that_gives_no_answer_says_why() {
    assert_eq!(order().judge(&[0x30, 3, 0x0a, 1, 3], 0).unwrap_err(), "it asks to try again later");
    assert_eq!(
        order().judge(&[0x30, 3, 0x0a, 1, 6], 0).unwrap_err(),
        "it is not authorized to answer for this certificate"
    );
    assert_eq!(order().judge(b"<html>", 0).unwrap_err(), "its answer is no OCSP response");
}

proptest! {
    #[test]
    fn nothing_that_comes_is_believed_or_breaks_anything(response in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(order().judge(&response, 0).is_err());
    }
}
