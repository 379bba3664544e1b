//! Strait as its manual advises for a busy internal proxy: connections are kept on both sides as long as the peers keep
//! theirs, and everything else is at its default.

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
    let log = if setup.target.json_log {
        format!("{{format: json, path: \"{}\"}}", setup.access_log().display())
    } else {
        "{format: off}".to_owned()
    };
    let admin = if setup.target.metrics { format!("\"{}\"", setup.admin) } else { "off".to_owned() };
    format!(
        "workers: {workers}
listeners:
  web: {{address: \"{listen}\"{tls}, limits: {{requests_per_connection: none, idle_timeout: 600s}}}}
routes:
{routes}upstreams:
  origin: {{endpoints: [\"{origin}\"], keep_alive: {{max_idle: 1024, idle_timeout: 600s}}}}
telemetry:
  access_log: {log}
admin: {{address: {admin}}}
",
        workers = setup.workers,
        listen = setup.listen,
        tls = match &setup.certificate {
            Some(files) => {
                format!(
                    ", tls: {{certificates: [{{cert: \"{}\", key: \"{}\"}}]}}",
                    files.cert.display(),
                    files.key.display()
                )
            }
            None => String::new(),
        },
        origin = setup.origin,
        routes = routes(setup),
    )
}

fn routes(setup: &Setup) -> String {
    let mut text = String::new();
    for prefix in setup.prefixes() {
        let _ = writeln!(text, "  {prefix}*: origin");
    }
    if setup.routes == 0 {
        text.push_str("  /: origin\n");
    }
    if setup.respond {
        let _ = writeln!(text, "  {SELF_PATH}: {{respond: {{body: \"{SELF_BODY}\"}}}}");
    }
    text
}
