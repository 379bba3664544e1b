//! What an expression may cost.

/// Bytes of one expression.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;
/// How deep an expression may be nested.
pub const DEPTH_MAX: u16 = 64;
/// Operators, names, constants and calls of one expression.
pub const NODES_MAX: usize = 2_048;
/// Steps of one evaluation; a step is one node, or 64 bytes that an operation looks at.
pub const FUEL_MAX: u32 = 20_000;
/// Steps that an evaluation of an expression may take, as estimated when it is compiled.
pub const COST_MAX: u64 = 10_000;
/// Items a list of unknown length is estimated to have.
pub const LIST_ITEMS_ESTIMATED: u64 = 32;
/// Bytes that a compiled regular expression may take.
pub const REGEX_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of the text of a regular expression.
pub const REGEX_TEXT_BYTES_MAX: usize = 1024;
/// Bytes of a text that an evaluation builds.
pub const BUILT_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a rendered template; what is longer is cut.
pub const RENDERED_BYTES_MAX: usize = 16 * 1024;
/// Expressions in one template.
pub const TEMPLATE_PARTS_MAX: usize = 64;
