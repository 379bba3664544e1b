//! How the process ends.

use std::process::ExitCode;

/// The exit codes of every verb. Wrong use of the command line is 2, which clap answers with by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked is done.
    Done,
    /// It could not be done, for a reason outside the configuration.
    Failed,
    /// The command line says nothing that can be done.
    Usage,
    /// The configuration is refused: `EX_CONFIG` of sysexits(3), so that `RestartPreventExitStatus=78` of systemd ends a
    /// restart loop.
    Configuration,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Configuration => 78,
        })
    }
}
