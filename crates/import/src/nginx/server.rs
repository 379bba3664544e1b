//! `http` and `server` blocks: listeners, hosts, and which location a path belongs to.

use super::lex::Directive;
use super::{Scope, Work, values};
use crate::yaml::{Map, Node};

/// A server block on one of its addresses.
#[derive(Clone)]
pub(super) struct Site<'a> {
    pub(super) block: &'a Directive,
    pub(super) scope: Scope<'a>,
    pub(super) tls: bool,
    pub(super) port: String,
    is_default: bool,
    listen: Option<&'a Directive>,
}

/// A location with the blocks around it.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) block: &'a Directive,
    pub(super) scope: Scope<'a>,
}

/// How a location matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Exact,
    Prefix { beats_regexes: bool },
    Regex { any_case: bool },
    Named,
}

impl Place<'_> {
    pub(super) fn kind(&self) -> Kind {
        match (self.block.arg(0), self.block.args.len()) {
            ("=", 2) => Kind::Exact,
            ("^~", 2) => Kind::Prefix { beats_regexes: true },
            ("~", 2) => Kind::Regex { any_case: false },
            ("~*", 2) => Kind::Regex { any_case: true },
            (name, _) if name.starts_with('@') => Kind::Named,
            _ => Kind::Prefix { beats_regexes: false },
        }
    }

    /// The path or regular expression.
    pub(super) fn path(&self) -> &str {
        self.block.args.last().map_or("", String::as_str)
    }
}

impl<'a> Work<'a> {
    /// All of an `http` block.
    pub(super) fn http(&mut self, http: &'a Directive) {
        for block in http.kids().iter().filter(|kid| kid.name == "upstream") {
            self.upstream(block);
        }
        self.trusted_proxies(http);
        let mut sites: Vec<(String, Vec<Site<'a>>)> = Vec::new();
        for block in http.kids().iter().filter(|kid| kid.name == "server") {
            self.trusted_proxies(block);
            for site in self.sites(http, block) {
                let address = site.0;
                match sites.iter_mut().find(|(known, _)| *known == address) {
                    Some((_, list)) => list.push(site.1),
                    None => sites.push((address, vec![site.1])),
                }
            }
        }
        for (address, mut list) in sites {
            if !list.iter().any(|site| site.is_default) {
                list.iter_mut().take(1).for_each(|site| site.is_default = true);
            }
            self.listener(&address, &list);
        }
    }

    fn trusted_proxies(&mut self, block: &Directive) {
        for from in block.kids().iter().filter(|kid| kid.name == "set_real_ip_from") {
            let network = from.arg(0);
            if network == "unix:" || network.parse::<std::net::IpAddr>().is_err() && !network.contains('/') {
                self.ledger.lose(from.id, "only networks can be trusted");
                continue;
            }
            self.draft.top.push("trusted_proxies", network);
            self.ledger.carry(from.id);
        }
        for kid in block.kids() {
            match (kid.name.as_str(), kid.arg(0).to_ascii_lowercase().as_str()) {
                ("real_ip_header", "x-forwarded-for") | ("real_ip_recursive", "on") => self.ledger.carry(kid.id),
                ("real_ip_recursive", _) => {
                    self.ledger.differ(kid.id, "all of X-Forwarded-For is read, up to the first address not trusted");
                }
                ("real_ip_header", _) => self.ledger.lose(kid.id, "clients are told by X-Forwarded-For only"),
                _ => {}
            }
        }
    }

    /// A server block on each of its addresses.
    fn sites(&mut self, http: &'a Directive, block: &'a Directive) -> Vec<(String, Site<'a>)> {
        let scope = Scope(vec![http, block]);
        let listens: Vec<&'a Directive> = block.kids().iter().filter(|kid| kid.name == "listen").collect();
        let ssl_on = block.kid("ssl").is_some_and(|kid| kid.arg(0) == "on");
        let site = |listen: Option<&'a Directive>| {
            let address = listening(listen.map_or("80", |listen| listen.arg(0)));
            let has = |word: &str| listen.is_some_and(|listen| listen.args.iter().skip(1).any(|arg| arg == word));
            let port = address.rsplit(':').next().unwrap_or("").to_owned();
            let tls = ssl_on || has("ssl");
            let is_default = has("default_server") || has("default");
            (address, Site { block, scope: scope.clone(), tls, port, is_default, listen })
        };
        if listens.is_empty() {
            return vec![site(None)];
        }
        let mut all: Vec<(String, Site<'a>)> = Vec::new();
        for listen in listens {
            self.listen_options(listen);
            let one = site(Some(listen));
            // `[::]:80` beside `80`: one listener serves both families.
            if !all.iter().any(|(address, _)| *address == one.0) {
                all.push(one);
            }
        }
        all
    }

    fn listen_options(&mut self, listen: &Directive) {
        self.ledger.carry(listen.id);
        for option in listen.args.iter().skip(1) {
            match option.split('=').next().unwrap_or(option) {
                "proxy_protocol" => self.ledger.lose(listen.id, "the PROXY protocol is not built yet"),
                "quic" => self.ledger.lose(listen.id, "HTTP/3 is not carried over"),
                _ => {}
            }
        }
    }

    fn listener(&mut self, address: &str, sites: &[Site<'a>]) {
        let origin = sites.first().and_then(|site| site.listen.or(Some(site.block))).map(Directive::origin);
        self.draft.listener(address, &origin.unwrap_or_default());
        self.limits(address, sites);
        for site in sites {
            if site.tls {
                self.tls(address, site);
            }
        }
        // What has a host of its own goes first, so that the default takes the rest.
        for site in sites {
            self.site(address, site, sites);
        }
    }

    fn limits(&mut self, address: &str, sites: &[Site<'a>]) {
        let Some(first) = sites.first() else { return };
        let mut limits = Map::default();
        for (name, key) in [("client_header_timeout", "header_timeout"), ("keepalive_timeout", "idle_timeout")] {
            if let Some(kid) = first.scope.one(name) {
                match values::time(kid.arg(0)) {
                    Some(time) => limits.set(key, time),
                    None => continue,
                }
                self.ledger.carry(kid.id);
            }
        }
        let head = first.scope.one("large_client_header_buffers");
        let in_kilobytes = |kid: &&Directive| kid.arg(1).ends_with(['k', 'K']);
        if let Some((kid, size)) = head.filter(in_kilobytes).and_then(|kid| Some((kid, values::size(kid.arg(1))?))) {
            limits.set("header_size", size);
            self.ledger.differ(kid.id, "header_size bounds the whole head, not a line of it");
        }
        let size = first.scope.one("client_max_body_size");
        if let Some(kid) = size {
            self.ledger.carry(kid.id);
        }
        // nginx bounds bodies at 1 MiB where nothing is said.
        limits.set("body_size", body_size(size));
        self.draft.listener(address, "").body.set("limits", limits);
    }

    fn tls(&mut self, address: &str, site: &Site<'a>) {
        let certificates = site.scope.all("ssl_certificate");
        let keys = site.scope.all("ssl_certificate_key");
        let mut list = Vec::new();
        for (cert, key) in certificates.iter().zip(&keys) {
            if cert.arg(0).contains('$') {
                self.ledger.lose(cert.id, "a certificate's file has one name");
                continue;
            }
            list.push(Node::from(Map::of("cert", cert.arg(0)).with("key", key.arg(0))));
            self.ledger.carry(cert.id);
            self.ledger.carry(key.id);
        }
        let least = site.scope.one("ssl_protocols");
        let mutual = self.client_auth(site);
        let listener = self.draft.listener(address, "");
        listener.tls = true;
        let tls = listener.body.map("tls");
        for certificate in list {
            let known = matches!(tls.value("certificates"), Some(Node::List(all)) if all.contains(&certificate));
            if !known {
                tls.push("certificates", certificate);
            }
        }
        if let Some(least) = least {
            let only_new = !least.args.iter().any(|version| version == "TLSv1.2");
            if only_new {
                tls.set("min_version", "1.3");
            }
            self.ledger.carry(least.id);
            if least.args.iter().any(|version| matches!(version.as_str(), "TLSv1" | "TLSv1.1" | "SSLv3")) {
                self.ledger.differ(least.id, "TLS 1.2 is the least that is spoken");
            }
        }
        if let Some(mutual) = mutual {
            tls.set("client_auth", mutual);
        }
    }

    fn client_auth(&mut self, site: &Site<'a>) -> Option<Map> {
        let verify = site.scope.one("ssl_verify_client")?;
        let ca = site.scope.one("ssl_client_certificate")?;
        if verify.arg(0) == "off" {
            return None;
        }
        self.ledger.carry(ca.id);
        self.ledger.carry(verify.id);
        let mut mutual = Map::of("ca", ca.arg(0));
        if let Some(crl) = site.scope.one("ssl_crl") {
            mutual.set("crl", crl.arg(0));
            self.ledger.carry(crl.id);
        }
        match verify.arg(0) {
            "on" => {}
            "optional" => mutual.set("mode", "optional"),
            _ => {
                mutual.set("mode", "optional");
                self.ledger.differ(verify.id, "a certificate that is shown must be sound");
            }
        }
        Some(mutual)
    }

    /// The routes of a server block on one address.
    fn site(&mut self, address: &str, site: &Site<'a>, all: &[Site<'a>]) {
        let hosts = self.hosts(site, all);
        let mut places = Vec::new();
        self.places(&site.scope, site.block, &mut places);
        if hosts.is_empty() {
            return;
        }
        let ways = self.ways(site, &places);
        let open = places.iter().filter(|place| matches!(place.kind(), Kind::Prefix { .. }));
        let loose = open.map(Place::path).filter(|path| path.len() > 1 && !path.ends_with('/')).map(str::to_owned);
        self.draft.listener(address, "").loose.extend(loose);
        for host in &hosts {
            for (path, body, origin) in &ways {
                let pattern = match (host.as_str(), path.as_str()) {
                    (host, "/*") if !host.is_empty() => host.to_owned(),
                    ("", "/*") => "/".to_owned(),
                    (host, path) => format!("{host}{path}"),
                };
                self.draft.listener(address, "").route(&pattern, body.clone(), origin);
            }
        }
    }

    /// The hosts of a server block; the empty one stands for every other.
    fn hosts(&mut self, site: &Site<'a>, all: &[Site<'a>]) -> Vec<String> {
        let mut hosts = Vec::new();
        for names in site.block.kids().iter().filter(|kid| kid.name == "server_name") {
            self.ledger.carry(names.id);
            for name in &names.args {
                match name.strip_prefix('.') {
                    Some(rest) => hosts.extend([rest.to_ascii_lowercase(), format!("*.{}", rest.to_ascii_lowercase())]),
                    None if is_host(name) => hosts.push(name.to_ascii_lowercase()),
                    None if matches!(name.as_str(), "_" | "" | "localhost") || site.is_default => {}
                    None => self.ledger.lose(names.id, format!("`{name}` can be no host of a pattern")),
                }
            }
        }
        if !site.is_default {
            return hosts;
        }
        // A host of the default server needs a pattern only where a wildcard of another one would take it.
        let taken = |host: &String| {
            let name = |other: &&String| {
                other.strip_prefix('.').or(other.strip_prefix("*.")).is_some_and(|rest| host.ends_with(rest))
            };
            let others = all.iter().filter(|other| other.block.id != site.block.id);
            let names = others.flat_map(|other| other.block.kids()).filter(|kid| kid.name == "server_name");
            names.flat_map(|kid| &kid.args).any(|other| name(&other))
        };
        hosts.retain(taken);
        hosts.push(String::new());
        hosts
    }

    /// The locations of a block, and those within them.
    fn places(&mut self, scope: &Scope<'a>, block: &'a Directive, to: &mut Vec<Place<'a>>) {
        for kid in block.kids().iter().filter(|kid| kid.name == "location") {
            let place = Place { block: kid, scope: scope.inside(kid) };
            self.places(&place.scope, kid, to);
            match place.kind() {
                Kind::Named => self.ledger.lose(kid.id, "nothing leads to a named location in Strait"),
                _ => to.push(place),
            }
        }
    }

    /// Paths with what becomes of their requests, for one host.
    fn ways(&mut self, site: &Site<'a>, places: &[Place<'a>]) -> Vec<(String, Map, String)> {
        let answers_all = site.block.kid("return").is_some();
        let ifs = self.conditions(site);
        let mut regexes = Vec::new();
        for place in places.iter().filter(|place| matches!(place.kind(), Kind::Regex { .. })) {
            if !answers_all {
                regexes.extend(self.regex(site, place));
            }
        }
        let mut ways = Vec::new();
        let has = |kind: fn(Kind) -> bool, path: &str| places.iter().any(|p| kind(p.kind()) && p.path() == path);
        let prefix = |kind| matches!(kind, Kind::Prefix { .. });
        for place in places.iter().filter(|_| !answers_all) {
            let path = place.path();
            if !path.starts_with('/') {
                continue;
            }
            let body = self.body(site, &place.scope, Some(path));
            let origin = place.block.origin();
            match place.kind() {
                Kind::Exact => ways.push((exact(path), branched(body, &ifs, &[]), origin)),
                Kind::Prefix { beats_regexes } => {
                    let regexes: &[Map] = if beats_regexes { &[] } else { &regexes };
                    let stem = path.trim_end_matches('/');
                    // Without its slash the path of a proxied location is redirected; another goes elsewhere.
                    if path.len() > 1
                        && path.ends_with('/')
                        && !has(|kind| kind == Kind::Exact, stem)
                        && !has(prefix, stem)
                    {
                        let bare = self.without_slash(site, places, place, &body);
                        ways.push((stem.to_owned(), branched(bare, &ifs, regexes), origin.clone()));
                    } else if path.len() > 1 && !path.ends_with('/') {
                        let what = format!("nginx takes `{path}beside` for it too; here a prefix ends at a slash");
                        self.ledger.differ(place.block.id, what);
                    }
                    ways.push((format!("{stem}/*"), branched(body, &ifs, regexes), origin));
                }
                _ => {}
            }
        }
        if answers_all || !has(prefix, "/") {
            let body = self.body(site, &site.scope, None);
            ways.push(("/*".to_owned(), branched(body, &ifs, &regexes), site.block.origin()));
        }
        // Exact paths first, so that they are not taken for what a prefix leaves.
        ways.sort_by_key(|(path, ..)| path.ends_with("/*"));
        ways
    }

    /// What becomes of `/api` where there is only `/api/`.
    fn without_slash(&mut self, site: &Site<'a>, places: &[Place<'a>], inner: &Place<'a>, body: &Map) -> Map {
        let path = inner.path();
        // nginx redirects for every location that passes requests on, whatever guards it.
        if inner.block.kids().iter().any(|kid| kid.name.ends_with("_pass")) {
            let mut bare = Map::of("redirect", Map::of("to", path).with("status", "301"));
            if let Some(fields) = body.value("response_headers") {
                bare.set("response_headers", fields.clone());
            }
            return bare;
        }
        let fits = |place: &&Place<'a>| {
            matches!(place.kind(), Kind::Prefix { .. }) && place.path() != path && path.starts_with(place.path())
        };
        let outer = places.iter().filter(fits).max_by_key(|place| place.path().len());
        match outer {
            Some(outer) => self.body(site, &outer.scope, Some(outer.path())),
            None => self.body(site, &site.scope, None),
        }
    }

    /// A location with a regular expression as an entry of `when`.
    fn regex(&mut self, site: &Site<'a>, place: &Place<'a>) -> Option<Map> {
        let Kind::Regex { any_case } = place.kind() else { return None };
        let pattern = match values::regex(place.path(), any_case) {
            Ok(pattern) => pattern,
            Err(why) => {
                self.ledger.lose(place.block.id, why);
                return None;
            }
        };
        self.ledger.carry(place.block.id);
        let body = self.body(site, &place.scope, None);
        Some(as_branch(Map::of("if", format!("request.path.matches({})", values::quoted(&pattern))), body))
    }
}

/// The path of an exact location as a pattern's.
fn exact(path: &str) -> String {
    if path.ends_with('/') { format!("{path}{{$}}") } else { path.to_owned() }
}

/// A route with conditions before what it does by itself.
///
/// The filters and fields of a route hold for the entries of its `when` too, which nginx has nothing like; where there
/// are any, what the route does becomes the last entry.
fn branched(mut body: Map, ifs: &[Map], regexes: &[Map]) -> Map {
    if ifs.is_empty() && regexes.is_empty() {
        return body;
    }
    let mut list: Vec<Map> = ifs.iter().chain(regexes).cloned().collect();
    let own = ["filters", "request_headers", "response_headers", "remove_request_headers", "remove_response_headers"];
    if own.iter().any(|key| body.value(key).is_some()) {
        let mut outer = Map::of("respond", Map::of("status", "404"));
        for key in ["timeout", "preserve_host", "body_size"] {
            if let Some(value) = body.remove(key) {
                outer.set(key, value);
            }
        }
        list.push(as_branch(Map::of("if", "request.path.startsWith('/')"), body));
        body = outer;
    }
    body.set("when", list);
    body
}

/// What a route does as an entry of `when`.
pub(super) fn as_branch(mut condition: Map, mut body: Map) -> Map {
    for key in ["timeout", "preserve_host", "body_size"] {
        body.remove(key);
    }
    let removed = [("request", "remove_request_headers"), ("response", "remove_response_headers")];
    for (side, key) in removed {
        if let Some(names) = body.remove(key) {
            body.push("filters", Map::of("remove_headers", Map::default().with(side, names)));
        }
    }
    let keys: Vec<String> = body.keys().map(str::to_owned).collect();
    for key in keys {
        if let Some(value) = body.remove(&key) {
            condition.set(&key, value);
        }
    }
    condition
}

/// Where a listener of ours listens.
pub(super) fn listening(listen: &str) -> String {
    let bare = listen.strip_prefix("*:").or(listen.strip_prefix("[::]:")).or(listen.strip_prefix("0.0.0.0:"));
    if let Some(port) = bare.filter(|port| port.parse::<u16>().is_ok()) {
        return port.to_owned();
    }
    if listen.parse::<u16>().is_ok() {
        return listen.to_owned();
    }
    super::upstream::with_port(&listen.replace("localhost", "127.0.0.1"), "80")
}

fn is_host(name: &str) -> bool {
    let rest = name.strip_prefix("*.").unwrap_or(name);
    !rest.is_empty() && rest != "_" && rest.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

pub(super) fn body_size(kid: Option<&Directive>) -> String {
    match kid.map(|kid| kid.arg(0)) {
        Some("0") => "none".to_owned(),
        Some(size) => values::size(size).unwrap_or_else(|| "1MiB".to_owned()),
        None => "1MiB".to_owned(),
    }
}
