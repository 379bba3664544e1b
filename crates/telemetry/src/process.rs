//! What the system says about this process.

use std::fs;
use std::time::Duration;

/// Figures of the process, under the names Prometheus' own clients use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProcessFigures {
    /// User and system time used.
    pub cpu: Duration,
    /// Resident memory in octets.
    pub resident_bytes: u64,
    /// Open file descriptors.
    pub open_files: u64,
    /// File descriptors that may be open; `None` for any number.
    pub open_files_max: Option<u64>,
    /// When the process started, in seconds since 1970-01-01 UTC.
    pub start_s: f64,
}

impl ProcessFigures {
    /// Reads the figures of now. `None` where `/proc` is not mounted.
    pub fn read() -> Option<Self> {
        let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Some(Self {
            cpu: Duration::try_from(cpu).ok()?,
            resident_bytes: resident_bytes()?,
            open_files: fs::read_dir("/proc/self/fd").ok()?.count() as u64,
            open_files_max: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
            start_s: start_s()?,
        })
    }
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(kilobytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The boot of the machine plus the process's age at birth, in ticks: field 22 of proc_pid_stat(5).
fn start_s() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses and may hold spaces; the third follows it.
    let (_, from_third) = stat.rsplit_once(") ")?;
    let ticks: f64 = from_third.split(' ').nth(22 - 3)?.parse().ok()?;
    let boot = fs::read_to_string("/proc/stat").ok()?;
    let boot: f64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + ticks / rustix::param::clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::ProcessFigures;
    use std::time::SystemTime;

    #[test]
    fn this_process_is_known() {
        let figures = ProcessFigures::read().unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
        assert!(figures.resident_bytes > 100_000);
        assert!(figures.open_files >= 3);
        assert!(figures.open_files_max.is_none_or(|max| max >= figures.open_files));
        assert!((now - 86_400.0..now + 5.0).contains(&figures.start_s), "{figures:?}");
    }
}
