use super::{CLIENTS_MAX, FAILURES_MAX, QUEUED_BYTES_MAX, Sightings, clients::Clients, failures::Failures, recent};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use strait_message::{Fault, Kind, Phase, Status};
use strait_record::{AccessRecord, End, Sights, Wanted};

fn refused(id: &str) -> AccessRecord<'_> {
    let end = End::Fault(Fault::upstream(Phase::Connect, Kind::Refused));
    AccessRecord { request_id: id, end, ..AccessRecord::default() }
}

fn not_found(id: &str) -> AccessRecord<'_> {
    AccessRecord { end: End::Fault(Fault::operator(Phase::Route, Kind::NoRoute)), ..refused(id) }
}

fn batch(records: &[AccessRecord<'_>]) -> Sights {
    let mut sights = Sights::default();
    records.iter().for_each(|record| sights.push(record, b"", Wanted::default(), std::iter::empty()));
    sights
}

fn until<T>(look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "never came");
        std::thread::yield_now();
    }
}

#[test]
fn failures_are_found_by_their_id() {
    let sightings = Sightings::start().unwrap();
    let well = AccessRecord { status: Some(Status::OK), end: End::Complete, ..refused("b") };
    let error = AccessRecord { status: Some(Status::BAD_GATEWAY), end: End::Complete, ..refused("c") };
    assert!(sightings.sink().submit(batch(&[refused("a"), well, error])));
    let found = until(|| sightings.failure("c"));
    assert_eq!(found.iter().next().unwrap().record.request_id, "c");
    assert!(sightings.failure("a").is_some() && sightings.failure("b").is_none());
    assert_eq!(sightings.failures().len(), 2);
    sightings.stop(Duration::from_secs(1));
}

#[test]
fn what_clients_do_wrong_pushes_out_nothing_else() {
    let mut failures = Failures::default();
    let mut add = |record: &AccessRecord<'_>| batch(&[*record]).iter().for_each(|sight| failures.add(&sight));
    add(&refused("matters"));
    (0..FAILURES_MAX + 5).for_each(|number| add(&not_found(&number.to_string())));
    assert!(failures.find("matters").is_some() && failures.find("4").is_none() && failures.find("5").is_some());
    assert_eq!(failures.latest().len(), FAILURES_MAX + 1);
}

#[test]
fn those_who_watch_see_everything_once() {
    let sightings = Sightings::start().unwrap();
    let mut sink = sightings.sink();
    assert!(!sink.watched().is_on());
    sightings.watch();
    assert!(sink.watched().is_on());
    let from = sightings.next_number();
    sink.submit(batch(&[not_found("1"), not_found("2")]));
    sink.submit(batch(&[not_found("3")]));
    until(|| (sightings.next_number() == from + 3).then_some(()));
    let (batches, missed) = sightings.since(from + 1);
    let ids: Vec<String> = batches
        .iter()
        .flat_map(|(first, sights)| (*first..).zip(sights.iter()).map(|(n, s)| (n, s.record.request_id.to_owned())))
        .filter(|(number, _)| *number > from)
        .map(|(_, id)| id)
        .collect();
    assert_eq!((ids, missed), (vec!["2".to_owned(), "3".to_owned()], 0));
    assert_eq!(sightings.clients().first().unwrap().exchanges, 3);
}

#[test]
fn what_nobody_asks_for_is_forgotten_and_said_to_be() {
    let mut recent = recent::Recent::default();
    let sights = Arc::new(batch(&[refused("a")]));
    let enough = recent::RECENT_BYTES_MAX / sights.octets() + 10;
    (0..enough).for_each(|_| recent.add(sights.clone()));
    let (kept, missed) = recent.since(0);
    assert_eq!(kept.len() as u64 + missed, enough as u64);
    assert!(missed >= 10);
}

#[test]
fn clients_are_told_apart_up_to_a_limit() {
    let mut clients = Clients::default();
    for number in 0..CLIENTS_MAX as u32 + 3 {
        let address = IpAddr::from(Ipv4Addr::from(number));
        clients.count(&AccessRecord { client: Some((address, 1).into()), ..refused("") });
    }
    let figures = clients.figures();
    assert_eq!((figures.len(), figures[0].client, figures[0].exchanges), (CLIENTS_MAX + 1, None, 3));
    assert_eq!(figures[0].errors, 3);
}

#[test]
fn a_queue_that_is_full_takes_no_more() {
    let sightings = Sightings::start().unwrap();
    sightings.shared.queued_bytes.store(QUEUED_BYTES_MAX, std::sync::atomic::Ordering::Relaxed);
    assert!(!sightings.sink().submit(batch(&[refused("a")])));
}
