//! The limit on open files: each proxied connection takes two.

use crate::operator::say;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Connections below which the limit is worth a word.
const CONNECTIONS_MIN: u64 = 10_000;

/// How many files this process may open at most, once it has raised its limit; `None` for any number.
pub(crate) fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Raises the soft limit on open files to the hard one, and says so when that is little.
pub(crate) fn raise() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // What cannot be raised stays as it is; the limit below is what counts.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    if let Some(files) = getrlimit(Resource::Nofile).current
        && files / 2 < CONNECTIONS_MIN
    {
        let connections = files / 2;
        say(&format!(
            "at most {files} files may be open, enough for about {connections} connections; raise the hard limit (`ulimit -Hn`, or LimitNOFILE= in a systemd unit)"
        ));
    }
}
