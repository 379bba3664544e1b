use super::{World, lists};
use strait_config::Span;
use strait_config::filter::{ErrorPage, ErrorPages as Spec, statuses};
use strait_filters::error_pages::{ErrorPages, Page};
use strait_message::Status;

pub(super) fn compile(spec: &Spec, _: Span, world: &mut World<'_>) -> Option<ErrorPages> {
    let pages = spec.0.iter().map(|(name, page)| compile_page(statuses(&name.value)?, page, world));
    Some(ErrorPages { pages: pages.collect::<Option<Vec<_>>>()? })
}

fn compile_page(statuses: (u16, u16), page: &ErrorPage, world: &mut World<'_>) -> Option<Page> {
    let name = page.file.as_ref().map(|file| file.value.to_string_lossy().into_owned()).unwrap_or_default();
    let by_name = match name.rsplit('.').next() {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("json") => "application/problem+json",
        _ => "text/plain; charset=utf-8",
    };
    let body = match (&page.file, &page.body) {
        (Some(file), _) => lists::octets(file, world)?,
        (None, body) => body.clone().unwrap_or_default().into_bytes(),
    };
    Some(Page {
        statuses,
        body: body.into(),
        content_type: page.content_type.as_deref().unwrap_or(by_name).into(),
        status: page.status.and_then(|status| Status::new(status.get())),
    })
}
