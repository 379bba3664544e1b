//! What a location does with a request: who may, what is changed, and where it goes.

use super::lex::Directive;
use super::server::{Site, as_branch, body_size};
use super::upstream::with_port;
use super::{Scope, Work, values};
use crate::ledger::Why;
use crate::yaml::{Map, Node};

/// Fields that Strait tells origins by itself.
const TOLD: [&str; 5] = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "upgrade", "connection"];
/// Statements that guard a location and cannot be carried over.
const GUARDS: [&str; 7] =
    ["auth_basic", "auth_request", "auth_jwt", "limit_except", "secure_link", "valid_referers", "satisfy"];

impl<'a> Work<'a> {
    /// The route of a location, or of a server block without one for the path.
    pub(super) fn body(&mut self, site: &Site<'a>, scope: &Scope<'a>, path: Option<&str>) -> Map {
        if let Some(closed) = self.closed(scope) {
            return closed;
        }
        let mut body = Map::default();
        self.access(scope, &mut body);
        self.rates(scope, &mut body);
        self.compression(scope, &mut body);
        let text = |work: &mut Self, kid: &Directive, text: &str| work.text(site, kid, text);
        self.rewrites(site, scope, &mut body);
        self.target(site, scope, path, &mut body);
        let fields = scope.all("add_header");
        for kid in fields {
            if kid.arg(0).eq_ignore_ascii_case("content-type") && body.value("respond").is_some() {
                body.map("respond").set("content_type", kid.arg(1));
                self.ledger.carry(kid.id);
            } else if let Some(value) = text(self, kid, kid.arg(1)) {
                body.map("response_headers").set(kid.arg(0), value);
                self.ledger.carry(kid.id);
                if kid.arg(2) != "always" && body.value("to").is_some() {
                    self.ledger.differ(kid.id, "it is set on every answer, errors too, in place of one of the origin");
                }
            }
        }
        if body.value("to").is_some() {
            self.request_fields(site, scope, &mut body);
            self.timeouts(scope, &mut body);
        }
        let inner = scope.one("client_max_body_size");
        if let Some(kid) = inner {
            self.ledger.carry(kid.id);
            if body_size(inner) != body_size(site.scope.one("client_max_body_size")) {
                body.set("body_size", body_size(inner));
            }
        }
        body
    }

    /// A text with variables as ours. A variable that Strait does not have loses the statement.
    fn text(&mut self, site: &Site<'a>, kid: &Directive, text: &str) -> Option<String> {
        let name = site.block.kid("server_name").map_or("", |names| names.arg(0));
        match values::template(text, name, &site.port) {
            Ok(text) => Some(text),
            Err(variable) => {
                self.ledger.lose(kid.id, format!("Strait has nothing like {variable}"));
                None
            }
        }
    }

    /// What guards a location and cannot be carried over closes it.
    fn closed(&mut self, scope: &Scope<'a>) -> Option<Map> {
        if let Some(kid) = scope.0.last().and_then(|block| block.kid("internal")) {
            self.ledger.differ(kid.id, "nobody can ask for it: 404");
            return Some(Map::of("respond", Map::of("status", "404")));
        }
        let guard = GUARDS
            .iter()
            .filter_map(|name| scope.one(name))
            .find(|kid| !matches!((kid.name.as_str(), kid.arg(0)), ("satisfy", "all") | (_, "off")))?;
        self.ledger.lose(guard.id, "Strait cannot check this yet: the routes under it are closed");
        Some(closed(guard))
    }

    fn access(&mut self, scope: &Scope<'a>, body: &mut Map) {
        let of = |block: &&'a Directive| -> Vec<&'a Directive> {
            block.kids().iter().filter(|kid| matches!(kid.name.as_str(), "allow" | "deny")).collect()
        };
        let entries = scope.0.iter().rev().map(of).find(|found| !found.is_empty()).unwrap_or_default();
        // First come refusals, then permissions, then one line for all others: two lists say that.
        let denied: Vec<&str> =
            entries.iter().take_while(|kid| kid.name == "deny" && kid.arg(0) != "all").map(|kid| kid.arg(0)).collect();
        let rest = entries.get(denied.len()..).unwrap_or(&[]);
        let allowed: Vec<&str> =
            rest.iter().take_while(|kid| kid.name == "allow" && kid.arg(0) != "all").map(|kid| kid.arg(0)).collect();
        let closes = rest.get(allowed.len()).map(|kid| (kid.name.as_str(), kid.arg(0)));
        entries.iter().for_each(|kid| self.ledger.carry(kid.id));
        if !denied.is_empty() {
            body.push("filters", Map::of("ip_deny", denied));
        }
        match closes {
            Some(("deny", "all")) if allowed.is_empty() => body.set("respond", Map::of("status", "403")),
            Some(("deny", "all")) => body.push("filters", Map::of("ip_allow", allowed)),
            Some(("allow", "all")) | None => {}
            Some(_) => {
                body.set("respond", Map::of("status", "403"));
                for kid in entries {
                    self.ledger.lose(kid.id, "this order of allow and deny is not carried over: the route is closed");
                }
            }
        }
    }

    fn rates(&mut self, scope: &Scope<'a>, body: &mut Map) {
        for kid in scope.all("limit_req") {
            let mut filter = Map::default();
            let option = |name: &str| kid.args.iter().find_map(|arg| arg.strip_prefix(name));
            let zone = option("zone=").and_then(|name| self.zone("limit_req_zone", name));
            let rate = zone.and_then(|zone| zone.args.iter().find_map(|arg| arg.strip_prefix("rate=")));
            let key = zone.map_or("", |zone| zone.arg(0)).trim_start_matches('$').to_owned();
            let Some((rate, key)) = rate.zip(count_by(&key)) else {
                self.ledger.lose(kid.id, "its zone cannot be carried over: requests are not limited");
                continue;
            };
            filter.set("rate", rate.replace("r/", "/"));
            filter.set("burst", option("burst=").unwrap_or("0"));
            if key != "client.ip" {
                filter.set("key", key);
            }
            let status = scope.one("limit_req_status");
            filter.set("status", status.map_or("503", |kid| kid.arg(0)));
            [Some(kid), zone, status].into_iter().flatten().for_each(|kid| self.ledger.carry(kid.id));
            if option("burst=").is_some() && !kid.args.iter().any(|arg| arg == "nodelay") {
                self.ledger.differ(kid.id, "requests of a burst are not delayed");
            }
            body.push("filters", Map::of("rate_limit", filter));
        }
        for kid in scope.all("limit_conn") {
            let zone = self.zone("limit_conn_zone", kid.arg(0));
            let key = zone.and_then(|zone| count_by(zone.arg(0).trim_start_matches('$')));
            let Some(key) = key else {
                self.ledger.lose(kid.id, "its zone cannot be carried over");
                continue;
            };
            let filter = Map::of("max", kid.arg(1)).with("key", key);
            body.push("filters", Map::of("concurrency_limit", filter));
            [Some(kid), zone].into_iter().flatten().for_each(|kid| self.ledger.carry(kid.id));
        }
    }

    fn zone(&self, statement: &str, name: &str) -> Option<&'a Directive> {
        let all = self.tree.iter().flat_map(Directive::kids).filter(|kid| kid.name == statement);
        let named = |kid: &&Directive| {
            kid.args.iter().filter_map(|arg| arg.strip_prefix("zone=")).any(|zone| zone.split(':').next() == Some(name))
        };
        all.into_iter().find(named)
    }

    fn compression(&mut self, scope: &Scope<'a>, body: &mut Map) {
        let Some(kid) = scope.one("gzip").filter(|kid| kid.arg(0) == "on") else { return };
        self.ledger.carry(kid.id);
        let mut filter = Map::of("encodings", vec!["gzip"]);
        if let Some(types) = scope.one("gzip_types") {
            let mut list = vec!["text/html"];
            list.extend(types.args.iter().map(String::as_str).filter(|kind| !matches!(*kind, "text/html" | "*")));
            filter.set("types", list);
            self.ledger.carry(types.id);
        } else {
            filter.set("types", vec!["text/html"]);
        }
        for (name, key) in [("gzip_min_length", "min_size"), ("gzip_comp_level", "level")] {
            let Some(kid) = scope.one(name) else { continue };
            filter.set(
                key,
                if key == "level" { kid.arg(0).to_owned() } else { values::size(kid.arg(0)).unwrap_or_default() },
            );
            self.ledger.carry(kid.id);
        }
        if filter.value("min_size").is_none() {
            filter.set("min_size", "20B");
        }
        body.push("filters", Map::of("compress", filter));
    }

    /// `rewrite` within a location, and at the server: redirects, and changes of the path that stay in the location.
    fn rewrites(&mut self, site: &Site<'a>, scope: &Scope<'a>, body: &mut Map) {
        let depth = scope.0.len();
        for (level, block) in scope.0.iter().enumerate() {
            for kid in block.kids().iter().filter(|kid| kid.name == "rewrite") {
                self.rewrite(site, kid, level + 1 == depth && depth > site.scope.0.len(), body);
            }
        }
    }

    fn rewrite(&mut self, site: &Site<'a>, kid: &'a Directive, in_location: bool, body: &mut Map) {
        let pattern = match values::regex(kid.arg(0), false) {
            Ok(pattern) => pattern,
            Err(why) => return self.ledger.lose(kid.id, why),
        };
        // The whole path is replaced, however much of it the expression finds.
        let head = if pattern.starts_with('^') { "" } else { "^.*?" };
        let tail = if pattern.ends_with('$') { "" } else { ".*$" };
        let regex = format!("{head}{pattern}{tail}");
        let with = kid.arg(1).trim_end_matches('?');
        let scheme = if site.tls { "https" } else { "http" };
        let with = with.replace("$scheme", scheme);
        let status = match kid.arg(2) {
            "permanent" => "301",
            "redirect" => "302",
            _ if with.starts_with("http://") || with.starts_with("https://") => "302",
            "break" if in_location => {
                body.push("filters", Map::of("rewrite", Map::of("regex", regex).with("with", with)));
                return self.ledger.carry(kid.id);
            }
            _ => {
                let why = "routes are chosen once, by the path that was asked for: rewrite within the route";
                return self.ledger.lose(kid.id, why);
            }
        };
        let has_variables = with.split('$').skip(1).any(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
        if has_variables {
            return self.ledger.lose(kid.id, "only the groups of the expression can stand in it");
        }
        let filter = Map::of("regex", regex).with("to", with).with("status", status);
        body.push("filters", Map::of("redirect", filter));
        self.ledger.carry(kid.id);
    }

    fn target(&mut self, site: &Site<'a>, scope: &Scope<'a>, path: Option<&str>, body: &mut Map) {
        if body.value("respond").is_some() {
            return;
        }
        // What a server block returns comes before its locations.
        let returns = site.block.kid("return").or(scope.0.last().and_then(|block| block.kid("return")));
        if let Some(kid) = returns {
            return self.answer(site, kid, body);
        }
        let innermost = scope.0.last().filter(|block| block.name == "location");
        if let Some(kid) = innermost.and_then(|block| block.kid("proxy_pass")) {
            return self.proxy(site, kid, path, body);
        }
        let other = ["grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "memcached_pass", "stub_status"];
        let kid = other.iter().filter_map(|name| innermost.and_then(|block| block.kid(name))).next();
        let kid = kid.or_else(|| ["try_files", "alias", "root"].iter().find_map(|name| scope.one(name)));
        match kid {
            Some(kid) => replace(body, closed(kid)),
            None => body.set("respond", Map::of("status", "404")),
        }
    }

    /// `return`.
    fn answer(&mut self, site: &Site<'a>, kid: &'a Directive, body: &mut Map) {
        self.ledger.carry(kid.id);
        let (status, rest) = match (kid.arg(0).parse::<u16>(), kid.args.len()) {
            (Err(_), _) => ("302", kid.arg(0)),
            (_, 1) => (kid.arg(0), ""),
            _ => (kid.arg(0), kid.arg(1)),
        };
        if matches!(status, "301" | "302" | "303" | "307" | "308") && !rest.is_empty() {
            return self.redirect(site, kid, status, rest, body);
        }
        if status == "444" {
            self.ledger.differ(kid.id, "the client is answered with 400 instead of nothing");
            return body.set("respond", Map::of("status", "400"));
        }
        let mut respond = Map::default();
        if status != "200" {
            respond.set("status", status);
        }
        if !rest.is_empty() {
            let Some(text) = self.text(site, kid, rest) else {
                return replace(body, closed(kid));
            };
            respond.set("body", text);
            let kind = site.scope.one("default_type").map_or("text/plain", |kid| kid.arg(0));
            respond.set("content_type", kind);
        }
        if respond.is_empty() {
            respond.set("status", "200");
        }
        body.set("respond", respond);
    }

    fn redirect(&mut self, site: &Site<'a>, kid: &'a Directive, status: &str, to: &str, body: &mut Map) {
        let scheme = if site.tls { "https" } else { "http" };
        let to = to.replace("$scheme", scheme).replace("${scheme}", scheme);
        let name = site.block.kid("server_name").map_or("", |names| names.arg(0));
        let to = if name.is_empty() || name == "_" { to } else { to.replace("$server_name", name) };
        let same = ["https://$host$request_uri", "https://$http_host$request_uri", "https://${host}$request_uri"];
        if same.contains(&to.as_str()) && !site.tls {
            body.push("filters", Map::of("redirect", Map::of("https", "true").with("status", status)));
            return body.set("respond", Map::of("status", "404"));
        }
        let mut redirect = Map::default();
        if let Some(base) = to.strip_suffix("$request_uri").filter(|base| !base.contains('$') && base.contains("://")) {
            redirect.set("to", base.trim_end_matches('/'));
            redirect.set("status", status);
        } else {
            let Some(text) = self.text(site, kid, &to) else { return replace(body, closed(kid)) };
            let host = text.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or(""));
            if host.contains("${") {
                self.ledger.lose(kid.id, "a request cannot choose the host of a redirect: it is closed");
                return replace(body, closed(kid));
            }
            redirect.set("to", text.as_str());
            redirect.set("status", status);
            if text.contains("://") && !text.contains("${") {
                redirect.set("keep_path", "false");
            }
        }
        body.set("redirect", redirect);
    }

    /// `proxy_pass`.
    fn proxy(&mut self, site: &Site<'a>, kid: &'a Directive, path: Option<&str>, body: &mut Map) {
        let Some((scheme, rest)) = kid.arg(0).split_once("://") else { return replace(body, closed(kid)) };
        let (host, uri) = match rest.strip_prefix("unix:") {
            Some(socket) => {
                let (socket, uri) = socket.split_once(':').unwrap_or((socket, ""));
                (format!("unix:{socket}"), uri)
            }
            None => {
                let (host, uri) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (host.to_owned(), uri)
            }
        };
        self.ledger.carry(kid.id);
        if let Some(variable) = host.strip_prefix('$') {
            if !uri.is_empty() && uri != "$request_uri" {
                return self.unclear(kid, body);
            }
            return self.chosen(site, kid, variable, body);
        }
        if host.contains('$') || uri.contains('$') && uri != "$request_uri" {
            return self.unclear(kid, body);
        }
        let target = self.destination(kid, scheme, &host);
        match (uri, path) {
            ("" | "$request_uri", _) => {}
            (uri, Some(path)) => self.other_path(kid, path, uri, body),
            (_, None) => return self.unclear(kid, body),
        }
        body.set("to", target);
        if self.draft.upstreams.value(&host).is_some() {
            self.retries(site, kid, &host);
        }
    }

    fn unclear(&mut self, kid: &Directive, body: &mut Map) {
        self.ledger.lose(kid.id, "where it leads is a matter of variables that Strait does not have: it is closed");
        replace(body, closed(kid));
    }

    /// What a `proxy_pass` names, as a target of ours.
    fn destination(&mut self, kid: &Directive, scheme: &str, host: &str) -> String {
        let known = self.draft.upstreams.value(host).is_some();
        if scheme == "https" {
            self.ledger.differ(kid.id, "nginx takes any certificate of the origin; here it must be valid");
            if known {
                let upstream = self.draft.upstreams.map(host);
                if upstream.value("tls").is_none() {
                    upstream.set("tls", Map::default());
                }
                return host.to_owned();
            }
            return format!("https://{host}");
        }
        if known { host.to_owned() } else { with_port(host, "80") }
    }

    /// The path of the location is replaced by that of `proxy_pass`.
    fn other_path(&mut self, kid: &Directive, path: &str, uri: &str, body: &mut Map) {
        let whole = path.ends_with('/') == uri.ends_with('/');
        let (from, to) = (path.trim_end_matches('/'), uri.trim_end_matches('/'));
        if !whole {
            self.ledger.differ(kid.id, "the paths are joined at a slash");
        }
        match (from, to) {
            (from, to) if from == to => {}
            (from, "") => body.push("filters", Map::of("strip_prefix", from)),
            ("", to) => body.push("filters", Map::of("add_prefix", to)),
            (from, to) => body.push("filters", Map::of("rewrite", Map::of("prefix", from).with("with", to))),
        }
    }

    /// A target by a variable of `map` or `split_clients`: the entries of `when`.
    fn chosen(&mut self, site: &Site<'a>, kid: &'a Directive, variable: &str, body: &mut Map) {
        let named = |kind: &str, at: usize| {
            let all = self.tree.iter().flat_map(Directive::kids).filter(move |kid| kid.name == kind);
            all.into_iter().find(|kid| kid.arg(at).trim_start_matches('$') == variable)
        };
        let Some(table) = named("map", 1).or_else(|| named("split_clients", 1)) else {
            return self.unclear(kid, body);
        };
        let mut branches = Vec::new();
        let mut otherwise = None;
        for entry in table.kids() {
            let to = self.destination(kid, "http", entry.arg(0));
            match self.choice(site, table, entry) {
                Some(None) => otherwise = Some(to),
                Some(Some(condition)) => branches.push(condition.with("to", to)),
                None => return self.unclear(kid, body),
            }
        }
        let Some(otherwise) = otherwise else { return self.unclear(kid, body) };
        self.ledger.carry(table.id);
        body.set("to", otherwise);
        body.set("when", branches);
    }

    /// One line of a table: a condition, or none for all others. Nothing where it cannot be said.
    fn choice(&self, site: &Site<'a>, table: &Directive, entry: &Directive) -> Option<Option<Map>> {
        let _ = site;
        if matches!(entry.name.as_str(), "default" | "*") {
            return Some(None);
        }
        if table.name == "split_clients" {
            return entry
                .name
                .ends_with('%')
                .then(|| Some(Map::of("percent", entry.name.as_str()).with("key", "client.ip")));
        }
        let source = table.arg(0).strip_prefix('$')?;
        let exact = !entry.name.starts_with('~');
        if let Some(cookie) = source.strip_prefix("cookie_").filter(|_| exact) {
            return Some(Some(Map::of("cookies", Map::of(cookie, entry.name.as_str()))));
        }
        if let Some(field) = source.strip_prefix("http_").filter(|_| exact) {
            return Some(Some(Map::of("headers", Map::of(&field.replace('_', "-"), entry.name.as_str()))));
        }
        condition(source, if exact { "=" } else { "~" }, entry.name.trim_start_matches('~'))
            .map(|text| Some(Map::of("if", text)))
    }

    fn retries(&mut self, site: &Site<'a>, kid: &Directive, upstream: &str) {
        let Some(next) = site.scope.one("proxy_next_upstream") else { return };
        let _ = kid;
        let mut on: Vec<&str> = Vec::new();
        let retry = self.draft.upstreams.map(upstream);
        for word in &next.args {
            match word.as_str() {
                "off" => return retry.set("retry", Map::of("attempts", "1")),
                "error" => on.extend(["connect_failure", "reset"]),
                "timeout" => on.push("timeout"),
                "http_429" | "http_500" | "http_502" | "http_503" | "http_504" => {
                    on.push(word.trim_start_matches("http_"))
                }
                "non_idempotent" => retry.map("retry").set("non_idempotent", "true"),
                _ => {}
            }
        }
        self.ledger.carry(next.id);
        let tries = site.scope.one("proxy_next_upstream_tries").filter(|kid| kid.arg(0) != "0");
        if let Some(tries) = tries {
            self.ledger.carry(tries.id);
            self.draft.upstreams.map(upstream).map("retry").set("attempts", tries.arg(0));
        }
        if !on.is_empty() {
            self.draft.upstreams.map(upstream).map("retry").set("retry_on", on);
        }
    }

    fn request_fields(&mut self, site: &Site<'a>, scope: &Scope<'a>, body: &mut Map) {
        let fields = scope.all("proxy_set_header");
        let mut host = None;
        for kid in fields {
            let name = kid.arg(0).to_ascii_lowercase();
            if name == "host" {
                host = Some(kid);
            } else if TOLD.contains(&name.as_str()) {
                self.ledger.spare(kid.id, "Strait tells origins this by itself");
            } else if kid.arg(1).is_empty() {
                body.push("remove_request_headers", kid.arg(0));
                self.ledger.carry(kid.id);
            } else if kid.arg(1) == "$proxy_add_x_forwarded_for" {
                body.map("request_headers").set(kid.arg(0), "${client.ip}");
                self.ledger.carry(kid.id);
            } else if let Some(value) = self.text(site, kid, kid.arg(1)) {
                body.map("request_headers").set(kid.arg(0), value);
                self.ledger.carry(kid.id);
            }
        }
        match host {
            Some(kid) if matches!(kid.arg(1), "$host" | "$http_host" | "${host}" | "$host:$server_port") => {
                self.ledger.carry(kid.id)
            }
            Some(kid) if kid.arg(1) == "$proxy_host" => {
                body.set("preserve_host", "false");
                self.ledger.carry(kid.id);
            }
            Some(kid) => self.ledger.lose(kid.id, "the Host that origins see is the client's, or their own"),
            None => body.set("preserve_host", "false"),
        }
        for kid in scope.all("proxy_hide_header") {
            body.push("remove_response_headers", kid.arg(0));
            self.ledger.carry(kid.id);
        }
    }

    fn timeouts(&mut self, scope: &Scope<'a>, body: &mut Map) {
        let names = [
            ("proxy_connect_timeout", "connect"),
            ("proxy_read_timeout", "first_byte"),
            ("proxy_send_timeout", "idle"),
        ];
        for (name, key) in names {
            let Some(kid) = scope.one(name) else { continue };
            let Some(time) = values::time(kid.arg(0)) else { continue };
            body.map("timeout").set(key, time);
            self.ledger.carry(kid.id);
        }
    }

    /// `if` of a server block, where all it does is to answer.
    pub(super) fn conditions(&mut self, site: &Site<'a>) -> Vec<Map> {
        let mut all = Vec::new();
        for kid in site.block.kids().iter().filter(|kid| kid.name == "if") {
            let words: Vec<&str> = kid.args.iter().flat_map(|arg| arg.split_whitespace()).collect();
            let inner = words.join(" ");
            let inner = inner.trim_start_matches('(').trim_end_matches(')').trim();
            let mut parts = inner.splitn(3, ' ');
            let variable = parts.next().unwrap_or("").trim_start_matches('$');
            let (operator, value) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
            let text = condition(variable, operator, value.trim_matches('"'));
            let answer = kid.kid("return").filter(|_| kid.kids().len() == 1);
            let (Some(text), Some(answer)) = (text, answer) else {
                self.ledger.leave(kid.id, Why::Lost, "only conditions on the request that answer are carried over");
                continue;
            };
            let mut body = Map::default();
            self.answer(site, answer, &mut body);
            self.ledger.carry(kid.id);
            all.push(as_branch(Map::of("if", text), body));
        }
        all
    }
}

/// A comparison as an expression of ours.
fn condition(variable: &str, operator: &str, value: &str) -> Option<String> {
    let values::Value::Expression(name) = values::expression(variable, "", "")? else { return None };
    let (name, is_field) = (name.clone(), name.ends_with(']'));
    let found = |any_case| {
        values::regex(value, any_case).ok().map(|regex| format!("{name}.matches({})", values::quoted(&regex)))
    };
    let absent = |text: String| {
        let Some((map, key)) = name.strip_suffix(']').and_then(|rest| rest.split_once('[')).filter(|_| is_field) else {
            return text;
        };
        format!("!({key} in {map}) || {text}")
    };
    match operator {
        "=" => Some(format!("{name} == {}", values::quoted(value))),
        "!=" => Some(absent(format!("{name} != {}", values::quoted(value)))),
        "~" => found(false),
        "~*" => found(true),
        "!~" => found(false).map(|text| absent(format!("!{text}"))),
        "!~*" => found(true).map(|text| absent(format!("!{text}"))),
        "" if is_field => Some(format!("size({name}) > 0")),
        _ => None,
    }
}

/// What nginx counts by, as ours.
fn count_by(variable: &str) -> Option<&'static str> {
    match variable {
        "binary_remote_addr" | "remote_addr" => Some("client.ip"),
        "server_name" | "host" | "http_host" => Some("request.host"),
        "uri" | "request_uri" => Some("request.path"),
        _ => None,
    }
}

/// The answer of a route that could not be carried over.
fn closed(kid: &Directive) -> Map {
    let text = format!("{} is not carried over\n", kid.name);
    Map::of("respond", Map::of("status", "501").with("body", Node::Text(text)))
}

/// The answer in place of everything else.
fn replace(body: &mut Map, with: Map) {
    *body = with;
}
