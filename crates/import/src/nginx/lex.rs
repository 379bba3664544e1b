//! nginx's words, and the tree of its blocks.

use crate::ledger::Id;
use crate::{Files, Mistake, NESTING_MAX, OCTETS_MAX, STATEMENTS_MAX};
use std::rc::Rc;

/// A statement: a name, arguments, and a block or none.
#[derive(Clone, Debug)]
pub(crate) struct Directive {
    pub(crate) id: Id,
    pub(crate) file: Rc<str>,
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) args: Vec<String>,
    pub(crate) block: Option<Vec<Directive>>,
}

impl Directive {
    /// An argument, or nothing.
    pub(crate) fn arg(&self, index: usize) -> &str {
        self.args.get(index).map_or("", String::as_str)
    }

    /// `nginx.conf:12`.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// `nginx.conf:12: proxy_pass http://app`.
    pub(crate) fn origin(&self) -> String {
        let text: String = self.text().chars().filter(|c| !c.is_control()).take(80).collect();
        format!("{}: {text}", self.place())
    }

    /// The statement without its block.
    pub(crate) fn text(&self) -> String {
        let mut text = self.name.clone();
        for arg in &self.args {
            text.push(' ');
            text.push_str(&arg.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        text
    }

    pub(crate) fn kids(&self) -> &[Self] {
        self.block.as_deref().unwrap_or(&[])
    }

    /// The first statement of this name inside.
    pub(crate) fn kid(&self, name: &str) -> Option<&Self> {
        self.kids().iter().find(|kid| kid.name == name)
    }
}

/// A word of the text.
enum Token {
    Word(String),
    Open,
    Close,
    End,
}

/// Reads one file, and what it includes.
pub(crate) struct Reader<'a> {
    files: &'a dyn Files,
    octets: usize,
    next: Id,
    /// Includes of files that could not be read, with the reason.
    pub(crate) missing: Vec<(Id, String)>,
}

struct Text<'a> {
    file: Rc<str>,
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
}

impl Text<'_> {
    fn mistake(&self, what: &str) -> Mistake {
        Mistake { file: self.file.to_string(), line: self.line, what: what.to_owned() }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn skip_blanks(&mut self) {
        while let Some(&c) = self.rest.peek() {
            match c {
                '#' => while self.next().is_some_and(|c| c != '\n') {},
                c if c.is_whitespace() || c == '\u{feff}' => drop(self.next()),
                _ => return,
            }
        }
    }

    fn token(&mut self) -> Result<Option<Token>, Mistake> {
        self.skip_blanks();
        let Some(&first) = self.rest.peek() else { return Ok(None) };
        let single = match first {
            '{' => Some(Token::Open),
            '}' => Some(Token::Close),
            ';' => Some(Token::End),
            _ => None,
        };
        if single.is_some() {
            self.next();
            return Ok(single);
        }
        self.word(first).map(|word| Some(Token::Word(word)))
    }

    fn word(&mut self, first: char) -> Result<String, Mistake> {
        let quote = matches!(first, '"' | '\'').then_some(first);
        if quote.is_some() {
            self.next();
        }
        let mut word = String::new();
        let mut variable = false;
        while let Some(&c) = self.rest.peek() {
            match (quote, c) {
                (Some(quote), c) if c == quote => {
                    self.next();
                    return Ok(word);
                }
                // `${name}` holds braces that open no block.
                (None, '{') if word.ends_with('$') => variable = true,
                (None, '}') if variable => variable = false,
                (None, c) if c.is_whitespace() || matches!(c, ';' | '{' | '}') => return Ok(word),
                _ => {}
            }
            self.next();
            match (c, self.rest.peek()) {
                ('\\', Some(&escaped)) => {
                    self.escaped(quote, escaped, &mut word);
                }
                _ => word.push(c),
            }
        }
        if quote.is_some() { Err(self.mistake("a quote is never closed")) } else { Ok(word) }
    }

    /// A backslash takes the meaning off quotes and blanks, and stays before everything else, as regexes need it.
    fn escaped(&mut self, quote: Option<char>, escaped: char, word: &mut String) {
        self.next();
        match escaped {
            '"' | '\'' => word.push(escaped),
            ' ' | ';' if quote.is_none() => word.push(escaped),
            'n' => word.push('\n'),
            't' => word.push('\t'),
            'r' => word.push('\r'),
            _ => word.extend(['\\', escaped]),
        }
    }

    /// The text of a block in another language, such as Lua, up to its end.
    fn skip_foreign(&mut self) -> Result<(), Mistake> {
        let mut depth = 1_usize;
        while let Some(c) = self.next() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
        Err(self.mistake("a block is never closed"))
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(files: &'a dyn Files) -> Self {
        Self { files, octets: 0, next: 0, missing: Vec::new() }
    }

    pub(crate) fn read(&mut self, name: &str, text: &str) -> Result<Vec<Directive>, Mistake> {
        self.file(name, text, 0)
    }

    fn file(&mut self, name: &str, text: &str, depth: usize) -> Result<Vec<Directive>, Mistake> {
        let mut text = Text { file: name.into(), rest: text.chars().peekable(), line: 1 };
        self.octets += text.rest.size_hint().1.unwrap_or(0);
        if self.octets > OCTETS_MAX {
            return Err(text.mistake("all files together are too large"));
        }
        let statements = self.block(&mut text, depth, true)?;
        Ok(statements)
    }

    fn block(&mut self, text: &mut Text<'_>, depth: usize, top: bool) -> Result<Vec<Directive>, Mistake> {
        if depth > NESTING_MAX {
            return Err(text.mistake("blocks or includes are nested too deeply"));
        }
        let mut statements = Vec::new();
        let mut words: Vec<String> = Vec::new();
        let mut line = 0;
        loop {
            let token = text.token()?;
            if words.is_empty() {
                line = text.line;
            }
            match token {
                Some(Token::Word(word)) => words.push(word),
                Some(Token::End) if words.is_empty() => return Err(text.mistake("`;` ends nothing")),
                Some(Token::End) => {
                    let directive = self.directive(text, line, std::mem::take(&mut words), None)?;
                    self.add(directive, depth, &mut statements)?;
                }
                Some(Token::Open) => {
                    let words = std::mem::take(&mut words);
                    let directive = self.with_block(text, line, words, depth)?;
                    statements.push(directive);
                }
                Some(Token::Close) if top => return Err(text.mistake("`}` closes nothing")),
                None if !top => return Err(text.mistake("a block is never closed")),
                Some(Token::Close) | None if words.is_empty() => return Ok(statements),
                Some(Token::Close) | None => {
                    let what = format!("`{}` is not ended by `;`", words.first().map_or("", String::as_str));
                    return Err(Mistake { line, ..text.mistake(&what) });
                }
            }
        }
    }

    fn with_block(
        &mut self,
        text: &mut Text<'_>,
        line: usize,
        words: Vec<String>,
        depth: usize,
    ) -> Result<Directive, Mistake> {
        let foreign = words.first().is_some_and(|name| name.ends_with("_by_lua_block"));
        let mut directive = self.directive(text, line, words, Some(Vec::new()))?;
        if foreign {
            text.skip_foreign()?;
        } else {
            directive.block = Some(self.block(text, depth + 1, false)?);
        }
        Ok(directive)
    }

    fn directive(
        &mut self,
        text: &Text<'_>,
        line: usize,
        words: Vec<String>,
        block: Option<Vec<Directive>>,
    ) -> Result<Directive, Mistake> {
        let mut words = words.into_iter();
        let Some(name) = words.next() else { return Err(text.mistake("a block has no name")) };
        self.next += 1;
        if self.next > STATEMENTS_MAX {
            return Err(text.mistake("there are too many statements"));
        }
        let id = self.next;
        Ok(Directive { id, file: Rc::clone(&text.file), line, name, args: words.collect(), block })
    }

    /// Adds a statement, or in its place those of the files it includes.
    fn add(&mut self, directive: Directive, depth: usize, to: &mut Vec<Directive>) -> Result<(), Mistake> {
        if directive.name != "include" {
            to.push(directive);
            return Ok(());
        }
        // The types of files that nginx serves itself, and what FastCGI is told, say nothing about proxying.
        let pattern = directive.arg(0).to_owned();
        if ["mime.types", "fastcgi_params", "fastcgi.conf"].iter().any(|usual| pattern.ends_with(usual)) {
            to.push(directive);
            return Ok(());
        }
        match self.files.read(&pattern) {
            Ok(files) => {
                for (name, text) in files {
                    to.extend(self.file(&name, &text, depth + 1)?);
                }
            }
            Err(why) => self.missing.push((directive.id, why)),
        }
        to.push(directive);
        Ok(())
    }
}
