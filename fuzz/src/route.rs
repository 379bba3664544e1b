//! Paths, targets and patterns.

use strait_route::path::canonical_by;
use strait_route::{PathRules, Pattern, RouteId, Table, Target};

/// A canonical path is a fixed point, at most three times as long, and has nothing in it that origins read in two ways.
///
/// The first octet chooses the rules.
pub fn route_path(input: &[u8]) {
    let Some((&choice, raw)) = input.split_first() else { return };
    let rules = PathRules { keep_encoded_slash: choice & 1 != 0, merge_slashes: choice & 2 != 0 };
    let (mut scratch, mut again) = (Vec::new(), Vec::new());
    let Ok(path) = canonical_by(rules, raw, &mut scratch) else { return };
    assert!(path.len() <= 3 * raw.len().max(1));
    assert_eq!(canonical_by(rules, path, &mut again), Ok(path), "not a fixed point");
    assert_eq!(path.first(), Some(&b'/'));
    assert!(path.iter().all(|b| (0x21..0x7f).contains(b) && !b"\\?#".contains(b)));
    assert!(path.split(|&b| b == b'/').all(|segment| segment != b"." && segment != b".."));
    assert!(!rules.merge_slashes || !path.windows(2).any(|pair| pair == b"//"));
}

/// A request target behind its method, which ends with the first space.
pub fn route_target(input: &[u8]) {
    let Some(space) = input.iter().position(|&b| b == b' ') else { return };
    let (method, raw) = (&input[..space], &input[space + 1..]);
    if let Ok(target) = Target::parse(method, raw) {
        let path = match target {
            Target::Origin { path, .. } | Target::Absolute { path, .. } => path,
            Target::Authority(_) | Target::Asterisk => b"",
        };
        assert!(path.is_empty() || path.starts_with(b"/"));
    }
}

/// Patterns, a line each, and a table of them; the last line is a path that is looked up.
pub fn route_pattern(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut patterns = Vec::new();
    for line in text.lines().take(32) {
        let Ok(pattern) = Pattern::parse(line) else { continue };
        let shown = pattern.to_string();
        let again = Pattern::parse(&shown).map(|again| again.to_string());
        assert_eq!(again.as_deref(), Ok(shown.as_str()), "what is shown for `{line}` reads as something else");
        patterns.push(pattern);
    }
    let path = text.lines().last().unwrap_or("/");
    let routes = patterns.iter().cloned().zip(0..).map(|(pattern, i)| (pattern, RouteId(i)));
    if let Ok(table) = Table::build(routes, 1)
        && let Ok(found) = table.find(b"GET", b"example.com", path.as_bytes())
    {
        let (pattern, _) = table.get(found.pattern).unwrap_or_else(|| panic!("found a pattern that is not there"));
        assert!(pattern.matches_path(path.as_bytes()) && pattern.matches_host(b"example.com"));
    }
}
