//! Routes: patterns become a table, and what stands behind each an action.

use crate::files;
use crate::filters::Filters;
use crate::texts::Texts;
use crate::upstreams::Upstreams;
use std::sync::Arc;
use strait_config::spec::{self, To};
use strait_config::{Diagnostic, Snapshot, Span, Spanned, Table as Entries, codes, text_of};
use strait_expr::Template;
use strait_message::Status;
use strait_plan::{Action, Branch, HeaderEdits, QueuePriority, Redirect, Respond, Route, RouteSet, Source};
use strait_route::{Conflict, Pattern, PatternError, PatternIndex, RouteId, Table, TableError};

/// Where routes of the snapshot stand: those at the top, or a listener's own.
pub(crate) struct NamedTable {
    /// The listener's name; empty for the table at the top. The identity of its routes' meters.
    pub(crate) name: Arc<str>,
    pub(crate) set: Arc<RouteSet>,
}

/// The name of the table at the top.
pub(crate) const TOP: &str = "";
/// What stands for the pattern of a request that no route takes.
const NO_PATTERN: &str = "";

/// All tables of a snapshot, the one at the top first. What is wrong goes to `found`.
pub(crate) fn tables(
    snapshot: &Snapshot,
    seed: u64,
    upstreams: &mut Upstreams<'_>,
    filters: &mut Filters<'_>,
    found: &mut Vec<Diagnostic>,
) -> Vec<NamedTable> {
    let compile = |(name, listener, routes): WrittenTable<'_>| {
        // What is wrong with the table at the top was said when that was compiled.
        let mut again = Vec::new();
        let is_top = name == TOP || listener.is_some_and(|listener| listener.routes.is_some());
        let found = if is_top { &mut *found } else { &mut again };
        let table = table(snapshot, routes, seed, upstreams.registry().set(name), found)?;
        let mut one = |(pattern, route): &(Spanned<String>, spec::Route)| {
            let mut written = Written { snapshot, table: name, pattern, listener, filters, found };
            compile_route(&mut written, route, upstreams)
        };
        let routes: Vec<Route> = routes.iter().map(&mut one).collect();
        let has_conditions = routes.iter().any(|route| route.condition.is_some());
        let unrouted = filters.chain(name, listener, NO_PATTERN, &[]);
        let set = RouteSet { table, routes, has_conditions, unrouted };
        Some(NamedTable { name: name.into(), set: Arc::new(set) })
    };
    written(snapshot).filter_map(compile).collect()
}

/// A table as it is written: its name, the listener whose own it is, and its routes.
pub(crate) type WrittenTable<'s> = (&'s str, Option<&'s spec::Listener>, &'s Entries<spec::Route>);

/// The tables as they are written. A listener with filters has a table of its own, for they are part of its routes.
pub(crate) fn written(snapshot: &Snapshot) -> impl Iterator<Item = WrittenTable<'_>> {
    let top = &snapshot.spec.routes;
    let own = snapshot.spec.listeners.iter().filter(|(_, listener)| has_own_table(listener));
    let own = own.map(move |(name, listener)| (&*name.value, Some(listener), listener.routes.as_ref().unwrap_or(top)));
    std::iter::once((TOP, None, top)).chain(own)
}

/// Whether a listener does not use the table at the top.
pub(crate) fn has_own_table(listener: &spec::Listener) -> bool {
    listener.routes.is_some() || !listener.filters.is_empty()
}

/// The lookup table; the n-th pattern leads to the n-th route. `None` when something is wrong.
fn table(
    snapshot: &Snapshot,
    routes: &Entries<spec::Route>,
    seed: u64,
    living: Option<Arc<RouteSet>>,
    found: &mut Vec<Diagnostic>,
) -> Option<Arc<Table>> {
    // The table of a plan that lives, if it has the same patterns in the same order: building one is a third of all.
    let same = |set: &Arc<RouteSet>| {
        let patterns = set.routes.iter().map(|route| &*route.pattern);
        set.routes.len() == routes.len() && patterns.eq(routes.iter().map(|(key, _)| key.value.as_str()))
    };
    if let Some(set) = living.filter(same) {
        return Some(set.table.clone());
    }
    let mut patterns = Vec::with_capacity(routes.len());
    let mut places = Vec::with_capacity(routes.len());
    for (id, (key, _)) in (0..).zip(routes) {
        match Pattern::parse(key) {
            Ok(pattern) => {
                patterns.push((pattern, RouteId(id)));
                places.push(key);
            }
            Err(error) => found.push(bad_pattern(snapshot, key, error)),
        }
    }
    let whole = patterns.len() == routes.len();
    let key = |index: PatternIndex| places.get(index.0 as usize).copied();
    match Table::build(patterns, seed) {
        Ok(table) => whole.then(|| Arc::new(table)),
        Err(errors) => {
            found.extend(errors.into_iter().filter_map(|error| refused(error, key)));
            None
        }
    }
}

/// A pattern that cannot be read, underlined where it is wrong.
fn bad_pattern(snapshot: &Snapshot, key: &Spanned<String>, error: PatternError) -> Diagnostic {
    // A key in quotes may have escapes; then the whole of it is underlined.
    let at = snapshot.sources.text(key.span).find(&key.value).and_then(|at| u32::try_from(at).ok());
    let within = |offset: usize| Some(key.span.start + at? + u32::try_from(offset).ok()?);
    let span = match (within(error.span.start), within(error.span.end)) {
        (Some(start), Some(end)) => Span { start, end, ..key.span },
        _ => key.span,
    };
    let finding =
        Diagnostic::error(codes::PATTERN, span, format!("`{}` is not a pattern: {}", key.value, error.message));
    match error.fix {
        Some(fix) => {
            let text = text_of(&fix).unwrap_or_else(|| fix.clone());
            finding.replace(format!("did you mean `{fix}`?"), key.span, text)
        }
        None => finding.hint("write [METHOD[,METHOD] ][host][/path], such as `example.com/api/*`"),
    }
}

fn refused<'k>(error: TableError, key: impl Fn(PatternIndex) -> Option<&'k Spanned<String>>) -> Option<Diagnostic> {
    let one_too_many = |index, what| {
        let key = key(index)?;
        let finding = Diagnostic::error(codes::PATTERN, key.span, format!("`{}` is one pattern too many", key.value));
        Some(finding.label(what))
    };
    match error {
        TableError::Conflict(conflict) => tie(&conflict, key),
        TableError::Placements(index) => one_too_many(index, "its host has `{captures}` in too many different places"),
        TableError::Patterns(index) => one_too_many(index, "a table holds a million patterns"),
    }
}

/// Two patterns that no rule puts in an order.
fn tie<'k>(conflict: &Conflict, key: impl Fn(PatternIndex) -> Option<&'k Spanned<String>>) -> Option<Diagnostic> {
    let (first, second) = (key(conflict.a)?, key(conflict.b)?);
    let message = format!("`{}` and `{}` match the same requests", first.value, second.value);
    let finding = Diagnostic::error(codes::PATTERN_TIE, second.span, message)
        .label(format!("both match {}", conflict.example))
        .second(first.span, "neither is more specific than the other");
    Some(finding.hint("make one of them more specific, or remove it"))
}

/// A route as it is written: where, and where its flaws go.
struct Written<'w, 's> {
    snapshot: &'w Snapshot,
    table: &'w str,
    pattern: &'w Spanned<String>,
    listener: Option<&'w spec::Listener>,
    filters: &'w mut Filters<'s>,
    found: &'w mut Vec<Diagnostic>,
}

/// A route with its branches.
fn compile_route(written: &mut Written<'_, '_>, spec: &spec::Route, upstreams: &mut Upstreams<'_>) -> Route {
    let route = compile_plain(written, spec, written.pattern.span, upstreams);
    let condition = spec.condition.as_ref().and_then(|text| written.texts().condition(text)).map(Box::new);
    let branch = |branch: &Spanned<spec::Branch>| Branch {
        condition: written.texts().conditions(branch),
        route: Route {
            meter: route.meter.clone(),
            ..compile_plain(written, &overridden(spec, branch), branch.span, upstreams)
        },
    };
    let branches = spec.when.iter().map(branch).collect();
    Route { condition, branches, ..route }
}

/// A route as an entry of its `when` makes it.
fn overridden(route: &spec::Route, branch: &spec::Branch) -> spec::Route {
    let mut own = spec::Route { condition: None, when: Vec::new(), ..route.clone() };
    let acts = branch.to.is_some() || branch.files.is_some() || branch.redirect.is_some() || branch.respond.is_some();
    if acts {
        own.to.clone_from(&branch.to);
        own.files.clone_from(&branch.files);
        own.redirect.clone_from(&branch.redirect);
        own.respond.clone_from(&branch.respond);
    }
    for (headers, more) in
        [(&mut own.request_headers, &branch.request_headers), (&mut own.response_headers, &branch.response_headers)]
    {
        headers.0.retain(|(name, _)| more.iter().all(|(other, _)| other.value != name.value));
        headers.0.extend(more.iter().cloned());
    }
    own.queue_priority = branch.queue_priority.unwrap_or(own.queue_priority);
    own.filters.extend(branch.filters.iter().cloned());
    own
}

impl Written<'_, '_> {
    fn texts(&mut self) -> Texts<'_> {
        Texts::of(self.snapshot, self.pattern, self.found)
    }
}

fn compile_plain(
    written: &mut Written<'_, '_>,
    spec: &spec::Route,
    span: Span,
    upstreams: &mut Upstreams<'_>,
) -> Route {
    let filters = written.filters.chain(written.table, written.listener, written.pattern, &spec.filters);
    let files = spec.files.as_ref().map(|files| files::compile(files, written.pattern, written.snapshot));
    let mut texts = written.texts();
    let own = (None, Source::default());
    let action = (&spec.to, files, &spec.redirect, &spec.respond);
    let (action, (request_timeout, request_timeout_source)) = match action {
        (Some(to), ..) => forward(to, spec, upstreams),
        (None, Some(files), ..) => (Action::Files(files), own),
        (None, None, Some(redirect), _) => (Action::Redirect(compile_redirect(redirect, &mut texts)), own),
        (None, None, None, respond) => {
            let respond = respond.as_ref().map_or_else(nothing, |respond| compile_respond(respond, &mut texts));
            (Action::Respond(respond), own)
        }
    };
    let request_headers = texts.request_edits(&spec.request_headers, &spec.remove_request_headers);
    let response_headers = texts.response_edits(&spec.response_headers, &spec.remove_response_headers);
    let sticky = match (&action, &spec.sticky) {
        (Action::Forward { upstreams: split, .. }, Some(sticky)) if split.len() > 1 => {
            Some(upstreams.sticky_sides(sticky, written.pattern, split))
        }
        _ => None,
    };
    Route {
        sticky,
        request_headers,
        response_headers,
        pattern: written.pattern.value.as_str().into(),
        source: place(written.snapshot, span).into(),
        condition: None,
        branches: Box::default(),
        action,
        request_timeout,
        request_timeout_source,
        preserve_host: spec.preserve_host,
        queue_priority: queue_priority(spec.queue_priority),
        body_bytes_max: spec.body_size.map(|limit| limit.get().map_or(u64::MAX, |size| size.get())),
        filters,
        meter: upstreams.registry().route(written.table, written.pattern),
    }
}

fn queue_priority(written: spec::QueuePriority) -> QueuePriority {
    match written {
        spec::QueuePriority::Low => QueuePriority::Low,
        spec::QueuePriority::Normal => QueuePriority::Normal,
        spec::QueuePriority::High => QueuePriority::High,
    }
}

/// Where a route leads, and how long an exchange may take with where that was set.
fn forward(
    to: &To,
    spec: &spec::Route,
    upstreams: &mut Upstreams<'_>,
) -> (Action, (Option<std::time::Duration>, Source)) {
    let split = upstreams.split(to, spec);
    let request_timeout = (split.request_timeout, split.request_timeout_source);
    (Action::Forward { upstreams: split.upstreams, weights: split.weights }, request_timeout)
}

/// `file:line`; empty for what nobody wrote.
pub(crate) fn place(snapshot: &Snapshot, span: Span) -> String {
    snapshot.sources.locate(span).map_or_else(String::new, |at| at.place())
}

fn compile_redirect(spec: &spec::Redirect, texts: &mut Texts<'_>) -> Redirect {
    let keep_path = spec.keeps_path();
    let location = match spec.to.template.as_literal() {
        // A path that is appended brings its own slash.
        Some(literal) if keep_path => Template::literal(literal.trim_end_matches('/')),
        _ => texts.template(&spec.to.template, spec.to.span),
    };
    Redirect { status: status(spec.status.get()), location, keep_path }
}

fn compile_respond(spec: &spec::Respond, texts: &mut Texts<'_>) -> Respond {
    let body = texts.template(&spec.body, spec.body.span);
    let content_type = if body.as_literal() == Some(b"") { "" } else { spec.content_type.as_str() };
    Respond {
        status: status(spec.status.get()),
        body,
        content_type: content_type.into(),
        headers: texts.request_edits(&spec.headers, &[]),
    }
}

/// A route without an action is refused when it is loaded; this is what it would answer.
fn nothing() -> Respond {
    let (body, headers) = (Template::default(), HeaderEdits::default());
    Respond { status: Status::NOT_FOUND, body, content_type: Box::default(), headers }
}

fn status(code: u16) -> Status {
    // Loading admits 200 to 599.
    Status::new(code).unwrap_or_default()
}
