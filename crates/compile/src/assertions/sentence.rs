//! The sentences of `assert:`.

use strait_route::Pattern;

/// What is asserted of what.
#[derive(Debug)]
pub(super) struct Sentence {
    pub(super) subject: Subject,
    pub(super) claim: Claim,
}

#[derive(Debug)]
pub(super) enum Subject {
    /// Requests that a pattern matches.
    Pattern(Box<Pattern>),
    Routes,
    /// Routes of listeners that other machines reach.
    PublicRoutes,
    Upstreams,
    Admin,
}

#[derive(Debug)]
pub(super) enum Claim {
    /// One of these filters is on the way.
    Requires(Vec<String>),
    GoesTo(Vec<String>),
    NeverGoesTo(Vec<String>),
    Answers(u16),
    HasTimeout,
    HasLimit,
    /// Nothing is sent in the clear.
    Encrypted,
    /// At least so many endpoints.
    Endpoints(usize),
    /// It is not reached from elsewhere.
    Private,
}

/// Why a text is none of the sentences.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) message: String,
    pub(super) better: Option<String>,
    pub(super) hint: String,
}

/// How sentences are written; the manual lists the same.
pub(super) const FORMS: [&str; 10] = [
    "PATTERN requires FILTER or FILTER",
    "PATTERN goes to UPSTREAM or UPSTREAM",
    "PATTERN never goes to UPSTREAM",
    "PATTERN answers STATUS",
    "PATTERN has a limit",
    "every route requires FILTER",
    "every public route has a limit",
    "every route has a timeout",
    "every upstream has 2 endpoints",
    "no plaintext upstream",
];

impl Flaw {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            better: None,
            hint: format!("write one of: {}; no public admin", FORMS.join("; ")),
        }
    }

    fn better(self, better: impl Into<String>) -> Self {
        Self { better: Some(better.into()), ..self }
    }
}

/// Reads a sentence.
pub(super) fn parse(text: &str) -> Result<Sentence, Flaw> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let sentence = |subject, claim| Ok(Sentence { subject, claim });
    match words.as_slice() {
        ["no", "plaintext", "upstream" | "upstreams"] => sentence(Subject::Upstreams, Claim::Encrypted),
        ["no", "public", "admin"] => sentence(Subject::Admin, Claim::Private),
        ["every", "upstream", "has", count, "endpoints" | "endpoint"] => match count.parse() {
            Ok(count) => sentence(Subject::Upstreams, Claim::Endpoints(count)),
            Err(_) => Err(Flaw::new(format!("`{count}` is not a number")).better(text.replacen(count, "2", 1))),
        },
        ["every", "public", "route", rest @ ..] => sentence(Subject::PublicRoutes, claim(text, rest)?),
        ["every", "route", rest @ ..] => sentence(Subject::Routes, claim(text, rest)?),
        [method, pattern, rest @ ..] if is_method(method) => {
            sentence(subject(&format!("{method} {pattern}"))?, claim(text, rest)?)
        }
        [pattern, rest @ ..] if pattern.contains(['/', '.', '*']) => sentence(subject(pattern)?, claim(text, rest)?),
        _ => Err(unknown(text, &words)),
    }
}

fn is_method(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_uppercase() || c == ',')
}

/// A pattern as routes have it; `/**` says the same as `/*`.
fn subject(text: &str) -> Result<Subject, Flaw> {
    let plain = text.strip_suffix("/**").map_or_else(|| text.to_owned(), |base| format!("{base}/*"));
    match Pattern::parse(&plain) {
        Ok(pattern) => Ok(Subject::Pattern(Box::new(pattern))),
        Err(error) => {
            let flaw = Flaw::new(format!("`{text}` is not a pattern: {}", error.message));
            Err(Flaw { hint: "write a pattern such as `example.com/admin/**`".to_owned(), ..flaw })
        }
    }
}

fn claim(text: &str, words: &[&str]) -> Result<Claim, Flaw> {
    match words {
        ["requires", filters @ ..] if !filters.is_empty() => Ok(Claim::Requires(filter_names(text, filters)?)),
        ["goes", "to", names @ ..] if !names.is_empty() => Ok(Claim::GoesTo(list(names))),
        ["never", "goes", "to", names @ ..] if !names.is_empty() => Ok(Claim::NeverGoesTo(list(names))),
        ["answers", status] => status
            .parse()
            .map(Claim::Answers)
            .map_err(|_| Flaw::new(format!("`{status}` is not a status")).better(text.replacen(status, "404", 1))),
        ["has", "a", "limit"] => Ok(Claim::HasLimit),
        ["has", "a", "timeout"] => Ok(Claim::HasTimeout),
        [verb, ..] => {
            let verbs = ["requires", "goes", "never", "answers", "has"];
            let near = strait_expr::closest(verb, verbs.into_iter()).filter(|near| near != verb);
            let flaw = Flaw::new(format!("`{text}` is not an assertion"));
            Err(near.map_or_else(
                || Flaw::new(flaw.message.clone()),
                |near| Flaw::new(flaw.message.clone()).better(text.replacen(verb, near, 1)),
            ))
        }
        [] => Err(Flaw::new(format!("`{text}` says nothing about it")).better(format!("{text} requires auth"))),
    }
}

/// `a or b`, `a, b`.
fn list(words: &[&str]) -> Vec<String> {
    let names = words.iter().filter(|word| **word != "or").map(|word| word.trim_end_matches(',').to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// Names of filters; one that does not exist can never be there.
fn filter_names(text: &str, words: &[&str]) -> Result<Vec<String>, Flaw> {
    let names = list(words);
    let mut known: Vec<&str> = strait_config::filter::names().collect();
    known.extend(super::AUTH.iter().filter(|name| !strait_config::filter::names().any(|known| known == **name)));
    for name in &names {
        if !known.contains(&name.as_str()) {
            let flaw = Flaw::new(format!("there is no filter `{name}`"));
            return Err(match strait_expr::closest(name, known.iter().copied()) {
                Some(near) => flaw.better(text.replacen(name.as_str(), near, 1)),
                None => Flaw { hint: format!("filters: {}", known.join(", ")), ..flaw },
            });
        }
    }
    Ok(names)
}

fn unknown(text: &str, words: &[&str]) -> Flaw {
    let flaw = Flaw::new(format!("`{text}` is not an assertion"));
    let near = strait_expr::closest(
        text,
        FORMS.into_iter().chain(["no public admin"]).filter(|form| !form.contains("PATTERN")),
    );
    match (words.first(), near) {
        (_, Some(near)) if !near.contains("FILTER") => flaw.better(near),
        (Some(word), _) if words.len() > 1 && !["every", "no"].contains(word) => {
            flaw.better(text.replacen(word, &format!("/{word}"), 1))
        }
        _ => flaw,
    }
}
