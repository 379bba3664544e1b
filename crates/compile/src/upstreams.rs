//! Upstreams, named ones and those written in place, as the entries of a plan that routes name by index.

use crate::registry::Registry;
use crate::tls::{Tls, UpstreamTls};
use crate::{balance, sticky};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use strait_config::spec::{self, To, UpstreamEndpoint};
use strait_config::value::{Endpoint as Written, Host, Target};
use strait_config::{Decoder, Node, Snapshot, Spanned, Spec as _};
use strait_plan::{Endpoint, EndpointAddress, Health, Source, Sticky, TimeoutSources, Upstream, UpstreamState};
use strait_tls::ClientPolicy;

/// The upstreams of a plan in the making.
pub(crate) struct Upstreams<'s> {
    snapshot: &'s Snapshot,
    registry: &'s Registry,
    tls: Tls<'s>,
    sticky_key: &'s [u8],
    /// For endpoints written as `https://` in upstreams without settings of their own.
    plain_tls: Option<UpstreamTls>,
    list: Vec<Upstream>,
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
    /// The named upstreams of a snapshot.
    pub(crate) fn of(snapshot: &'s Snapshot, registry: &'s Registry, tls: Tls<'s>, sticky_key: &'s [u8]) -> Self {
        let unnamed = spec::Upstream::decode(&Node::unwritten("localhost:1"), &mut Decoder::default());
        let (plain_tls, list, known) = (None, Vec::new(), HashMap::default());
        let mut upstreams = Self { snapshot, registry, tls, sticky_key, plain_tls, list, known, unnamed };
        for (name, upstream) in &snapshot.spec.upstreams {
            upstreams.add(&name.value, &upstream.endpoints, upstream);
        }
        upstreams
    }

    /// Where the meters of routes are kept.
    pub(crate) fn registry(&self) -> &'s Registry {
        self.registry
    }

    pub(crate) fn into_list(self) -> (Vec<Upstream>, Tls<'s>) {
        (self.list, self.tls)
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
            hash_key: upstream.hash_key.clone(),
            connect_timeout: own.connect.unwrap_or(upstream.connect_timeout),
            first_byte_timeout: own.first_byte.unwrap_or(upstream.first_byte_timeout),
            idle_timeout: own.idle.unwrap_or(upstream.idle_timeout),
            tunnel_timeout: own.tunnel.unwrap_or(upstream.tunnel_timeout),
            name: upstream.name.clone(),
            endpoints: upstream.endpoints.clone(),
            health_check: upstream.health_check.clone(),
            balance: upstream.balance.clone(),
            state: upstream.state.clone(),
            sources: TimeoutSources {
                connect: own.connect.map_or(upstream.sources.connect, |_| Source::Route),
                first_byte: own.first_byte.map_or(upstream.sources.first_byte, |_| Source::Route),
                idle: own.idle.map_or(upstream.sources.idle, |_| Source::Route),
                tunnel: own.tunnel.map_or(upstream.sources.tunnel, |_| Source::Route),
            },
            variant_of: Some(base),
            ..*upstream
        };
        self.push(key, variant)
    }

    fn push(&mut self, key: (Arc<str>, Own), upstream: Upstream) -> usize {
        self.known.insert(key, self.list.len());
        self.list.push(upstream);
        self.list.len() - 1
    }

    fn add(&mut self, name: &str, endpoints: &[UpstreamEndpoint], spec: &spec::Upstream) -> usize {
        let name: Arc<str> = name.into();
        let timeouts = self.snapshot.spec.defaults.timeout.overridden(&spec.timeout);
        let state = self.registry.upstream(&name);
        let mut tls = spec.tls.as_ref().map(|tls| self.tls.upstream(Some(&tls.0)));
        let endpoints: Vec<_> =
            endpoints.iter().map(|endpoint| self.endpoint((&name, &state), endpoint, spec, tls.as_mut())).collect();
        let upstream = Upstream {
            name: name.clone(),
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
        self.push((name, Own::default()), upstream)
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
        };
        let tls = self.endpoint_tls(&written.address, tls);
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
    fn endpoint_tls(&mut self, written: &Spanned<Written>, own: Option<&mut UpstreamTls>) -> Option<Arc<ClientPolicy>> {
        let (host, is_https) = match &written.value {
            Written::Tcp { host, tls, .. } => (host.to_string(), *tls),
            Written::Unix(_) => ("localhost".to_owned(), false),
        };
        match own {
            Some(own) => self.tls.endpoint(own, &host, written.span),
            None if is_https => {
                let mut plain = self.plain_tls.take().unwrap_or_else(|| self.tls.upstream(None));
                let policy = self.tls.endpoint(&mut plain, &host, written.span);
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
