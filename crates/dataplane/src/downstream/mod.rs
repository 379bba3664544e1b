//! Client connections, by the version of HTTP they speak.

pub(crate) mod h1;
