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

impl Exit {
    /// The one that says more of two: of several files one may be good and another refused.
    pub(crate) fn worse(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Configuration => 3,
        };
        if rank(other) > rank(self) { other } else { self }
    }
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
