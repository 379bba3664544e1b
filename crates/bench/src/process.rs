//! Proxies as process groups: started on chosen cores, killed whole when dropped, and ended by the kernel when this
//! process dies in any way.
#![allow(unsafe_code, reason = "one hook between fork and exec, and the CPU clock of another process")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, waitid};
use rustix::thread::CpuSet;

/// How long a proxy may take to end when asked.
const STOP_LIMIT: Duration = Duration::from_millis(500);

/// A running proxy with all its processes.
pub(crate) struct Group {
    child: Child,
    leader: Pid,
}

/// CPU time of a process group since its start.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Cpu {
    /// User and system time together, exact to the nanosecond.
    pub(crate) total: Duration,
    /// The same two as the kernel's tick counters see them; good for the share, too coarse for the sum.
    pub(crate) user_ticks: u64,
    pub(crate) system_ticks: u64,
}

impl Group {
    /// Starts `command` on `cores`, with its output in `log`.
    pub(crate) fn start(mut command: Command, cores: &[usize], log: &Path) -> io::Result<Group> {
        let output = fs::File::create(log)?;
        let mut set = CpuSet::new();
        cores.iter().for_each(|core| set.set(*core));
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
        let parent = rustix::process::getpid();
        // SAFETY: between fork and exec the hook makes three bare system calls; it neither allocates nor takes a lock.
        unsafe {
            command.pre_exec(move || {
                rustix::thread::sched_setaffinity(None, &set)?;
                rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
                // The parent may have died before the line above took effect.
                if rustix::process::getppid() != Some(parent) {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                Ok(())
            });
        }
        let child = command.spawn()?;
        let leader = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Group { child, leader })
    }

    /// The exit status in words, when the leader has ended by itself.
    pub(crate) fn ended(&mut self) -> io::Result<Option<String>> {
        Ok(self.child.try_wait()?.map(|status| status.to_string()))
    }

    /// Sends the leader what Ctrl-C would.
    pub(crate) fn interrupt(&self) -> io::Result<()> {
        Ok(rustix::process::kill_process(self.leader, Signal::INT)?)
    }

    /// The numbers of all processes in the group.
    pub(crate) fn processes(&self) -> io::Result<Vec<u32>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            if stat_field(&format!("/proc/{id}/stat"), 4) == Some(u64::from(self.child.id())) {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// CPU time of all processes in the group.
    pub(crate) fn cpu(&self) -> io::Result<Cpu> {
        let mut sum = Cpu::default();
        for id in self.processes()? {
            let stat = format!("/proc/{id}/stat");
            sum.user_ticks += stat_field(&stat, 13).unwrap_or(0);
            sum.system_ticks += stat_field(&stat, 14).unwrap_or(0);
            sum.total += cpu_clock(id)?;
        }
        Ok(sum)
    }

    /// CPU ticks of every thread in the group, by the thread's number.
    pub(crate) fn thread_ticks(&self) -> io::Result<BTreeMap<u32, u64>> {
        let mut ticks = BTreeMap::new();
        for id in self.processes()? {
            for task in fs::read_dir(format!("/proc/{id}/task"))? {
                let path = task?.path();
                let Some(thread) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
                let stat = path.join("stat");
                let stat = stat.to_string_lossy();
                ticks.insert(thread, stat_field(&stat, 13).unwrap_or(0) + stat_field(&stat, 14).unwrap_or(0));
            }
        }
        Ok(ticks)
    }

    /// Anonymous memory of the group in bytes; pages that its processes share count once.
    pub(crate) fn private_bytes(&self) -> io::Result<u64> {
        let mut kilobytes = 0;
        for id in self.processes()? {
            let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
            kilobytes += rollup
                .lines()
                .find_map(|line| line.strip_prefix("Pss_Anon:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
                .unwrap_or(0);
        }
        Ok(kilobytes * 1024)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A leader that ends by itself reaps its workers; the rest, whatever it is, is killed. While the leader is not
        // reaped its number still means this group.
        let _ = rustix::process::kill_process(self.leader, Signal::TERM);
        let limit = Instant::now() + STOP_LIMIT;
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(self.leader), look), Ok(None)) && Instant::now() < limit {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = rustix::process::kill_process_group(self.leader, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// A number from a `stat` file of /proc; `field` counts from 0, where proc(5) counts from 1.
fn stat_field(path: &str, field: usize) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    // The command's name may hold spaces and parentheses: the fields after it begin behind the last parenthesis.
    let after_name = text.get(text.rfind(')')? + 1..)?;
    after_name.split_whitespace().nth(field - 2)?.parse().ok()
}

/// CPU time that all threads of a process have used, those that have ended included (clock_getcpuclockid(3)).
fn cpu_clock(process: u32) -> io::Result<Duration> {
    let process = libc::pid_t::try_from(process).map_err(io::Error::other)?;
    let mut clock: libc::clockid_t = 0;
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: both calls write only to the places given, which are valid; all-zero bytes are a valid timespec.
    let time = unsafe {
        if libc::clock_getcpuclockid(process, &raw mut clock) != 0 || libc::clock_gettime(clock, time.as_mut_ptr()) != 0
        {
            return Err(io::Error::last_os_error());
        }
        time.assume_init()
    };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Ok(Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0)))
}

/// CPU time of this process since its start.
pub(crate) fn own_cpu() -> io::Result<Duration> {
    cpu_clock(std::process::id())
}

/// CPU time of everything on the machine since its start, what a hypervisor took away included; whole ticks of 10 ms.
pub(crate) fn machine_cpu() -> io::Result<Duration> {
    // /proc/stat, proc(5): user, nice, system, idle, iowait, irq, softirq, steal.
    const IDLE: [usize; 2] = [3, 4];
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().and_then(|line| line.strip_prefix("cpu ")).unwrap_or_default();
    let ticks = line.split_whitespace().take(8).enumerate().filter(|(field, _)| !IDLE.contains(field));
    Ok(Duration::from_millis(10 * ticks.filter_map(|(_, number)| number.parse::<u64>().ok()).sum::<u64>()))
}

/// Binds the calling thread to `cores`; programs started later choose their own.
pub(crate) fn pin(cores: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

/// The cores this process may use.
pub(crate) fn cores() -> io::Result<Vec<usize>> {
    let set = rustix::thread::sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect())
}

/// Puts this process and what it starts before others, in its scheduling group too; tells whether that was allowed.
pub(crate) fn prefer(nice: i32) -> bool {
    let process = rustix::process::setpriority_process(None, nice).is_ok();
    // Without sched_autogroup there is no such file and nothing to do.
    let group = match fs::write("/proc/self/autogroup", nice.to_string()) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    process && group
}

/// Raises the limit of open files towards `files` as far as allowed; returns what it is now.
pub(crate) fn raise_file_limit(files: u64) -> u64 {
    let wanted = Rlimit { current: Some(files), maximum: Some(files) };
    if rustix::process::setrlimit(Resource::Nofile, wanted).is_err() {
        let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
        let allowed = Rlimit { current: maximum.map(|limit| limit.min(files)), maximum };
        let _ = rustix::process::setrlimit(Resource::Nofile, allowed);
    }
    rustix::process::getrlimit(Resource::Nofile).current.unwrap_or(files)
}
