//! What a folder holds, for people and for programs.

use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: Vec<u8>,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Octets of a file.
    pub octets: u64,
    /// When it was last changed, in seconds since 1970.
    pub modified_seconds: u64,
}

/// In which form a folder is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A page.
    Html,
    /// A list of objects with `name`, `type`, `size`, `modified`.
    Json,
}

impl Form {
    /// The form that an Accept field asks for: JSON where it is named and HTML is not.
    pub fn of(accept: Option<&[u8]>) -> Self {
        let names = |what: &[u8]| {
            accept.is_some_and(|accept| accept.windows(what.len()).any(|at| at.eq_ignore_ascii_case(what)))
        };
        if names(b"application/json") && !names(b"text/html") { Self::Json } else { Self::Html }
    }

    /// Its Content-Type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

/// Lists a folder: folders first, then files, each by name. `path` is the canonical path of the URL; at the top there is
/// no way up.
pub fn listing(form: Form, path: &[u8], mut entries: Vec<Entry>, at_top: bool) -> String {
    entries.sort_by(|one, other| other.is_folder.cmp(&one.is_folder).then_with(|| one.name.cmp(&other.name)));
    match form {
        Form::Html => page(path, &entries, at_top),
        Form::Json => list(&entries),
    }
}

fn page(path: &[u8], entries: &[Entry], at_top: bool) -> String {
    let title = html(&String::from_utf8_lossy(path));
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>body{{font-family:system-ui,sans-serif;margin:2em}}td{{padding:.1em 1em .1em 0}}\
         td+td{{text-align:right;color:#666}}</style><h1>{title}</h1><table>\n"
    );
    if !at_top {
        page.push_str("<tr><td><a href=\"../\">../</a><td><td>\n");
    }
    for entry in entries {
        let slash = if entry.is_folder { "/" } else { "" };
        let (name, link) = (html(&String::from_utf8_lossy(&entry.name)), link(&entry.name));
        let size = if entry.is_folder { String::new() } else { entry.octets.to_string() };
        // Writing to a String does not fail.
        let _ = writeln!(page, "<tr><td><a href=\"./{link}{slash}\">{name}{slash}</a><td>{size}<td>{}", date(entry));
    }
    page.push_str("</table>\n");
    page
}

fn list(entries: &[Entry]) -> String {
    let objects: Vec<String> = entries.iter().map(object).collect();
    format!("[{}]\n", objects.join(","))
}

fn object(entry: &Entry) -> String {
    let kind = if entry.is_folder { "folder" } else { "file" };
    let size = if entry.is_folder { String::new() } else { format!(",\"size\":{}", entry.octets) };
    format!("{{\"name\":{},\"type\":\"{kind}\"{size},\"modified\":\"{}\"}}", json(&entry.name), date(entry))
}

fn date(entry: &Entry) -> String {
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(entry.modified_seconds)).unwrap_or(UNIX_EPOCH);
    // The form of HTTP has no year beyond 9999, and formatting one would panic.
    let is_sane = entry.modified_seconds < 253_402_300_800;
    httpdate::fmt_http_date(if is_sane { at } else { UNIX_EPOCH })
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// A name as one segment of a path.
fn link(name: &[u8]) -> String {
    let mut link = String::with_capacity(name.len());
    for &octet in name {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            link.push(char::from(octet));
        } else {
            let _ = write!(link, "%{octet:02X}");
        }
    }
    link
}

fn json(name: &[u8]) -> String {
    let mut text = String::from("\"");
    for c in String::from_utf8_lossy(name).chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{Entry, Form, listing};

    fn entry(name: &str, is_folder: bool) -> Entry {
        Entry { name: name.as_bytes().to_vec(), is_folder, octets: 7, modified_seconds: 784_111_777 }
    }

    #[test]
    fn names_are_escaped_wherever_they_stand() {
        let entries = vec![entry("<b>&\"'", false), entry("z", true), entry("a b#?", false)];
        let page = listing(Form::Html, b"/x<y/", entries.clone(), false);
        assert!(page.contains("<title>/x&lt;y/</title>"), "{page}");
        assert!(page.contains("<a href=\"./%3Cb%3E%26%22%27\">&lt;b&gt;&amp;&quot;&#39;</a>"), "{page}");
        assert!(page.contains("<a href=\"./a%20b%23%3F\">"), "{page}");
        let (folder, file) = (page.find("./z/").unwrap(), page.find("./%3C").unwrap());
        assert!(folder < file && page.contains("../"), "{page}");
        let list = listing(Form::Json, b"/", entries, true);
        assert!(list.contains("{\"name\":\"<b>&\\\"'\",\"type\":\"file\",\"size\":7,"), "{list}");
        assert!(list.starts_with("[{\"name\":\"z\",\"type\":\"folder\",\"modified\":"), "{list}");
    }

    #[test]
    fn programs_ask_for_json() {
        for (accept, form) in [
            (None, Form::Html),
            (Some("*/*"), Form::Html),
            (Some("application/json"), Form::Json),
            (Some("text/html, application/json"), Form::Html),
        ] {
            assert_eq!(Form::of(accept.map(str::as_bytes)), form, "{accept:?}");
        }
    }
}
