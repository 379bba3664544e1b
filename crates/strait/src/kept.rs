//! What the admin API has patched in the configuration, kept in a file so that it outlives the process.
//!
//! The patch goes over the files. Beside it stands what the files said where it writes: when they say something else
//! there by now, both want to have the last word, and the operator is asked whose it is.

use crate::source::Source;
use crate::state;
use clap::ValueEnum;
use serde_json::{Map, Value, json};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use strait_config::{Effective, Snapshot, join};
use strait_control::patch::inverse;

/// Whose word holds where both the files and the admin API have changed a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Prefer {
    /// The files': what the admin API has patched there is taken back
    File,
    /// The admin API's: its patch goes over what the files say now
    Api,
}

/// A patch and where it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    /// `None` for a configuration without files: it is forgotten with the process.
    file: Option<PathBuf>,
    /// The merge patch (RFC 7396).
    pub(crate) patch: Value,
    /// What the files said where it writes.
    over: Value,
}

impl Kept {
    /// What is kept for this source.
    ///
    /// # Errors
    /// Why what is kept cannot be read.
    pub(crate) fn of(source: &Source) -> Result<Self, String> {
        let none = Self { file: state_file(source), patch: json!({}), over: json!({}) };
        let Some(file) = &none.file else { return Ok(none) };
        let unreadable = |why: String| format!("{}: {why}: mend it, or move it away to go without", file.display());
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            // Where this user may not look it has kept nothing either.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => return Ok(none),
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let kept: Value = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        let part = |key: &str| kept.get(key).filter(|part| part.is_object()).cloned();
        let parts = part("patch").zip(part("over"));
        let (patch, over) = parts.ok_or_else(|| unreadable("it is not what the admin API keeps".to_owned()))?;
        Ok(Self { patch, over, ..none })
    }

    /// Nothing, kept in the same place.
    pub(crate) fn none(&self) -> Self {
        Self { file: self.file.clone(), patch: json!({}), over: json!({}) }
    }

    /// Another patch over these files.
    pub(crate) fn with(&self, patch: Value, files: &Snapshot) -> Self {
        let over = inverse(&Effective::of(files).written(), &patch);
        Self { file: self.file.clone(), patch, over }
    }

    /// Whether nothing is patched.
    pub(crate) fn is_empty(&self) -> bool {
        self.patch.as_object().is_none_or(Map::is_empty)
    }

    /// Where it is kept.
    pub(crate) fn place(&self) -> Option<String> {
        self.file.as_ref().map(|file| file.display().to_string())
    }

    /// The source with the patch over it.
    pub(crate) fn over(&self, source: &Source) -> Source {
        if self.is_empty() { source.clone() } else { source.clone().patched(&self.patch) }
    }

    /// The patch for what the files say now.
    ///
    /// # Errors
    /// When they say something else where it writes, and nobody has said whose word holds: the paths of those values.
    pub(crate) fn settled(&self, files: &Snapshot, prefer: Option<Prefer>) -> Result<Self, Vec<String>> {
        let now = inverse(&Effective::of(files).written(), &self.patch);
        let mut moved = Vec::new();
        let left = still_theirs(&self.patch, &self.over, &now, "", &mut moved);
        match prefer {
            _ if moved.is_empty() => Ok(self.clone()),
            None => Err(moved),
            Some(Prefer::Api) => Ok(self.with(self.patch.clone(), files)),
            Some(Prefer::File) => Ok(self.with(left.unwrap_or_else(|| json!({})), files)),
        }
    }

    /// Writes it down, whole or not at all; an empty one leaves no file.
    pub(crate) fn save(&self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        if self.is_empty() {
            return match fs::remove_file(file) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let beside = file.with_extension("new");
        let text = format!("{:#}\n", json!({ "patch": self.patch, "over": self.over }));
        let written = write_synced(&beside, &text).and_then(|()| fs::rename(&beside, file));
        written.inspect_err(|_| drop(fs::remove_file(&beside)))
    }
}

fn write_synced(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// One file for each set of paths, so that several configurations of one user do not mix.
fn state_file(source: &Source) -> Option<PathBuf> {
    let paths = source.paths();
    if paths.is_empty() {
        return None;
    }
    let whole = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string();
    let named = paths.iter().map(whole).collect::<Vec<_>>().join("\n");
    let tag = strait_control::admin::tag_of(&named);
    Some(state::folder().join("patches").join(format!("{}.json", tag.trim_matches('"'))))
}

/// The part of a patch where the files say what they said; the paths of the rest go to `moved`.
fn still_theirs(patch: &Value, over: &Value, now: &Value, path: &str, moved: &mut Vec<String>) -> Option<Value> {
    let (Value::Object(patched), Value::Object(_), Value::Object(_)) = (patch, over, now) else {
        if over == now {
            return Some(patch.clone());
        }
        moved.push(path.to_owned());
        return None;
    };
    let below = |(key, patch): (&String, &Value)| {
        let there = |side: &Value| side.get(key).cloned().unwrap_or_default();
        let left = still_theirs(patch, &there(over), &there(now), &join(path, key), moved)?;
        Some((key.clone(), left))
    };
    let left: Map<_, _> = patched.iter().filter_map(below).collect();
    (!left.is_empty() || patched.is_empty()).then_some(Value::Object(left))
}

/// Why a start or a reload has to be told whose word holds.
pub(crate) fn contested(paths: &[String], kept: &Kept) -> String {
    format!(
        "the files and the admin API have both changed {}\n  the patch is kept in {}\n  fix: `--prefer file` takes it back there, `--prefer api` lets it hold",
        paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", "),
        kept.place().unwrap_or_else(|| "memory".to_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::{Kept, Prefer};
    use serde_json::json;
    use strait_config::{Snapshot, load_str};

    fn files(workers: u32) -> Snapshot {
        load_str("t.yaml", &format!("routes: {{/: localhost:1}}\nworkers: {workers}\n")).unwrap()
    }

    #[test]
    fn the_operator_is_asked_only_where_both_have_changed_a_value() {
        let none = Kept { file: None, patch: json!({}), over: json!({}) };
        let kept = none.with(json!({"workers": 8, "drain_timeout": "5s"}), &files(2));
        assert_eq!(kept.over, json!({"workers": 2, "drain_timeout": null}));
        assert_eq!(kept.settled(&files(2), None).unwrap(), kept);
        assert_eq!(kept.settled(&files(3), None).unwrap_err(), ["workers"]);
        let files_first = kept.settled(&files(3), Some(Prefer::File)).unwrap();
        assert_eq!(files_first.patch, json!({"drain_timeout": "5s"}));
        let api_first = kept.settled(&files(3), Some(Prefer::Api)).unwrap();
        assert_eq!((api_first.patch.clone(), &api_first.over["workers"]), (kept.patch, &json!(3)));
        assert!(api_first.settled(&files(3), None).is_ok());
    }

    #[test]
    fn it_is_written_down_and_read_again_and_leaves_nothing_when_empty() {
        let folder = std::env::temp_dir().join(format!("strait-kept-{}", std::process::id()));
        let none = Kept { file: Some(folder.join("deep/a.json")), patch: json!({}), over: json!({}) };
        let kept = none.with(json!({"workers": 8}), &files(2));
        kept.save().unwrap();
        assert!(folder.join("deep/a.json").exists());
        kept.none().save().unwrap();
        assert!(!folder.join("deep/a.json").exists());
        none.save().unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
