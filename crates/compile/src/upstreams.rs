//! Upstreams, named ones and those written in place, as the entries of a plan that routes name by index.

use crate::registry::{InPlace, Registry};
use crate::tls::{Tls, UpstreamTls};
use crate::{balance, sticky};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use strait_config::limits::{TIERS_MAX, WEIGHT_MAX};
use strait_config::spec::{self, To, UpstreamEndpoint};
use strait_config::value::{Endpoint as Written, Host, Target};
use strait_config::{Decoder, Diagnostic, Node, Snapshot, Span, Spanned, Spec as _};
use strait_plan::{Endpoint, EndpointAddress, Health, Lookup, Source, Sticky, TimeoutSources, Upstream, UpstreamState};
use strait_tls::ClientPolicy;

/// The upstreams of a plan in the making.
pub(crate) struct Upstreams<'s> {
    snapshot: &'s Snapshot,
    registry: &'s Registry,
    tls: Tls<'s>,
    sticky_key: &'s [u8],
    /// For endpoints written as `https://` in upstreams without settings of their own.
    plain_tls: Option<UpstreamTls>,
    list: Vec<Arc<Upstream>>,
    in_place: InPlace,
    /// The entry for a name under these timeouts and this cookie.
    known: HashMap<(Arc<str>, Own), usize, foldhash::fast::RandomState>,
    /// What holds for an upstream that is written in place: the defaults of the language.
    unnamed: Option<spec::Upstream>,
}

/// What a route sets in place of its upstream's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Own {
    /// Its sticky cookie, as text: where the route is no split, it keeps clients with an endpoint.
    sticky: Option<String>,
    connect: Option<Duration>,
    first_byte: Option<Duration>,
    idle: Option<Duration>,
    tunnel: Option<Duration>,
}

/// Where a route leads: entries of the plan with their weights.
pub(crate) struct Split {
    pub(crate) upstreams: Box<[usize]>,
    pub(crate) weights: Box<[u32]>,
    /// For the whole exchange: the longest that one of the upstreams allows.
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) request_timeout_source: Source,
}

impl<'s> Upstreams<'s> {
    /// None of the upstreams yet.
    pub(crate) fn none(snapshot: &'s Snapshot, registry: &'s Registry, tls: Tls<'s>, sticky_key: &'s [u8]) -> Self {
        let unnamed = spec::Upstream::decode(&Node::unwritten("localhost:1"), &mut Decoder::default());
        let (list, in_place, known) = (Vec::new(), HashMap::new(), HashMap::default());
        Self { snapshot, registry, tls, sticky_key, plain_tls: None, list, in_place, known, unnamed }
    }

    /// The named upstreams of a snapshot.
    pub(crate) fn of(snapshot: &'s Snapshot, registry: &'s Registry, tls: Tls<'s>, sticky_key: &'s [u8]) -> Self {
        let mut upstreams = Self::none(snapshot, registry, tls, sticky_key);
        for (name, upstream) in &snapshot.spec.upstreams {
            upstreams.add(&name.value, &upstream.endpoints, upstream);
        }
        upstreams
    }

    /// Where the meters of routes are kept.
    pub(crate) fn registry(&self) -> &'s Registry {
        self.registry
    }

    /// The entries, and what was written of those without a name.
    pub(crate) fn into_parts(self) -> (Vec<Arc<Upstream>>, InPlace, Tls<'s>) {
        (self.list, self.in_place, self.tls)
    }

    /// What was found wrong.
    pub(crate) fn into_findings(self) -> Vec<Diagnostic> {
        self.tls.found
    }

    /// The upstreams of a plan, some of them with what their look-ups have found now.
    pub(crate) fn renewed(
        &mut self,
        list: &[Arc<Upstream>],
        is_concerned: impl Fn(&Upstream) -> bool,
    ) -> Vec<Arc<Upstream>> {
        let mut renewed: Vec<Arc<Upstream>> = Vec::with_capacity(list.len());
        for old in list {
            let new = if is_concerned(old) { self.renewed_one(old, &renewed).map(Arc::new) } else { None };
            renewed.push(new.unwrap_or_else(|| old.clone()));
        }
        renewed
    }

    /// Variants stand behind what they are variants of.
    fn renewed_one(&mut self, old: &Upstream, before: &[Arc<Upstream>]) -> Option<Upstream> {
        if let Some(base) = old.variant_of.and_then(|base| before.get(base)) {
            return Some(variant(old, base));
        }
        match self.snapshot.upstream(&old.name) {
            Some(spec) => Some(self.build(&old.name, &spec.endpoints, spec)),
            None => {
                let written = self.registry.in_place(&old.name)?;
                let defaults = self.unnamed.take()?;
                let upstream = self.build(&old.name, written, &defaults);
                self.unnamed = Some(defaults);
                Some(upstream)
            }
        }
    }

    /// The entries a route leads to.
    pub(crate) fn split(&mut self, to: &To, route: &spec::Route) -> Split {
        let (upstreams, weights): (Vec<_>, Vec<_>) = match to {
            To::One(target) => vec![(self.target(target, route), 1)].into_iter().unzip(),
            To::Any(endpoints) => vec![(self.in_place(endpoints, route), 1)].into_iter().unzip(),
            To::Split(shares) => {
                shares.0.iter().map(|share| (self.target(&share.target, route), share.weight.value)).unzip()
            }
        };
        let allowed = |&index: &usize| {
            let named = self.list.get(index).and_then(|upstream| self.snapshot.upstream(&upstream.name));
            self.snapshot.timeouts(route, named).request.get().map(Into::into)
        };
        // `None` is no bound at all: above every number.
        let allowed: Vec<Option<Duration>> = upstreams.iter().map(allowed).collect();
        let request_timeout = if allowed.contains(&None) { None } else { allowed.into_iter().flatten().max() };
        let request_timeout_source = self.request_source(&upstreams, route);
        Split { upstreams: upstreams.into(), weights: weights.into(), request_timeout, request_timeout_source }
    }

    /// Where the timeout of the whole exchange comes from.
    fn request_source(&self, upstreams: &[usize], route: &spec::Route) -> Source {
        let named = |&index: &usize| self.snapshot.upstream(&self.list.get(index)?.name);
        match route.timeout.request {
            Some(_) => Source::Route,
            None if upstreams.iter().filter_map(named).any(|named| named.timeout.request.is_some()) => Source::Upstream,
            None => Source::Defaults,
        }
    }

    fn target(&mut self, target: &Spanned<Target>, route: &spec::Route) -> usize {
        match &target.value {
            Target::Upstream(name) => {
                let base = self.known.get(&(Arc::from(name.as_str()), Own::default())).copied();
                // Loading refuses names that are not defined.
                base.map_or(usize::MAX, |base| self.under(base, route))
            }
            Target::Endpoint(endpoint) => self.in_place(&[Spanned::new(endpoint.clone(), target.span)], route),
        }
    }

    /// An upstream without a name: the same text is the same upstream.
    fn in_place(&mut self, endpoints: &[Spanned<Written>], route: &spec::Route) -> usize {
        let name = endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let known = self.known.get(&(Arc::from(name.as_str()), Own::default())).copied();
        let base = known.unwrap_or_else(|| {
            let endpoints = endpoints.iter().map(|address| UpstreamEndpoint::plain(address.clone()));
            let endpoints: Vec<_> = endpoints.collect();
            self.in_place.insert(name.as_str().into(), endpoints.clone());
            let defaults = self.unnamed.take();
            let index = defaults.as_ref().map_or(usize::MAX, |defaults| self.add(&name, &endpoints, defaults));
            self.unnamed = defaults;
            index
        });
        self.under(base, route)
    }

    /// An entry as a route uses it: itself, or the variant of it with the route's own timeouts.
    fn under(&mut self, base: usize, route: &spec::Route) -> usize {
        let is_split = matches!(&route.to, Some(To::Split(shares)) if shares.0.len() > 1);
        let sticky = route.sticky.as_ref().filter(|_| !is_split);
        let own = Own {
            sticky: sticky.map(|sticky| format!("{sticky:?}")),
            connect: route.timeout.connect.map(Into::into),
            first_byte: route.timeout.first_byte.map(Into::into),
            idle: route.timeout.idle.map(Into::into),
            tunnel: route.timeout.tunnel.map(Into::into),
        };
        let Some(upstream) = self.list.get(base).filter(|_| own != Own::default()) else { return base };
        let key = (upstream.name.clone(), own.clone());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let sticky = sticky.map(|sticky| self.sticky(sticky, &upstream.name, &upstream.endpoints));
        let variant = Upstream {
            sticky: sticky.or_else(|| upstream.sticky.clone()),
            connect_timeout: own.connect.unwrap_or(upstream.connect_timeout),
            first_byte_timeout: own.first_byte.unwrap_or(upstream.first_byte_timeout),
            idle_timeout: own.idle.unwrap_or(upstream.idle_timeout),
            tunnel_timeout: own.tunnel.unwrap_or(upstream.tunnel_timeout),
            sources: TimeoutSources {
                connect: own.connect.map_or(upstream.sources.connect, |_| Source::Route),
                first_byte: own.first_byte.map_or(upstream.sources.first_byte, |_| Source::Route),
                idle: own.idle.map_or(upstream.sources.idle, |_| Source::Route),
                tunnel: own.tunnel.map_or(upstream.sources.tunnel, |_| Source::Route),
            },
            variant_of: Some(base),
            ..Upstream::clone(upstream)
        };
        self.push(key, variant)
    }

    fn push(&mut self, key: (Arc<str>, Own), upstream: Upstream) -> usize {
        self.known.insert(key, self.list.len());
        self.list.push(Arc::new(upstream));
        self.list.len() - 1
    }

    fn add(&mut self, name: &str, endpoints: &[UpstreamEndpoint], spec: &spec::Upstream) -> usize {
        let upstream = self.build(name, endpoints, spec);
        self.push((upstream.name.clone(), Own::default()), upstream)
    }

    fn build(&mut self, name: &str, written: &[UpstreamEndpoint], spec: &spec::Upstream) -> Upstream {
        let name: Arc<str> = name.into();
        let timeouts = self.snapshot.spec.defaults.timeout.overridden(&spec.timeout);
        let state = self.registry.upstream(&name);
        let mut tls = spec.tls.as_ref().map(|tls| self.tls.upstream(Some(&tls.0)));
        let mut endpoints = Vec::with_capacity(written.len());
        written.iter().for_each(|one| self.endpoints((&name, &state), one, spec, tls.as_mut(), &mut endpoints));
        let lookups: Vec<_> = written.iter().filter_map(lookup).collect();
        if !lookups.is_empty() {
            // Two look-ups may find the same endpoint.
            let mut seen = HashSet::new();
            endpoints.retain(|endpoint| seen.insert(endpoint.name.clone()));
        }
        let upstream = Upstream {
            name: name.clone(),
            lookups,
            balance: balance::balance(spec, &endpoints),
            hash_key: balance::hash_key(&spec.balance),
            sticky: spec.sticky.as_ref().map(|sticky| self.sticky(sticky, &name, &endpoints)),
            state,
            endpoints,
            connect_timeout: timeouts.connect.into(),
            first_byte_timeout: timeouts.first_byte.into(),
            idle_timeout: timeouts.idle.into(),
            tunnel_timeout: timeouts.tunnel.into(),
            queue_max: spec.queue.max,
            queue_timeout: spec.queue.timeout.into(),
            keep_alive_max: spec.keep_alive.max_idle as usize,
            keep_alive_warm: spec.keep_alive.warm.min(spec.keep_alive.max_idle) as usize,
            keep_alive_timeout: spec.keep_alive.idle_timeout.into(),
            retry: crate::retry::policy(&spec.retry),
            health_check: spec.health_check.as_ref().map(crate::health::check),
            outliers: spec.outlier_detection.as_ref().map(crate::health::outliers),
            takes_hints: spec.agent_hints,
            sources: sources(&spec.timeout),
            variant_of: None,
        };
        start_as_asked(&upstream);
        upstream
    }

    /// The cookie that keeps a client with one of these endpoints.
    fn sticky(&self, spec: &spec::Sticky, upstream: &str, endpoints: &[Endpoint]) -> Arc<Sticky> {
        sticky::sticky(spec, self.sticky_key, upstream, endpoints.iter().map(|endpoint| &*endpoint.name))
    }

    /// The cookie that keeps a client with one side of a route's split.
    pub(crate) fn sticky_sides(&self, spec: &spec::Sticky, pattern: &str, split: &[usize]) -> Arc<Sticky> {
        let name = |&index: &usize| self.list.get(index).map_or("", |upstream| &*upstream.name);
        sticky::sticky(spec, self.sticky_key, pattern, split.iter().map(name))
    }

    /// Appends the endpoints that one entry of the list stands for: itself, or what its look-up found.
    fn endpoints(
        &mut self,
        upstream: (&str, &Arc<UpstreamState>),
        written: &UpstreamEndpoint,
        spec: &spec::Upstream,
        mut tls: Option<&mut UpstreamTls>,
        out: &mut Vec<Endpoint>,
    ) {
        let Some(lookup) = lookup(written) else { return out.push(self.endpoint(upstream, written, spec, tls)) };
        for found in self.registry.found(&lookup) {
            let tier = written.tier().saturating_add(found.tier.into()).min(TIERS_MAX);
            let tls = self.endpoint_tls(&found.host, false, written.address.span, tls.as_deref_mut());
            let (name, port) = (found.address.to_string(), found.address.port());
            let address = EndpointAddress::Name(found.address.ip().to_string(), port);
            out.push(Endpoint {
                authority: format!("{}:{port}", found.host).into(),
                weight: written.weight.saturating_mul(found.weight).min(WEIGHT_MAX),
                tier: tier.try_into().unwrap_or(u8::MAX),
                connections_max: written.max_connections.unwrap_or(spec.max_connections).get(),
                state: self.registry.endpoint(upstream, &name, address, tls),
                name: name.into(),
            });
        }
    }

    fn endpoint(
        &mut self,
        upstream: (&str, &Arc<UpstreamState>),
        written: &UpstreamEndpoint,
        spec: &spec::Upstream,
        tls: Option<&mut UpstreamTls>,
    ) -> Endpoint {
        let name: Arc<str> = written.address.to_string().into();
        let (address, authority) = match &written.address.value {
            Written::Tcp { host, port, .. } => {
                // An IPv6 address is resolved without its brackets.
                let bare = if let Host::Ip(ip) = host { ip.to_string() } else { host.to_string() };
                (EndpointAddress::Name(bare, *port), format!("{host}:{port}").into())
            }
            // A socket file has no name that a Host field could carry.
            Written::Unix(path) => (EndpointAddress::Unix(path.clone()), "localhost".into()),
            // What is looked up stands for endpoints and is none itself.
            Written::Dns { host, port } => (EndpointAddress::Name(host.clone(), *port), name.clone()),
            Written::Srv(host) => (EndpointAddress::Name(host.clone(), 0), name.clone()),
        };
        let (host, is_https) = match &written.address.value {
            Written::Tcp { host, tls, .. } => (host.to_string(), *tls),
            Written::Unix(_) | Written::Dns { .. } | Written::Srv(_) => ("localhost".to_owned(), false),
        };
        let tls = self.endpoint_tls(&host, is_https, written.address.span, tls);
        let state = self.registry.endpoint(upstream, &name, address, tls);
        Endpoint {
            name,
            authority,
            weight: written.weight,
            tier: written.tier().try_into().unwrap_or(u8::MAX),
            connections_max: written.max_connections.unwrap_or(spec.max_connections).get(),
            state,
        }
    }

    /// How TLS is spoken to an endpoint: by its upstream's settings, or by those of the language where it is written
    /// as `https://`.
    fn endpoint_tls(
        &mut self,
        host: &str,
        is_https: bool,
        at: Span,
        own: Option<&mut UpstreamTls>,
    ) -> Option<Arc<ClientPolicy>> {
        match own {
            Some(own) => self.tls.endpoint(own, host, at),
            None if is_https => {
                let mut plain = self.plain_tls.take().unwrap_or_else(|| self.tls.upstream(None));
                let policy = self.tls.endpoint(&mut plain, host, at);
                self.plain_tls = Some(plain);
                policy
            }
            None => None,
        }
    }
}

/// Endpoints that no plan knew before are taken for what the check says until it has been made.
fn start_as_asked(upstream: &Upstream) {
    if upstream.health_check.as_ref().is_none_or(|check| check.rules.starts_healthy) {
        return;
    }
    for endpoint in upstream.endpoints.iter().filter(|endpoint| Arc::strong_count(&endpoint.state) == 1) {
        endpoint.state.standing.set_health(Health::Unhealthy, 0);
    }
}

/// Which timeouts an upstream sets itself.
fn sources(own: &spec::Timeouts) -> TimeoutSources {
    let source = |is_set| if is_set { Source::Upstream } else { Source::Defaults };
    TimeoutSources {
        connect: source(own.connect.is_some()),
        first_byte: source(own.first_byte.is_some()),
        idle: source(own.idle.is_some()),
        tunnel: source(own.tunnel.is_some()),
    }
}

/// Where the endpoints of an entry are looked up, if they are.
fn lookup(written: &UpstreamEndpoint) -> Option<Lookup> {
    match &written.address.value {
        Written::Dns { host, port } => Some(Lookup::Dns { host: host.clone(), port: *port }),
        Written::Srv(name) => Some(Lookup::Srv { name: name.clone() }),
        Written::Tcp { .. } | Written::Unix(_) => None,
    }
}

/// A variant of an upstream that was made anew: what it has of its own stays.
pub(crate) fn variant(old: &Upstream, base: &Upstream) -> Upstream {
    let names = || base.endpoints.iter().map(|endpoint| &*endpoint.name);
    Upstream {
        endpoints: base.endpoints.clone(),
        balance: base.balance.clone(),
        state: base.state.clone(),
        sticky: old.sticky.as_ref().map(|sticky| sticky::renewed(sticky, &base.name, names())),
        ..old.clone()
    }
}
