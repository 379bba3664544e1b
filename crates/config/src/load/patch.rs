//! A JSON merge patch (RFC 7396) over what the files and flags say.

use super::set::{entry_at, form_for, lengthen};
use crate::schema::{Kind, Schema};
use crate::source::{FileId, Sources};
use crate::syntax::{self, Entry, Node, NodeKind, Style};
use crate::{Diagnostic, Spec as _, spec::Root};

/// What places in a patch are called.
pub(crate) const NAME: &str = "admin API";

/// Reads a patch that is this source. `None` when it has been refused, or says nothing.
pub(super) fn parse(id: FileId, sources: &Sources, found: &mut Vec<Diagnostic>) -> Option<Node> {
    syntax::parse(id, sources.file(id)?, found)
}

/// Merges a patch into the tree.
pub(super) fn apply(tree: &mut Node, patch: Node) {
    merge(tree, Some(&Root::schema()), patch);
}

fn merge(node: &mut Node, schema: Option<&Schema>, patch: Node) {
    let entries = match patch.kind {
        NodeKind::Map(entries) => entries,
        _ => {
            *node = patch;
            return;
        }
    };
    let schema = schema.and_then(|schema| form_for(schema, node, None));
    if let Some(Kind::Record { shape, .. }) = schema.map(|schema| &schema.kind) {
        lengthen(node, shape);
    }
    if !matches!(node.kind, NodeKind::Map(_)) {
        *node = Node::collection(NodeKind::Map(Vec::new()), patch.span, 0);
    }
    for Entry { key, value } in entries {
        let below = match schema.map(|schema| &schema.kind) {
            Some(Kind::Table(of)) => Some(of.as_ref()),
            Some(Kind::Record { fields, .. }) => {
                fields.iter().find(|field| field.key == key.value).map(|field| &field.schema)
            }
            _ => None,
        };
        let NodeKind::Map(known) = &mut node.kind else { return };
        if is_null(&value) {
            known.retain(|entry| entry.key.value != key.value);
            continue;
        }
        let is_put_over = !matches!(value.kind, NodeKind::Map(_));
        if let Some(entry) = entry_at(known, &key, is_put_over) {
            merge(&mut entry.value, below, value);
        }
    }
}

fn is_null(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Scalar { text, style: Style::Plain, .. } if text == "null") || node.is_absent()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::super::set::tests::FILE;
    use crate::{Loader, Snapshot, load_str};

    #[track_caller]
    fn patched(patch: &str) -> Snapshot {
        Loader::new().patch(patch).load_str("t.yaml", FILE).unwrap_or_else(|found| panic!("{found}"))
    }

    #[track_caller]
    fn same(patch: &str, text: &str) {
        let expected = load_str("t.yaml", text).unwrap_or_else(|found| panic!("{found}"));
        assert_eq!(patched(patch).spec, expected.spec);
    }

    #[test]
    fn a_patch_goes_over_the_file() {
        same("{}", FILE);
        same(r#"{"workers": 3}"#, &format!("{FILE}workers: 3\n"));
        same(
            r#"{"routes": {"shop.example.com": {"to": "other"}}}"#,
            &FILE.replace("{to: app, timeout: 2s}", "{to: other, timeout: 2s}"),
        );
        same(
            r#"{"routes": {"/": {"timeout": {"idle": "3s"}}}}"#,
            &FILE.replace("/: app", "/: {to: app, timeout: {idle: 3s}}"),
        );
        same(r#"{"routes": {"/split": null}}"#, &FILE.replace("  /split: {app: 95, other: 5}\n", ""));
        same(r#"{"routes": {"/split": {"to": {"other": 6}}}}"#, &FILE.replace("other: 5", "other: 6"));
        same(
            r#"{"upstreams": {"app": {"endpoints": ["localhost:1", {"address": "localhost:3", "weight": 2}]}}}"#,
            &FILE.replace("app: localhost:1", "app: [localhost:1, {address: localhost:3, weight: 2}]"),
        );
        same(r#"{"admin": "off"}"#, &format!("{FILE}admin: off\n"));
    }

    #[test]
    fn it_goes_over_flags_too() {
        let loader = Loader::new().set("workers=2").patch(r#"{"workers": 3}"#);
        assert_eq!(loader.load_str("t.yaml", FILE).unwrap().spec.workers, Some(3));
    }

    #[test]
    fn errors_point_into_the_patch() {
        let refused = |patch: &str, said: &str| {
            let found = Loader::new().patch(patch).load_str("t.yaml", FILE).map(|_| ()).unwrap_err();
            assert!(found.to_string().contains(said), "{found}");
        };
        refused(r#"{"routes": {"/": {"to": "nowhere"}}}"#, "no upstream named `nowhere`\n  --> admin API:1:");
        refused(r#"{"wrokers": 3}"#, "admin API:1:2");
        refused(r#"[1]"#, "admin API:1:1");
    }

    #[test]
    fn it_brings_in_nothing_from_outside() {
        for reference in ["${file:/etc/hostname}", "${env:HOME}", "${env:NOBODY:-x}", "${cred:key}", "${HOME}"] {
            let patch = format!(r#"{{"routes": {{"/": {{"respond": {{"body": "a {reference}"}}}}}}}}"#);
            let found = Loader::new().patch(patch).load_str("t.yaml", FILE).map(|_| ()).unwrap_err().to_string();
            assert!(found.contains("a patch brings in nothing from files and the environment"), "{found}");
            assert!(found.contains("--> admin API:1:"), "{found}");
        }
        let patch = r#"{"routes": {"/own": {"respond": {"body": "${client.ip} $${env:HOME}"}}}}"#;
        same(patch, &FILE.replace("upstreams:", "  /own: {respond: {body: '${client.ip} $${env:HOME}'}}\nupstreams:"));
    }
}
