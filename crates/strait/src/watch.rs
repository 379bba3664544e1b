//! Watches the files of a configuration: `strait run --watch`.
//!
//! Files are looked at twice a second rather than subscribed to: that sees the swapped links of mounted volumes, files
//! that editors replace and network file systems alike, and costs a few system calls.

use crate::reload::Reloader;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often the files are looked at. A change is taken up when it has stood still for one interval, so that a file
/// that is being written is not read.
const INTERVAL: Duration = Duration::from_millis(500);

/// What tells a file from what it was: its inode, size and time of change; `None` when it is not there.
type Look = Option<(u64, u64, i64, i64)>;

/// Starts watching, for the life of the process.
///
/// # Errors
/// What the system says when the thread cannot be started.
pub(crate) fn start(reloader: Arc<Mutex<Reloader>>) -> std::io::Result<()> {
    std::thread::Builder::new().name("watch".into()).spawn(move || watch(&reloader))?;
    Ok(())
}

fn watch(reloader: &Mutex<Reloader>) {
    // Nothing is known at first: what changed between the start and the first look is found by reading once.
    let mut taken_up = Vec::new();
    let mut before = look_at_all(reloader);
    loop {
        std::thread::sleep(INTERVAL);
        let now = look_at_all(reloader);
        let settled = now == before;
        if settled && now != taken_up {
            if let Ok(mut reloader) = reloader.lock() {
                reloader.reload_if_changed();
            }
            // Other files may be watched from now on.
            taken_up = look_at_all(reloader);
        }
        before = now;
    }
}

fn look_at_all(reloader: &Mutex<Reloader>) -> Vec<(PathBuf, Look)> {
    let paths = reloader.lock().map(|reloader| reloader.watched()).unwrap_or_default();
    paths.into_iter().map(|path| (path.clone(), look(&path))).collect()
}

fn look(path: &Path) -> Look {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec()))
}
