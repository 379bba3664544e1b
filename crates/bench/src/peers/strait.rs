//! Strait with what a measurement needs named and everything else at its default.

use std::fmt::Write as _;
use std::io;
use std::process::Command;

use super::{SELF_BODY, SELF_PATH, Setup};

pub(super) fn configure(command: &mut Command, setup: &Setup) -> io::Result<()> {
    let file = setup.write("strait.yaml", &text(setup))?;
    command.arg("run").arg("-c").arg(file);
    Ok(())
}

fn text(setup: &Setup) -> String {
    let mut text = format!("workers: {}\nlisteners:\n  web: {{address: \"{}\"}}\n", setup.workers, setup.listen);
    text.push_str("routes:\n");
    for prefix in setup.prefixes() {
        let _ = writeln!(text, "  {prefix}*: origin");
    }
    if setup.routes == 0 {
        text.push_str("  /: origin\n");
    }
    if setup.respond {
        let _ = writeln!(text, "  {SELF_PATH}: {{respond: {{status: 200, body: \"{SELF_BODY}\"}}}}");
    }
    let _ = write!(text, "upstreams:\n  origin: [\"{}\"]\n", setup.origin);
    let log = if setup.target.json_log {
        format!("{{format: json, path: \"{}\"}}", setup.access_log().display())
    } else {
        "{format: \"off\"}".to_owned()
    };
    let _ = write!(text, "telemetry:\n  access_log: {log}\n");
    if setup.target.metrics {
        let _ = writeln!(text, "admin: {{address: \"{}\"}}", setup.admin);
    }
    text
}
