//! Counting system calls of running processes from outside: `perf stat` where the kernel lets it count (it disturbs
//! little), else `strace -c`.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::Group;

/// Between two looks whether the counting program has ended.
const SLICE: Duration = Duration::from_millis(20);

/// Counts the system calls that `processes` make within `duration`; `meanwhile` keeps the load running.
pub(crate) fn count(
    processes: &[u32],
    duration: Duration,
    cores: &[usize],
    folder: &Path,
    mut meanwhile: impl FnMut(Duration) -> io::Result<()>,
) -> io::Result<u64> {
    let perf = with_perf(processes, duration, cores, folder, &mut meanwhile);
    match perf {
        Ok(count) => Ok(count),
        Err(_) => with_strace(processes, duration, cores, folder, &mut meanwhile),
    }
}

fn with_perf(
    processes: &[u32],
    duration: Duration,
    cores: &[usize],
    folder: &Path,
    meanwhile: &mut impl FnMut(Duration) -> io::Result<()>,
) -> io::Result<u64> {
    let report = folder.join("perf.csv");
    let list: Vec<String> = processes.iter().map(u32::to_string).collect();
    let mut command = Command::new("perf");
    command.args(["stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-p", &list.join(",")]);
    command.arg("-o").arg(&report).args(["--", "sleep", &duration.as_secs_f64().to_string()]);
    let mut group = Group::start(command, cores, &folder.join("perf.log"))?;
    while group.ended()?.is_none() {
        meanwhile(SLICE)?;
    }
    let text = fs::read_to_string(report)?;
    perf_count(&text).ok_or_else(|| io::Error::other("perf stat counted nothing"))
}

fn with_strace(
    processes: &[u32],
    duration: Duration,
    cores: &[usize],
    folder: &Path,
    meanwhile: &mut impl FnMut(Duration) -> io::Result<()>,
) -> io::Result<u64> {
    let report = folder.join("strace.txt");
    let mut command = Command::new("strace");
    command.args(["-c", "-f", "-o"]).arg(&report);
    for process in processes {
        command.arg("-p").arg(process.to_string());
    }
    let mut group = Group::start(command, cores, &folder.join("strace.log"))?;
    meanwhile(duration)?;
    group.interrupt()?;
    let limit = Instant::now() + Duration::from_secs(5);
    while group.ended()?.is_none() && Instant::now() < limit {
        meanwhile(SLICE)?;
    }
    strace_count(&fs::read_to_string(report)?).ok_or_else(|| io::Error::other("neither perf nor strace could count"))
}

/// The first column of the line about the event.
fn perf_count(report: &str) -> Option<u64> {
    report.lines().find(|line| line.contains("raw_syscalls:sys_enter"))?.split(',').next()?.parse().ok()
}

/// The column "calls" of the line "total".
fn strace_count(report: &str) -> Option<u64> {
    report.lines().find(|line| line.trim_end().ends_with(" total"))?.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read() {
        let perf = "# started\n\n16012,,raw_syscalls:sys_enter,4051299,100.00,,\n";
        assert_eq!(perf_count(perf), Some(16_012));
        assert_eq!(perf_count("<not counted>,,raw_syscalls:sys_enter,0,0.00,,"), None);
        let strace = "% time seconds usecs/call calls errors syscall\n100.00 0.001 2 512 3 total\n";
        assert_eq!(strace_count(strace), Some(512));
    }
}
