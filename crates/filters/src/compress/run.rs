use super::{Coder, Coding, Compress, choose};
use crate::Response;
use crate::fields::vary;
use crate::flow::Behaviour;
use strait_message::{BodyLength, Headers, Method, Name, Status};

impl Behaviour for Compress {
    fn response(&self, response: &mut Response<'_>) {
        if !self.may_code(response) {
            return;
        }
        // Caches must know, whatever this client gets (RFC 9110 §12.5.5).
        vary(&mut response.head.headers, "Accept-Encoding");
        let fields = response.request.headers.get_all(Name::AcceptEncoding);
        let Some(coding) = choose(fields, self.codings.iter().map(|(coding, _)| *coding)) else { return };
        let level = self.codings.iter().find(|(other, _)| *other == coding).map_or(1, |(_, level)| *level);
        let coder = Coder::new(coding, level).filter(|_| response.request.method != Method::Head);
        if let Some(coder) = coder {
            describe_coded(&mut response.head.headers, coding);
            response.notes.coder = Some(Box::new(coder));
        }
    }

    fn describe(&self) -> String {
        let codings: Vec<String> = self.codings.iter().map(|(coding, level)| format!("{} {level}", coding.name())).collect();
        format!("codes {} types from {} octets on with {}", self.types.len(), self.octets_min, codings.join(", "))
    }
}

impl Compress {
    /// Whether the response has a body that may be coded and is worth it.
    fn may_code(&self, response: &Response<'_>) -> bool {
        let Response { head, body, notes, .. } = response;
        let length = notes.replacement.as_ref().map(|page| page.len() as u64).or(body.known());
        let headers = &head.headers;
        let has_body = notes.replacement.is_some() || !matches!(body, BodyLength::None | BodyLength::Fixed(0));
        has_body
            && !head.status.forbids_body()
            && head.status != Status::PARTIAL_CONTENT
            && length.is_none_or(|octets| octets >= self.octets_min)
            // Never twice, and never what somebody asked to leave alone (RFC 9110 §7.7).
            && notes.coder.is_none()
            && !headers.contains(Name::ContentEncoding)
            && !headers.contains(Name::ContentRange)
            && !headers.list_contains(Name::CacheControl, b"no-transform")
            && headers.get(Name::ContentType).is_some_and(|value| self.means(value))
    }

    fn means(&self, content_type: &[u8]) -> bool {
        let kind = content_type.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
        self.types.iter().any(|known| match known.strip_suffix('*') {
            Some(start) => kind.get(..start.len()).is_some_and(|part| part.eq_ignore_ascii_case(start.as_bytes())),
            None => kind.eq_ignore_ascii_case(known.as_bytes()),
        })
    }
}

/// What the head says once the body is coded.
fn describe_coded(headers: &mut Headers, coding: Coding) {
    headers.push_name(Name::ContentEncoding, coding.name().as_bytes());
    // Ranges and digests are those of the coded body, which nobody knows.
    let of_octets = |name: &[u8]| {
        [&b"accept-ranges"[..], b"content-md5", b"content-digest"].iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    headers.retain(|field| !of_octets(field.name));
    // Another coding is another representation: only a weak validator holds for both (RFC 9110 §8.8.3.3).
    let strong = headers.get(Name::Etag).filter(|tag| tag.starts_with(b"\"")).map(|tag| [b"W/", tag].concat());
    if let Some(weak) = strong {
        headers.set(Name::Etag, &weak);
    }
}
