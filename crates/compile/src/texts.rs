//! Templates and conditions of a route: compiled with the names that its pattern gives, their flaws placed in the file.

use std::ops::Range;
use strait_config::spec::Branch;
use strait_config::value::{ExpressionText, HeaderName, HeaderTemplate, Headers, Matches, TemplateText, TextMatch};
use strait_config::value::{RegexText, TextPiece};
use strait_config::{Diagnostic, Snapshot, Span, Spanned, codes};
use strait_expr::{Environment, Error, Expression, Piece, Template};
use strait_message::Method;
use strait_plan::{Condition, HeaderEdits, Portion, TextTest, portion_salt};
use strait_route::Pattern;

/// Compiles the texts of one route.
pub(crate) struct Texts<'t> {
    snapshot: &'t Snapshot,
    found: &'t mut Vec<Diagnostic>,
    pattern: &'t str,
    /// The names of the request and of the response; made when first needed, for most routes hold plain text only.
    request: Option<Environment>,
    response: Option<Environment>,
}

impl<'t> Texts<'t> {
    pub(crate) fn of(snapshot: &'t Snapshot, pattern: &'t str, found: &'t mut Vec<Diagnostic>) -> Self {
        Self { snapshot, found, pattern, request: None, response: None }
    }

    /// Compiles the texts of the access log, which may ask all about an exchange that has ended.
    pub(crate) fn of_log(snapshot: &'t Snapshot, found: &'t mut Vec<Diagnostic>) -> Self {
        let request = Some(strait_plan::log_environment());
        Self { request, ..Self::of(snapshot, "/", found) }
    }

    fn request(&mut self) -> &Environment {
        let pattern = self.pattern;
        self.request.get_or_insert_with(|| with_captures(Environment::request(), pattern))
    }

    fn response(&mut self) -> &Environment {
        let pattern = self.pattern;
        self.response.get_or_insert_with(|| with_captures(Environment::response(), pattern))
    }

    /// A text that is filled in when there is a request.
    pub(crate) fn template(&mut self, text: &TemplateText, span: Span) -> Template {
        self.template_in(text, span, Self::request)
    }

    fn template_in(&mut self, text: &TemplateText, span: Span, names: fn(&mut Self) -> &Environment) -> Template {
        if let Some(literal) = text.as_literal() {
            return Template::literal(literal);
        }
        let piece = |piece: &'_ TextPiece| match piece {
            TextPiece::Literal(text) => Piece::Literal(text.clone()),
            TextPiece::Value { text, .. } => Piece::Value(text.clone()),
        };
        let pieces: Vec<Piece> = text.pieces().iter().map(piece).collect();
        Template::of_pieces(&pieces, names(self)).unwrap_or_else(|(which, error)| {
            let at = match text.pieces().get(which) {
                Some(TextPiece::Value { at, .. }) => *at,
                _ => 0,
            };
            let sources = &self.snapshot.sources;
            self.found.push(finding(span, error, |part| text.place_of(sources, span, at, part)));
            Template::default()
        })
    }

    /// The edits of a request's fields.
    pub(crate) fn request_edits(&mut self, set: &Headers<HeaderTemplate>, remove: &[HeaderName]) -> HeaderEdits {
        self.edits(set, remove, Self::request)
    }

    /// The edits of a response's fields, which may ask about the response.
    pub(crate) fn response_edits(&mut self, set: &Headers<HeaderTemplate>, remove: &[HeaderName]) -> HeaderEdits {
        self.edits(set, remove, Self::response)
    }

    fn edits(
        &mut self,
        set: &Headers<HeaderTemplate>,
        remove: &[HeaderName],
        names: fn(&mut Self) -> &Environment,
    ) -> HeaderEdits {
        let set = set.iter().map(|(name, value)| {
            let template = self.template_in(&value.value.0, value.span, names);
            (name.as_str().into(), template)
        });
        HeaderEdits { set: set.collect(), remove: remove.iter().map(|name| name.as_str().into()).collect() }
    }

    /// A condition on the request.
    pub(crate) fn condition(&mut self, text: &Spanned<ExpressionText>) -> Option<Expression> {
        self.expression(text, Expression::condition)
    }

    fn expression(
        &mut self,
        text: &Spanned<ExpressionText>,
        compile: fn(&str, &Environment) -> Result<Expression, Error>,
    ) -> Option<Expression> {
        match compile(text.as_str(), self.request()) {
            Ok(expression) => Some(expression),
            Err(error) => {
                let sources = &self.snapshot.sources;
                self.found.push(finding(text.span, error, |part| text.place_of(sources, text.span, part)));
                None
            }
        }
    }

    /// The conditions of an entry of `when`.
    pub(crate) fn conditions(&mut self, branch: &Branch) -> Condition {
        let networks = branch.from.as_deref().unwrap_or_default();
        let methods = branch.methods.as_deref().unwrap_or_default();
        Condition {
            headers: tests(&branch.headers.0, true),
            query: tests(&branch.query, false),
            cookies: tests(&branch.cookies, false),
            networks: networks.iter().map(|network| network.value.0).collect(),
            methods: methods.iter().filter_map(|method| Method::from_token(method.as_str().as_bytes())).collect(),
            portion: branch.percent.map(|percent| Portion {
                key: branch.key.as_ref().and_then(|key| self.expression(key, Expression::compile)),
                of_100_000: percent.of_100_000(),
                salt: portion_salt(self.pattern),
            }),
            expression: branch.condition.as_ref().and_then(|condition| self.condition(condition)),
        }
    }
}

fn with_captures(environment: Environment, pattern: &str) -> Environment {
    match Pattern::parse(pattern) {
        Ok(pattern) => environment.with_captures(pattern.capture_names()),
        // A pattern that cannot be read is reported by itself.
        Err(_) => environment,
    }
}

fn tests(matches: &Matches, lower_case: bool) -> Box<[(Box<[u8]>, TextTest)]> {
    let name = |name: &str| if lower_case { name.to_ascii_lowercase() } else { name.to_owned() };
    let test =
        |(key, test): &(Spanned<String>, Spanned<TextMatch>)| Some((name(key).into_bytes().into(), text_test(test)?));
    matches.iter().filter_map(test).collect()
}

/// Loading sees to it that there is exactly one form, and that patterns can be built.
pub(crate) fn text_test(test: &TextMatch) -> Option<TextTest> {
    let octets = |text: &String| Box::<[u8]>::from(text.as_bytes());
    let pattern =
        |text: &RegexText| strait_expr::regex(text.as_str()).ok().map(|regex| TextTest::Pattern(Box::new(regex)));
    let TextMatch { exact, prefix, suffix, contains, regex, present } = test;
    (exact.as_ref().map(|text| TextTest::Exact(octets(text))))
        .or_else(|| prefix.as_ref().map(|text| TextTest::Prefix(octets(text))))
        .or_else(|| suffix.as_ref().map(|text| TextTest::Suffix(octets(text))))
        .or_else(|| contains.as_ref().map(|text| TextTest::Contains(octets(text))))
        .or_else(|| regex.as_ref().and_then(pattern))
        .or_else(|| present.map(TextTest::Present))
}

/// An error in a text as a finding in the file.
fn finding(whole: Span, error: Error, place: impl Fn(Range<usize>) -> Span) -> Diagnostic {
    let span = place(error.span.clone());
    let finding = Diagnostic::error(codes::EXPRESSION, span, error.message).label(error.label);
    match error.fix.map(|fix| *fix) {
        None => finding,
        Some(fix) => match fix.edit {
            Some((part, with)) if place(part.clone()) != whole || part == error.span => {
                finding.replace(fix.message, place(part), with)
            }
            _ => finding.hint(fix.message),
        },
    }
}
