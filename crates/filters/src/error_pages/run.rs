use super::{ErrorPages, Page};
use crate::Response;
use crate::flow::Behaviour;
use strait_message::{Name, NameSet};

/// What described the body that is replaced.
const OF_THE_BODY: NameSet = NameSet::of(&[
    Name::ContentType,
    Name::ContentEncoding,
    Name::ContentRange,
    Name::ContentLength,
    Name::Etag,
    Name::LastModified,
]);

impl Behaviour for ErrorPages {
    fn response(&self, response: &mut Response<'_>) {
        let Some(page) = self.page(response.head.status.code()) else { return };
        let headers = &mut response.head.headers;
        headers.retain(|field| !OF_THE_BODY.contains(field.known));
        headers.push_name(Name::ContentType, page.content_type.as_bytes());
        if let Some(status) = page.status {
            response.head.status = status;
        }
        // What was said about coding was about the other body.
        response.notes.coder = None;
        response.notes.replacement = Some(page.body.clone());
    }

    fn describe(&self) -> String {
        let range = |page: &Page| match page.statuses {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        };
        format!("has pages for {}", self.pages.iter().map(range).collect::<Vec<_>>().join(", "))
    }
}

impl ErrorPages {
    fn page(&self, status: u16) -> Option<&Page> {
        let holds = |page: &&Page| (page.statuses.0..=page.statuses.1).contains(&status);
        self.pages.iter().filter(holds).min_by_key(|page| page.statuses.1 - page.statuses.0)
    }
}
