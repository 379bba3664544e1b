//! `strait lsp`: a language server on standard input and output. It holds what an editor has open, and answers from the
//! same loader, compiler and explanation as every other verb.

mod answers;
mod cursor;
mod knowledge;
mod place;
mod wire;
mod workspace;

use crate::exit::Exit;
use crate::operator::say;
use clap::Args;
use knowledge::Knowledge;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::PathBuf;
use workspace::Workspace;

/// Serve editors: mistakes, completion, explanations and fixes while typing (language server on standard input)
#[derive(Debug, Args)]
pub(crate) struct Lsp {
    /// The configuration that open files belong to [default: strait.yaml in the editor's folder, else each by itself]
    #[arg(short = 'c', long = "config", value_name = "PATH")]
    config: Vec<PathBuf>,
    /// What editors add when they start a server; there is no other way
    #[arg(long, hide = true)]
    stdio: bool,
}

impl Lsp {
    pub(crate) fn run(self) -> Exit {
        let mut server =
            Server { workspace: Workspace::new(self.config), knowledge: Knowledge::new(), is_shut_down: false };
        match server.serve(&mut io::stdin().lock(), &mut io::stdout()) {
            // The protocol asks for 1 when `exit` comes without `shutdown`.
            Ok(()) if server.is_shut_down => Exit::Done,
            Ok(()) => Exit::Failed,
            Err(error) => {
                say(&error.to_string());
                Exit::Failed
            }
        }
    }
}

struct Server {
    workspace: Workspace,
    knowledge: Knowledge,
    is_shut_down: bool,
}

impl Server {
    /// Answers until the editor says that it ends.
    fn serve(&mut self, input: &mut impl io::BufRead, output: &mut impl Write) -> io::Result<()> {
        while let Some(message) = wire::read(input)? {
            let method = message.get("method").and_then(Value::as_str).unwrap_or_default().to_owned();
            let parameters = message.get("params").cloned().unwrap_or(Value::Null);
            match message.get("id") {
                Some(id) => {
                    let answer = match self.answer(&method, &parameters) {
                        Some(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
                        None => {
                            let error = json!({"code": -32601, "message": format!("`{method}` is not answered here")});
                            json!({"jsonrpc": "2.0", "id": id, "error": error})
                        }
                    };
                    wire::write(output, &answer)?;
                }
                None if method == "exit" => return Ok(()),
                None => self.hear(&method, &parameters, output)?,
            }
        }
        Ok(())
    }

    /// A notification: what the editor has open, and what became of it.
    fn hear(&mut self, method: &str, parameters: &Value, output: &mut impl Write) -> io::Result<()> {
        let document = parameters.get("textDocument").unwrap_or(&Value::Null);
        let uri = document.get("uri").and_then(Value::as_str).unwrap_or_default();
        let changed = parameters.pointer("/contentChanges/0/text").and_then(Value::as_str);
        match method {
            "textDocument/didOpen" => {
                self.workspace.open(uri, document.get("text").and_then(Value::as_str).unwrap_or_default());
            }
            "textDocument/didChange" => self.workspace.open(uri, changed.unwrap_or_default()),
            "textDocument/didClose" => self.workspace.close(uri),
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {}
            _ => return Ok(()),
        }
        for published in self.workspace.publish() {
            let message = json!({"jsonrpc": "2.0", "method": "textDocument/publishDiagnostics", "params": published});
            wire::write(output, &message)?;
        }
        Ok(())
    }

    /// The result of a request; `None` for one that is not known.
    fn answer(&mut self, method: &str, parameters: &Value) -> Option<Value> {
        let asked = answers::Asked { workspace: &self.workspace, knowledge: &self.knowledge, parameters };
        Some(match method {
            "initialize" => {
                let folder = parameters.get("rootUri").and_then(Value::as_str);
                let first = parameters.pointer("/workspaceFolders/0/uri").and_then(Value::as_str);
                self.workspace.root_at(folder.or(first));
                capabilities()
            }
            "shutdown" => {
                self.is_shut_down = true;
                Value::Null
            }
            "textDocument/completion" => asked.completion(),
            "textDocument/hover" => asked.hover(),
            "textDocument/definition" => asked.definition(),
            "textDocument/documentSymbol" => asked.symbols(),
            "textDocument/formatting" => asked.formatting(),
            "textDocument/codeAction" => asked.actions(),
            _ => return None,
        })
    }
}

/// What this server does.
fn capabilities() -> Value {
    json!({
        "capabilities": {
            "positionEncoding": "utf-16",
            // Whole texts: a configuration is small, and nothing can get out of step.
            "textDocumentSync": {"openClose": true, "change": 1, "save": true},
            "completionProvider": {"triggerCharacters": [" ", ":", "{", "[", ","]},
            "hoverProvider": true,
            "definitionProvider": true,
            "documentSymbolProvider": true,
            "documentFormattingProvider": true,
            "codeActionProvider": {"codeActionKinds": ["quickfix"]},
        },
        "serverInfo": {"name": "strait", "version": env!("CARGO_PKG_VERSION")},
    })
}
