//! Envoy by its benchmarking advice: concurrency set, warnings only, no request ids, no dynamic statistics, circuit
//! breakers out of the way, no access log, prefix routes in a matcher tree.

use std::io;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Map, Value, json};

use super::{SELF_BODY, SELF_PATH, Setup};
use crate::secure::Files;

pub(super) fn configure(command: &mut Command, setup: &Setup) -> io::Result<()> {
    let file = setup.write("envoy.json", &config(setup).to_string())?;
    command.arg("-c").arg(file).arg("--concurrency").arg(setup.workers.to_string());
    command.arg("--disable-hot-restart").arg("--log-level").arg("warning");
    Ok(())
}

fn config(setup: &Setup) -> Value {
    json!({"static_resources": {
        "listeners": [{
            "name": "web",
            "address": address(setup.listen),
            "enable_reuse_port": true,
            "tcp_backlog_size": 16384,
            "filter_chains": [filter_chain(setup)],
        }],
        "clusters": [{
            "name": "origin",
            "type": "STATIC",
            "connect_timeout": "5s",
            "circuit_breakers": {"thresholds": [{
                "max_connections": 1_000_000, "max_pending_requests": 1_000_000, "max_requests": 1_000_000,
                "max_retries": 1_000_000,
            }]},
            "load_assignment": {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [
                {"endpoint": {"address": address(setup.origin)}},
            ]}]},
        }],
    }})
}

fn filter_chain(setup: &Setup) -> Value {
    let mut chain = json!({"filters": [{
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": connection_manager(setup),
    }]});
    if let (Some(files), Some(chain)) = (&setup.certificate, chain.as_object_mut()) {
        chain.insert("transport_socket".to_owned(), transport_socket(files));
    }
    chain
}

fn transport_socket(files: &Files) -> Value {
    json!({"name": "envoy.transport_sockets.tls", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {
            "alpn_protocols": ["http/1.1"],
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"},
            "tls_certificates": [{
                "certificate_chain": {"filename": files.cert},
                "private_key": {"filename": files.key},
            }],
        },
    }})
}

fn address(of: SocketAddr) -> Value {
    json!({"socket_address": {"address": of.ip().to_string(), "port_value": of.port()}})
}

fn connection_manager(setup: &Setup) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "web",
        "codec_type": "HTTP1",
        "generate_request_id": false,
        "use_remote_address": true,
        "stream_idle_timeout": "0s",
        "common_http_protocol_options": {"idle_timeout": "600s"},
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                "dynamic_stats": false,
            },
        }],
        "route_config": {"name": "all", "virtual_hosts": [virtual_host(setup)]},
    })
}

fn virtual_host(setup: &Setup) -> Value {
    if setup.routes > 0 {
        return json!({"name": "all", "domains": ["*"], "matcher": matcher(setup)});
    }
    let mut routes = Vec::new();
    if setup.respond {
        routes.push(json!({
            "match": {"path": SELF_PATH},
            "direct_response": {"status": 200, "body": {"inline_string": SELF_BODY}},
        }));
    }
    routes.push(json!({"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}));
    json!({"name": "all", "domains": ["*"], "routes": routes})
}

/// The prefixes as a tree: a list of routes would be searched from its beginning for every request.
fn matcher(setup: &Setup) -> Value {
    let mut map = Map::new();
    for prefix in setup.prefixes() {
        let route = json!({
            "@type": "type.googleapis.com/envoy.config.route.v3.Route",
            "match": {"prefix": prefix},
            "route": {"cluster": "origin", "timeout": "0s"},
        });
        map.insert(prefix, json!({"action": {"name": "route", "typed_config": route}}));
    }
    json!({"matcher_tree": {
        "input": {
            "name": "request-headers",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
                "header_name": ":path",
            },
        },
        "prefix_match_map": {"map": map},
    }})
}
