//! `--set path=value`: one value over what the files say.

use crate::codes;
use crate::decode::{Shape, Spec as _};
use crate::diagnose::Diagnostic;
use crate::schema::{Kind, Schema};
use crate::source::{FileId, SourceFile, Sources, Span, Spanned, offset};
use crate::spec::Root;
use crate::syntax::{self, Entry, Node, NodeKind};

/// What places in a flag are called.
pub(crate) const NAME: &str = "--set";

/// A flag, read.
pub(super) struct Setting {
    path: Vec<Segment>,
    pub(super) value: Node,
    whole: Span,
}

/// A key of the path.
#[derive(Clone)]
pub(super) struct Segment {
    text: String,
    span: Span,
    quoted: bool,
}

impl Setting {
    /// Reads the flag that is this source. `None` when it has been refused.
    pub(super) fn parse(id: FileId, sources: &Sources, found: &mut Vec<Diagnostic>) -> Option<Self> {
        let source = sources.file(id)?;
        let whole = Span { file: id, start: 0, end: offset(source.text.len()) };
        let Some(equals) = equals_sign(&source.text) else {
            let finding = refusal(whole, "`--set` needs a path and a value").label("there is no `=`");
            found.push(finding.hint("write path=value, such as `admin=off` or `routes./.to=app`"));
            return None;
        };
        let path = segments(id, source.text.get(..equals)?);
        if let Some(empty) = path.iter().find(|segment| segment.text.is_empty()) {
            let span = Span { end: empty.span.end.max(empty.span.start + 1), ..empty.span };
            found.push(refusal(span, "a key is missing in the path").label("here"));
            return None;
        }
        Some(Self { path, value: value(id, source, equals + 1, found)?, whole })
    }
}

fn refusal(span: Span, message: &str) -> Diagnostic {
    Diagnostic::error(codes::SET, span, message)
}

/// Offset of the first `=` outside of quotes.
fn equals_sign(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '=' => return Some(at),
            None => {}
        }
    }
    None
}

/// The keys between the dots outside of quotes.
fn segments(file: FileId, path: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let (mut text, mut start, mut quote, mut quoted) = (String::new(), 0, None, false);
    for (at, c) in path.char_indices().chain([(path.len(), '.')]) {
        match quote {
            Some(open) if c == open && at < path.len() => quote = None,
            Some(_) if at < path.len() => text.push(c),
            None if (c == '"' || c == '\'') && text.is_empty() => (quote, quoted) = (Some(c), true),
            _ if c == '.' => {
                let span = Span { file, start: offset(start), end: offset(at) };
                segments.push(Segment { text: std::mem::take(&mut text), span, quoted });
                (start, quoted) = (at + 1, false);
            }
            _ => text.push(c),
        }
    }
    segments
}

/// The value behind the sign, as YAML whose places are those of the flag.
fn value(id: FileId, source: &SourceFile, at: usize, found: &mut Vec<Diagnostic>) -> Option<Node> {
    let text = source.text.get(at..)?;
    if text.trim().is_empty() {
        let end = offset(source.text.len());
        return Some(Node::absent(Span { file: id, start: end, end }));
    }
    let mut padded = " ".repeat(at);
    padded.push_str(text);
    syntax::parse(id, &SourceFile::new(source.name.clone(), padded), found)
}

/// Sets the value in the tree.
pub(super) fn apply(tree: &mut Node, setting: Setting, found: &mut Vec<Diagnostic>) {
    let Setting { path, value, whole } = setting;
    if let Err(finding) = descend(tree, Some(&Root::schema()), &path, value, whole) {
        found.push(*finding);
    }
}

type Outcome = Result<(), Box<Diagnostic>>;

fn descend(node: &mut Node, schema: Option<&Schema>, path: &[Segment], value: Node, whole: Span) -> Outcome {
    let Some(first) = path.first() else {
        *node = value;
        return Ok(());
    };
    let schema = schema.and_then(|schema| form_for(schema, node, Some(first)));
    match schema.map(|schema| &schema.kind) {
        Some(Kind::List(item)) => item_of(node, Some(item), path, value, whole),
        Some(Kind::Table(of)) => {
            let taken = key_length(node, of, path);
            entry_of(node, Some(of), path, taken, value, whole)
        }
        Some(Kind::Record { shape, fields }) => {
            lengthen(node, shape);
            let field = fields.iter().find(|field| field.key == first.text).map(|field| &field.schema);
            entry_of(node, field, path, 1, value, whole)
        }
        _ if first.text.parse::<usize>().is_ok() && matches!(node.kind, NodeKind::List(_)) => {
            item_of(node, None, path, value, whole)
        }
        _ => entry_of(node, None, path, 1, value, whole),
    }
}

/// Of several forms, the one that this key leads into; without one, that of a map.
pub(super) fn form_for<'s>(schema: &'s Schema, node: &Node, key: Option<&Segment>) -> Option<&'s Schema> {
    let Kind::Forms(forms) = &schema.kind else { return Some(schema) };
    let is_number = key.is_some_and(|key| key.text.parse::<usize>().is_ok() && !key.quoted);
    let is_list = |form: &&Schema| matches!(form.kind, Kind::List(_));
    let is_map = |form: &&Schema| matches!(form.kind, Kind::Table(_) | Kind::Record { .. });
    if is_number && !matches!(node.kind, NodeKind::Map(_)) {
        return forms.iter().find(is_list).or_else(|| forms.iter().find(is_map));
    }
    forms.iter().find(is_map)
}

/// How many segments make the key of a table: dots belong to host names too.
fn key_length(node: &Node, of: &Schema, path: &[Segment]) -> usize {
    if path.first().is_some_and(|first| first.quoted) {
        return 1;
    }
    let plain = path.iter().take_while(|segment| !segment.quoted).count();
    let exists = |taken: &usize| path.get(..*taken).is_some_and(|part| node.value(&joined(part)).is_some());
    let leads_on = |taken: &usize| path.get(*taken).is_some_and(|next| is_key_of(of, next));
    let mut lengths = (1..=plain).rev();
    lengths.find(exists).or_else(|| (1..plain).find(leads_on)).unwrap_or(plain)
}

fn is_key_of(schema: &Schema, segment: &Segment) -> bool {
    match &schema.kind {
        Kind::Record { fields, .. } => fields.iter().any(|field| field.key == segment.text),
        Kind::Forms(forms) => forms.iter().any(|form| is_key_of(form, segment)),
        _ => false,
    }
}

fn joined(part: &[Segment]) -> String {
    part.iter().map(|segment| segment.text.as_str()).collect::<Vec<_>>().join(".")
}

/// Goes into the value of a key, which the first `taken` segments make.
fn entry_of(
    node: &mut Node,
    schema: Option<&Schema>,
    path: &[Segment],
    taken: usize,
    value: Node,
    whole: Span,
) -> Outcome {
    let (part, rest) = path.split_at_checked(taken).unwrap_or((path, &[]));
    let (Some(first), Some(last)) = (part.first(), part.last()) else { return Ok(()) };
    let key = Spanned::new(joined(part), Span { end: last.span.end, ..first.span });
    if !matches!(node.kind, NodeKind::Map(_)) {
        if !node.is_absent() && schema.is_none() {
            let message = format!("`{}` leads into a value that has no keys", key.value);
            return Err(Box::new(refusal(key.span, &message).second(node.span, "this value")));
        }
        *node = Node::collection(NodeKind::Map(Vec::new()), whole, 0);
    }
    let NodeKind::Map(entries) = &mut node.kind else { return Ok(()) };
    if rest.is_empty() && value.is_absent() {
        entries.retain(|entry| entry.key.value != key.value);
        return Ok(());
    }
    match entry_at(entries, &key, rest.is_empty()) {
        Some(entry) => descend(&mut entry.value, schema, rest, value, whole),
        None => Ok(()),
    }
}

/// The entry of a key, which is made where there is none. Where its value is put over another one, what is wrong with it
/// is wrong with the key that was given, not with the line it goes over.
pub(super) fn entry_at<'e>(
    entries: &'e mut Vec<Entry>,
    key: &Spanned<String>,
    is_put_over: bool,
) -> Option<&'e mut Entry> {
    let at = entries.iter().position(|entry| entry.key.value == key.value).unwrap_or_else(|| {
        entries.push(Entry { key: key.clone(), value: Node::absent(key.span.after()) });
        entries.len() - 1
    });
    let entry = entries.get_mut(at)?;
    if is_put_over {
        entry.key.span = key.span;
    }
    Some(entry)
}

fn item_of(node: &mut Node, of: Option<&Schema>, path: &[Segment], value: Node, whole: Span) -> Outcome {
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    let Ok(at) = first.text.parse::<usize>() else {
        let message = format!("`{}` is no number of an item of a list", first.text);
        return Err(Box::new(refusal(first.span, &message).hint("items have numbers from 0")));
    };
    if !matches!(node.kind, NodeKind::List(_)) {
        let alone = (!node.is_absent()).then(|| node.clone());
        *node = Node::collection(NodeKind::List(alone.into_iter().collect()), whole, 0);
    }
    let NodeKind::List(items) = &mut node.kind else { return Ok(()) };
    let length = items.len();
    if rest.is_empty() && value.is_absent() && at < length {
        items.remove(at);
        return Ok(());
    }
    if at == length {
        items.push(Node::absent(first.span.after()));
    }
    match items.get_mut(at) {
        Some(item) => descend(item, of, rest, value, whole),
        None => {
            let message = format!("there is no item {at}: the list has {length}");
            Err(Box::new(refusal(first.span, &message).hint(format!("{length} adds one"))))
        }
    }
}

/// Writes a short form (`/: app`) out (`/: {to: app}`), so that other keys can stand beside it.
pub(super) fn lengthen(node: &mut Node, shape: &'static Shape) {
    let is_short = match &node.kind {
        NodeKind::Map(_) => shape.short_if.is_some_and(|is_short| is_short(node, shape)),
        _ => !node.is_absent(),
    };
    let Some(key) = shape.short.and_then(|at| shape.keys.get(at)).filter(|_| is_short) else { return };
    let span = node.span;
    let value = std::mem::replace(node, Node::absent(span));
    let entry = Entry { key: Spanned::new((*key).to_owned(), span), value };
    *node = Node::collection(NodeKind::Map(vec![entry]), span, 0);
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use crate::{Loader, Snapshot, load_str};

    pub(in crate::load) const FILE: &str = "routes:
  /: app
  shop.example.com: {to: app, timeout: 2s}
  /split: {app: 95, other: 5}
upstreams:
  app: localhost:1
  other: [localhost:2]
";

    fn loader(flags: &[&str]) -> Loader<'static> {
        flags.iter().fold(Loader::new(), |loader, flag| loader.set(*flag))
    }

    #[track_caller]
    fn set(flags: &[&str]) -> Snapshot {
        loader(flags).load_str("t.yaml", FILE).unwrap_or_else(|found| panic!("{found}"))
    }

    /// The flags do the same as another file.
    #[track_caller]
    fn same(flags: &[&str], text: &str) {
        let expected = load_str("t.yaml", text).unwrap_or_else(|found| panic!("{found}"));
        assert_eq!(set(flags).spec, expected.spec);
    }

    #[test]
    fn a_flag_goes_over_the_file() {
        let shop = FILE.replace("{to: app, timeout: 2s}", "{to: other, timeout: 2s}");
        same(&["routes.shop.example.com.to=other"], &shop);
        same(&["routes.\"shop.example.com\".to=other"], &shop);
        same(&["routes./=other"], &FILE.replace("/: app", "/: other"));
        same(&["routes./.timeout.idle=3s"], &FILE.replace("/: app", "/: {to: app, timeout: {idle: 3s}}"));
        same(&["routes./split.to.other=6"], &FILE.replace("other: 5", "other: 6"));
        same(
            &["routes.shop.example.com.timeout.connect=3s"],
            &FILE.replace("timeout: 2s", "timeout: {request: 2s, connect: 3s}"),
        );
        same(
            &["upstreams.app.endpoints.1=localhost:3"],
            &FILE.replace("app: localhost:1", "app: [localhost:1, localhost:3]"),
        );
        same(
            &["upstreams.other.endpoints.0.weight=7"],
            &FILE.replace("[localhost:2]", "[{address: localhost:2, weight: 7}]"),
        );
        same(&["admin=off", "workers=3"], &format!("{FILE}admin: off\nworkers: 3\n"));
        same(&["listeners.web={address: 81}"], &format!("{FILE}listeners: {{web: 81}}\n"));
        same(
            &["routes.GET new.example.com/a.b/*.to=app"],
            &FILE.replace("upstreams:", "  GET new.example.com/a.b/*: app\nupstreams:"),
        );
        same(&["workers=3", "workers=", "routes./split="], &FILE.replace("  /split: {app: 95, other: 5}\n", ""));
        same(
            &["trusted_proxies.0=10.0.0.0/8", "trusted_proxies.1=::1"],
            &format!("{FILE}trusted_proxies: [10.0.0.0/8, '::1']\n"),
        );
    }

    #[test]
    fn values_of_the_surroundings_are_replaced_in_flags_too() {
        assert_eq!(
            set(&["routes./={respond: \"${env:NOBODY_SETS_THIS:-hi}\"}"])
                .spec
                .routes
                .get("/")
                .unwrap()
                .respond
                .as_ref()
                .unwrap()
                .body
                .as_literal(),
            Some("hi")
        );
    }

    #[track_caller]
    fn refused(flags: &[&str], said: &str) {
        let found = loader(flags).load_str("t.yaml", FILE).map(|_| ()).unwrap_err();
        assert!(found.to_string().contains(said), "{found}");
    }

    #[test]
    fn errors_point_into_the_flag() {
        refused(
            &["routes./.timeout=30"],
            "`timeout` needs a unit\n  --> --set:1:18\n  1 | routes./.timeout=30\n    |                  ^^",
        );
        refused(&["routes./.timout=30s"], "unknown key `timout` in a route\n  --> --set:1:10\n");
        refused(&["rotes./=app"], "= fix: did you mean `routes`?");
        refused(&["routes./=ap"], "no upstream named `ap`\n  --> --set:1:10\n");
        refused(&["routes"], "there is no `=`");
        refused(&["routes..to=app"], "a key is missing in the path\n  --> --set:1:8");
        refused(&["upstreams.app.endpoints.5=localhost:1"], "there is no item 5: the list has 1");
        refused(&["upstreams.app.endpoints.x=localhost:1"], "unknown key `x` in an endpoint");
        refused(&["routes./.to=[localhost:1"], "`[` is never closed\n  --> --set:1:13");
        refused(&["workers.x=1"], "a whole number is written as a text, not as a map\n  --> --set:1:9");
    }
}
