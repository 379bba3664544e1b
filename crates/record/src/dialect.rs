/// Whose names metrics are shown under as well, for boards that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// nginx-prometheus-exporter, and the ingress controller of Kubernetes.
    Nginx,
    /// HAProxy's own exporter.
    Haproxy,
    /// Envoy's `/stats/prometheus`.
    Envoy,
    /// Traefik 3.
    Traefik,
    /// Caddy 2.
    Caddy,
}
