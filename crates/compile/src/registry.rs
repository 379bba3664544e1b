//! What outlives a plan, found again by its identity: an endpoint by upstream and address, a route by table and
//! pattern. Only plans keep it alive; here are weak references.

use crate::routes::NamedTable;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};
use strait_config::spec::UpstreamEndpoint;
use strait_plan::{EndpointAddress, EndpointState, Found, Lookup, RouteSet, Upstream, UpstreamState};
use strait_record::{RouteMeter, Sharded};
use strait_tls::ClientPolicy;

/// Names come from the configuration, tens of thousands at a time.
type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;
/// The endpoints of upstreams without a name, by what stands for one.
pub(crate) type InPlace = HashMap<Arc<str>, Vec<UpstreamEndpoint>>;
type ByTwo<T> = Map<Arc<str>, Map<Arc<str>, Weak<T>>>;

#[derive(Debug)]
pub(crate) struct Registry {
    workers: usize,
    upstreams: Map<Arc<str>, Weak<UpstreamState>>,
    endpoints: ByTwo<EndpointState>,
    routes: ByTwo<Sharded<RouteMeter>>,
    /// The tables of the last plan, by name.
    sets: Map<Arc<str>, Weak<RouteSet>>,
    /// What look-ups found, last.
    found: HashMap<Lookup, Vec<Found>>,
    /// What was written of upstreams without a name.
    in_place: InPlace,
}

impl Registry {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            workers,
            upstreams: Map::default(),
            endpoints: Map::default(),
            routes: Map::default(),
            sets: Map::default(),
            found: HashMap::new(),
            in_place: HashMap::new(),
        }
    }

    /// The state of an upstream: the one that lives, or a new one.
    pub(crate) fn upstream(&self, name: &str) -> Arc<UpstreamState> {
        self.upstreams.get(name).and_then(Weak::upgrade).unwrap_or_default()
    }

    /// The state of an endpoint: the one that lives, or a new one. An address that needs no resolving is resolved. One
    /// that joins an upstream that serves already is in slow start.
    pub(crate) fn endpoint(
        &self,
        upstream: (&str, &Arc<UpstreamState>),
        name: &str,
        address: EndpointAddress,
        tls: Option<Arc<ClientPolicy>>,
    ) -> Arc<EndpointState> {
        let hash = |tls: &Option<Arc<ClientPolicy>>| tls.as_ref().map(|policy| policy.hash);
        let known = find(&self.endpoints, upstream.0, name);
        known.filter(|known| hash(&known.tls) == hash(&tls)).unwrap_or_else(|| {
            let literal = match &address {
                EndpointAddress::Name(host, port) => host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, *port)),
                EndpointAddress::Unix(_) => None,
            };
            let state = EndpointState::of(upstream.1.clone(), address, self.workers).with_tls(tls);
            state.set_resolved(literal.as_slice());
            if self.upstreams.get(upstream.0).is_some_and(|serves| serves.strong_count() > 0) {
                state.standing.joins();
            }
            Arc::new(state)
        })
    }

    /// The table of this name in the last plan, while that lives.
    pub(crate) fn set(&self, table: &str) -> Option<Arc<RouteSet>> {
        self.sets.get(table)?.upgrade()
    }

    /// What a look-up found, last.
    pub(crate) fn found(&self, lookup: &Lookup) -> &[Found] {
        self.found.get(lookup).map_or(&[], Vec::as_slice)
    }

    /// Notes what a look-up found. Whether that is news.
    pub(crate) fn note_found(&mut self, lookup: &Lookup, found: Vec<Found>) -> bool {
        let is_news = self.found(lookup) != found.as_slice();
        if is_news {
            self.found.insert(lookup.clone(), found);
        }
        is_news
    }

    /// What was written of an upstream without a name.
    pub(crate) fn in_place(&self, name: &str) -> Option<&[UpstreamEndpoint]> {
        self.in_place.get(name).map(Vec::as_slice)
    }

    /// The meter of a route: the one that lives, or a new one.
    pub(crate) fn route(&self, table: &str, pattern: &str) -> Arc<Sharded<RouteMeter>> {
        find(&self.routes, table, pattern).unwrap_or_else(|| Arc::new(Sharded::new(self.workers)))
    }

    /// Keeps track of what a plan uses, and forgets what no plan uses any more.
    pub(crate) fn remember(&mut self, tables: &[NamedTable], upstreams: &[Arc<Upstream>], in_place: InPlace) {
        forget_dead(&mut self.endpoints);
        forget_dead(&mut self.routes);
        self.sets = tables.iter().map(|table| (table.name.clone(), Arc::downgrade(&table.set))).collect();
        self.upstreams.retain(|_, state| state.strong_count() > 0);
        upstreams.iter().for_each(|upstream| self.remember_upstream(upstream));
        self.in_place = in_place;
        let used: HashSet<&Lookup> = upstreams.iter().flat_map(|upstream| &upstream.lookups).collect();
        self.found.retain(|lookup, _| used.contains(lookup));
        for table in tables {
            let routes = self.routes.entry(table.name.clone()).or_default();
            routes.extend(table.set.routes.iter().map(|r| (r.pattern.clone(), Arc::downgrade(&r.meter))));
        }
    }
}

impl Registry {
    /// Keeps track of what an upstream uses.
    pub(crate) fn remember_upstream(&mut self, upstream: &Upstream) {
        self.upstreams.insert(upstream.name.clone(), Arc::downgrade(&upstream.state));
        let endpoints = self.endpoints.entry(upstream.name.clone()).or_default();
        endpoints.retain(|_, state| state.strong_count() > 0);
        endpoints.extend(upstream.endpoints.iter().map(|e| (e.name.clone(), Arc::downgrade(&e.state))));
    }
}

fn find<T>(all: &ByTwo<T>, group: &str, name: &str) -> Option<Arc<T>> {
    all.get(group)?.get(name)?.upgrade()
}

fn forget_dead<T>(all: &mut ByTwo<T>) {
    all.retain(|_, group| {
        group.retain(|_, weak| weak.strong_count() > 0);
        !group.is_empty()
    });
}
