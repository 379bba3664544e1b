//! One look-up, by hickory's resolver without its cache: times are kept here.

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use strait_plan::{Found, Lookup};
use tokio::task::JoinSet;

/// The least time between two look-ups of an answer without a TTL, such as one from the hosts file.
const TTL_WITHOUT: Duration = Duration::from_secs(30);

/// After this a target of a service that did not resolve is asked for again.
const RETRY_TARGET: Duration = Duration::from_secs(1);
/// The most that weights are multiplied by so that addresses can share them.
const PARTS_MAX: u32 = 64;

/// Why nothing was found.
#[derive(Debug, PartialEq, Eq)]
pub struct LookupError(String);

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which addresses count where a name has both kinds, which are then mostly two ways to the same machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Those of IPv4, unless there are none.
    #[default]
    PreferIpv4,
    /// Those of IPv6, unless there are none.
    PreferIpv6,
    /// All of them.
    Both,
}

#[derive(Clone)]
pub(super) struct Resolver {
    resolver: TokioResolver,
    family: Family,
}

/// A record of a service: RFC 2782.
struct Service {
    priority: u16,
    weight: u16,
    port: u16,
    target: String,
}

type Timed<T> = (T, Duration);

impl Resolver {
    /// With these name servers, or the system's.
    pub(super) fn new(servers: &[SocketAddr], family: Family) -> io::Result<Self> {
        let provider = TokioRuntimeProvider::default();
        let mut builder = if servers.is_empty() {
            TokioResolver::builder_tokio().map_err(io::Error::other)?
        } else {
            let servers = servers.iter().map(|&server| name_server(server)).collect();
            TokioResolver::builder_with_config(ResolverConfig::from_name_servers(servers), provider)
        };
        let options = builder.options_mut();
        options.cache_size = 0;
        options.timeout = Duration::from_secs(2);
        options.attempts = 2;
        Ok(Self { resolver: builder.build().map_err(io::Error::other)?, family })
    }

    /// The endpoints of a look-up, and for how long that holds. `last` is what was found before: a target of a service that
    /// does not resolve just now is where it was.
    ///
    /// # Errors
    /// When there is no answer, or an empty one.
    pub(super) async fn find(&self, lookup: &Lookup, last: &[Found]) -> Result<Timed<Vec<Found>>, LookupError> {
        let (found, ttl) = match lookup {
            Lookup::Dns { host, port } => {
                let (addresses, ttl) = self.addresses(host, last).await?;
                let host: Arc<str> = host.as_str().into();
                let found = |ip| Found { tier: 0, address: (ip, *port).into(), host: host.clone(), weight: 1 };
                (addresses.into_iter().map(found).collect(), ttl)
            }
            Lookup::Srv { name } => self.services(name, last).await?,
        };
        if found.is_empty() { Err(LookupError("the answer is empty".to_owned())) } else { Ok((found, ttl)) }
    }

    /// The addresses of a name. Where one family cannot be asked for just now, its addresses are those of before.
    async fn addresses(&self, host: &str, last: &[Found]) -> Result<Timed<Vec<IpAddr>>, LookupError> {
        let ask = |kind| self.resolver.lookup(host, kind);
        let (v4, v6) = tokio::join!(ask(RecordType::A), ask(RecordType::AAAA));
        if let (Err(error), Err(_)) = (&v4, &v6) {
            return Err(refused(error));
        }
        let (mut addresses, mut ttl_s) = (BTreeSet::new(), None);
        let before = |wanted: fn(&IpAddr) -> bool| addresses_of(last, host).filter(wanted).collect::<Vec<_>>();
        for (answer, wanted) in [(&v4, IpAddr::is_ipv4 as fn(&IpAddr) -> bool), (&v6, IpAddr::is_ipv6)] {
            if answer.as_ref().is_err_and(|error| !error.is_no_records_found()) {
                addresses.extend(before(wanted));
            }
        }
        for record in [v4, v6].iter().flatten().flat_map(|answer| answer.answers()) {
            match &record.data {
                RData::A(address) => addresses.insert(IpAddr::V4(address.0)),
                RData::AAAA(address) => addresses.insert(IpAddr::V6(address.0)),
                _ => continue,
            };
            ttl_s = Some(ttl_s.unwrap_or(u32::MAX).min(record.ttl));
        }
        let mut addresses = addresses.into_iter().collect();
        self.family.keep(&mut addresses);
        Ok((addresses, duration(ttl_s)))
    }

    /// RFC 2782. A single record whose target is the root says that there is no such service.
    async fn services(&self, name: &str, last: &[Found]) -> Result<Timed<Vec<Found>>, LookupError> {
        let answer = self.resolver.lookup(name, RecordType::SRV).await.map_err(|error| refused(&error))?;
        let (mut ttl_s, mut services) = (None, Vec::new());
        for record in answer.answers() {
            if let RData::SRV(service) = &record.data {
                ttl_s = Some(ttl_s.unwrap_or(u32::MAX).min(record.ttl));
                let target = service.target.to_string().trim_end_matches('.').to_ascii_lowercase();
                services.push(Service {
                    priority: service.priority,
                    weight: service.weight,
                    port: service.port,
                    target,
                });
            }
        }
        services.retain(|service| !service.target.is_empty() && service.port > 0);
        services.truncate(super::FOUND_MAX);
        let (addresses, ttl) = self.targets(&services, last).await;
        Ok((spread(&services, &addresses), ttl.min(duration(ttl_s))))
    }

    /// The addresses of each service's target, and for how long they hold.
    async fn targets(&self, services: &[Service], last: &[Found]) -> Timed<HashMap<String, Vec<IpAddr>>> {
        let mut tasks = JoinSet::new();
        for target in services.iter().map(|service| service.target.clone()).collect::<HashSet<_>>() {
            let resolver = self.clone();
            let last: Vec<Found> = last.iter().filter(|known| *known.host == *target).cloned().collect();
            tasks.spawn(async move {
                let found = resolver.addresses(&target, &last).await;
                (target, found)
            });
        }
        let (mut addresses, mut least) = (HashMap::new(), Duration::MAX);
        while let Some(Ok((target, found))) = tasks.join_next().await {
            let found = found.unwrap_or_else(|_| {
                (addresses_of(last, &target).collect::<BTreeSet<_>>().into_iter().collect(), RETRY_TARGET)
            });
            least = least.min(found.1);
            addresses.insert(target, found.0);
        }
        (addresses, least)
    }
}

/// Where a name was before.
fn addresses_of(last: &[Found], host: &str) -> impl Iterator<Item = IpAddr> {
    last.iter().filter(move |known| *known.host == *host).map(|known| known.address.ip())
}

impl Family {
    fn keep(self, addresses: &mut Vec<IpAddr>) {
        let wanted: fn(&IpAddr) -> bool = match self {
            Self::PreferIpv4 => IpAddr::is_ipv4,
            Self::PreferIpv6 => IpAddr::is_ipv6,
            Self::Both => return,
        };
        if addresses.iter().any(wanted) {
            addresses.retain(wanted);
        }
    }
}

/// Services as endpoints: priorities become tiers, and the addresses of a target share its weight.
fn spread(services: &[Service], addresses: &HashMap<String, Vec<IpAddr>>) -> Vec<Found> {
    let of = |service: &Service| addresses.get(&service.target).map_or(&[][..], Vec::as_slice);
    let priorities: BTreeSet<u16> = services.iter().filter(|one| !of(one).is_empty()).map(|one| one.priority).collect();
    // So many parts that each target's weight is divided evenly, or nearly so.
    let parts = services.iter().map(|one| of(one).len().max(1) as u32).fold(1, least_multiple).min(PARTS_MAX);
    let mut found = Vec::new();
    for service in services {
        let tier = priorities.iter().take_while(|&&priority| priority < service.priority).count();
        let host: Arc<str> = service.target.as_str().into();
        // Zero has a small chance beside others, and all of it alone.
        let weight = u32::from(service.weight).max(1) * parts / of(service).len().max(1) as u32;
        found.extend(of(service).iter().map(|&ip| Found {
            tier: tier.try_into().unwrap_or(u8::MAX),
            address: (ip, service.port).into(),
            host: host.clone(),
            weight: weight.max(1),
        }));
    }
    found
}

fn least_multiple(a: u32, b: u32) -> u32 {
    let divisor = (1..=b).rev().find(|divisor| a.is_multiple_of(*divisor) && b.is_multiple_of(*divisor));
    (a / divisor.unwrap_or(1)).saturating_mul(b)
}

fn refused(error: &NetError) -> LookupError {
    if error.is_no_records_found() {
        return LookupError("the name server knows no such records".to_owned());
    }
    LookupError(error.to_string())
}

fn duration(ttl_s: Option<u32>) -> Duration {
    ttl_s.map_or(TTL_WITHOUT, |ttl_s| Duration::from_secs(ttl_s.into()))
}

fn name_server(server: SocketAddr) -> NameServerConfig {
    let with_port = |mut connection: ConnectionConfig| {
        connection.port = server.port();
        connection
    };
    let connections = vec![with_port(ConnectionConfig::udp()), with_port(ConnectionConfig::tcp())];
    NameServerConfig::new(server.ip(), false, connections)
}
