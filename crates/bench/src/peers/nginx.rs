//! nginx by its tuning guide: `reuseport`, keep-alive upstream over HTTP/1.1, access log off, buffers that hold the
//! bodies of the rows so that nothing touches a disk.

use std::fmt::Write as _;
use std::io;
use std::process::Command;

use super::{SELF_BODY, SELF_PATH, Setup};

pub(super) fn configure(command: &mut Command, setup: &Setup) -> io::Result<()> {
    let file = setup.write("nginx.conf", &text(setup))?;
    command.arg("-p").arg(&setup.folder).arg("-c").arg(file).arg("-e").arg(setup.folder.join("error.log"));
    Ok(())
}

fn text(setup: &Setup) -> String {
    let (log_format, access_log) = log(setup);
    // As root the workers would otherwise change to a user who may not write to the folder.
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    format!(
        "daemon off; {user} pid nginx.pid; worker_processes {workers};
events {{ worker_connections 32768; use epoll; multi_accept on; }}
http {{
  {log_format}
  access_log {access_log};
  error_log error.log crit;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_timeout 600s; keepalive_requests 1000000000;
  tcp_nodelay on; server_tokens off;
  client_body_buffer_size 64k; proxy_request_buffering off;
  proxy_buffer_size 16k; proxy_buffers 16 16k; proxy_busy_buffers_size 64k; proxy_max_temp_file_size 0;
  upstream origin {{
    server {origin};
    keepalive 1024; keepalive_requests 1000000000; keepalive_timeout 600s;
  }}
  proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $remote_addr;
  server {{
    listen {listen}{ssl} reuseport backlog=16384;
{certificate}{locations}  }}
}}
",
        workers = setup.workers,
        origin = setup.origin,
        listen = setup.listen,
        ssl = if setup.certificate.is_some() { " ssl" } else { "" },
        certificate = certificate(setup),
        locations = locations(setup),
    )
}

/// Sessions by number and by ticket, as the manual's page on HTTPS advises.
fn certificate(setup: &Setup) -> String {
    let Some(files) = &setup.certificate else { return String::new() };
    format!(
        "    ssl_certificate {}; ssl_certificate_key {}; ssl_protocols TLSv1.2 TLSv1.3;\n    \
         ssl_session_cache shared:sessions:16m; ssl_session_timeout 10m;\n",
        files.cert.display(),
        files.key.display()
    )
}

fn locations(setup: &Setup) -> String {
    let mut text = String::new();
    for prefix in setup.prefixes() {
        let _ = writeln!(text, "    location {prefix} {{ proxy_pass http://origin; }}");
    }
    if setup.routes == 0 {
        text.push_str("    location / { proxy_pass http://origin; }\n");
    }
    if setup.respond {
        let _ = writeln!(text, "    location = {SELF_PATH} {{ default_type text/plain; return 200 \"{SELF_BODY}\"; }}");
    }
    text
}

fn log(setup: &Setup) -> (String, String) {
    if !setup.target.json_log {
        return (String::new(), "off".to_owned());
    }
    let format = "log_format json escape=json '{\"time\":\"$time_iso8601\",\"client\":\"$remote_addr\",\
        \"method\":\"$request_method\",\"host\":\"$host\",\"path\":\"$uri\",\"status\":$status,\
        \"bytes\":$body_bytes_sent,\"duration\":$request_time,\"upstream\":\"$upstream_addr\",\
        \"agent\":\"$http_user_agent\"}';";
    (format.to_owned(), format!("{} json buffer=64k flush=1s", setup.access_log().display()))
}
