//! What is said of statements that are not carried over.

use crate::ledger::Why::{self, Lost, Needless};

/// The reason why a statement of this name is not carried over.
pub(crate) fn verdict(name: &str) -> (Why, &'static str) {
    let families: &[(&str, Why, &str)] = &[
        ("proxy_cache", Lost, "Strait does not cache yet"),
        ("fastcgi_", Lost, "Strait does not speak FastCGI: run the application behind its own HTTP port"),
        ("uwsgi_", Lost, "Strait does not speak uwsgi: let the application speak HTTP (`http = :PORT`)"),
        ("scgi_", Lost, "Strait does not speak SCGI"),
        ("memcached_", Lost, "Strait does not speak to memcached"),
        ("grpc_", Lost, "Strait does not proxy gRPC yet"),
        ("ssl_session", Needless, "sessions are resumed by tickets whose keys change by themselves"),
        ("ssl_stapling", Needless, "a response is stapled where `ocsp` of a certificate names its file"),
        ("proxy_ssl", Lost, "TLS to origins is written under `tls` of the upstream"),
        ("sub_filter", Lost, "Strait does not change bodies"),
        ("proxy_buffer", Needless, "bodies stream with back-pressure, nothing is buffered"),
        ("proxy_temp", Needless, "nothing is written to disk"),
        ("client_body_", Needless, "bodies stream, none is written to disk"),
        ("proxy_max_temp", Needless, "nothing is written to disk"),
        ("open_file_cache", Needless, "it concerns static files"),
        ("geoip", Lost, "Strait does not know countries yet"),
        ("brotli", Needless, "brotli is part of `compress`"),
        ("gzip_", Needless, "`compress` decides it"),
        ("lua_", Lost, "Strait runs no Lua"),
        ("js_", Lost, "Strait runs no scripts"),
        ("quic", Needless, "HTTP/3 has its own listener settings"),
        ("http2", Needless, "HTTP/2 needs no line of its own"),
        ("http3", Needless, "HTTP/3 needs no line of its own"),
        ("modsecurity", Lost, "Strait has no web application firewall yet"),
    ];
    if name.ends_with("_by_lua_block") || name.ends_with("_by_lua_file") {
        return (Lost, "Strait runs no Lua");
    }
    exact(name).unwrap_or_else(|| {
        let family = families.iter().find(|(begin, ..)| name.starts_with(begin));
        family.map_or((Lost, "the importer does not know this statement"), |(_, why, reason)| (*why, reason))
    })
}

fn exact(name: &str) -> Option<(Why, &'static str)> {
    Some(match name {
        "user" => (Needless, "the unit file or container decides who Strait runs as"),
        "pid" | "daemon" | "master_process" | "lock_file" => {
            (Needless, "Strait stays in the foreground, under a supervisor")
        }
        "worker_processes" | "worker_cpu_affinity" | "worker_priority" => {
            (Needless, "one worker a core by itself; `workers` says otherwise")
        }
        "worker_connections" | "worker_rlimit_nofile" | "multi_accept" | "use" | "accept_mutex" => {
            (Needless, "limits are those of the listener (`limits.connections`)")
        }
        "error_log" => (Needless, "messages go to standard error, with their level by STRAIT_LOG or the journal"),
        "load_module" => (Lost, "modules of nginx do not run in Strait"),
        "sendfile" | "tcp_nopush" | "tcp_nodelay" | "aio" | "directio" | "sendfile_max_chunk" | "output_buffers" => {
            (Needless, "Strait chooses how to write by itself")
        }
        "server_tokens" => (Needless, "Strait tells nobody its version"),
        "types"
        | "types_hash_max_size"
        | "types_hash_bucket_size"
        | "include"
        | "default_type"
        | "charset"
        | "etag"
        | "expires"
        | "log_not_found"
        | "index"
        | "autoindex" => (Needless, "it concerns static files or is written anew by Strait"),
        "server_names_hash_bucket_size"
        | "server_names_hash_max_size"
        | "map_hash_bucket_size"
        | "map_hash_max_size"
        | "variables_hash_max_size"
        | "variables_hash_bucket_size"
        | "proxy_headers_hash_max_size"
        | "proxy_headers_hash_bucket_size" => (Needless, "tables are sized by themselves"),
        "root" | "alias" | "try_files" => {
            (Lost, "Strait does not serve files yet: keep a file server behind it as an upstream")
        }
        "ssl_ciphers" | "ssl_prefer_server_ciphers" | "ssl_ecdh_curve" | "ssl_dhparam" | "ssl_conf_command" => {
            (Needless, "only sound cipher suites are spoken, and there is no list to keep")
        }
        "ssl_buffer_size" | "ssl_early_data" => (Needless, "Strait decides it"),
        "proxy_http_version" | "proxy_pass_request_headers" | "proxy_pass_request_body" | "proxy_socket_keepalive" => {
            (Needless, "HTTP/1.1 with kept connections, heads and bodies whole, by itself")
        }
        "proxy_request_buffering" => (Needless, "bodies stream with back-pressure"),
        "proxy_redirect" => (Needless, "with the client's Host passed on, origins write the right Location themselves"),
        "proxy_intercept_errors" | "error_page" | "recursive_error_pages" => {
            (Lost, "pages for errors are the filter `error_pages`, with a `file` or `body`")
        }
        "proxy_next_upstream_timeout" => (Lost, "the route's `timeout.request` bounds all attempts together"),
        "proxy_cookie_path" | "proxy_cookie_domain" | "proxy_cookie_flags" => {
            (Lost, "cookies are changed by the filter `cookies`")
        }
        "proxy_bind"
        | "proxy_limit_rate"
        | "proxy_pass_header"
        | "proxy_ignore_headers"
        | "proxy_method"
        | "proxy_set_body" => (Lost, "Strait has no such thing"),
        "limit_rate" | "limit_rate_after" => (Lost, "Strait does not slow down responses"),
        "limit_req_zone" | "limit_conn_zone" => (Needless, "each limit names its own key"),
        "limit_req_log_level" | "limit_conn_log_level" | "limit_req_status" | "limit_conn_status" => {
            (Needless, "no limit uses it")
        }
        "log_format" | "access_log" => (Lost, "the access record has its own formats: `telemetry.access_log`"),
        "resolver" | "resolver_timeout" => (Needless, "the system's resolver is asked again by itself"),
        "keepalive_requests"
        | "keepalive_timeout"
        | "keepalive_time"
        | "reset_timedout_connection"
        | "lingering_close"
        | "lingering_time"
        | "lingering_timeout"
        | "send_timeout" => (Needless, "limits of the listener cover it"),
        "large_client_header_buffers" | "client_header_buffer_size" => (Needless, "`limits.header_size` is 32KiB"),
        "merge_slashes"
        | "underscores_in_headers"
        | "ignore_invalid_headers"
        | "absolute_redirect"
        | "port_in_redirect"
        | "server_name_in_redirect" => (Needless, "Strait decides it; see `merge_slashes` of a listener"),
        "stub_status" => (Lost, "the admin listener has /metrics"),
        "split_clients" | "map" | "geo" => {
            (Lost, "nothing that was carried over uses it, or it cannot be said in Strait")
        }
        "mail" | "stream" => (Lost, "only HTTP is imported"),
        "zone" | "keepalive_conns" => (Needless, "counts are shared by all workers"),
        "set" | "if" | "break" | "rewrite" => {
            (Lost, "Strait has no variables and no order of rules: write it as `if` or `when` of a route")
        }
        "mirror" => (Lost, "Strait does not mirror yet"),
        "satisfy"
        | "auth_basic"
        | "auth_basic_user_file"
        | "auth_request"
        | "auth_request_set"
        | "auth_jwt"
        | "limit_except" => (Lost, "Strait cannot check this yet: the routes under it are closed"),
        "proxy_set_header"
        | "add_header"
        | "proxy_hide_header"
        | "proxy_connect_timeout"
        | "proxy_read_timeout"
        | "proxy_send_timeout"
        | "client_max_body_size"
        | "gzip"
        | "allow"
        | "deny"
        | "limit_req"
        | "limit_conn"
        | "proxy_pass"
        | "proxy_next_upstream"
        | "proxy_next_upstream_tries"
        | "return" => (Needless, "it has no effect: another statement takes its place"),
        _ => return None,
    })
}
