//! Listeners: addresses, limits, whom they trust, and the table they use.

use crate::routes::{NamedTable, TOP, has_own_table};
use crate::tls::Tls;
use std::sync::Arc;
use strait_config::value::{Address, Cidr, Size};
use strait_config::{Snapshot, Spanned, spec};
use strait_plan::{ListenAddress, Listener, ListenerLimits, RouteSet, TrustedProxies};
use strait_route::PathRules;

/// The listeners of a snapshot, with the tables made from it.
pub(crate) fn listeners(snapshot: &Snapshot, tables: &[NamedTable], tls: &mut Tls<'_>) -> Vec<Listener> {
    let top = trusted(&snapshot.spec.trusted_proxies);
    let compile = |(name, spec): &(Spanned<String>, spec::Listener)| {
        let written = spec.routes.as_ref().unwrap_or(&snapshot.spec.routes);
        let table = if has_own_table(spec) { &*name.value } else { TOP };
        Some(Listener {
            name: name.value.as_str().into(),
            address: address(&spec.address),
            routes: find(tables, table)?,
            limits: limits(&spec.limits, spec.http2()),
            tls: tls.listener(name, spec, written),
            https_port: https_port(snapshot, spec),
            trusted_proxies: spec.trusted_proxies.as_ref().map_or_else(|| top.clone(), |own| trusted(own)),
            path_rules: PathRules { merge_slashes: spec.merge_slashes, ..PathRules::default() },
            end_is_leaving: spec.half_close == spec::HalfClose::Abort,
        })
    };
    snapshot.spec.listeners.iter().filter_map(compile).collect()
}

/// The port that a listener's requests are redirected to: that of the first one with TLS and the same routes.
fn https_port(snapshot: &Snapshot, listener: &spec::Listener) -> Option<u16> {
    if !listener.redirects_to_https() || listener.routes.is_some() {
        return None;
    }
    let others = snapshot.spec.listeners.iter().map(|(_, other)| other);
    others.filter(|other| other.routes.is_none() && other.tls().is_some()).find_map(|other| other.address.port())
}

fn find(tables: &[NamedTable], name: &str) -> Option<Arc<RouteSet>> {
    tables.iter().find(|table| *table.name == *name).map(|table| table.set.clone())
}

fn trusted(networks: &[Spanned<Cidr>]) -> TrustedProxies {
    TrustedProxies::new(networks.iter().map(|network| network.value.0).collect())
}

fn address(spec: &Address) -> ListenAddress {
    match spec {
        Address::Unix(path) => ListenAddress::Unix(path.clone()),
        Address::Socket(socket) => ListenAddress::Tcp(*socket),
        Address::Port(port) => ListenAddress::Tcp((std::net::Ipv6Addr::UNSPECIFIED, *port).into()),
    }
}

fn limits(spec: &spec::Limits, http2: Option<spec::Http2>) -> ListenerLimits {
    let engine = strait_http1::Limits::default();
    let head_bytes_max = u32::try_from(spec.header_size.get()).unwrap_or(u32::MAX);
    ListenerLimits {
        http1: strait_http1::Limits {
            head_bytes_max,
            target_bytes_max: engine.target_bytes_max.min(head_bytes_max),
            fields_max: u16::try_from(spec.header_count).unwrap_or(u16::MAX),
            ..engine
        },
        http2: http2.map(|http2| self::http2(spec, &http2)),
        header_timeout: spec.header_timeout.into(),
        idle_timeout: spec.idle_timeout.into(),
        body_rate_min: spec.body_rate_min.get().map_or(0, |rate| rate.get()),
        body_rate_window: spec.body_rate_window.into(),
        connections_max: spec.connections,
        connections_per_client_max: spec.per_client_ip.get(),
        requests_per_connection_max: spec.requests_per_connection.get().unwrap_or(0),
        body_bytes_max: spec.body_size.get().map(|size| size.get()),
    }
}

fn http2(limits: &spec::Limits, written: &spec::Http2) -> strait_http2::Limits {
    let engine = strait_http2::Limits::default();
    let bytes = |size: Size| u32::try_from(size.get()).unwrap_or(u32::MAX);
    let head_bytes_max = bytes(limits.header_size);
    strait_http2::Limits {
        head_bytes_max,
        block_bytes_max: head_bytes_max,
        path_bytes_max: engine.path_bytes_max.min(head_bytes_max),
        fields_max: u16::try_from(limits.header_count).unwrap_or(u16::MAX),
        streams_max: written.streams,
        stream_window: bytes(written.stream_window),
        connection_window: bytes(written.connection_window),
        idle_frames_max: written.idle_frames,
        acknowledge_ms_max: u32::try_from(std::time::Duration::from(written.acknowledge_timeout).as_millis())
            .unwrap_or(u32::MAX),
        ..engine
    }
}
