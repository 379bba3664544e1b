//! nginx: `nginx.conf` and what it includes.
//!
//! What the translation keeps: which server block answers a host (the default one for the rest), which location wins
//! (exact, `^~`, regular expressions in order, the longest prefix), what `proxy_pass` makes of the path, redirects,
//! answers, fields, limits and timeouts. A server block becomes routes of its host, a regular expression an entry of
//! `when` of every prefix that it beats.

mod body;
mod lex;
mod server;
mod stage;
mod upstream;
mod values;
mod words;

#[cfg(test)]
mod tests;

use crate::draft::Draft;
use crate::ledger::{Ledger, Left};
use crate::{Files, Imported, Mistake, Stage};
use lex::{Directive, Reader};

/// Reads a configuration of nginx's and writes it anew.
///
/// # Errors
/// Where the text is no configuration of nginx's.
pub fn import(name: &str, text: &str, files: &dyn Files) -> Result<Imported, Mistake> {
    let mut reader = Reader::new(files);
    let mut tree = reader.read(name, text)?;
    // A file of conf.d stands inside of `http` of the main file, which was not given.
    if !tree.iter().any(|directive| matches!(directive.name.as_str(), "http" | "stream" | "events")) {
        tree = vec![Directive {
            id: 0,
            file: name.into(),
            line: 1,
            name: "http".to_owned(),
            args: Vec::new(),
            block: Some(tree),
        }];
    }
    let mut work = Work { ledger: Ledger::default(), draft: Draft::default(), tree: &tree };
    for (id, why) in std::mem::take(&mut reader.missing) {
        work.ledger.lose(id, format!("it could not be read: {why}"));
    }
    for http in tree.iter().filter(|directive| directive.name == "http") {
        work.ledger.carry(http.id);
        work.http(http);
    }
    let Work { mut ledger, draft, .. } = work;
    for directive in &tree {
        account(directive, &mut ledger);
    }
    let carried = ledger.carried();
    let left = left(&tree, ledger);
    let yaml = draft.to_yaml(&format!("Imported from {name} of nginx by `strait import`."), &left)?;
    Ok(Imported { yaml, left, carried, probes: draft.probes() })
}

/// The same configuration with other addresses.
///
/// # Errors
/// Where the text is no configuration of nginx's.
pub fn staged(name: &str, text: &str, files: &dyn Files, stage: &mut dyn Stage) -> Result<String, Mistake> {
    let mut reader = Reader::new(files);
    let tree = reader.read(name, text)?;
    Ok(stage::staged(&tree, stage))
}

/// A translation that is under way.
struct Work<'a> {
    ledger: Ledger,
    draft: Draft,
    tree: &'a [Directive],
}

/// The blocks that a statement stands in, the outermost first.
#[derive(Clone)]
struct Scope<'a>(Vec<&'a Directive>);

impl<'a> Scope<'a> {
    fn inside(&self, block: &'a Directive) -> Self {
        let mut chain = self.0.clone();
        chain.push(block);
        Self(chain)
    }

    /// The statement that counts here: the innermost block that has any decides.
    fn one(&self, name: &str) -> Option<&'a Directive> {
        self.0.iter().rev().find_map(|block| block.kid(name))
    }

    /// All statements that count here: those of the innermost block that has any.
    fn all(&self, name: &str) -> Vec<&'a Directive> {
        let of = |block: &&'a Directive| -> Vec<&'a Directive> {
            block.kids().iter().filter(|kid| kid.name == name).collect()
        };
        self.0.iter().rev().map(of).find(|found| !found.is_empty()).unwrap_or_default()
    }
}

/// Every statement of which nothing was said gets its reason.
fn account(directive: &Directive, ledger: &mut Ledger) {
    let container = matches!(directive.name.as_str(), "http" | "server" | "location" | "upstream" | "events");
    if container {
        ledger.carry(directive.id);
        directive.kids().iter().for_each(|kid| account(kid, ledger));
        return;
    }
    let upgrades = directive.name == "map" && directive.arg(0) == "$http_upgrade";
    if upgrades && !ledger.knows(directive.id) {
        ledger.spare(directive.id, "upgrades are passed on by themselves");
    }
    if !ledger.knows(directive.id) {
        let (why, reason) = words::verdict(&directive.name);
        ledger.leave(directive.id, why, reason);
    }
}

fn left(tree: &[Directive], ledger: Ledger) -> Vec<Left> {
    let mut by_id = std::collections::BTreeMap::new();
    let mut rest: Vec<&Directive> = tree.iter().collect();
    while let Some(directive) = rest.pop() {
        by_id.insert(directive.id, directive);
        rest.extend(directive.kids());
    }
    let one = |(id, why, reason)| {
        let directive: &&Directive = by_id.get(&id)?;
        Some(Left { file: directive.file.to_string(), line: directive.line, text: directive.text(), why, reason })
    };
    ledger.left().filter_map(one).collect()
}
