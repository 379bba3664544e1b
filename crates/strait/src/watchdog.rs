//! The watchdog of the service manager: it is told that all is well as long as every worker reads its mail.

use crate::notify;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use strait_dataplane::Fleet;
use strait_plan::Workers as _;

/// Starts telling, for the life of the process, if the service manager asked for it (`WatchdogSec=`).
///
/// # Errors
/// What the system says when the thread cannot be started.
pub(crate) fn start(fleet: Arc<Fleet>) -> std::io::Result<()> {
    let variable = |name| std::env::var(name).ok();
    let asked = interval(variable("WATCHDOG_USEC").as_deref(), variable("WATCHDOG_PID").as_deref(), std::process::id());
    if let Some(interval) = asked {
        std::thread::Builder::new().name("watchdog".into()).spawn(move || tell(&fleet, interval))?;
    }
    Ok(())
}

/// How often to tell: twice as often as asked for, as sd_watchdog_enabled(3) advises.
fn interval(microseconds: Option<&str>, pid: Option<&str>, own: u32) -> Option<Duration> {
    let meant = pid.is_none_or(|pid| pid.parse() == Ok(own));
    let microseconds: u64 = microseconds?.parse().ok().filter(|limit| *limit > 1 && meant)?;
    Some(Duration::from_micros(microseconds / 2))
}

fn tell(fleet: &Fleet, interval: Duration) {
    loop {
        let answered = fleet.ask_all();
        std::thread::sleep(interval);
        // One that hangs answers nothing, and the service manager ends the process when it has heard nothing for long.
        if answered.load(Ordering::Acquire) == fleet.meters().len() {
            notify::tell("WATCHDOG=1");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::interval;
    use std::time::Duration;

    #[test]
    fn it_tells_twice_as_often_as_asked_and_only_when_it_is_meant() {
        assert_eq!(interval(Some("10000000"), None, 7), Some(Duration::from_secs(5)));
        assert_eq!(interval(Some("10000000"), Some("7"), 7), Some(Duration::from_secs(5)));
        for (asked, pid) in [(None, None), (Some("10000000"), Some("8")), (Some("0"), None), (Some("soon"), None)] {
            assert_eq!(interval(asked, pid, 7), None);
        }
    }
}
