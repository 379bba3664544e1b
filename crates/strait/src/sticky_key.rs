//! The key of sticky cookies whose configuration names none: made once, kept in the state folder, so that cookies outlive
//! the process.

use crate::operator::say;
use crate::state;
use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use strait_config::Snapshot;
use strait_config::spec::Sticky;

const KEY_BYTES: usize = 32;
const NAME: &str = "sticky.key";

/// The key kept, when this configuration needs one. When it cannot be kept, that is said, and the compiler's own serves
/// until the process ends.
pub(crate) fn of(snapshot: &Snapshot) -> Option<Vec<u8>> {
    if !needs_key(snapshot) {
        return None;
    }
    let folder = state::folder();
    let kept = kept_in(&folder);
    if let Err(error) = &kept {
        let path = folder.join(NAME);
        say(&format!(
            "sticky: the key of cookies cannot be kept in {}: {error}; clients forget their endpoint at a restart; set `key`",
            path.display()
        ));
    }
    kept.ok()
}

/// Whether anything sticks without a key of its own.
fn needs_key(snapshot: &Snapshot) -> bool {
    let spec = &snapshot.spec;
    let own = spec.listeners.iter().filter_map(|(_, listener)| listener.routes.as_ref());
    let routes = std::iter::once(&spec.routes).chain(own).flat_map(|routes| routes.iter());
    let of_routes = routes.filter_map(|(_, route)| route.sticky.as_ref());
    let of_upstreams = spec.upstreams.iter().filter_map(|(_, upstream)| upstream.sticky.as_ref());
    of_routes.chain(of_upstreams).any(|sticky: &Sticky| sticky.key.is_none())
}

fn kept_in(folder: &Path) -> io::Result<Vec<u8>> {
    let path = folder.join(NAME);
    match fs::read(&path) {
        Ok(key) if key.len() >= KEY_BYTES => return Ok(key),
        Ok(_) => fs::remove_file(&path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(folder)?,
        Err(error) => return Err(error),
    }
    let key = new_key()?;
    // Another process may be quicker: then its key is the one.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => file.write_all(&key).map(|()| key),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::read(&path),
        Err(error) => Err(error),
    }
}

fn new_key() -> io::Result<Vec<u8>> {
    let mut key = vec![0; KEY_BYTES];
    fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    // Two sources are better than one that is broken.
    let more = RandomState::new().hash_one(0).to_be_bytes();
    key.iter_mut().zip(more).for_each(|(byte, more)| *byte ^= more);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::kept_in;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = std::env::temp_dir().join(format!("strait-sticky-{}", std::process::id()));
        let first = kept_in(&folder).unwrap();
        assert_eq!(first.len(), 32);
        assert_eq!(kept_in(&folder).unwrap(), first);
        let path = folder.join("sticky.key");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "short").unwrap();
        assert_ne!(kept_in(&folder).unwrap(), first, "half a key is none");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
