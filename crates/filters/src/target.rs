//! The request target while filters change it.

use crate::flow::Reply;
use strait_message::Status;
use strait_route::{PathError, canonical};

/// Octets a target may have after rewriting. Received ones are bounded by the listener, far below.
pub const TARGET_OCTETS_MAX: usize = 16 * 1024;

/// What the origin is asked for: the canonical path with the query, until a filter writes another one.
#[derive(Debug)]
pub struct Target<'a> {
    received: &'a [u8],
    /// The target as it stands, once a filter changed it; empty before that.
    rewritten: &'a mut Vec<u8>,
    /// Where the next one is written, so that steady traffic allocates nothing.
    spare: &'a mut Vec<u8>,
}

/// Why a target cannot be what a filter made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetError {
    /// The path has no canonical form.
    Path(PathError),
    /// It is longer than [`TARGET_OCTETS_MAX`].
    TooLong,
}

impl From<TargetError> for Reply {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Path(error) => Self::problem(Status::BAD_REQUEST, error.flaw.message()),
            TargetError::TooLong => Self::problem(Status::URI_TOO_LONG, "the rewritten target is too long"),
        }
    }
}

impl<'a> Target<'a> {
    /// The target of a request: `received` is the canonical path with the query, `rewritten` what came of it so far.
    pub fn new(received: &'a [u8], rewritten: &'a mut Vec<u8>, spare: &'a mut Vec<u8>) -> Self {
        Self { received, rewritten, spare }
    }

    /// The whole target.
    pub fn as_bytes(&self) -> &[u8] {
        if self.rewritten.is_empty() { self.received } else { self.rewritten }
    }

    /// The path. Canonical, so it holds no raw question mark.
    pub fn path(&self) -> &[u8] {
        split(self.as_bytes()).0
    }

    /// The query without its question mark.
    pub fn query(&self) -> Option<&[u8]> {
        split(self.as_bytes()).1
    }

    /// Whether it is a path: that of `OPTIONS *` is none, and is left alone.
    pub fn is_path(&self) -> bool {
        self.as_bytes().first() == Some(&b'/')
    }

    /// Replaces the path by what `write` appends, in its canonical form (`..` and ambiguous escapes are judged anew).
    /// The query stays.
    ///
    /// # Errors
    /// The new path has no canonical form, or is too long. The target is then as it was.
    pub fn set_path(&mut self, write: impl FnOnce(&[u8], &mut Vec<u8>)) -> Result<(), TargetError> {
        self.write(|path, query, out| {
            write(path, out);
            let mut decoded = Vec::new();
            let form = canonical(out, &mut decoded).map_err(TargetError::Path)?;
            // Most are canonical as they are, and `form` is `out`.
            if form != out.as_slice() {
                let form = form.to_vec();
                out.clear();
                out.extend_from_slice(&form);
            }
            append_query(query, out);
            Ok(())
        })
    }

    /// Replaces the query by what `write` appends; nothing appended is no query.
    ///
    /// # Errors
    /// The target becomes too long. It is then as it was.
    pub fn set_query(&mut self, write: impl FnOnce(&[u8], &mut Vec<u8>)) -> Result<(), TargetError> {
        self.write(|path, query, out| {
            out.extend_from_slice(path);
            out.push(b'?');
            let bare = out.len();
            write(query.unwrap_or_default(), out);
            if out.len() == bare {
                out.pop();
            }
            Ok(())
        })
    }

    fn write(
        &mut self,
        compose: impl FnOnce(&[u8], Option<&[u8]>, &mut Vec<u8>) -> Result<(), TargetError>,
    ) -> Result<(), TargetError> {
        let current = if self.rewritten.is_empty() { self.received } else { self.rewritten.as_slice() };
        let (path, query) = split(current);
        self.spare.clear();
        compose(path, query, self.spare)?;
        if self.spare.len() > TARGET_OCTETS_MAX {
            return Err(TargetError::TooLong);
        }
        std::mem::swap(self.rewritten, self.spare);
        Ok(())
    }
}

pub(crate) fn split(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = target.splitn(2, |&b| b == b'?');
    (parts.next().unwrap_or_default(), parts.next())
}

fn append_query(query: Option<&[u8]>, out: &mut Vec<u8>) {
    if let Some(query) = query {
        out.push(b'?');
        out.extend_from_slice(query);
    }
}

/// A path as it is compared: canonical (RFC 3986 §6.2.2).
///
/// # Errors
/// Why it has no canonical form, in plain words.
pub fn canonical_path(text: &str) -> Result<String, &'static str> {
    let mut decoded = Vec::new();
    let form = canonical(text.as_bytes(), &mut decoded).map_err(|error| error.flaw.message())?;
    Ok(String::from_utf8_lossy(form).into_owned())
}

/// `path` without `prefix`, if it is that or below it: `/api` takes `/api` and `/api/x`, not `/apis`.
pub(crate) fn below<'p>(path: &'p [u8], prefix: &[u8]) -> Option<&'p [u8]> {
    let rest = path.strip_prefix(prefix)?;
    matches!(rest.first(), None | Some(b'/')).then_some(rest)
}
