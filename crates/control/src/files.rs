//! Files that a plan was made from, watched: when one changes, whoever asked is told.
//!
//! They are looked at every few seconds instead of by notifications of the kernel: those miss what lies behind mounts
//! and links (Kubernetes swaps a link to a folder), and a certificate that is taken up some seconds later is none too
//! late.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How often files are looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(3);
/// How often a watch says that time has passed: keys of tickets rotate, certificates of the local authority are
/// renewed.
pub const TURN_EVERY: Duration = Duration::from_secs(6 * 3600);

/// What is called with the files that changed.
pub type Changed = Box<dyn FnMut(&[PathBuf]) + Send>;

/// What is called.
pub struct FileHooks {
    /// The files to watch now.
    pub files: Box<dyn FnMut() -> Vec<PathBuf> + Send>,
    /// Some of them have changed, and are at rest again.
    pub changed: Changed,
    /// [`TURN_EVERY`] has passed.
    pub turn: Box<dyn FnMut() + Send>,
}

/// A running watch; dropping it ends it.
pub struct FileWatch {
    _end: Sender<()>,
}

/// What tells a changed file: where it is, when it was written, how large it is. Links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    device: u64,
    inode: u64,
    seconds: i64,
    nanoseconds: i64,
    size: u64,
}

type Looks = BTreeMap<PathBuf, Option<Look>>;

impl FileWatch {
    /// Begins to watch, looking every so often.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(hooks: FileHooks, every: Duration) -> io::Result<Self> {
        let (end, ended) = channel::<()>();
        thread::Builder::new().name("files".into()).spawn(move || {
            let mut watcher = Watcher::new(hooks);
            let mut until_turn = TURN_EVERY;
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                watcher.look();
                until_turn = until_turn.saturating_sub(every);
                if until_turn.is_zero() {
                    until_turn = TURN_EVERY;
                    (watcher.hooks.turn)();
                }
            }
        })?;
        Ok(Self { _end: end })
    }
}

struct Watcher {
    hooks: FileHooks,
    known: Looks,
    /// What has changed since it was last told, as it was at the last look.
    restless: Looks,
}

impl Watcher {
    fn new(mut hooks: FileHooks) -> Self {
        let known = look_at((hooks.files)());
        Self { hooks, known, restless: Looks::new() }
    }

    /// Compares with what is known. A change is told once the files have rested for a whole look: chain and key are
    /// written one after the other.
    fn look(&mut self) {
        let now = look_at((self.hooks.files)());
        let differs = |(path, look): &(&PathBuf, &Option<Look>)| self.known.get(*path).is_some_and(|old| old != *look);
        let changed: Looks = now.iter().filter(differs).map(|(path, look)| (path.clone(), *look)).collect();
        let at_rest = changed == self.restless;
        if !changed.is_empty() && at_rest {
            let paths: Vec<_> = changed.into_keys().collect();
            self.restless = Looks::new();
            (self.hooks.changed)(&paths);
            // What is watched may have become other files.
            self.known = look_at((self.hooks.files)());
            return;
        }
        if changed.is_empty() {
            self.known = now;
        } else {
            // New files are known as they are; those that changed stay as they were.
            for (path, look) in now {
                self.known.entry(path).or_insert(look);
            }
        }
        self.restless = changed;
    }
}

fn look_at(paths: Vec<PathBuf>) -> Looks {
    paths.into_iter().map(|path| (path.clone(), Look::at(&path))).collect()
}

impl Look {
    /// `None` for a file that is not there.
    fn at(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
            size: metadata.size(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{FileHooks, Watcher};
    use std::path::PathBuf;
    use std::sync::{Arc, Mutex};

    fn watcher(path: PathBuf) -> (Watcher, Arc<Mutex<Vec<PathBuf>>>) {
        let told: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
        let to_tell = told.clone();
        let hooks = FileHooks {
            files: Box::new(move || vec![path.clone()]),
            changed: Box::new(move |paths| to_tell.lock().unwrap().extend_from_slice(paths)),
            turn: Box::new(|| {}),
        };
        (Watcher::new(hooks), told)
    }

    #[test]
    fn a_change_is_told_once_when_the_file_rests() {
        let folder = std::env::temp_dir().join(format!("strait-files-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("a.pem");
        std::fs::write(&file, "one").unwrap();
        let (mut watcher, told) = watcher(file.clone());
        let count = || told.lock().unwrap().len();
        watcher.look();
        assert_eq!(count(), 0);
        std::fs::write(&file, "longer").unwrap();
        watcher.look();
        assert_eq!(count(), 0, "it may not be whole");
        std::fs::write(&file, "longer still").unwrap();
        watcher.look();
        assert_eq!(count(), 0, "it has not rested");
        watcher.look();
        assert_eq!(count(), 1);
        watcher.look();
        watcher.look();
        assert_eq!(count(), 1);
        std::fs::remove_file(&file).unwrap();
        watcher.look();
        watcher.look();
        assert_eq!(count(), 2, "one that is gone has changed");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
