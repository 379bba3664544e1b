//! The same configuration, to be run beside its translation: other addresses, no TLS, nothing outside of its folder.

use super::lex::Directive;
use super::upstream::with_port;
use crate::Stage;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Statements that need the system, or files that need not be here.
const LEFT_OUT: &[&str] = &[
    "user",
    "pid",
    "daemon",
    "master_process",
    "error_log",
    "access_log",
    "load_module",
    "include",
    "ssl",
    "http2",
    "http3",
    "quic_retry",
    "worker_processes",
    "worker_rlimit_nofile",
    "worker_cpu_affinity",
    "lock_file",
    "resolver",
    "proxy_cache_path",
    "proxy_temp_path",
    "client_body_temp_path",
    "fastcgi_temp_path",
    "uwsgi_temp_path",
    "scgi_temp_path",
    "worker_connections",
    "geoip_country",
    "geoip_city",
];

pub(super) fn staged(tree: &[Directive], stage: &mut dyn Stage) -> String {
    let mut upstreams = BTreeSet::new();
    let blocks: Vec<&Directive> = tree.iter().chain(tree.iter().flat_map(Directive::kids)).collect();
    for block in blocks.iter().filter(|block| block.name == "upstream") {
        upstreams.insert(block.arg(0).to_owned());
    }
    // Names that tables lead to are upstreams as well, or addresses.
    let whole = tree.iter().any(|directive| matches!(directive.name.as_str(), "http" | "events"));
    let mut out = String::from("daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr crit;\n");
    let mut writer = Writer { stage, upstreams, out: String::new() };
    for directive in tree {
        writer.write(directive, 0, "");
    }
    if whole {
        if !tree.iter().any(|directive| directive.name == "events") {
            out.push_str("events {}\n");
        }
        out.push_str(&writer.out);
    } else {
        let _ = write!(out, "events {{}}\nhttp {{\n{HOME}{}}}\n", writer.out);
    }
    out
}

/// What keeps nginx within its folder.
const HOME: &str = "access_log off;\nclient_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path fastcgi;\n\
                    uwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n";

struct Writer<'a> {
    stage: &'a mut dyn Stage,
    upstreams: BTreeSet<String>,
    out: String,
}

impl Writer<'_> {
    fn write(&mut self, directive: &Directive, depth: usize, parent: &str) {
        let name = directive.name.as_str();
        let tls = name.starts_with("ssl_") || name.starts_with("proxy_ssl_");
        if LEFT_OUT.contains(&name) || tls || name == "stream" || name == "mail" {
            return;
        }
        let args = self.args(directive, parent);
        let _ = write!(self.out, "{}{}", "  ".repeat(depth), word(name));
        for arg in args {
            let _ = write!(self.out, " {}", word(&arg));
        }
        let Some(kids) = &directive.block else {
            self.out.push_str(";\n");
            return;
        };
        self.out.push_str(" {\n");
        if name == "http" {
            self.out.push_str(HOME);
        }
        if name == "server" && matches!(parent, "http" | "") && directive.kid("listen").is_none() {
            let _ = writeln!(self.out, "listen {};", self.stage.listen("80"));
        }
        let mut listens = BTreeSet::new();
        for kid in kids {
            // `80` and `[::]:80` are one address here.
            let address = super::server::listening(kid.arg(0));
            if kid.name != "listen" || listens.insert(address) {
                self.write(kid, depth + 1, name);
            }
        }
        let _ = writeln!(self.out, "{}}}", "  ".repeat(depth));
    }

    fn args(&mut self, directive: &Directive, parent: &str) -> Vec<String> {
        let mut args = directive.args.clone();
        let Some(first) = args.first_mut() else { return args };
        match directive.name.as_str() {
            "listen" => {
                *first = self.stage.listen(&super::server::listening(first));
                args.retain(|arg| {
                    !matches!(arg.as_str(), "ssl" | "http2" | "quic" | "reuseport")
                        && !arg.starts_with("ipv6only")
                        && !arg.starts_with("backlog")
                });
            }
            "server" if parent == "upstream" => *first = self.stage.origin(&with_port(first, "80")),
            "proxy_pass" | "grpc_pass" => *first = self.pass(first),
            "fastcgi_pass" | "uwsgi_pass" | "scgi_pass" | "memcached_pass" => {
                *first = self.stage.origin(&with_port(first, "80"))
            }
            _ => {}
        }
        args
    }

    fn pass(&mut self, url: &str) -> String {
        let Some((_, rest)) = url.split_once("://") else { return url.to_owned() };
        if let Some(socket) = rest.strip_prefix("unix:") {
            let (socket, uri) = socket.split_once(':').unwrap_or((socket, ""));
            return format!("http://{}{uri}", self.stage.origin(&format!("unix:{socket}")));
        }
        let (host, uri) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if host.contains('$') || self.upstreams.contains(host) {
            return format!("http://{host}{uri}");
        }
        format!("http://{}{uri}", self.stage.origin(&with_port(host, "80")))
    }
}

/// A word as nginx reads it back.
fn word(text: &str) -> String {
    let plain = !text.is_empty()
        && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '{' | '}' | '#'));
    if plain {
        return text.to_owned();
    }
    let text = text.replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r");
    // `${name}` needs no quotes, and everything else may stand in them.
    format!("\"{text}\"")
}
