use super::{Change, Cookies};
use crate::Response;
use crate::flow::Behaviour;
use strait_message::Name;

impl Behaviour for Cookies {
    fn response(&self, response: &mut Response<'_>) {
        let headers = &mut response.head.headers;
        if !headers.contains(Name::SetCookie) {
            return;
        }
        let cookies: Vec<Vec<u8>> = headers.get_all(Name::SetCookie).map(|cookie| self.edited(cookie)).collect();
        headers.remove(Name::SetCookie);
        for cookie in cookies {
            headers.push_name(Name::SetCookie, &cookie);
        }
    }

    fn describe(&self) -> String {
        let which = if self.names.is_empty() { "cookies".to_owned() } else { self.names.join(", ") };
        let flag = |name, value: Option<bool>| value.map(|on| format!("{}{name}", if on { "+" } else { "-" }));
        let change = |name, change: &Change| match change {
            Change::Keep => None,
            Change::Remove => Some(format!("-{name}")),
            Change::Set(value) => Some(format!("{name}={value}")),
            Change::Prefix(from, to) => Some(format!("{name} {from} to {to}")),
        };
        let parts = [
            flag("Secure", self.secure),
            flag("HttpOnly", self.http_only),
            flag("Partitioned", self.partitioned),
            self.same_site.map(|value| format!("SameSite={value}")),
            change("Domain", &self.domain),
            change("Path", &self.path),
        ];
        format!("{which}: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl Cookies {
    /// A Set-Cookie value with its attributes changed.
    pub(super) fn edited(&self, cookie: &[u8]) -> Vec<u8> {
        let mut parts = cookie.split(|&b| b == b';');
        let pair = parts.next().unwrap_or_default();
        if pair.trim_ascii().is_empty() || !self.means(pair) {
            return cookie.to_vec();
        }
        let mut out = pair.trim_ascii_end().to_vec();
        let mut seen = Seen::default();
        for attribute in parts {
            self.keep(attribute.trim_ascii(), &mut seen, &mut out);
        }
        self.add(&seen, &mut out);
        out
    }

    fn means(&self, pair: &[u8]) -> bool {
        let name = pair.split(|&b| b == b'=').next().unwrap_or_default().trim_ascii();
        let is = |wanted: &str| match wanted.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix.as_bytes()),
            None => name == wanted.as_bytes(),
        };
        self.names.is_empty() || self.names.iter().any(|wanted| is(wanted))
    }

    /// Writes an attribute that is there, changed or not at all.
    fn keep(&self, attribute: &[u8], seen: &mut Seen, out: &mut Vec<u8>) {
        let at = attribute.iter().position(|&b| b == b'=').unwrap_or(attribute.len());
        let (name, value) = attribute.split_at_checked(at).unwrap_or((attribute, b""));
        let value = value.strip_prefix(b"=").unwrap_or_default();
        let named = |wanted: &str| name.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes());
        let flags = [("Secure", self.secure), ("HttpOnly", self.http_only), ("Partitioned", self.partitioned)];
        for ((wanted, change), seen) in flags.into_iter().zip(&mut seen.flags) {
            if named(wanted) {
                *seen = true;
                return if change != Some(false) { push(attribute, out) };
            }
        }
        let changes = [("Domain", &self.domain), ("Path", &self.path)];
        for ((wanted, change), seen) in changes.into_iter().zip(&mut seen.values) {
            if named(wanted) {
                *seen = true;
                return keep_value(change, attribute, wanted, value, out);
            }
        }
        if named("SameSite") && self.same_site.is_some() {
            return;
        }
        push(attribute, out);
    }

    /// Adds the attributes that are wanted and not there.
    fn add(&self, seen: &Seen, out: &mut Vec<u8>) {
        let [secure, http_only, partitioned] = seen.flags;
        for (name, wanted, there) in [
            ("Secure", self.secure, secure),
            ("HttpOnly", self.http_only, http_only),
            ("Partitioned", self.partitioned, partitioned),
        ] {
            if wanted == Some(true) && !there {
                push(name.as_bytes(), out);
            }
        }
        let [domain, path] = seen.values;
        for (name, change, there) in [("Domain", &self.domain, domain), ("Path", &self.path, path)] {
            if let (Change::Set(value), false) = (change, there) {
                push(format!("{name}={value}").as_bytes(), out);
            }
        }
        if let Some(value) = self.same_site {
            push(format!("SameSite={value}").as_bytes(), out);
        }
    }
}

/// Attributes that a cookie has.
#[derive(Default)]
struct Seen {
    /// Secure, HttpOnly, Partitioned.
    flags: [bool; 3],
    /// Domain, Path.
    values: [bool; 2],
}

fn keep_value(change: &Change, attribute: &[u8], name: &str, value: &[u8], out: &mut Vec<u8>) {
    match change {
        Change::Keep => push(attribute, out),
        Change::Remove => {}
        Change::Set(new) => push(format!("{name}={new}").as_bytes(), out),
        Change::Prefix(from, to) => match value.trim_ascii().strip_prefix(from.as_bytes()) {
            Some(rest) => {
                push(name.as_bytes(), out);
                out.push(b'=');
                out.extend_from_slice(to.as_bytes());
                // `/app` to `/` makes `/app/x` `/x`.
                let doubled = to.ends_with('/') && rest.first() == Some(&b'/');
                out.extend_from_slice(rest.get(usize::from(doubled)..).unwrap_or_default());
            }
            None => push(attribute, out),
        },
    }
}

fn push(attribute: &[u8], out: &mut Vec<u8>) {
    if !attribute.is_empty() {
        out.extend_from_slice(b"; ");
        out.extend_from_slice(attribute);
    }
}
