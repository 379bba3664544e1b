//! Prints what writing one access record costs: `cargo run --release -p strait-record --example record_cost`.
#![allow(clippy::disallowed_methods, reason = "measures time")]

use std::hint::black_box;
use std::time::{Duration, Instant};
use strait_message::{Fault, Kind, Method, Phase, Status, Version};
use strait_record::{AccessRecord, End, Format};

const ROUND: u32 = 200_000;

fn main() {
    let fault = End::Fault(Fault::upstream(Phase::Connect, Kind::Refused));
    let hostile = AccessRecord { user_agent: &[0xff; 100], ..record(End::Complete) };
    for (name, record, format) in [
        ("json, complete", record(End::Complete), Format::Json),
        ("json, fault", record(fault), Format::Json),
        ("json, 100 malformed octets", hostile, Format::Json),
        ("text", record(End::Complete), Format::Text { color: false }),
        ("text, coloured", record(End::Complete), Format::Text { color: true }),
    ] {
        let mut line = Vec::new();
        record.write(format, &mut line);
        let ns = (0..9).map(|_| cost(&record, format)).min().unwrap_or_default().as_nanos() / u128::from(ROUND);
        println!("{name:28} {ns:4} ns  {:4} octets", line.len());
    }
}

/// The time of one round. Batches are written into a buffer that is emptied, as a worker does.
fn cost(record: &AccessRecord<'_>, format: Format) -> Duration {
    let mut out = Vec::with_capacity(64 * 1024);
    let start = Instant::now();
    for _ in 0..ROUND {
        black_box(record).write(black_box(format), &mut out);
        if out.len() > 60 * 1024 {
            black_box(&out);
            out.clear();
        }
    }
    start.elapsed()
}

fn record(end: End) -> AccessRecord<'static> {
    AccessRecord {
        time_us: 1_762_344_896_789_012,
        request_id: "019a5394-1d15-7c3e-8b1a-2f6f0c9d1e42",
        client: Some(([203, 0, 113, 195], 51_234).into()),
        listener: "web",
        worker: 1,
        generation: 3,
        method: Some(Method::Get),
        host: b"shop.example.com",
        path: b"/products/1234/reviews",
        query: b"page=2&sort=newest",
        version: Version::Http11,
        tls: None,
        user_agent:
            b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        referer: b"",
        route: "shop.example.com/*",
        upstream: "shop",
        endpoint: "10.0.0.12:3000",
        attempts: 1,
        reused: true,
        status: Some(Status::OK),
        upstream_status: Some(Status::OK),
        request_bytes: 0,
        response_bytes: 1024,
        duration_us: 1234,
        first_byte_us: 1180,
        connect_us: 0,
        trace: None,
        end,
    }
}
