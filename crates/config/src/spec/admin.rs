//! Health, metrics and control of the running process.

use crate::codes;
use crate::decode::Decoder;
use crate::diagnose::Diagnostic;
use crate::source::Spanned;
use crate::syntax::Node;
use crate::value::{Address, OrOff};
use std::net::Ipv4Addr;
use strait_config_derive::Spec;

/// Health, metrics and control of the running process. A text stands for `address`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`admin`", short = "address", empty_ok, check = socket_is_a_file, peers(listen = "address", bind = "address", port = "address", path = "socket", enabled = "`address: off` switches it off"), unbuilt(dashboard = "the dashboard", tokens = "tokens for the admin API", tls = "TLS"))]
pub struct Admin {
    /// Where `/livez`, `/readyz` and `/metrics` are served, or `off`. Whoever reaches it can read metrics and stop the process, so it is this machine only by default.
    #[spec(default = OrOff::On(Spanned::unwritten(Address::Socket((Ipv4Addr::LOCALHOST, 9900).into()))))]
    pub address: OrOff<Spanned<Address>>,
    /// A socket file that serves the same.
    #[spec(example = "unix:/run/strait/admin.sock")]
    pub socket: Option<Spanned<Address>>,
}

fn socket_is_a_file(admin: &Admin, _: &Node, decoder: &mut Decoder) {
    if let Some(socket) = admin.socket.as_ref().filter(|socket| !matches!(socket.value, Address::Unix(_))) {
        decoder.report(
            Diagnostic::error(codes::ADDRESS, socket.span, "`socket` is a socket file")
                .label("this is a port")
                .replace("write unix:/run/strait/admin.sock", socket.span, "unix:/run/strait/admin.sock"),
        );
    }
}
