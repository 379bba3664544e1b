//! The real program with real clients in front and real origins behind; all of it stands in `tests/`.
