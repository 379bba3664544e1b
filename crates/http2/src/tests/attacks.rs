//! Floods end the connection after a bounded number of frames, and what they cost meanwhile is bounded. A well-behaved
//! client that does the same things in measure is served.

use super::drive::{Driven, data, frame, get, headers, opening, post, reset, settings, window_update};
use crate::{Event, Limits, Misdeed};
use strait_message::{BodyLength, ResponseHead, Status};

/// Feeds rounds of frames until the connection ends; how many it took.
fn rounds_until_end(mut round: impl FnMut(u32) -> Vec<u8>) -> u32 {
    let mut driven = Driven::open();
    for n in 0..5_000 {
        match driven.feed(&round(n)) {
            Ok(events) => {
                for event in events {
                    // What a proxy does: it gives a stream up once it hears that it was reset.
                    if let Event::Reset { stream, .. } = event {
                        driven.connection.release(stream);
                    }
                }
            }
            Err(misdeed) => {
                assert_eq!(misdeed, Misdeed::NoProgress);
                return n;
            }
        }
        driven.sent();
        assert!(driven.connection.capacity() < 64 * 1024);
    }
    panic!("it never ended");
}

/// One round of a flood, by its number.
type Round = Box<dyn FnMut(u32) -> Vec<u8>>;

#[test]
fn every_flood_ends_the_connection_within_500_rounds() {
    let id = |n: u32| 2 * n + 1;
    let floods: [(&str, Round); 10] = [
        ("rapid reset", Box::new(move |n| [get(id(n)), reset(id(n))].concat())),
        ("resets that we are made to send", Box::new(move |n| [post(id(n)), window_update(id(n), 0)].concat())),
        ("malformed heads", Box::new(move |n| headers(id(n), 5, &[(":method", "GET")]))),
        ("data behind the end", Box::new(move |n| [get(id(n)), data(id(n), 0, b"x")].concat())),
        ("pings", Box::new(|_| frame(6, 0, 0, &[0; 8]))),
        ("settings", Box::new(|_| settings(&[(4, 100)]))),
        ("priorities", Box::new(|_| frame(2, 0, 1, &[0; 5]))),
        ("priority updates", Box::new(|_| frame(0x10, 0, 0, &[0, 0, 0, 1, b'u']))),
        ("window updates", Box::new(|_| window_update(0, 1))),
        ("unknown frames", Box::new(|_| frame(0x42, 0, 0, &[]))),
    ];
    for (name, flood) in floods {
        let rounds = rounds_until_end(flood);
        assert!((100..500).contains(&rounds), "{name}: {rounds}");
    }
}

#[test]
fn empty_frames_of_one_stream_end_the_connection() {
    let mut driven = Driven::open();
    driven.feed(&post(1)).unwrap();
    let ended = (0..500).find(|_| driven.feed(&data(1, 0, b"")).is_err());
    assert!(ended.is_some());
}

#[test]
fn resets_among_requests_that_are_served_are_forgiven() {
    let mut driven = Driven::open();
    for n in 0..4_000u32 {
        let stream = 2 * n + 1;
        let cancelled = n % 4 == 0;
        let input = if cancelled { [get(stream), reset(stream)].concat() } else { get(stream) };
        for event in driven.feed(&input).unwrap() {
            match event {
                Event::Request { stream, .. } if !cancelled => {
                    driven.connection.send_head(stream, &ResponseHead::new(Status::OK), BodyLength::None, b"").unwrap();
                    driven.connection.release(stream);
                }
                Event::Reset { stream, .. } => driven.connection.release(stream),
                _ => {}
            }
        }
        driven.sent();
    }
    assert_eq!(driven.connection.failure(), None);
}

#[test]
fn time_earns_the_allowance_back() {
    let mut driven = Driven::open();
    for second in 0..2_000 {
        driven.now_ms = second * 1_000;
        driven.feed(&frame(6, 0, 0, &[0; 8])).unwrap();
        driven.sent();
    }
}

#[test]
fn a_reset_stream_counts_until_it_is_released() {
    let mut driven = Driven::open();
    for n in 0..128 {
        driven.feed(&[get(2 * n + 1), reset(2 * n + 1)].concat()).unwrap();
    }
    assert_eq!(driven.connection.streams(), 128);
    driven.feed(&get(257)).unwrap();
    assert_eq!(driven.connection.figures().streams_refused, 1);
}

#[test]
fn a_peer_that_does_not_read_stops_being_read() {
    let mut driven = Driven::server();
    driven.feed(&opening()).unwrap();
    let mut now_ms = 0;
    while driven.connection.wants_input() {
        now_ms += 200;
        driven.now_ms = now_ms;
        driven.feed(&frame(6, 0, 0, &[0; 8])).unwrap();
    }
    assert!(driven.connection.output().len() < 3 * Limits::default().output_bytes_max as usize);
}

#[test]
fn a_window_that_never_opens_holds_nothing_and_is_told() {
    let mut driven = Driven::open();
    driven.feed(&settings(&[(4, 0)])).unwrap();
    let events = driven.feed(&get(1)).unwrap();
    let Some(&Event::Request { stream, .. }) = events.first() else { panic!("{events:?}") };
    driven.connection.send_head(stream, &ResponseHead::new(Status::OK), BodyLength::Unknown, b"").unwrap();
    driven.sent();
    assert_eq!(driven.connection.send_data(stream, &[0; 50_000], false), Ok(0));
    assert_eq!(driven.connection.stalled_ms(stream, 12_000), Some(12_000));
    assert!(driven.connection.output().is_empty());
}
