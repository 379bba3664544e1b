//! What a proxy used while it was loaded: clocks read before and after, and their difference.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use crate::load::{Tally, percentile_us};
use crate::process::{self, Cpu, Group};

/// Quantities by name.
pub(crate) type Values = BTreeMap<String, f64>;

/// The clocks at the beginning of a measured stretch.
pub(crate) struct Clocks {
    begun: Instant,
    proxy: Cpu,
    harness: Duration,
    machine: Duration,
}

/// What one or several stretches cost.
#[derive(Default)]
pub(crate) struct Cost {
    cpu: Duration,
    user_ticks: u64,
    system_ticks: u64,
    wall: Duration,
    /// CPU time that neither the proxy nor the harness used.
    foreign: Duration,
    /// The 99th percentile of each stretch of an open loop, in microseconds.
    p99s_us: Vec<f64>,
    pub(crate) tally: Tally,
}

impl Clocks {
    pub(crate) fn read(group: &Group) -> io::Result<Clocks> {
        let (machine, harness) = (process::machine_cpu()?, process::own_cpu()?);
        Ok(Clocks { machine, harness, proxy: group.cpu()?, begun: Instant::now() })
    }

    /// What was used since these clocks were read, for the exchanges of `tally`.
    pub(crate) fn cost(self, group: &Group, mut tally: Tally) -> io::Result<Cost> {
        let wall = self.begun.elapsed();
        let proxy = group.cpu()?;
        let cpu = proxy.total.saturating_sub(self.proxy.total);
        let harness = process::own_cpu()?.saturating_sub(self.harness);
        let machine = process::machine_cpu()?.saturating_sub(self.machine);
        Ok(Cost {
            cpu,
            user_ticks: proxy.user_ticks.saturating_sub(self.proxy.user_ticks),
            system_ticks: proxy.system_ticks.saturating_sub(self.proxy.system_ticks),
            wall,
            foreign: machine.saturating_sub(cpu + harness),
            p99s_us: if tally.latencies_ns.is_empty() {
                Vec::new()
            } else {
                tally.latencies_ns.sort_unstable();
                vec![percentile_us(&tally.latencies_ns, 0.99)]
            },
            tally,
        })
    }
}

impl Cost {
    pub(crate) fn add(&mut self, other: Cost) {
        self.cpu += other.cpu;
        self.user_ticks += other.user_ticks;
        self.system_ticks += other.system_ticks;
        self.wall += other.wall;
        self.foreign += other.foreign;
        self.p99s_us.extend(other.p99s_us);
        self.tally.add(other.tally);
    }

    /// CPU µs per completed request.
    pub(crate) fn per_request_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.tally.completed as f64
    }

    /// Everything that can be told; an error when no request was answered rightly.
    pub(crate) fn values(mut self) -> io::Result<Values> {
        if self.tally.completed == 0 {
            return Err(io::Error::other(format!("no right answer: {} errors", self.tally.errors())));
        }
        let ticks = (self.user_ticks + self.system_ticks).max(1);
        let mut all = values([
            ("cpu_us", self.per_request_us()),
            ("cpu_s_per_gb", self.cpu.as_secs_f64() * 1e9 / self.tally.body_bytes.max(1) as f64),
            ("user_share", self.user_ticks as f64 / ticks as f64),
            ("busy", self.cpu.as_secs_f64() / self.wall.as_secs_f64()),
            ("foreign", self.foreign.as_secs_f64() / self.wall.as_secs_f64()),
            ("per_second", self.tally.completed as f64 / self.wall.as_secs_f64()),
            ("errors", self.tally.errors() as f64),
            ("resumed", self.tally.resumed as f64 / self.tally.completed as f64),
        ]);
        if !self.tally.latencies_ns.is_empty() {
            self.tally.latencies_ns.sort_unstable();
            self.tally.late_ns.sort_unstable();
            self.p99s_us.sort_by(f64::total_cmp);
            all.extend(values([
                ("p50_us", percentile_us(&self.tally.latencies_ns, 0.50)),
                ("p99_us", self.p99s_us.get(self.p99s_us.len() / 2).copied().unwrap_or(f64::NAN)),
                ("p99_all_us", percentile_us(&self.tally.latencies_ns, 0.99)),
                ("late_us", percentile_us(&self.tally.late_ns, 0.99)),
            ]));
        }
        Ok(all)
    }
}

/// Named quantities.
pub(crate) fn values<const N: usize>(pairs: [(&str, f64); N]) -> Values {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
