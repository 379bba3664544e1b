//! Whatever arrives, nothing panics, memory is bounded, and where octets are cut does not matter.

use super::drive::{Driven, data, frame, get, headers, opening, post, reset, window_update};
use crate::{Connection, Limits};
use proptest::prelude::*;

/// Frames that mean something together more often than chance would have it.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let stream = (0u32..6).prop_map(|n| 2 * n + 1);
    let one = prop_oneof![
        4 => stream.clone().prop_map(get),
        4 => stream.clone().prop_map(post),
        4 => (stream.clone(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..50))
            .prop_map(|(stream, end, octets)| data(stream, u8::from(end), &octets)),
        2 => stream.clone().prop_map(reset),
        2 => (stream.clone(), 0u32..100).prop_map(|(stream, octets)| window_update(stream, octets)),
        2 => stream.prop_map(|stream| headers(stream, 5, &[("x", "1")])),
        1 => (any::<u8>(), any::<u8>(), 0u32..12, proptest::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(kind, flags, stream, payload)| frame(kind % 18, flags, stream, &payload)),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(one, 0..40).prop_map(|frames| frames.concat())
}

/// Everything that a connection says and writes about some input, in pieces of the given sizes.
fn story(input: &[u8], mut sizes: impl Iterator<Item = usize>) -> String {
    let mut driven = Driven::server();
    let mut rest = input;
    let mut failed = None;
    while !rest.is_empty() && failed.is_none() {
        let (piece, behind) = rest.split_at(sizes.next().unwrap_or(1).clamp(1, rest.len()));
        rest = behind;
        failed = driven.feed(piece).err();
    }
    assert!(driven.connection.capacity() < 256 * 1024);
    let sent = driven.sent();
    format!("{:?} {failed:?} {:?} {sent:?}", driven.log, driven.body)
}

proptest! {
    #[test]
    fn cuts_do_not_matter(input in frames(), sizes in proptest::collection::vec(1usize..40, 1..20)) {
        let input = [opening(), input].concat();
        let whole = story(&input, std::iter::repeat(usize::MAX));
        prop_assert_eq!(&story(&input, std::iter::repeat(1)), &whole);
        prop_assert_eq!(&story(&input, sizes.into_iter().cycle()), &whole);
    }

    #[test]
    fn a_client_survives_any_server(input in frames()) {
        let mut client = Driven::with(Connection::client(Limits::default(), 0));
        for octets in input.chunks(7) {
            if client.feed(octets).is_err() {
                break;
            }
        }
        prop_assert!(client.connection.capacity() < 256 * 1024);
    }
}
