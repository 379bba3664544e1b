//! What an editor sees: `strait lsp`, and yaml-language-server with `strait schema`, both driven over their standard input
//! as an editor drives them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A language server and the editor's end of it.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Notifications that came while an answer was waited for.
    heard: VecDeque<Value>,
    folder: PathBuf,
    requests: u64,
    version: u64,
    settings: Value,
}

impl Server {
    /// Starts one in a folder with these files.
    fn start(mut command: Command, name: &str, files: &[(&str, &str)], settings: Value) -> Self {
        let folder = std::env::temp_dir().join(format!("strait-editors-{name}-{}", std::process::id()));
        for (file, text) in files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut child = command.current_dir(&folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut server =
            Self { child, input, output, heard: VecDeque::new(), folder, requests: 0, version: 1, settings };
        let root = server.uri("");
        let able = json!({"textDocument": {"hover": {"contentFormat": ["markdown"]}, "publishDiagnostics": {}},
            "workspace": {"configuration": true}});
        let folders = json!([{"uri": root, "name": "test"}]);
        server.ask(
            "initialize",
            json!({"processId": null, "rootUri": root, "workspaceFolders": folders, "capabilities": able}),
        );
        server.tell("initialized", json!({}));
        let settings = server.settings.clone();
        server.tell("workspace/didChangeConfiguration", json!({"settings": settings}));
        server
    }

    fn strait(name: &str, files: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strait"));
        command.arg("lsp");
        Self::start(command, name, files, json!({}))
    }

    fn uri(&self, file: &str) -> String {
        format!("file://{}", self.folder.join(file).display()).trim_end_matches('/').to_owned()
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    }

    fn tell(&mut self, method: &str, parameters: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": parameters}));
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the server has ended");
            if let Some((_, value)) = line.split_once("Content-Length: ") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// Asks, and waits for the answer. What the server asks meanwhile is answered as an editor would.
    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}));
        loop {
            let message = self.receive();
            if message.get("method").is_none() && message["id"] == id {
                return message["result"].clone();
            }
            self.note(message);
        }
    }

    fn note(&mut self, message: Value) {
        let Some(id) = message.get("id").cloned() else { return self.heard.push_back(message) };
        let sections = message["params"]["items"].as_array().cloned().unwrap_or_default();
        let section = |item: &Value| self.settings[item["section"].as_str().unwrap_or_default()].clone();
        let result = match message["method"].as_str().unwrap() {
            "workspace/configuration" => sections.iter().map(section).collect(),
            _ => Value::Null,
        };
        self.send(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
    }

    fn open(&mut self, file: &str, text: &str) {
        let uri = self.uri(file);
        self.tell(
            "textDocument/didOpen",
            json!({"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}}),
        );
    }

    fn change(&mut self, file: &str, text: &str) {
        let uri = self.uri(file);
        self.version += 1;
        let document = json!({"uri": uri, "version": self.version});
        self.tell("textDocument/didChange", json!({"textDocument": document, "contentChanges": [{"text": text}]}));
    }

    /// The next findings about a file, as `line:column message`.
    fn findings(&mut self, file: &str) -> Vec<String> {
        let uri = self.uri(file);
        loop {
            while let Some(message) = self.heard.pop_front() {
                if message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri.as_str() {
                    return message["params"]["diagnostics"].as_array().unwrap().iter().map(finding).collect();
                }
            }
            let message = self.receive();
            self.note(message);
        }
    }

    /// What `strait lsp` last said about a file: it answers in order, so that an answer follows all it has to say.
    fn told(&mut self, file: &str) -> Vec<String> {
        let uri = self.uri(file);
        self.ask("textDocument/formatting", json!({"textDocument": {"uri": uri}}));
        let about = |message: &&Value| {
            message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri.as_str()
        };
        let last = self.heard.iter().rev().find(about).expect("something was said about the file");
        last["params"]["diagnostics"].as_array().unwrap().iter().map(finding).collect()
    }

    /// Asks about the place of `|` in a text, which is what the file then holds.
    fn at(&mut self, method: &str, file: &str, text: &str) -> Value {
        let offset = text.find('|').unwrap();
        self.change(file, &text.replacen('|', "", 1));
        let line = text[..offset].matches('\n').count();
        let character = offset - text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let uri = self.uri(file);
        self.ask(method, json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}))
    }

    /// The labels offered at `|`.
    fn offered(&mut self, file: &str, text: &str) -> Vec<String> {
        let list = self.at("textDocument/completion", file, text);
        let items = list["items"].as_array().or(list.as_array()).unwrap().clone();
        items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }

    fn hovered(&mut self, file: &str, text: &str) -> String {
        let hover = self.at("textDocument/hover", file, text);
        hover["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }
}

fn finding(diagnostic: &Value) -> String {
    let start = &diagnostic["range"]["start"];
    let message = diagnostic["message"].as_str().unwrap().lines().next().unwrap();
    format!("{}:{} {message}", start["line"].as_u64().unwrap() + 1, start["character"].as_u64().unwrap() + 1)
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

const MAIN: &str = "include: [conf.d/*.yaml]\nroutes:\n  /: app\n  /users/{id}: {to: app, timeout: 3s}\n";
const PART: &str = "upstreams:\n  app: [localhost:3001]\n  other: [localhost:3002]\n";

fn project(name: &str) -> Server {
    let mut server = Server::strait(name, &[("strait.yaml", MAIN), ("conf.d/a.yaml", PART)]);
    server.open("strait.yaml", MAIN);
    server
}

#[test]
fn findings_are_those_of_check() {
    let mut server = project("findings");
    assert_eq!(server.told("strait.yaml"), [""; 0]);
    let mistaken = MAIN.replace("/: app", "/: ap").replace("3s", "3");
    server.change("strait.yaml", &mistaken);
    assert_eq!(server.told("strait.yaml"), ["3:6 no upstream named `ap`", "4:35 `timeout` needs a unit"]);
    server.change("strait.yaml", &format!("{MAIN}  /users/{{name}}: app\n"));
    assert_eq!(server.told("strait.yaml"), ["5:3 `/users/{id}` and `/users/{name}` match the same requests"]);
    // What is open and not saved counts for the files that use it, and findings are told where they are.
    server.open("conf.d/a.yaml", PART);
    server.change("strait.yaml", MAIN);
    server.change("conf.d/a.yaml", &PART.replace("app:", "apq:"));
    assert_eq!(server.told("strait.yaml"), ["3:6 no upstream named `app`", "4:21 no upstream named `app`"]);
    server.change("conf.d/a.yaml", &PART.replace("3001", "0"));
    assert_eq!(server.told("strait.yaml"), [""; 0]);
    assert_eq!(server.told("conf.d/a.yaml"), ["2:9 `localhost:0` is not host:port"]);
}

#[test]
fn keys_values_and_names_are_offered() {
    let mut server = project("offers");
    let has = |offers: Vec<String>, wanted: &[&str]| {
        wanted.iter().for_each(|word| assert!(offers.iter().any(|offer| offer == word), "{word} in {offers:?}"));
    };
    has(server.offered("strait.yaml", &format!("{MAIN}|")), &["listeners", "upstreams", "admin"]);
    has(server.offered("strait.yaml", &MAIN.replace("timeout: 3s", "ti|")), &["timeout", "preserve_host"]);
    has(server.offered("strait.yaml", &MAIN.replace("/: app", "/: |")), &["app", "other"]);
    has(server.offered("strait.yaml", &MAIN.replace("/: app", "/: {to: {ap|")), &["app", "other"]);
    has(
        server.offered("strait.yaml", &format!("{MAIN}telemetry:\n  access_log:\n    format: |")),
        &["json", "text", "off"],
    );
    has(server.offered("strait.yaml", &format!("{MAIN}upstreams:\n  new:\n    |")), &["endpoints", "balance"]);
    has(server.offered("strait.yaml", &MAIN.replace("3s}", "3s, preserve_host: |")), &["true", "false"]);
}

#[test]
fn keys_and_routes_are_explained() {
    let mut server = project("hover");
    let hover = server.hovered("strait.yaml", &MAIN.replace("timeout: 3s", "time|out: 3s"));
    assert!(hover.starts_with("**timeout**") && hover.contains("Timeouts of this route"), "{hover}");
    let hover = server.hovered("strait.yaml", &format!("{MAIN}telemetry: {{access_log: {{format: js|on}}}}"));
    assert!(hover.contains("One JSON object a line") && hover.contains("default auto"), "{hover}");
    let hover = server.hovered("strait.yaml", &MAIN.replace("/users/{id}", "/users/|{id}"));
    assert!(hover.contains("GET /users/id") && hover.contains("upstream   app"), "{hover}");
    assert_eq!(
        server.hovered("strait.yaml", &MAIN.replace("/: app", "/: 'no|where:x'")),
        server.hovered("strait.yaml", "# |")
    );
}

#[test]
fn definitions_are_found_across_files() {
    let mut server = project("definition");
    let found = server.at("textDocument/definition", "strait.yaml", &MAIN.replace("/: app", "/: a|pp"));
    assert_eq!(
        (&found["uri"], &found["range"]["start"]),
        (&server.uri("conf.d/a.yaml").into(), &json!({"line": 1, "character": 2}))
    );
    let found =
        server.at("textDocument/definition", "strait.yaml", &MAIN.replace("to: app", "to: {ap|p: 1, other: 2}"));
    assert_eq!(found["range"]["start"]["line"], 1);
    let found = server.at("textDocument/definition", "strait.yaml", &MAIN.replace("conf.d/*", "conf|.d/*"));
    assert_eq!(found["uri"], server.uri("conf.d/a.yaml").as_str());
    assert!(server.at("textDocument/definition", "strait.yaml", "wor|kers: 2").is_null());
}

#[test]
fn a_file_has_symbols_and_one_layout() {
    let mut server = project("symbols");
    let document = json!({"textDocument": {"uri": server.uri("strait.yaml")}});
    let symbols = server.ask("textDocument/documentSymbol", document.clone());
    let names = |list: &Value| {
        list.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&symbols), ["include", "routes"]);
    assert_eq!(names(&symbols[1]["children"]), ["/", "/users/{id}"]);
    let parameters = json!({"textDocument": document["textDocument"], "options": {"tabSize": 2, "insertSpaces": true}});
    assert_eq!(server.ask("textDocument/formatting", parameters.clone()), json!([]));
    server.change("strait.yaml", "routes:   {/:   'localhost:1'}");
    let edits = server.ask("textDocument/formatting", parameters);
    assert_eq!(edits[0]["newText"], "routes: {/: localhost:1}\n");
}

#[test]
fn fixes_are_actions() {
    let mut server = project("actions");
    server.change("strait.yaml", &MAIN.replace("3s", "3"));
    let range = json!({"start": {"line": 3, "character": 35}, "end": {"line": 3, "character": 35}});
    let uri = server.uri("strait.yaml");
    let asked = json!({"textDocument": {"uri": uri}, "range": range, "context": {"diagnostics": []}});
    let actions = server.ask("textDocument/codeAction", asked);
    assert_eq!(actions[0]["title"], "did you mean `3s`? (E0201)");
    let edit = &actions[0]["edit"]["changes"][&uri][0];
    assert_eq!((&edit["newText"], &edit["range"]["start"]["character"]), (&"3s".into(), &34.into()));
    assert!(server.ask("nonsense/method", json!({})).is_null());
    server.ask("shutdown", json!(null));
    server.tell("exit", json!(null));
    assert!(server.child.wait().unwrap().success());
}

/// yaml-language-server with the schema that `strait schema` prints.
fn yaml_language_server(name: &str) -> Option<Server> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../.peers/node/node_modules/yaml-language-server/bin/yaml-language-server");
    if !program.exists() {
        eprintln!("skipped: no yaml-language-server; run `cargo xtask peers`");
        return None;
    }
    let schema = Command::new(env!("CARGO_BIN_EXE_strait")).arg("schema").output().unwrap().stdout;
    let file = std::env::temp_dir().join(format!("strait-schema-{name}-{}.json", std::process::id()));
    std::fs::write(&file, schema).unwrap();
    let uri = format!("file://{}", file.display());
    let settings = json!({"yaml": {"schemas": {uri: "*.yaml"}, "validate": true, "completion": true, "hover": true,
        "schemaStore": {"enable": false}}});
    let mut command = Command::new("node");
    command.arg(program).arg("--stdio");
    Some(Server::start(command, name, &[("strait.yaml", MAIN)], settings))
}

#[test]
fn the_schema_serves_other_editors() {
    let Some(mut server) = yaml_language_server("yamlls") else { return };
    server.open("strait.yaml", MAIN);
    assert_eq!(server.findings("strait.yaml"), [""; 0]);
    server.change(
        "strait.yaml",
        "routes:\n  /: {to: app, filtres: []}\nupstreams:\n  app: {endpoints: ['localhost:1'], balance: fastest}\n",
    );
    let found = loop {
        let found = server.findings("strait.yaml");
        if !found.is_empty() {
            break found;
        }
    };
    assert!(found.iter().any(|f| f.starts_with("2:16") && f.contains("filtres")), "{found:?}");
    assert!(found.iter().any(|f| f.starts_with("4:")), "{found:?}");
    let offers = server.offered("strait.yaml", "upstreams:\n  app:\n    endpoints: ['localhost:1']\n    |");
    assert!(["balance", "keep_alive", "retry"].iter().all(|key| offers.iter().any(|offer| offer == key)), "{offers:?}");
    let offers = server.offered("strait.yaml", "telemetry:\n  access_log:\n    format: |");
    assert!(offers.iter().any(|offer| offer == "json"), "{offers:?}");
    let hover =
        server.hovered("strait.yaml", "listeners:\n  web:\n    address: 8080\n    limits:\n      header_|size: 8KiB\n");
    assert!(hover.contains("Largest head of a request"), "{hover}");
}

/// Every example and the effective configuration have no findings in an editor either.
#[test]
fn examples_have_no_findings_by_the_schema() {
    let Some(mut server) = yaml_language_server("yamlls-examples") else { return };
    let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf");
    for entry in std::fs::read_dir(conf).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".yaml") {
            continue;
        }
        server.open(&name, &std::fs::read_to_string(&path).unwrap());
        assert_eq!(server.findings(&name), [""; 0], "{name}");
        let printed = Command::new(env!("CARGO_BIN_EXE_strait"))
            .args(["run", "--print-config", "-c"])
            .arg(&path)
            .output()
            .unwrap();
        let file = format!("effective-{name}");
        server.open(&file, &String::from_utf8(printed.stdout).unwrap());
        assert_eq!(server.findings(&file), [""; 0], "{name}, effective");
    }
}
