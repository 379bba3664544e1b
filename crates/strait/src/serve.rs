//! `strait serve`: the files of a folder, without a configuration.

use crate::boot;
use crate::exit::Exit;
use crate::operator::say;
use crate::proxy::{greet, is_listen, print_config, quoted};
use crate::source::{Output, Over, Source};
use clap::Args;

/// Serve the files of a folder, without a configuration file
///
/// The words are [LISTEN] FOLDER: where to listen (`:8080`; 8080 without it), and what is served. Folders without an
/// index are listed; names that begin with a dot are not served.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strait serve ./public
  strait serve :80 /var/www/html
  strait serve ./dist --fallback index.html
  strait serve ./public --print-config > strait.yaml")]
pub(crate) struct Serve {
    /// [LISTEN] FOLDER
    #[arg(value_name = "FOLDER", required = true, num_args = 1..=2)]
    words: Vec<String>,
    /// Where to listen: a port, address:port, or unix:/path
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The file that is served where there is none: for applications that route in the browser
    #[arg(long, value_name = "FILE")]
    fallback: Option<String>,
    /// Print the configuration that this stands for and end
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    over: Over,
}

impl Serve {
    pub(crate) fn run(self, output: Output) -> Exit {
        let (listen, folder) = match listen_and_folder(self.words, self.listen) {
            Ok(said) => said,
            Err(why) => {
                say(&why);
                return Exit::Usage;
            }
        };
        let yaml = to_yaml(listen.as_deref(), &folder, self.fallback.as_deref());
        let source = Source::text("command line", yaml.clone()).with(&self.over);
        if self.print_config {
            return print_config(&source, &yaml, !self.over.sets.is_empty(), output);
        }
        match boot::start(source, output, false, None) {
            Ok(running) => {
                greet(&running, "", &folder);
                running.wait()
            }
            Err(exit) => exit,
        }
    }
}

/// What the words say.
fn listen_and_folder(mut words: Vec<String>, listen: Option<String>) -> Result<(Option<String>, String), String> {
    let folder = words.pop().unwrap_or_default();
    let Some(first) = words.pop() else { return Ok((listen, folder)) };
    match listen {
        _ if !is_listen(&first) => Err(format!(
            "`{first}` is not where to listen: strait serve [LISTEN] FOLDER, such as strait serve :8080 {folder}"
        )),
        Some(other) => Err(format!("`{first}` and `--listen {other}` both say where to listen: leave one out")),
        None => Ok((Some(first.trim_start_matches(':').to_owned()), folder)),
    }
}

fn to_yaml(listen: Option<&str>, folder: &str, fallback: Option<&str>) -> String {
    let listeners = listen.map_or_else(String::new, |listen| format!("listeners:\n  http: {}\n", quoted(listen)));
    let fallback = fallback.map_or_else(String::new, |fallback| format!(", fallback: {}", quoted(fallback)));
    format!("{listeners}routes:\n  /:\n    files: {{root: {}, listing: true{fallback}}}\n", quoted(folder))
}

#[cfg(test)]
mod tests {
    use super::{listen_and_folder, to_yaml};

    #[track_caller]
    fn check(words: &str, listen: Option<&str>, expected: &str) {
        let words = words.split(' ').map(str::to_owned).collect();
        let said = listen_and_folder(words, listen.map(str::to_owned));
        let yaml = said.map_or_else(|why| why, |(listen, folder)| to_yaml(listen.as_deref(), &folder, None));
        assert_eq!(yaml, expected);
    }

    #[test]
    fn words_become_a_file() {
        check("./public", None, "routes:\n  /:\n    files: {root: ./public, listing: true}\n");
        check(":80 .", None, "listeners:\n  http: 80\nroutes:\n  /:\n    files: {root: ., listing: true}\n");
        let spa = to_yaml(None, "a b", Some("index.html"));
        assert_eq!(spa, "routes:\n  /:\n    files: {root: a b, listing: true, fallback: index.html}\n");
    }

    #[test]
    fn words_that_say_nothing_are_refused() {
        check("a b", None, "`a` is not where to listen: strait serve [LISTEN] FOLDER, such as strait serve :8080 b");
        check(":1 b", Some("2"), "`:1` and `--listen 2` both say where to listen: leave one out");
    }
}
