//! `strait version`.

use crate::exit::Exit;
use crate::operator::print;
use crate::source::Output;
use serde_json::json;

/// Prints the version and what it was built for.
pub(crate) fn run(output: Output) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    let platform = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let allocator = if cfg!(feature = "mimalloc") { "mimalloc" } else { "system" };
    match output {
        Output::Json => {
            print(&format!("{}\n", json!({"version": version, "platform": platform, "allocator": allocator})))
        }
        _ => print(&format!("strait {version} ({platform}, {allocator} allocator)\n")),
    }
    Exit::Done
}
