//! Caddy as JSON, its native configuration: no admin API, no access log, keep-alive to the origin without a cap.

use std::io;
use std::process::Command;

use serde_json::{Value, json};

use super::{SELF_BODY, SELF_PATH, Setup};

pub(super) fn configure(command: &mut Command, setup: &Setup) -> io::Result<()> {
    let file = setup.write("caddy.json", &config(setup).to_string())?;
    command.arg("run").arg("--config").arg(file);
    command.env("GOMAXPROCS", setup.workers.to_string());
    command.env("XDG_DATA_HOME", &setup.folder).env("XDG_CONFIG_HOME", &setup.folder).env("HOME", &setup.folder);
    Ok(())
}

fn config(setup: &Setup) -> Value {
    let proxy = json!({
        "handler": "reverse_proxy",
        "upstreams": [{"dial": setup.origin.to_string()}],
        "transport": {
            "protocol": "http",
            "compression": false,
            "versions": ["1.1"],
            "keep_alive": {"enabled": true, "max_idle_conns": 4096, "max_idle_conns_per_host": 4096},
        },
    });
    let mut routes = Vec::new();
    if setup.respond {
        routes.push(json!({
            "match": [{"path": [SELF_PATH]}],
            "handle": [{"handler": "static_response", "status_code": 200, "body": SELF_BODY}],
            "terminal": true,
        }));
    }
    for prefix in setup.prefixes() {
        routes.push(json!({"match": [{"path": [format!("{prefix}*")]}], "handle": [proxy], "terminal": true}));
    }
    if setup.routes == 0 {
        routes.push(json!({"handle": [proxy]}));
    }
    let policies = if setup.certificate.is_some() { json!([{"alpn": ["http/1.1"]}]) } else { json!([]) };
    json!({
        "admin": {"disabled": true, "config": {"persist": false}},
        "logging": {"logs": {"default": {"level": "ERROR"}}},
        "apps": {"tls": tls(setup), "http": {"servers": {"web": {
            "listen": [setup.listen.to_string()],
            "protocols": ["h1"],
            "automatic_https": {"disable": true},
            "tls_connection_policies": policies,
            "idle_timeout": "600s",
            "routes": routes,
        }}}},
    })
}

fn tls(setup: &Setup) -> Value {
    match &setup.certificate {
        Some(files) => json!({"certificates": {"load_files": [{"certificate": files.cert, "key": files.key}]}}),
        None => json!({}),
    }
}
