//! What each fuzz target does with its input, as plain functions, so that ordinary tests can run them too.

pub mod config;
pub mod differential;
pub mod expr;
pub mod http1;
pub mod import;
pub mod route;
