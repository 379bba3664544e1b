//! Expressions over requests: the language CEL (that of Envoy and Kubernetes), read, type-checked and compiled when a
//! configuration is loaded, evaluated in tens of nanoseconds by workers, `explain` and tests alike.
//!
//! ```
//! use strait_expr::{Environment, Expression, Template};
//! let names = Environment::request().with_captures(["id"]);
//!
//! let condition = Expression::condition("request.method == 'GET' && client.ip in ['10.0.0.0/8']", &names)?;
//! assert!(condition.cost() < 100);
//! let template = Template::compile("/users/${path.id}", &names)?;
//! assert_eq!(template.to_string(), "/users/${path.id}");
//!
//! let error = Expression::condition("request.headerz['x'] == '1'", &names).unwrap_err();
//! assert_eq!(error.span, 0..15);
//! assert_eq!(error.fix.unwrap().message, "did you mean `request.headers`?");
//! # Ok::<(), strait_expr::Error>(())
//! ```
//!
//! - [`Environment`] says which names may be used where; [`NAMES`] and [`FUNCTIONS`] are the language and its manual.
//! - [`Facts`] is what a request answers; whoever has one implements it.
//! - [`Expression`] is a condition or value, [`Template`] text with values in it.
//!
//! Evaluation is pure, allocates only for text that it builds, and is bounded by [`limits`]. Regular expressions are
//! built when an expression is compiled and search in linear time. Nothing here panics, whatever it is given.
//!
//! Knows nothing about messages, sockets, clocks, or where an expression is written.

mod ast;
mod check;
mod environment;
mod error;
mod evaluate;
mod expression;
mod functions;
mod lex;
pub mod limits;
mod node;
mod parse;
mod template;
mod value;
mod words;

pub use ::regex::bytes::Regex;
pub use check::{RegexFlaw, regex};
pub use environment::{Environment, Fact, Facts, MapFact, NAMES, NameDoc, Since};
pub use error::{Error, Failure, FailureKind, Fix};
pub use expression::Expression;
pub use functions::{FUNCTIONS, FunctionDoc};
pub use template::{Piece, Template, value_length};
pub use value::{Kind, List, Value};
pub use words::closest;

/// Whether a text holds another one: linear in both.
pub fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

#[cfg(test)]
mod tests;
