//! A page's blocks, one after the other, in its folder.

use crate::block::{Block, blocks, matches};
use crate::{origin, peers};
use std::collections::HashMap;
use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything takes on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Session {
    page: String,
    folder: PathBuf,
    /// What runs, by the port it serves.
    serving: HashMap<u16, Child>,
}

impl Session {
    pub(crate) fn of(page: &Path) -> Self {
        let name = page.file_stem().unwrap().to_string_lossy().into_owned();
        // Process ids are small and equal inside of a namespace, so the name tells pages apart.
        let folder = std::env::temp_dir().join(format!("strait-manual-{name}-{}", parent_id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { page: std::fs::read_to_string(page).unwrap(), folder, serving: HashMap::new() }
    }

    pub(crate) fn run(mut self) {
        let blocks = blocks(&self.page);
        for (at, block) in blocks.iter().enumerate() {
            let said = blocks.get(at + 1).filter(|next| next.language == "text" && next.follows);
            self.step(block, said);
        }
    }

    fn step(&mut self, block: &Block, said: Option<&Block>) {
        match block.language.as_str() {
            _ if peers::is_foreign(block) => peers::check(block, &self.folder),
            "origins" => block.words.iter().for_each(|port| origin::start(port.parse().unwrap())),
            "yaml" => self.yaml(block, said),
            "sh" if block.has("shown") => self.syntax(block),
            "sh" => match block.value("serve") {
                Some(port) => self.serve(block, port.parse().unwrap()),
                None => self.shell(block, said),
            },
            _ => {}
        }
    }

    fn yaml(&self, block: &Block, said: Option<&Block>) {
        if block.words.iter().any(|word| word == "traefik") {
            return;
        }
        let name = block.value("file").or(block.value("part")).unwrap_or("strait.yaml");
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &block.text).unwrap();
        let expected = if block.has("wrong") { 78 } else { 0 };
        if block.value("part").is_none() {
            self.expect(block, &format!("strait check '{name}'"), expected, said.filter(|_| block.has("wrong")));
        }
    }

    fn shell(&self, block: &Block, said: Option<&Block>) {
        let expected = block.value("exit").map_or(0, |code| code.parse().unwrap());
        self.expect(block, &block.text, expected, said);
    }

    /// Runs a script and compares its exit code, and what it says if that is written.
    fn expect(&self, block: &Block, script: &str, code: i32, said: Option<&Block>) {
        let output = self.command(&format!("exec 2>&1\n{script}")).output().unwrap();
        let heard = String::from_utf8_lossy(&output.stdout);
        let line = block.line;
        assert_eq!(
            output.status.code(),
            Some(code),
            "line {line} should end with {code}:\n{script}\n{heard}{}",
            self.logs()
        );
        if let Some(written) = said {
            let at = written.line;
            assert!(matches(&heard, &written.text), "line {at} should be:\n{heard}\n{}", self.logs());
        }
    }

    fn syntax(&self, block: &Block) {
        let checked = Command::new("sh").args(["-n", "-c", &block.text]).status().unwrap();
        assert!(checked.success(), "line {}: not a script", block.line);
    }

    fn command(&self, script: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_strait")).parent().unwrap().to_path_buf();
        let mut command = Command::new("sh");
        command.args(["-eu", "-c", script]).current_dir(&self.folder).stdin(Stdio::null());
        command.env("PATH", format!("{}:{}", program.display(), peers::path()));
        command.env("STRAIT_STATE", self.folder.join("state")).env("XDG_RUNTIME_DIR", self.folder.join("run"));
        command.env("HOME", &self.folder).env("NO_COLOR", "1").env("COLUMNS", "100").env_remove("RUST_BACKTRACE");
        command
    }

    /// Starts what a block says, in place of what served this port before.
    fn serve(&mut self, block: &Block, port: u16) {
        if let Some(mut before) = self.serving.remove(&port) {
            let _ = before.kill();
            let _ = before.wait();
        }
        let log = || File::options().create(true).append(true).open(self.folder.join(format!("{port}.log"))).unwrap();
        // What is killed is the program, not a shell around it.
        let script = format!("exec {}", block.text.trim_start());
        let child = self.command(&script).stdout(log()).stderr(log()).spawn().unwrap();
        self.serving.insert(port, child);
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let running = self.serving.get_mut(&port).is_some_and(|child| child.try_wait().unwrap().is_none());
            let line = block.line;
            assert!(running && began.elapsed() < PATIENCE, "line {line}: {port} is not served:\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What those that serve have said.
    fn logs(&self) -> String {
        let log = |port: &u16| std::fs::read_to_string(self.folder.join(format!("{port}.log"))).unwrap_or_default();
        self.serving.keys().map(|port| format!("--- {port}\n{}", log(port))).collect()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for child in self.serving.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A number that differs between runs at the same time: namespaces of processes begin anew with 1.
fn parent_id() -> String {
    std::fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string().replace([':', '[', ']'], "")).unwrap()
}
