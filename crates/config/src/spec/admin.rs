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
#[spec(noun = "`admin`", short = "address", empty_ok, check = sound, peers(listen = "address", bind = "address", port = "address", path = "socket", secret = "token", tokens = "token", password = "token", enabled = "`address: off` switches it off"), unbuilt(dashboard = "the dashboard", tls = "TLS"))]
pub struct Admin {
    /// Where `/livez`, `/readyz`, `/metrics` and the state of this instance are served, or `off`. Whoever reaches it reads these; what changes something or shows the configuration is asked for with `token`, from this machine, or on the socket.
    #[spec(default = OrOff::On(Spanned::unwritten(Address::Socket((Ipv4Addr::LOCALHOST, 9900).into()))))]
    pub address: OrOff<Spanned<Address>>,
    /// A socket file for its owner and its group, who may ask for everything. Without it there is one for its owner alone beside the address: `admin.sock`, or `admin-PORT.sock` where the port is another than 9900, in systemd's `RuntimeDirectory`, `$XDG_RUNTIME_DIR/strait`, `/run/strait` or the folder of the state.
    #[spec(example = "unix:/run/strait/admin.sock")]
    pub socket: Option<Spanned<Address>>,
    /// What callers of the address must send as `Authorization: Bearer …`; `/livez`, `/readyz` and `/openapi.json` are open without it. The socket needs none: its mode says who may open it. Without a token nobody changes anything through the address, nor reads the configuration.
    #[spec(example = "${cred:admin-token}")]
    pub token: Option<Spanned<String>>,
}

/// Characters of a token: fewer are guessed.
const TOKEN_CHARS_MIN: usize = 16;

fn sound(admin: &Admin, _: &Node, decoder: &mut Decoder) {
    if let Some(socket) = admin.socket.as_ref().filter(|socket| !matches!(socket.value, Address::Unix(_))) {
        decoder.report(
            Diagnostic::error(codes::ADDRESS, socket.span, "`socket` is a socket file")
                .label("this is a port")
                .replace("write unix:/run/strait/admin.sock", socket.span, "unix:/run/strait/admin.sock"),
        );
    }
    let speakable = |token: &str| token.bytes().all(|octet| octet.is_ascii_graphic());
    // A reference that leads nowhere is told where it is replaced.
    let unread = |token: &str| token.starts_with("${");
    let poor = |token: &&Spanned<String>| (token.len() < TOKEN_CHARS_MIN || !speakable(token)) && !unread(token);
    if let Some(token) = admin.token.as_ref().filter(poor) {
        decoder.report(
            Diagnostic::error(codes::RANGE, token.span, format!("`token` has at least {TOKEN_CHARS_MIN} characters, none of them a space"))
                .label("this one is too easy to guess, or cannot be sent")
                .hint("make one with `openssl rand -hex 32`, and name where it is kept: `${cred:admin-token}`, `${file:/etc/strait/token}`"),
        );
    }
}
