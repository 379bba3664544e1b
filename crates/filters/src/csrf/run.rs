use super::Csrf;
use crate::Request;
use crate::flow::{Behaviour, Flow, Reply};
use crate::origins::authority;
use strait_message::{Method, Name, Status};

impl Behaviour for Csrf {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        if self.admits(request) {
            return Flow::Continue;
        }
        Reply::problem(Status::FORBIDDEN, "the request was sent for a page of another origin").into()
    }

    fn describe(&self) -> String {
        let others = self.origins.exact.len() + self.origins.below.len();
        format!("refuses changes that pages of other origins ask for, but for {others} origins")
    }
}

impl Csrf {
    /// Browsers say where a request comes from: all since 2023 in Sec-Fetch-Site, before that in Origin. What says
    /// neither is no browser, and has no user whose cookies could be abused.
    fn admits(&self, request: &Request<'_>) -> bool {
        let headers = &request.head.headers;
        if matches!(request.head.method, Method::Get | Method::Head | Method::Options) {
            return true;
        }
        let origin = headers.get(Name::Origin);
        if origin.is_some_and(|origin| self.origins.contains(origin)) {
            return true;
        }
        match (headers.get_by_text(b"Sec-Fetch-Site"), origin) {
            (Some(site), _) => matches!(site, b"same-origin" | b"none"),
            (None, None) => true,
            (None, Some(origin)) => {
                let host = headers.get(Name::Host).unwrap_or_default();
                authority(origin).is_some_and(|from| from.eq_ignore_ascii_case(host))
            }
        }
    }
}
