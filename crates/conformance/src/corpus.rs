//! The cases: their form on disk and in memory.
//!
//! A file of `corpus/` holds the cases of one section of an RFC and is named after it. A line is one of:
//!
//! | line | meaning |
//! |---|---|
//! | `# …` | a comment, outside of cases |
//! | `title …` | the section's title, once, first |
//! | `case NAME` | begins a case; its full name is `FILE/NAME` |
//! | `must …`, `should …`, `policy …` | how binding it is, and the rule in our own words |
//! | `> TEXT` | the client sends TEXT and CRLF |
//! | `>\| TEXT` | the client sends TEXT alone |
//! | `>! STEP` | the client does something else, see [`Step`] |
//! | `< TEXT`, `<\| TEXT`, `<! STEP` | the same for the origin's answer |
//! | `client: …` | the final responses in order, see [`Item`] |
//! | `refuse STATUS` | short for `client: STATUS, close` and `origin: none` |
//! | `deny STATUS` | the same, but a peer may keep the connection: what was refused left no doubt where it ends |
//! | `strait: …` | what Strait's client must see, where `client:` grants a peer more |
//! | `client …`, `client #2 …` | a check of the first, second … response, see [`Check`] |
//! | `origin: none`, `origin: 2`, `origin: 0..1` | how many requests the origin may get |
//! | `origin …`, `origin #2 …` | a check of the first, second … request there |
//!
//! TEXT has the escapes of [`crate::escape`]. `{host}` stands for a host name that leads to the case's own origin and
//! `{id}` for a word by which the case is known; every case sends one of them.

use crate::escape;

/// How binding a case is for a proxy that is not Strait. Strait must pass all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A MUST of an RFC, or plainly a security matter.
    Must,
    /// A SHOULD of an RFC.
    Should,
    /// Strait's own choice among what RFCs allow; a peer may differ and be right.
    Policy,
}

impl Level {
    /// The word it is written as.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Policy => "policy",
        }
    }
}

/// Something one end does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Sends these bytes.
    Bytes(Vec<u8>),
    /// Waits 30 ms, so that what follows arrives by itself (`pause`).
    Pause,
    /// Client: waits until the origin has seen N request heads (`await origin N`).
    AwaitOrigin(usize),
    /// Client: waits until the origin has sent N answers to their ends (`await answer N`).
    AwaitAnswer(usize),
    /// Client: waits until N final responses have arrived whole (`await response N`).
    AwaitResponse(usize),
    /// Client: waits until these bytes have arrived (`await text TEXT`).
    AwaitText(Vec<u8>),
    /// Client: waits for an interim response (`await interim`).
    AwaitInterim,
    /// Sends a FIN and reads on (`half-close`).
    HalfClose,
    /// Closes (`close`).
    Close,
    /// Closes with RST (`reset`).
    Reset,
    /// Origin: the next request is answered by what follows (`next`).
    Next,
    /// Origin: what follows is sent when the head has arrived, before the body is read (`early`).
    Early,
    /// Origin: waits until the other side has sent its FIN (`await end`).
    AwaitEnd,
    /// Origin: from here on everything received is sent back (`echo`).
    Echo,
}

/// One entry of `client:`; alternatives are written with `|`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A whole final response with one of these statuses, or cut, or nothing at all, where the alternatives allow it.
    Response {
        /// Acceptable statuses.
        statuses: Vec<u16>,
        /// `cut`: a response that visibly ends too early is acceptable.
        cut: bool,
        /// `nothing`: the connection's end without a byte is acceptable.
        nothing: bool,
    },
    /// `close`: the proxy then ends the connection.
    Close,
    /// `keep`: the connection then serves one more request, which the runner sends.
    Keep,
}

/// What one message must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// `method TEXT`.
    Method(Vec<u8>),
    /// `target TEXT | TEXT`: one of these.
    Target(Vec<Vec<u8>>),
    /// `version 1.1`: the minor version.
    Version(u8),
    /// `has NAME`.
    Has(String),
    /// `lacks NAME`.
    Lacks(String),
    /// `count NAME N`.
    Count(String, usize),
    /// `value NAME = TEXT`: the values joined by `, `.
    Value(String, Vec<u8>),
    /// `value NAME ~ TEXT`: the values contain TEXT.
    Contains(String, Vec<u8>),
    /// `value NAME !~ TEXT`: the values, if any, do not contain TEXT.
    Omits(String, Vec<u8>),
    /// `body TEXT`: the decoded body.
    Body(Vec<u8>),
    /// `body-size N`.
    BodySize(usize),
    /// `trailer NAME = TEXT`: a trailer field arrived, or the sender merged it into the head.
    Trailer(String, Vec<u8>),
    /// `complete` or `incomplete`: whether the body arrived whole.
    Complete(bool),
    /// `fresh` or `reused`: whether the request opened a connection to the origin.
    Fresh(bool),
    /// `lacks-bytes TEXT`: none of the bytes that side received contain TEXT, whatever the case of letters.
    LacksBytes(Vec<u8>),
    /// `has-bytes TEXT`.
    HasBytes(Vec<u8>),
    /// `interims 100 103` or `interims none`: the interim responses before the first final one.
    Interims(Vec<u16>),
}

/// A check and the number of the message it is about, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Which message.
    pub number: usize,
    /// What about it.
    pub check: Check,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// `section/name`.
    pub name: String,
    /// How binding.
    pub level: Level,
    /// The rule, in our words.
    pub rule: String,
    /// What the client does.
    pub client: Vec<Step>,
    /// What the origin answers, one list a request; beyond the last it answers 200 `ok`.
    pub origin: Vec<Vec<Step>>,
    /// What the client must see.
    pub items: Vec<Item>,
    /// What Strait's client must see, if that is less.
    pub own_items: Option<Vec<Item>>,
    /// Checks of responses.
    pub responses: Vec<Expectation>,
    /// Fewest and most requests at the origin.
    pub requests: (usize, usize),
    /// Checks of requests.
    pub forwarded: Vec<Expectation>,
}

impl Case {
    /// The RFC section: the part of the name before the slash.
    pub fn section(&self) -> &str {
        self.name.split_once('/').map_or("", |(section, _)| section)
    }

    /// What the client must see of Strait, or of a peer.
    pub fn items_for(&self, strait: bool) -> &[Item] {
        self.own_items.as_deref().filter(|_| strait).unwrap_or(&self.items)
    }

    /// Whether the client must see the connection end.
    pub fn ends(&self, strait: bool) -> bool {
        self.items_for(strait).contains(&Item::Close)
    }

    /// Whether the runner asks once more on the same connection.
    pub fn probes(&self, strait: bool) -> bool {
        self.items_for(strait).contains(&Item::Keep)
    }

    /// How many final responses are due.
    pub fn finals(&self) -> usize {
        responses(&self.items)
    }

    /// The methods of the requests that the client writes, as far as its lines show them.
    pub fn methods(&self) -> Vec<Vec<u8>> {
        let bytes: Vec<u8> =
            self.client.iter().flat_map(|step| if let Step::Bytes(b) = step { b.clone() } else { vec![] }).collect();
        bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| line.windows(7).any(|part| part == b" HTTP/1"))
            .map(|line| line.split(|byte| *byte == b' ').next().unwrap_or_default().to_vec())
            .collect()
    }
}

fn responses(items: &[Item]) -> usize {
    items.iter().filter(|item| matches!(item, Item::Response { .. })).count()
}

/// A file of cases.
#[derive(Clone, Debug)]
pub struct Section {
    /// `rfc9112-6.3`.
    pub name: String,
    /// What the section is about.
    pub title: String,
    /// Its cases in order.
    pub cases: Vec<Case>,
}

/// Reads every file of the corpus, in the order of their names.
///
/// # Errors
/// Every mistake in every file, with file and line.
pub fn load(folder: &std::path::Path) -> Result<Vec<Section>, Vec<String>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .map_err(|error| vec![format!("{}: {error}", folder.display())])?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "http1"))
        .collect();
    files.sort();
    let (mut sections, mut mistakes) = (Vec::new(), Vec::new());
    for path in files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let parsed = std::fs::read_to_string(&path).map_err(|error| vec![error.to_string()]);
        match parsed.and_then(|text| parse(&name, &text)) {
            Ok(section) => sections.push(section),
            Err(lines) => mistakes.extend(lines.into_iter().map(|line| format!("{name}.http1:{line}"))),
        }
    }
    if mistakes.is_empty() { Ok(sections) } else { Err(mistakes) }
}

/// Where the corpus of this crate lies.
pub fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Reads one file.
///
/// # Errors
/// Every mistake, as `line: what`.
pub fn parse(name: &str, text: &str) -> Result<Section, Vec<String>> {
    let mut section = Section { name: name.into(), title: String::new(), cases: Vec::new() };
    let mut mistakes = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let read = if line.ends_with([' ', '\t']) {
            Err("white space at the end of the line: write \\s or \\t".into())
        } else {
            read_line(&mut section, line)
        };
        if let Err(what) = read {
            mistakes.push(format!("{}: {what}", number + 1));
        }
    }
    for case in &section.cases {
        if let Err(what) = consistent(case) {
            mistakes.push(format!(" case {}: {what}", case.name));
        }
    }
    if mistakes.is_empty() { Ok(section) } else { Err(mistakes) }
}

fn read_line(section: &mut Section, line: &str) -> Result<(), String> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(());
    }
    if let Some(title) = line.strip_prefix("title ") {
        section.title = title.into();
        return Ok(());
    }
    if let Some(name) = line.strip_prefix("case ") {
        section.cases.push(empty(format!("{}/{name}", section.name)));
        return Ok(());
    }
    let case = section.cases.last_mut().ok_or("a line before the first case")?;
    match line.as_bytes()[0] {
        b'>' => step(&line[1..]).map(|step| push(&mut case.client, step)),
        b'<' => step(&line[1..]).map(|step| push_origin(&mut case.origin, step)),
        _ => statement(case, line),
    }
}

fn empty(name: String) -> Case {
    Case {
        name,
        level: Level::Policy,
        rule: String::new(),
        client: Vec::new(),
        origin: Vec::new(),
        items: Vec::new(),
        own_items: None,
        responses: Vec::new(),
        requests: (usize::MAX, 0),
        forwarded: Vec::new(),
    }
}

/// Adjacent bytes become one write.
fn push(steps: &mut Vec<Step>, step: Step) {
    match (steps.last_mut(), step) {
        (Some(Step::Bytes(before)), Step::Bytes(more)) => before.extend(more),
        (_, step) => steps.push(step),
    }
}

fn push_origin(answers: &mut Vec<Vec<Step>>, step: Step) {
    if answers.is_empty() || step == Step::Next {
        answers.push(Vec::new());
    }
    if let (Some(answer), false) = (answers.last_mut(), step == Step::Next) {
        push(answer, step);
    }
}

/// What follows `>` or `<`.
fn step(rest: &str) -> Result<Step, String> {
    if let Some(words) = rest.strip_prefix("! ") {
        return action(words);
    }
    if let Some(text) = rest.strip_prefix("| ") {
        return escape::decode(text).map(Step::Bytes);
    }
    let text = match rest {
        "" => "",
        _ => rest.strip_prefix(' ').ok_or("a space, `| ` or `! ` is wanted after the mark")?,
    };
    let mut bytes = escape::decode(text)?;
    bytes.extend_from_slice(b"\r\n");
    Ok(Step::Bytes(bytes))
}

fn action(words: &str) -> Result<Step, String> {
    let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number"));
    Ok(match words.split(' ').collect::<Vec<_>>()[..] {
        ["pause"] => Step::Pause,
        ["await", "origin", count] => Step::AwaitOrigin(number(count)?),
        ["await", "answer", count] => Step::AwaitAnswer(number(count)?),
        ["await", "response", count] => Step::AwaitResponse(number(count)?),
        ["await", "text", text] => Step::AwaitText(escape::decode(text)?),
        ["await", "interim"] => Step::AwaitInterim,
        ["await", "end"] => Step::AwaitEnd,
        ["half-close"] => Step::HalfClose,
        ["close"] => Step::Close,
        ["reset"] => Step::Reset,
        ["next"] => Step::Next,
        ["early"] => Step::Early,
        ["echo"] => Step::Echo,
        _ => return Err(format!("unknown step `{words}`")),
    })
}

fn statement(case: &mut Case, line: &str) -> Result<(), String> {
    let (word, rest) = line.split_once(' ').ok_or("a word and what it says are wanted")?;
    match word {
        "must" | "should" | "policy" => {
            case.level = match word {
                "must" => Level::Must,
                "should" => Level::Should,
                _ => Level::Policy,
            };
            case.rule = rest.into();
        }
        "refuse" | "deny" => {
            let own = item(rest)?;
            let mut peers = vec![own.clone()];
            peers.extend((word == "refuse").then_some(Item::Close));
            case.items = peers;
            case.own_items = Some(vec![own, Item::Close]);
            case.requests = (0, 0);
        }
        "strait:" => case.own_items = Some(rest.split(", ").map(item).collect::<Result<_, _>>()?),
        "client:" => case.items = rest.split(", ").map(item).collect::<Result<_, _>>()?,
        "origin:" => case.requests = range(rest)?,
        "client" => case.responses.push(expectation(rest)?),
        "origin" => case.forwarded.push(expectation(rest)?),
        _ => return Err(format!("unknown word `{word}`")),
    }
    Ok(())
}

fn item(text: &str) -> Result<Item, String> {
    match text {
        "close" => return Ok(Item::Close),
        "keep" => return Ok(Item::Keep),
        _ => {}
    }
    let (mut statuses, mut cut, mut nothing) = (Vec::new(), false, false);
    for word in text.split('|') {
        match word {
            "cut" => cut = true,
            "nothing" => nothing = true,
            status => statuses.push(status.parse().map_err(|_| format!("`{status}` is no status"))?),
        }
    }
    Ok(Item::Response { statuses, cut, nothing })
}

fn range(text: &str) -> Result<(usize, usize), String> {
    let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number of requests"));
    match text.split_once("..") {
        _ if text == "none" => Ok((0, 0)),
        Some((low, high)) => Ok((number(low)?, number(high)?)),
        None => number(text).map(|count| (count, count)),
    }
}

fn expectation(text: &str) -> Result<Expectation, String> {
    let (number, text) = match text.strip_prefix('#').and_then(|text| text.split_once(' ')) {
        Some((number, text)) => (number.parse().map_err(|_| "# wants a number")?, text),
        None => (1, text),
    };
    Ok(Expectation { number, check: check(text)? })
}

fn check(text: &str) -> Result<Check, String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let name = || rest.to_ascii_lowercase();
    let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number"));
    Ok(match word {
        "method" => Check::Method(escape::decode(rest)?),
        "target" => Check::Target(rest.split(" | ").map(escape::decode).collect::<Result<_, _>>()?),
        "version" => Check::Version(if rest == "1.0" { 0 } else { 1 }),
        "has" => Check::Has(name()),
        "lacks" => Check::Lacks(name()),
        "count" => rest.split_once(' ').map_or(Err("count NAME N".to_string()), |(name, count)| {
            Ok(Check::Count(name.to_ascii_lowercase(), number(count)?))
        })?,
        "value" => value(rest)?,
        "body" => Check::Body(escape::decode(rest)?),
        "body-size" => Check::BodySize(number(rest)?),
        "trailer" => {
            let (name, value) = rest.split_once(" = ").ok_or("trailer NAME = TEXT")?;
            Check::Trailer(name.to_ascii_lowercase(), escape::decode(value)?)
        }
        "complete" => Check::Complete(true),
        "incomplete" => Check::Complete(false),
        "fresh" => Check::Fresh(true),
        "reused" => Check::Fresh(false),
        "lacks-bytes" => Check::LacksBytes(escape::decode(rest)?),
        "has-bytes" => Check::HasBytes(escape::decode(rest)?),
        "interims" if rest == "none" => Check::Interims(Vec::new()),
        "interims" => Check::Interims(rest.split(' ').map(number_u16).collect::<Result<_, _>>()?),
        _ => return Err(format!("unknown check `{word}`")),
    })
}

fn number_u16(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("`{text}` is no status"))
}

fn value(rest: &str) -> Result<Check, String> {
    let (name, rest) = rest.split_once(' ').ok_or("value NAME = TEXT")?;
    let (operator, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let (name, text) = (name.to_ascii_lowercase(), escape::decode(text)?);
    match operator {
        "=" => Ok(Check::Value(name, text)),
        "~" => Ok(Check::Contains(name, text)),
        "!~" => Ok(Check::Omits(name, text)),
        _ => Err(format!("unknown comparison `{operator}`")),
    }
}

/// Mistakes that show only in a whole case.
fn consistent(case: &Case) -> Result<(), String> {
    let sent: Vec<u8> =
        case.client.iter().flat_map(|step| if let Step::Bytes(b) = step { b.clone() } else { vec![] }).collect();
    let known = |word: &[u8]| sent.windows(word.len()).any(|part| part == word);
    let misplaced = |items: &[Item]| {
        items.iter().position(|item| matches!(item, Item::Close | Item::Keep)).is_some_and(|at| at + 1 != items.len())
    };
    let seen = case.responses.iter().map(|expectation| expectation.number).max().unwrap_or(0);
    let asked = case.forwarded.iter().map(|expectation| expectation.number).max().unwrap_or(0);
    let wrong = [
        (case.rule.is_empty(), "no must, should or policy line"),
        (!known(b"{host}") && !known(b"{id}"), "sends neither {host} nor {id}"),
        (case.items.is_empty(), "says nothing about what the client sees"),
        (case.requests.0 > case.requests.1, "says nothing about how many requests the origin gets"),
        (misplaced(&case.items) || misplaced(case.items_for(true)), "close and keep come last"),
        (responses(case.items_for(true)) != case.finals(), "wants another number of responses of Strait"),
        (seen > case.finals().max(1), "checks a response that is not expected"),
        (asked > case.requests.1.max(1), "checks a request that may not be there"),
        (case.requests.1 == 0 && !case.origin.is_empty(), "scripts an origin that gets no request"),
    ];
    match wrong.iter().find(|(wrong, _)| *wrong) {
        Some((_, what)) => Err((*what).into()),
        None => Ok(()),
    }
}
