//! Health: what is asked of endpoints, and what is known from it.

use crate::StatusSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use strait_traffic::CheckRules;

/// What the control plane asks each endpoint of an upstream by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// How.
    pub kind: CheckKind,
    /// The port that is asked, where it is another one than requests go to.
    pub port: Option<u16>,
    /// Whether TLS is spoken where the endpoint speaks it.
    pub tls: bool,
    /// For the whole check.
    pub timeout: Duration,
    /// How results become a verdict, and when the next check is.
    pub rules: CheckRules,
}

/// How an endpoint is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckKind {
    /// A connection opens, and these steps go well on it.
    Tcp(Box<[CheckStep]>),
    /// A request is answered as expected.
    Http(HttpCheck),
    /// The health service of gRPC (`grpc.health.v1.Health`) says that it serves.
    Grpc(GrpcCheck),
}

impl CheckKind {
    /// What is offered by ALPN where the check speaks TLS. A script may be of any protocol: it offers none.
    pub fn protocols(&self) -> &'static [&'static [u8]] {
        match self {
            Self::Tcp(_) => &[],
            Self::Http(_) => &[b"http/1.1"],
            Self::Grpc(_) => &[b"h2"],
        }
    }
}

/// A step of a scripted check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckStep {
    /// These octets are sent.
    Send(Box<[u8]>),
    /// These octets arrive, whatever stands before them.
    Expect(Box<[u8]>),
}

/// A request and what is expected in answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCheck {
    /// `GET`, `HEAD` or `OPTIONS`.
    pub method: &'static str,
    /// Path and query.
    pub path: Box<str>,
    /// The value of Host; `None` for the endpoint's own host and port.
    pub host: Option<Box<str>>,
    /// Further fields.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// Good statuses.
    pub statuses: StatusSet,
    /// What the body must contain.
    pub body: Option<Box<[u8]>>,
}

/// A question to the health service of gRPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcCheck {
    /// The service that is asked about; empty for the server as a whole.
    pub service: Box<str>,
    /// The authority; `None` for the endpoint's own host and port.
    pub host: Option<Box<str>>,
    /// Further fields, which gRPC calls metadata.
    pub headers: Vec<(Box<str>, Box<str>)>,
}

impl HealthCheck {
    /// In a word, as in explanations: `GET /healthz`, `tcp`, `tcp with a script`, `grpc shop.Cart`.
    pub fn summary(&self) -> String {
        match &self.kind {
            CheckKind::Http(http) => format!("{} {}", http.method, http.path),
            CheckKind::Tcp(steps) if steps.is_empty() => "tcp".to_owned(),
            CheckKind::Tcp(_) => "tcp with a script".to_owned(),
            CheckKind::Grpc(grpc) => format!("grpc {}", grpc.service).trim_end().to_owned(),
        }
    }
}

/// What checks of an endpoint have shown so far. Written by the control plane alone.
#[derive(Debug, Default)]
pub struct CheckFigures {
    passed: AtomicU64,
    failed: AtomicU64,
    last_failure: RwLock<Option<Arc<str>>>,
}

impl CheckFigures {
    /// Counts a check that passed.
    pub fn passed_once(&self) {
        self.passed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a check that failed, and remembers why.
    pub fn failed_once(&self, why: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        *self.last_failure.write().unwrap_or_else(PoisonError::into_inner) = Some(why.into());
    }

    /// Checks that passed.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    /// Checks that failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Why the last one that failed did.
    pub fn last_failure(&self) -> Option<Arc<str>> {
        self.last_failure.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
