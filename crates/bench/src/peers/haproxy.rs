//! HAProxy by its manual: one process with a thread per worker, `http-reuse always`, no log, keep-alive on both sides,
//! prefix routes in a map (one tree look-up instead of a list of ACLs). Buffers of 64 KiB instead of 16: measured, a
//! third less for a POST of 16 KB and a tenth less for bulk, the same at 1 KB and when idle.

use std::fmt::Write as _;
use std::io;
use std::process::Command;

use super::{SELF_BODY, SELF_PATH, Setup};

pub(super) fn configure(command: &mut Command, setup: &Setup) -> io::Result<()> {
    let file = setup.write("haproxy.cfg", &text(setup)?)?;
    command.arg("-db").arg("-f").arg(file);
    if let Some(libraries) = command.get_program().to_str().and_then(|program| program.strip_suffix("/haproxy")) {
        // The PyPI package brings its own libcrypto beside the program.
        command.env("LD_LIBRARY_PATH", format!("{libraries}/lib"));
    }
    Ok(())
}

fn text(setup: &Setup) -> io::Result<String> {
    let respond = if setup.respond {
        format!(
            "  http-request return status 200 content-type text/plain string \"{SELF_BODY}\" if {{ path {SELF_PATH} }}\n"
        )
    } else {
        String::new()
    };
    Ok(format!(
        "global
  nbthread {workers}
  maxconn 32000
  no strict-limits
  tune.bufsize 65536
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  option http-keep-alive
  http-reuse always
  no log
frontend web
  bind {listen} backlog 16384{ssl}
  option forwardfor
{respond}{route}backend origin
  server origin {origin} pool-max-conn -1
",
        workers = setup.workers,
        listen = setup.listen,
        ssl = match &setup.certificate {
            Some(files) => format!(" ssl crt {} alpn http/1.1 ssl-min-ver TLSv1.2", files.both.display()),
            None => String::new(),
        },
        origin = setup.origin,
        route = route(setup)?,
    ))
}

fn route(setup: &Setup) -> io::Result<String> {
    if setup.routes == 0 {
        return Ok("  default_backend origin\n".to_owned());
    }
    let mut map = String::new();
    for prefix in setup.prefixes() {
        let _ = writeln!(map, "{prefix} origin");
    }
    let map = setup.write("routes.map", &map)?;
    Ok(format!("  use_backend %[path,map_beg({})]\n", map.display()))
}
