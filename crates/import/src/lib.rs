//! Configurations of other proxies, read and written anew in Strait's language.
//!
//! Each product has a front end of its own: its words with their places, its blocks, then what they mean as a
//! [`draft`] of a configuration of ours. The draft is written as YAML in which every line says where it comes from.
//! Every statement of the old file is accounted for in the [`Ledger`]: carried over, or left with the reason. What
//! guards access and cannot be carried over closes its route, so that nothing is open that was not.
//!
//! This crate knows nothing about sockets, processes or the file system: files that are included come from [`Files`].

mod draft;
mod ledger;
pub mod nginx;
mod yaml;

pub use ledger::{Left, Why};

use std::fmt;

/// Most octets of all files of one import together.
pub const OCTETS_MAX: usize = 16 << 20;
/// Most levels of blocks within blocks, and of files that include files.
pub const NESTING_MAX: usize = 32;
/// Most statements of an import.
pub const STATEMENTS_MAX: usize = 200_000;

/// A product whose configuration can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// nginx.
    Nginx,
}

impl Product {
    /// The product a file belongs to, by its name and else by its text.
    #[must_use]
    pub fn guess(name: &str, _text: &str) -> Option<Self> {
        let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        (name.contains("nginx") || name.ends_with(".conf")).then_some(Self::Nginx)
    }

    /// What the product calls itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
        }
    }
}

/// Where files that a configuration includes come from.
pub trait Files {
    /// The files that a path or glob of the configuration means, in order, each with its name and text.
    ///
    /// # Errors
    /// Why there are none.
    fn read(&self, pattern: &str) -> Result<Vec<(String, String)>, String>;
}

/// No files at all.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, pattern: &str) -> Result<Vec<(String, String)>, String> {
        Err(format!("{pattern} is not read"))
    }
}

/// Why a configuration could not be read at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// What became of a configuration.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The configuration in Strait's language.
    pub yaml: String,
    /// What was left, in the order of the file.
    pub left: Vec<Left>,
    /// How many statements were carried over.
    pub carried: usize,
    /// Requests that tell routes apart.
    pub probes: Vec<Probe>,
}

/// A request that takes one way through a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probe {
    /// The address of the listener, as the product writes it.
    pub listen: String,
    /// The method.
    pub method: String,
    /// The host.
    pub host: String,
    /// The path, with its query.
    pub path: String,
    /// More fields.
    pub fields: Vec<(String, String)>,
    /// Whether the answers differ where the list of what was left says so.
    pub known: bool,
}

/// Replaces addresses, so that a configuration can be run beside what it describes.
pub trait Stage {
    /// The address to listen on in place of one of the file.
    fn listen(&mut self, address: &str) -> String;
    /// The address of an origin in place of one of the file.
    fn origin(&mut self, address: &str) -> String;
}

/// Reads a configuration and writes it anew.
///
/// # Errors
/// Where the text is none of the product's.
pub fn import(product: Product, name: &str, text: &str, files: &dyn Files) -> Result<Imported, Mistake> {
    match product {
        Product::Nginx => nginx::import(name, text, files),
    }
}

/// The configuration in the product's own language with other addresses: listeners speak plain text, nothing is
/// written to places of the system, and included files stand in it.
///
/// # Errors
/// Where the text is none of the product's.
pub fn staged(
    product: Product,
    name: &str,
    text: &str,
    files: &dyn Files,
    stage: &mut dyn Stage,
) -> Result<String, Mistake> {
    match product {
        Product::Nginx => nginx::staged(name, text, files, stage),
    }
}
