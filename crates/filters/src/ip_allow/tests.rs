use super::IpAllow;
use crate::ip_deny::IpDeny;
use crate::networks::Networks;
use crate::testing::{Case, status};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

#[test]
fn addresses_are_allowed_and_denied() {
    let networks = Arc::new(Networks::new([(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 0)), 24)]));
    let (allow, deny) = (IpAllow { networks: networks.clone() }, IpDeny { networks });
    let mut case = Case::new("GET /", "");
    assert_eq!((status(&case.run(&allow)), status(&case.run(&deny))), (0, 403));
    case.client = IpAddr::V4(Ipv4Addr::new(192, 0, 3, 1));
    assert_eq!((status(&case.run(&allow)), status(&case.run(&deny))), (403, 0));
}
