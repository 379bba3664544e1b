use super::{ErrorPages, Page};
use crate::testing::{Case, shown};
use strait_message::Status;

fn page(statuses: (u16, u16), body: &str, status: Option<u16>) -> Page {
    let status = status.and_then(Status::new);
    Page { statuses, body: body.as_bytes().into(), content_type: "text/html".into(), status }
}

#[test]
fn the_narrowest_page_replaces_the_body_and_what_described_it() {
    let pages = ErrorPages { pages: vec![page((500, 599), "any", None), page((503, 503), "busy", Some(200))] };
    let mut case = Case::new("GET /", "");
    let head = case.respond(&pages, 502, "Content-Type: text/plain\nETag: a\nContent-Encoding: gzip\nX-A: 1");
    assert_eq!((head.status.code(), shown(&head.headers).as_str()), (502, "X-A: 1\nContent-Type: text/html\n"));
    assert_eq!(case.notes.replacement.take().as_deref(), Some(b"any".as_slice()));
    assert_eq!(case.respond(&pages, 503, "").status.code(), 200);
    assert_eq!(case.notes.replacement.take().as_deref(), Some(b"busy".as_slice()));
    case.respond(&pages, 404, "");
    assert_eq!(case.notes.replacement, None);
}
