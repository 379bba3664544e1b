//! Tests of the whole loader.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use crate::spec::{LogFormat, To};
use crate::value::{Address, Duration, Endpoint, Host, Limit, Percent, Rate, Size, Target, Value};
use crate::*;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn loaded(text: &str) -> Snapshot {
    load_str("t.yaml", text).unwrap_or_else(|found| panic!("{found}"))
}

fn refused(text: &str) -> Vec<&'static str> {
    load_str("t.yaml", text).map(|_| ()).unwrap_err().list.iter().map(|d| d.code.id).collect()
}

struct World;

impl Surroundings for World {
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "PORT" => Some("9000".to_owned()),
            "EMPTY" => Some(String::new()),
            "NAME" => Some("hidden".to_owned()),
            "HOSTILE" => Some("a: b\n- [\"".to_owned()),
            "CREDENTIALS_DIRECTORY" => Some("/creds".to_owned()),
            _ => None,
        }
    }

    fn secret(&self, path: &Path) -> Result<String, String> {
        Ok(format!("secret of {}\n", path.display()))
    }
}

fn text_of_respond(snapshot: &Snapshot) -> String {
    snapshot.spec.routes.iter().next().unwrap().1.respond.as_ref().unwrap().body.outline()
}

#[test]
fn an_empty_file_has_every_default() {
    let snapshot = loaded("");
    let (name, listener) = snapshot.spec.listeners.iter().next().unwrap();
    assert_eq!(name.value, "http");
    assert_eq!(listener.address.value, Address::Port(DEFAULT_PORT));
    assert_eq!(listener.limits.header_size, Size::kib(32));
    assert_eq!(snapshot.spec.telemetry.access_log.format, LogFormat::Auto);
    assert_eq!(snapshot.warnings[0].code.id, "E0304");
}

#[test]
fn short_forms_are_the_long_forms() {
    let short = loaded(
        "listeners: {a: 8080}\nroutes: {/: b, /r: {redirect: /x}, /s: {respond: hi}, /t: {to: b, timeout: 3s}}\nupstreams: {b: 'localhost:1'}\ntelemetry: {access_log: json}\nadmin: off\n",
    );
    let long = loaded(
        "listeners: {a: {address: 8080}}\nroutes: {/: {to: b}, /r: {redirect: {to: /x}}, /s: {respond: {body: hi}}, /t: {to: b, timeout: {request: 3s}}}\nupstreams: {b: {endpoints: [{address: 'localhost:1', weight: 1}]}}\ntelemetry: {access_log: {format: json}}\nadmin: {address: off}\n",
    );
    assert_eq!(short.spec, long.spec);
}

#[test]
fn json_is_the_same_language() {
    let yaml =
        loaded("routes:\n  /: app\nupstreams:\n  app:\n    endpoints: [localhost:3001]\n    max_connections: 5\n");
    let json = loaded(
        "{\n\t\"routes\": {\"/\": \"app\"},\n\t\"upstreams\": {\"app\": {\"endpoints\": [\"localhost:3001\"], \"max_connections\": 5}}\n}\n",
    );
    assert_eq!(yaml.spec, json.spec);
}

#[test]
fn scalars_are_typed_by_the_key() {
    let snapshot = loaded(
        "routes: {/: {to: localhost:1, response_headers: {X-Country: no, X-Version: 1.10, X-Time: 12:30, X-Null: ~}}}\n",
    );
    let headers = &snapshot.spec.routes.get("/").unwrap().response_headers;
    let texts: Vec<&str> = headers.iter().map(|(_, value)| value.0.as_literal().unwrap()).collect();
    assert_eq!(texts, ["no", "1.10", "12:30", "~"]);
}

#[test]
fn a_map_of_numbers_is_a_split_unless_its_keys_are_those_of_a_route() {
    let snapshot = loaded("routes: {/: {a: 95, b: 5}}\nupstreams: {a: 'x:1', b: 'y:1'}\n");
    let Some(To::Split(weights)) = &snapshot.spec.routes.get("/").unwrap().to else { panic!() };
    assert_eq!(weights.0[1].target.value, Target::Upstream("b".to_owned()));
    assert_eq!(weights.0[1].weight.value, 5);
    assert_eq!(refused("routes: {/: {timeout: 30}}"), ["E0201"]);
}

#[test]
fn values_are_written_as_they_are_read() {
    fn round<T: Value + PartialEq + std::fmt::Debug>(text: &str, written: &str) {
        let value = T::parse(text).unwrap_or_else(|flaw| panic!("{text}: {}", flaw.message));
        assert_eq!(value.written().trim_matches('"'), written);
        assert_eq!(T::parse(written).unwrap_or_else(|_| panic!("{written}")), value);
    }
    round::<Duration>("1h30m", "90m");
    round::<Duration>("1.5s", "1500ms");
    round::<Duration>("0s", "0s");
    round::<Size>("64KiB", "64KiB");
    round::<Size>("10MB", "10MB");
    round::<Size>("1.5KiB", "1536B");
    round::<Rate>("600/m", "600/m");
    round::<Percent>("+0.5%", "0.5%");
    round::<Address>("[::1]:80", "[::1]:80");
    round::<Address>("unix:/run/a.sock", "unix:/run/a.sock");
    round::<Target>("http://Example.com", "example.com:80");
    round::<Target>("https://Example.com", "https://example.com:443");
    round::<Target>("[2001:db8::1]:80", "[2001:db8::1]:80");
}

#[test]
fn targets_have_these_forms() {
    let tcp =
        |host: &str, port| Target::Endpoint(Endpoint::Tcp { host: Host::Name(host.to_owned()), port, tls: false });
    assert_eq!(Target::parse("app").unwrap(), Target::Upstream("app".to_owned()));
    assert_eq!(Target::parse("app:80").unwrap(), tcp("app", 80));
    assert_eq!(Target::parse("http://app/").unwrap(), tcp("app", 80));
    assert_eq!(Target::parse("unix:/a").unwrap(), Target::Endpoint(Endpoint::Unix(PathBuf::from("/a"))));
    let by_tls = Target::Endpoint(Endpoint::Tcp { host: Host::Name("app".to_owned()), port: 443, tls: true });
    assert_eq!(Target::parse("https://app").unwrap(), by_tls);
    let looked_up = Endpoint::Dns { host: "app.internal".to_owned(), port: 3000 };
    assert_eq!(Target::parse("dns://App.internal:3000").unwrap(), Target::Endpoint(looked_up));
    let service = Endpoint::Srv("_http._tcp.app.internal".to_owned());
    assert_eq!(Target::parse("srv://_http._tcp.app.internal").unwrap(), Target::Endpoint(service));
    for scheme in ["h2c", "grpc", "docker", "k8s"] {
        let flaw = Target::parse(&format!("{scheme}://x:1")).unwrap_err();
        assert_eq!(flaw.code.id, "E0501", "{scheme}");
    }
}

#[test]
fn load_time_values_are_replaced_after_parsing() {
    let text = "listeners: {a: \"${env:PORT}\"}\nroutes: {/: {respond: \"${env:HOSTILE} $${x} ${env:EMPTY:-d} ${cred:c} ${file:f}\"}}\n";
    let snapshot = load_str_with("t.yaml", text, &World).unwrap();
    assert_eq!(snapshot.spec.listeners.get("a").unwrap().address.value, Address::Port(9000));
    assert_eq!(text_of_respond(&snapshot), "a: b\n- [\" ${x} d secret of /creds/c secret of f");
    let printed = print_config(&snapshot);
    assert!(printed.contains("${env:PORT}") && !printed.contains("9000"), "{printed}");
    assert!(printed.contains("${cred:c}") && !printed.contains("secret of"), "{printed}");
    let again = load_str_with("printed.yaml", &printed, &World).unwrap_or_else(|d| panic!("{d}\n{printed}"));
    assert_eq!(again.spec, snapshot.spec);
}

#[test]
fn no_message_shows_what_was_brought_in() {
    let values = ["workers", "version", "trusted_proxies", "admin"];
    let mut texts: Vec<String> = values.iter().map(|key| format!("{key}: \"${{file:f}}\"\n")).collect();
    let routes = [
        "{to: X}",
        "{to: [X]}",
        "{redirect: X}",
        "{respond: {status: X}}",
        "{body_size: X}",
        "{timeout: X}",
        "{filters: [X]}",
    ];
    texts.extend(routes.iter().map(|route| format!("routes: {{/: {}}}\n", route.replace('X', "\"${file:f}\""))));
    let twice = "listeners: {a: \"127.0.0.1:${env:PORT}\", b: \"${env:PORT}\"}\nroutes: {/: \"${env:NAME}\"}\n";
    texts.push(twice.to_owned());
    for text in texts {
        let found = load_str_with("t.yaml", &text, &World).map(|_| ()).unwrap_err();
        let shown = found.render(Format::Json);
        assert!(!shown.contains("secret of") && !shown.contains("9000") && !shown.contains("hidden"), "{found}");
    }
}

#[test]
fn timeouts_come_from_the_nearest() {
    let snapshot = loaded(
        "defaults: {timeout: {connect: 3s, idle: 9s}}\nroutes: {/: {to: a, timeout: {connect: 1s}}}\nupstreams: {a: {endpoints: 'x:1', timeout: {connect: 2s, first_byte: 5s}}}\n",
    );
    let route = snapshot.spec.routes.get("/").unwrap();
    let timeouts = snapshot.timeouts(route, snapshot.upstream("a"));
    assert_eq!(timeouts.connect, Duration::secs(1));
    assert_eq!(timeouts.first_byte, Duration::secs(5));
    assert_eq!(timeouts.idle, Duration::secs(9));
    assert_eq!(timeouts.request, Limit::Max(Duration::secs(3600)));
}

/// A folder of files that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("strait-config-{name}-{}", std::process::id()));
        for (file, text) in files {
            let file = path.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_and_folders_are_united() {
    let folder = Folder::new(
        "united",
        &[
            ("main.yaml", "include: [conf.d/*.yaml, main.yaml]\nroutes: {/: app}\n"),
            ("conf.d/a.yaml", "upstreams: {app: ['localhost:1']}\ntests: [{request: GET /, expect: {to: app}}]\n"),
            ("conf.d/b.yaml", "routes: {/b: app}\ntests: [{request: GET /b, expect: {to: app}}]\n"),
            ("conf.d/.hidden.yaml", "nonsense: 1\n"),
            ("conf.d/c.json", "{\"routes\": {\"/c\": \"app\"}}"),
        ],
    );
    let snapshot = load(&[folder.0.join("main.yaml")]).unwrap_or_else(|d| panic!("{d}"));
    assert_eq!((snapshot.spec.routes.len(), snapshot.spec.tests.len(), snapshot.sources.files().len()), (2, 2, 3));
    let snapshot = load(&[folder.0.join("conf.d")]).unwrap_or_else(|d| panic!("{d}"));
    assert_eq!(snapshot.spec.routes.len(), 2);
}

#[test]
fn what_two_files_define_is_refused_with_both_places() {
    let folder = Folder::new(
        "twice",
        &[
            ("a.yaml", "workers: 1\nroutes: {/: 'localhost:1'}\n"),
            ("b.yaml", "routes: {/: 'localhost:2'}\nworkers: 2\n"),
        ],
    );
    let found = load(std::slice::from_ref(&folder.0)).unwrap_err();
    let places: Vec<(usize, usize)> = found
        .list
        .iter()
        .map(|d| {
            assert_eq!(d.code.id, "E0303");
            let first = found.sources.locate(d.secondary.as_ref().unwrap().span).unwrap();
            assert!(first.name.ends_with("a.yaml"));
            (found.sources.locate(d.primary.span).unwrap().line, first.line)
        })
        .collect();
    assert_eq!(places, [(1, 2), (2, 1)]);
    assert!(found.to_string().contains("b.yaml:1:10\n"), "{found}");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = Folder::new("unreadable", &[("a.yaml", "include: [missing.yaml, none/*.yaml]\n")]);
    let found = load(&[folder.0.join("a.yaml"), folder.0.join("b.yaml")]).unwrap_err();
    assert_eq!(found.list.iter().map(|d| d.code.id).collect::<Vec<_>>(), ["E0001", "E0001"]);
    std::fs::write(folder.0.join("c.yaml"), b"routes:\n  /: \xff\n").unwrap();
    let found = load(&[folder.0.join("c.yaml")]).unwrap_err();
    assert!(found.list[0].message.contains("no UTF-8 text (line 2)"), "{found}");
}

#[test]
fn errors_of_all_files_are_reported_at_once() {
    let folder =
        Folder::new("all", &[("a.yaml", "routes: [\n"), ("b.yaml", "wrkers: 2\n"), ("c.yaml", "\troutes: {}\n")]);
    let found = load(std::slice::from_ref(&folder.0)).unwrap_err();
    assert_eq!(found.list.iter().map(|d| d.code.id).collect::<Vec<_>>(), ["E0006", "E0102", "E0003"]);
}

#[test]
fn aliases_unfold_within_a_limit() {
    let snapshot = loaded("x-a: &a {respond: hi}\nroutes: {/a: *a, /b: *a}\n");
    assert_eq!(snapshot.spec.routes.len(), 2);
    let mut bomb = String::from("x-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}", level - 1);
        let _ = writeln!(bomb, "x-{level}: &a{level} [{}]", vec![below; 10].join(", "));
    }
    assert_eq!(refused(&bomb), ["E0013"]);
}

#[test]
fn nesting_and_size_are_bounded() {
    let deep = format!("x-a: {}{}\n", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(refused(&deep), ["E0014"]);
    let mut block = String::new();
    for level in 0..200 {
        let _ = writeln!(block, "{}x-a:", " ".repeat(level));
    }
    assert_eq!(refused(&block), ["E0014"]);
    let large = format!("x-a: {}\n", "a".repeat(limits::FILE_BYTES_MAX));
    assert_eq!(refused(&large), ["E0001"]);
}

#[test]
fn diagnostics_beyond_the_limit_are_counted() {
    let mut text = String::from("routes:\n");
    for number in 0..limits::DIAGNOSTICS_MAX + 7 {
        let _ = writeln!(text, "  /{number}: nobody");
    }
    let found = load_str("t.yaml", &text).unwrap_err();
    assert_eq!((found.list.len(), found.errors()), (limits::DIAGNOSTICS_MAX, limits::DIAGNOSTICS_MAX + 7));
}

#[test]
fn every_format_is_well_formed() {
    let found = load_str("a,b.yaml", "wrkers: 2\nroutes: {/: ap}\nupstreams: {app: 'x:1'}\n").unwrap_err();
    let json: serde_json::Value = serde_json::from_str(&found.render(Format::Json)).unwrap();
    assert_eq!(json["diagnostics"][0]["primary"]["place"]["column"], 1);
    assert_eq!(json["diagnostics"][1]["secondary"]["place"]["line"], 3);
    let sarif: serde_json::Value = serde_json::from_str(&found.render(Format::Sarif)).unwrap();
    assert_eq!(sarif["runs"][0]["results"][1]["ruleId"], "E0301");
    let github = found.render(Format::Github);
    assert!(github.starts_with("::error file=a%2Cb.yaml,line=1,col=1,title=E0102::unknown key"), "{github}");
    let coloured = found.render(Format::Text { colour: true });
    assert!(coloured.contains("\x1b[1;31merror\x1b[0m"), "{coloured}");
}

#[test]
fn a_file_cannot_steer_the_terminal() {
    let found = load_str("t.yaml", "routes: {/: \"a\u{1b}]0;x\u{7}\u{202e}b\"}\n").unwrap_err();
    assert!(!found.to_string().contains(['\u{1b}', '\u{7}', '\u{202e}']), "{found}");
}

#[test]
fn codes_are_ascending_and_explained() {
    for pair in codes::ALL.windows(2) {
        assert!(pair[0].id < pair[1].id, "{} before {}", pair[0].id, pair[1].id);
    }
    assert!(codes::ALL.iter().all(|code| code.explanation.len() > 20));
    assert_eq!(codes::find("e0102").unwrap().id, "E0102");
}

/// `docs/reference.md` is written by `UPDATE=1 cargo test`.
#[test]
fn the_reference_in_the_manual_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, reference_markdown()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), reference_markdown(), "UPDATE=1 cargo test -p strait-config");
}

#[test]
fn the_schema_and_the_manual_know_every_key() {
    let schema = schema_json().to_string();
    let manual = reference_markdown();
    for key in ["listeners", "header_timeout", "trusted_proxies", "retry_on", "access_log", "keep_path"] {
        assert!(schema.contains(&format!("\"{key}\"")), "{key}");
        assert!(manual.contains(&format!("| `{key}` |")), "{key}");
    }
    assert!(manual.contains("| `header_size` | a size, 1KiB to 1MiB | `32KiB` |"), "{manual}");
    assert!(!schema.contains("null,"));
}

/// Every peer's word leads to a word of ours that exists, or to advice.
#[test]
fn the_peers_words_lead_somewhere() {
    fn visit(schema: &schema::Schema) {
        match &schema.kind {
            schema::Kind::Record { shape, fields } => {
                check(shape);
                fields.iter().for_each(|field| visit(&field.schema));
            }
            schema::Kind::Words { shape, .. } => check(shape),
            schema::Kind::List(inner) | schema::Kind::Table(inner) => visit(inner),
            schema::Kind::Forms(forms) => forms.iter().for_each(visit),
            _ => {}
        }
    }
    fn check(shape: &Shape) {
        for (theirs, ours) in shape.peers {
            assert!(!shape.keys.contains(theirs), "{theirs} is our own word in {}", shape.noun);
            let known = shape.keys.contains(ours) || shape.unbuilt.iter().any(|(word, _)| word == ours);
            assert!(known || ours.contains(' '), "{theirs} → {ours} in {}", shape.noun);
        }
        for (word, _) in shape.unbuilt {
            assert!(!shape.keys.contains(word), "{word} is built in {}", shape.noun);
        }
    }
    visit(&spec::Root::schema());
}

#[test]
fn defaults_are_valid_values() {
    fn visit(schema: &schema::Schema) {
        if let schema::Kind::Record { fields, .. } = &schema.kind {
            for field in fields {
                assert!(!field.doc.is_empty(), "{} has no documentation", field.key);
                visit(&field.schema);
            }
        }
        if let schema::Kind::List(inner) | schema::Kind::Table(inner) = &schema.kind {
            visit(inner);
        }
    }
    visit(&spec::Root::schema());
    // A key without a value is no second key when printed.
    for text in ["listeners: ", "listeners: {}", "routes:\nupstreams:\ntelemetry:\n"] {
        let snapshot = loaded(text);
        assert_eq!(loaded(&print_config(&snapshot)).spec, snapshot.spec);
    }
    // The printed defaults of an empty file are read back as the same.
    let snapshot = loaded("");
    assert_eq!(loaded(&print_config(&snapshot)).spec, snapshot.spec);
}

#[test]
#[allow(clippy::disallowed_methods, reason = "prints how long it took")]
fn ten_thousand_routes_load() {
    let mut text = String::from("routes:\n");
    for number in 0..10_000 {
        let _ = writeln!(
            text,
            "  host{number}.example.com/api/v{}/*:\n    to: app{}\n    timeout: {{request: 30s}}",
            number % 7,
            number % 2000
        );
    }
    text.push_str("upstreams:\n");
    for number in 0..2000 {
        let _ = writeln!(
            text,
            "  app{number}:\n    endpoints: [10.0.0.1:80, 10.0.0.2:80]\n    balance: round_robin\n    retry: {{attempts: 2}}"
        );
    }
    let started = std::time::Instant::now();
    let snapshot = loaded(&text);
    println!("10,000 routes and 2,000 upstreams, {} bytes: {:?}", text.len(), started.elapsed());
    assert_eq!((snapshot.spec.routes.len(), snapshot.spec.upstreams.len(), snapshot.warnings.len()), (10_000, 2000, 0));
}

/// Pieces of configuration and of YAML, put together at random.
pub(crate) fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "routes",
        "upstreams",
        "listeners",
        "app",
        "/",
        ":",
        ": ",
        " ",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\"",
        "'",
        "#",
        "*",
        "&a",
        "*a",
        "!t",
        "|",
        ">",
        "%",
        "@",
        "`",
        "<<",
        "---",
        "...",
        "?",
        "\t",
        "${",
        "}",
        "${env:X}",
        "localhost:3001",
        "30",
        "5s",
        "to",
        "endpoints",
        "é",
        "\u{2028}",
        "\u{feff}",
        "\\",
        "\0",
        "~",
        "95",
        "5%",
        "unix:/x",
        "https://a",
        "respond",
        "timeout",
        "\r\n",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn never_panics(text: &str) {
    match load_str("t.yaml", text) {
        Ok(snapshot) => {
            let printed = print_config(&snapshot);
            let again = load_str("p.yaml", &printed)
                .unwrap_or_else(|found| panic!("{found}\nfrom {text:?}\nprinted {printed}"));
            assert_eq!(again.spec, snapshot.spec, "{printed}");
        }
        Err(found) => {
            assert!(found.errors() > 0);
            let _ = found.render(Format::Text { colour: true });
            let _ = found.render(Format::Sarif);
            for finding in &found.list {
                if let Some(fix) = &finding.fix {
                    let _ = apply_edits(text, finding.primary.span.file, &fix.edits);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        never_panics(&text);
    }

    #[test]
    fn no_mixture_of_pieces_makes_it_panic(text in pieces()) {
        never_panics(&text);
    }

    #[test]
    fn no_damage_to_a_good_file_makes_it_panic(at in 0_usize..700, piece in pieces(), gone in 0_usize..40) {
        let text = include_str!("../tests/examples/20-edge.yaml");
        let start = text.char_indices().nth(at * 7).map_or(0, |(at, _)| at);
        let end = text.char_indices().nth(at * 7 + gone).map_or(text.len(), |(at, _)| at).max(start);
        never_panics(&format!("{}{piece}{}", &text[..start], &text[end..]));
    }
}

#[test]
fn the_effective_configuration_is_the_same_language() {
    let text = "routes:\n  /: {to: {a: 95, b: 5}, response_headers: {X-A: no, X-B: '1'}}\n  shop.example.com: {respond: '404'}\nupstreams: {a: 'x:1', b: ['y:1', {address: 'z:1', weight: 0}]}\nadmin: off\n";
    let snapshot = Loader::new().set("workers=2").set("listeners.web=81").load_str("t.yaml", text).unwrap();
    let effective = Effective::of(&snapshot);
    let json = effective.to_json();
    let again = load_str("again.json", &json["config"].to_string()).unwrap_or_else(|found| panic!("{found}\n{json:#}"));
    assert_eq!(again.spec, snapshot.spec, "{json:#}");
    assert_eq!(loaded(&effective.to_yaml()).spec, snapshot.spec, "{}", effective.to_yaml());
    assert_eq!((&json["config"]["workers"], &json["sources"]["workers"]), (&2.into(), &"--set".into()));
    assert_eq!(json["sources"]["routes.\"shop.example.com\".respond.body"], "t.yaml:3");
    assert_eq!(json["sources"]["routes.\"shop.example.com\".preserve_host"], "default");
    assert_eq!(json["config"]["upstreams"]["a"]["retry"]["retry_on"][0], "connect_failure");
    // Its paths are paths of flags: setting every value once more changes nothing.
    let mut pairs = Vec::new();
    flatten("", &json["config"], &mut pairs);
    assert_eq!(pairs.len(), json["sources"].as_object().unwrap().len());
    for (path, value) in pairs {
        assert!(json["sources"][&path].is_string(), "{path}");
        // A list that holds by default is replaced as a whole.
        if path.ends_with(|last: char| last.is_ascii_digit()) && json["sources"][&path] == "default" {
            continue;
        }
        let loader = Loader::new().set("workers=2").set("listeners.web=81").set(format!("{path}={value}"));
        let set = loader.load_str("t.yaml", text).unwrap_or_else(|found| panic!("{found}"));
        assert_eq!(set.spec, snapshot.spec, "{path}={value}");
    }
}

fn flatten(path: &str, value: &serde_json::Value, pairs: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| flatten(&join(path, key), value, pairs)),
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| flatten(&join(path, &at.to_string()), item, pairs));
        }
        other => pairs.push((path.to_owned(), other.to_string())),
    }
}
