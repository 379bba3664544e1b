use super::Referer;
use crate::Request;
use crate::flow::{Behaviour, Flow, Reply};
use crate::origins::authority;
use strait_message::{Name, Status};

impl Behaviour for Referer {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        let page = request.head.headers.get(Name::Referer).filter(|page| !page.is_empty());
        let admitted = page.map_or(self.without, |page| self.admits(page, request.facts.host));
        if admitted {
            return Flow::Continue;
        }
        Reply::problem(Status::FORBIDDEN, "pages of other sites may not use this").into()
    }

    fn response(&self, response: &mut crate::Response<'_>) {
        crate::fields::vary(&mut response.head.headers, "Referer");
    }

    fn describe(&self) -> String {
        let without = if self.without { ", or for no page" } else { "" };
        format!("only for pages of this host and {} others{without}", self.hosts.len())
    }
}

impl Referer {
    /// Whether pages like this one may: those of the host itself always.
    fn admits(&self, page: &[u8], own: &[u8]) -> bool {
        let Some(authority) = authority(page) else { return false };
        // A port says nothing about who a page belongs to; one of an IPv6 address stands behind its bracket.
        let host = match authority.iter().rposition(|&b| b == b':') {
            Some(at) if !authority.ends_with(b"]") => authority.get(..at).unwrap_or_default(),
            _ => authority,
        };
        let is = |known: &str| match known.strip_prefix('*') {
            Some(domain) => {
                let at = host.len().checked_sub(domain.len());
                at.and_then(|at| host.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(domain.as_bytes()))
            }
            None => host.eq_ignore_ascii_case(known.as_bytes()),
        };
        (!own.is_empty() && host.eq_ignore_ascii_case(own)) || self.hosts.iter().any(|known| is(known))
    }
}
