//! nginx's values: texts with variables, times and sizes.

/// A text with variables as a text with ours.
///
/// # Errors
/// The variable that Strait does not have.
pub(crate) fn template(text: &str, server_name: &str, port: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        let (name, after) = variable(behind);
        if name.is_empty() {
            out.push('$');
            rest = behind;
            continue;
        }
        match expression(name, server_name, port) {
            Some(Value::Expression(expression)) => {
                out.push_str("${");
                out.push_str(&expression);
                out.push('}');
            }
            Some(Value::Text(text)) => out.push_str(&text),
            None => return Err(format!("${name}")),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// A name of a variable at the start of a text, `name` or `{name}`, and what stands behind it.
fn variable(text: &str) -> (&str, &str) {
    if let Some((name, rest)) = text.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        return (name, rest);
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(end)
}

/// What a variable is in Strait.
pub(crate) enum Value {
    /// An expression.
    Expression(String),
    /// A text that does not change.
    Text(String),
}

/// What a variable is in Strait.
pub(crate) fn expression(name: &str, server_name: &str, port: &str) -> Option<Value> {
    let named = |prefix: &str| name.strip_prefix(prefix).filter(|rest| !rest.is_empty());
    let plain = match name {
        "host" => "request.host",
        "http_host" => "request.headers['host']",
        "remote_addr" | "binary_remote_addr" | "realip_remote_addr" => "client.ip",
        "remote_port" => "client.port",
        "scheme" => "request.scheme",
        "request_uri" => "request.uri",
        "uri" | "document_uri" => "request.path",
        "args" | "query_string" => "request.query_string",
        "request_method" => "request.method",
        "request_id" => "request.id",
        "status" => "response.status",
        "server_protocol" => "protocol",
        "ssl_protocol" => "tls.version",
        "ssl_cipher" => "tls.cipher",
        "ssl_server_name" => "tls.sni",
        "ssl_client_s_dn" => "tls.client.subject",
        "ssl_client_i_dn" => "tls.client.issuer",
        "ssl_client_serial" => "tls.client.serial",
        "server_name" => return Some(Value::Text(server_name.to_owned())),
        "server_port" => return Some(Value::Text(port.to_owned())),
        _ => {
            let field = |name: &str| name.replace('_', "-");
            let expression = named("http_").map(|rest| format!("request.headers['{}']", field(rest)));
            let expression = expression.or_else(|| named("cookie_").map(|rest| format!("request.cookies['{rest}']")));
            let expression = expression.or_else(|| named("arg_").map(|rest| format!("request.query['{rest}']")));
            return expression.map(Value::Expression);
        }
    };
    Some(Value::Expression(plain.to_owned()))
}

/// A time: `30`, `30s`, `1m30s` in seconds becomes one unit.
pub(crate) fn time(text: &str) -> Option<String> {
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        let letters = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        let factor: u64 = match unit {
            "ms" => 1,
            "" | "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(factor)?)?;
        rest = behind;
    }
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let (factor, unit) = units.into_iter().find(|(factor, _)| total > 0 && total.is_multiple_of(*factor))?;
    Some(format!("{}{unit}", total / factor))
}

/// A size: `10m` is `10MiB`.
pub(crate) fn size(text: &str) -> Option<String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    number.parse::<u64>().ok()?;
    match unit.to_ascii_lowercase().as_str() {
        "" => Some(format!("{number}B")),
        "k" => Some(format!("{number}KiB")),
        "m" => Some(format!("{number}MiB")),
        "g" => Some(format!("{number}GiB")),
        _ => None,
    }
}

/// A text within an expression.
pub(crate) fn quoted(text: &str) -> String {
    if text.contains('\\') && !text.contains('\'') {
        return format!("r'{text}'");
    }
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A regular expression of nginx's as one that runs in linear time.
///
/// # Errors
/// Why there is none.
pub(crate) fn regex(pattern: &str, any_case: bool) -> Result<String, String> {
    let pattern = if any_case { format!("(?i){pattern}") } else { pattern.to_owned() };
    match regex_syntax::parse(&pattern) {
        Ok(_) => Ok(pattern),
        Err(_) => Err("the regular expression is of a kind that does not run in linear time".to_owned()),
    }
}
