//! The configuration language of Strait: from text to a [`Snapshot`], or to everything that is wrong
//! with the text.
//!
//! ```
//! let snapshot = strait_config::load_str("strait.yaml", "
//! routes:
//!   example.com/api/*: app
//!   /: {respond: hello}
//! upstreams:
//!   app: [localhost:3001, localhost:3002]
//! ")?;
//! assert_eq!(snapshot.spec.routes.len(), 2);
//! let app = snapshot.upstream("app").unwrap();
//! assert_eq!(app.endpoints.len(), 2);
//!
//! let refused = strait_config::load_str("strait.yaml", "
//! routes: {/: ap}
//! upstreams: {app: {endpoints: [localhost:3001], keep_alive: {idle_timeout: 30}}}
//! ").unwrap_err();
//! assert_eq!(refused.errors(), 2);
//! # Ok::<(), strait_config::Diagnostics>(())
//! ```
//!
//! - [`load`] reads files and folders, [`load_str`] a text; both answer a [`Snapshot`] or [`Diagnostics`].
//! - [`spec`] holds the types of what can be written; each scalar type is in [`value`].
//! - [`Diagnostics::render`] prints as text, JSON, SARIF or GitHub annotations; [`codes`] explains each code.
//! - [`schema_json`], [`reference_markdown`] and [`print_config`] are derived from the same types.
//!
//! Knows nothing about sockets, threads, or how a route pattern is matched: patterns stay text here,
//! and whoever compiles them reports with [`Snapshot::refuse`].

extern crate self as strait_config;

pub mod codes;
mod decode;
mod diagnose;
mod dump;
pub mod filter;
mod fmt;
pub mod limits;
mod load;
mod quote;
mod render;
pub mod schema;
mod source;
pub mod spec;
mod substitute;
mod syntax;
mod traps;
pub mod value;
mod words;

pub use decode::{Decoder, Fields, OneOrMany, Shape, Spec, Table, Within, text_of};
pub use diagnose::{Diagnostic, Diagnostics, Edit, Fix, Label, Severity, apply_edits};
pub use dump::{Effective, join, print_config};
pub use filter::Filter;
pub use fmt::format_text;
pub use load::{DEFAULT_PORT, Draft, Loader, Snapshot, load, load_str, load_str_with, load_with};
pub use render::Format;
pub use schema::{reference_markdown, schema_json};
pub use source::{FileId, Location, SourceFile, Sources, Span, Spanned};
pub use substitute::{Process, Surroundings};
pub use syntax::{Entry, Node, NodeKind, Style};

#[cfg(test)]
mod tests;
