#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::{format_text, load_str};
use proptest::prelude::*;

#[track_caller]
fn check(text: &str, expected: &str) {
    let formatted = format_text("t.yaml", text).unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(formatted, expected);
    assert_eq!(format_text("t.yaml", &formatted).unwrap(), formatted, "once more");
}

#[test]
fn spaces_and_quotes_are_the_tools() {
    check("routes:\n    '/':   [ 'localhost:1' ,\"localhost:2\" ]\n", "routes:\n  /: [localhost:1, localhost:2]\n");
    check("routes: {/: {to: app,preserve_host: true}}\n", "routes: {/: {to: app, preserve_host: true}}\n");
    check("admin: off\nworkers: 3\n", "admin: \"off\"\nworkers: 3\n");
    check(
        "routes: {/: {respond: yes, response_headers: {X: true, Y: 1.10, Z: 12:30, N: \"1\"}}}\n",
        "routes: {/: {respond: \"yes\", response_headers: {X: \"true\", \"Y\": \"1.10\", Z: \"12:30\", \"N\": \"1\"}}}\n",
    );
    check("a:\r\n  - b\r\n", "a:\n  - b\n");
    check("a:\n- b\n- c: d\n  e: f\n", "a:\n  - b\n  - c: d\n    e: f\n");
    check("a:\n    - - b\n      - c\n    -\n      d: e\n", "a:\n  - - b\n    - c\n  - d: e\n");
    check("a: plain\n  text\nb: 'it''s'\n", "a: plain text\nb: it's\n");
    check("\u{feff}a: b", "a: b\n");
    check("", "");
    check("a:\nb: \n", "a:\nb:\n");
}

#[test]
fn comments_stay_where_they_are() {
    check(
        "# top\n\n\n\n# of a\na: # behind\n    # inside\n    b: c   # there\n    # end\n# of d\nd: e\n# last\n",
        "# top\n\n# of a\na: # behind\n  # inside\n  b: c # there\n  # end\n# of d\nd: e\n# last\n",
    );
    check("a:\n- b # one\n# two\n- c\n# of d\nd: e\n", "a:\n  - b # one\n  # two\n  - c\n# of d\nd: e\n");
    check("a: [b, # one\n  c # two\n]\nd: e\n", "a:\n  - b # one\n  - c # two\nd: e\n");
    check("a: {b: c, # one\n  # two\n  d: e}\n", "a:\n  b: c # one\n  # two\n  d: e\n");
    check("# only\n", "# only\n");
    check("# x\n---\n# y\na: b\n", "# x\n---\n# y\na: b\n");
    check("a:\n  # before\n  value\n", "# before\na: value\n");
    check("a: # k\n  - b: c # l\n    # m\n    d: e\n", "a: # k\n  - b: c # l\n    # m\n    d: e\n");
}

#[test]
fn blank_lines_stay_single() {
    check("\n\na: b\n\n\n\nc: d\n\ne:\n\n  f: g\n\n  h: i\n\n", "a: b\n\nc: d\n\ne:\n  f: g\n\n  h: i\n");
}

#[test]
fn what_is_too_wide_is_broken_up() {
    let items: Vec<String> = (0..20).map(|number| format!("localhost:{number}000")).collect();
    let wide = format!("upstreams: {{app: {{endpoints: [{}]}}}}\n", items.join(", "));
    let lines: String = items.iter().map(|item| format!("      - {item}\n")).collect();
    check(&wide, &format!("upstreams:\n  app:\n    endpoints:\n{lines}"));
}

#[test]
fn block_texts_are_copied() {
    check(
        "a:\n    b: |-\n          one\n            two\n\n          three\n    c: >\n       x\n       y\n\nd: e\n",
        "a:\n  b: |-\n    one\n      two\n\n    three\n  c: >\n    x\n    y\n\nd: e\n",
    );
    check("a:\n  - |  # why\n    x\n  - z\n", "a:\n  - | # why\n    x\n  - z\n");
    check("a: |2\n    x\n  y\n", "a: \"  x\\ny\\n\"\n");
    check("a: |+\n  x\n\n\nb: c\n", "a: |+\n  x\n\n\nb: c\n");
}

#[test]
fn anchors_and_aliases_stay() {
    check(
        "x-a:  &a {respond: hi}\nroutes: {/a: *a, /b: *a}\nx-b: &b\n    c: d\nx-c: [&d e, *d]\nx-f:\n- &g\n  h: i\n- *g\n",
        "x-a: &a {respond: hi}\nroutes: {/a: *a, /b: *a}\nx-b: &b\n  c: d\nx-c: [&d e, *d]\nx-f:\n  - &g\n    h: i\n  - *g\n",
    );
}

#[test]
fn json_stays_json() {
    let text = "{\"routes\": {\"/\": \"localhost:1\"},\n\"workers\":3, \"tests\": []}";
    let formatted = format_text("t.json", text).unwrap();
    assert_eq!(formatted, "{\n  \"routes\": {\"/\": \"localhost:1\"},\n  \"workers\": 3,\n  \"tests\": []\n}\n");
    assert!(serde_json::from_str::<serde_json::Value>(&formatted).is_ok());
}

/// Whatever can be formatted means the same afterwards, keeps its comments, and is formatted for good.
fn holds(text: &str) {
    let Ok(formatted) = format_text("t.yaml", text) else { return };
    let again = format_text("t.yaml", &formatted).unwrap_or_else(|found| panic!("{found}\nfrom {text:?}"));
    assert_eq!(again, formatted, "from {text:?}");
    let comments = |text: &str| -> Vec<String> {
        let mut sources = crate::Sources::default();
        let id = sources.add("t", text);
        let layout = super::tree::Layout::read(sources.file(id).unwrap());
        layout.comments.into_iter().map(|comment| comment.text).collect()
    };
    assert_eq!(comments(&formatted), comments(text), "{formatted}");
    match (load_str("t.yaml", text), load_str("t.yaml", &formatted)) {
        (Ok(before), Ok(after)) => assert_eq!(before.spec, after.spec, "{formatted}"),
        (Err(_), Err(_)) => {}
        (before, after) => panic!("from {text:?}\nto {formatted:?}\n{:?} {:?}", before.err(), after.err()),
    }
}

/// Values of every kind, written by chance.
fn value() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "app",
        "localhost:1",
        "'no'",
        "off",
        "\"a b\"",
        "1",
        "1.10",
        "'*'",
        "true",
        "30s",
        "\"\\n\"",
        "~",
        "",
        "x # c",
        "|\n      t",
        "to:app",
        "\"to:app\"",
        "-x",
        "'404'",
    ]);
    let leaf = scalar.prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let key = prop::sample::select(vec!["a", "to", "'on'", "/", "\"/{x}\"", "respond", "n"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec((key.clone(), inner.clone()), 0..3).prop_map(|entries| format!(
                "{{{}}}",
                entries.iter().map(|(k, v)| format!("{k}: {v}")).collect::<Vec<_>>().join(",  ")
            )),
            prop::collection::vec(inner, 1..3)
                .prop_map(|items| items.iter().map(|item| format!("\n      # c\n      - {item}")).collect()),
        ]
    })
}

fn file() -> impl Strategy<Value = String> {
    let route = (prop::sample::select(vec!["/", "/a", "'/b'", "\"*.x\"", "GET /c"]), value());
    let comment = prop::sample::select(vec!["", "# one\n", "\n\n", "  # two\n"]);
    prop::collection::vec((route, comment), 0..4).prop_map(|routes| {
        let lines: String =
            routes.iter().map(|((key, value), comment)| format!("{comment}  {key}: {value}\n")).collect();
        format!("routes:\n{lines}upstreams: {{app: [localhost:1]}}\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn formatting_changes_no_meaning(text in file()) {
        holds(&text);
    }

    #[test]
    fn no_text_is_damaged(text in crate::tests::pieces()) {
        holds(&text);
    }
}

#[test]
fn examples_and_mistakes_are_formatted() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["tests/examples", "../../conf"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                holds(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    for entry in std::fs::read_dir(root.join("tests/mistakes")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let cases = text.split("=== ").skip(1).filter_map(|case| case.split_once('\n'));
        cases.for_each(|(_, case)| holds(case.split(">>>\n").next().unwrap()));
    }
}
