//! Every bound of the loader, in one table: what a file can make us hold or do.

/// Largest configuration file, in bytes. 10,000 routes with 2,000 upstreams take about 1.6 MB.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most files of one configuration, counting those that `include` brings in.
pub const FILES_MAX: usize = 4096;
/// Deepest nesting of maps and lists.
pub const DEPTH_MAX: usize = 64;
/// Most nodes that aliases (`*name`) may add to one file by repeating what they name.
pub const ALIAS_NODES_MAX: usize = 100_000;
/// Most diagnostics reported in one run; what is beyond is counted.
pub const DIAGNOSTICS_MAX: usize = 500;
/// Longest value that `${file:…}` or `${cred:…}` may bring in, in bytes.
pub const SECRET_BYTES_MAX: usize = 1024 * 1024;
/// Longest name of a listener or an upstream, in bytes: names become labels of metrics.
pub const NAME_BYTES_MAX: usize = 128;
/// Deepest nesting of policies that use policies.
pub const POLICY_DEPTH_MAX: usize = 32;
/// Largest weight of one share of a split.
pub const WEIGHT_MAX: u32 = 1_000_000;
/// The last tier of endpoints.
pub const TIERS_MAX: u32 = 7;
/// Most characters of a source line that a diagnostic shows.
pub const SHOWN_LINE_CHARS_MAX: usize = 160;
