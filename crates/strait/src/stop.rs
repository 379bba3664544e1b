//! `strait stop`: asks a running Strait to drain and end.

use crate::exit::Exit;
use crate::live;
use crate::operator::{print, say};
use crate::status::Admin;
use clap::Args;
use std::time::{Duration, Instant};
use strait_control::client::{AdminAddress, ClientError};

/// How often a waiting `stop` looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Ask a running strait to finish its exchanges and end
#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    admin: Admin,
    /// Wait this many seconds, at most, until it has ended
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
}

impl Stop {
    pub(crate) fn run(self) -> Exit {
        let address = match self.admin.address() {
            Ok(address) => address,
            Err(exit) => return exit,
        };
        if let Err(exit) = live::order(&address, "/stop") {
            return exit;
        }
        let Some(seconds) = self.wait else {
            print("draining\n");
            return Exit::Done;
        };
        if ended_within(&address, Duration::from_secs(seconds)) {
            print("stopped\n");
            return Exit::Done;
        }
        say(&format!("it still drains after {seconds} seconds; a second SIGTERM stops it at once"));
        Exit::Failed
    }
}

fn ended_within(address: &AdminAddress, limit: Duration) -> bool {
    let began = Instant::now();
    while began.elapsed() < limit {
        if matches!(address.get("/livez"), Err(ClientError::NotRunning(_))) {
            return true;
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
    false
}
