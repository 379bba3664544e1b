//! The limit on open files: each proxied connection takes two.

use crate::operator::say;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use strait_plan::Plan;

/// Connections below which the limit is worth a word.
const CONNECTIONS_MIN: u64 = 10_000;

/// How many files this process may open at most, once it has raised its limit; `None` for any number.
pub(crate) fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Raises the soft limit on open files to the hard one, and says so when that is little, or less than listeners take.
pub(crate) fn raise(plan: &Plan) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // What cannot be raised stays as it is; the limit below is what counts.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let wanted = plan.listeners.iter().map(|listener| u64::from(listener.limits.connections_max)).sum();
    if let Some(warning) = getrlimit(Resource::Nofile).current.and_then(|files| warning(files, wanted)) {
        say(&warning);
    }
}

/// What to say about so many files for so many connections.
fn warning(files: u64, wanted: u64) -> Option<String> {
    let connections = files / 2;
    if connections >= wanted.max(CONNECTIONS_MIN) {
        return None;
    }
    let less = if connections < wanted { format!(", and listeners take up to {wanted}") } else { String::new() };
    Some(format!(
        "at most {files} files may be open, enough for about {connections} connections{less}; raise the hard limit (`ulimit -Hn`, or LimitNOFILE= in a systemd unit)"
    ))
}

#[cfg(test)]
mod tests {
    use super::warning;

    #[test]
    fn a_limit_is_told_with_the_connections_that_it_allows() {
        assert_eq!(warning(1 << 20, 65_536), None);
        assert!(warning(1024, 100).unwrap().contains("enough for about 512 connections; raise"));
        let said = warning(65_536, 65_536).unwrap();
        assert!(said.contains("enough for about 32768 connections, and listeners take up to 65536;"), "{said}");
    }
}
