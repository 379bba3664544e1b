//! Which file answers: the one named, one of its endings, the index of a folder, or the fallback.

use super::system::{Lookup, Thing};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use strait_files::{Entry, Modified, Place};
use strait_filters::compress::Coding;
use strait_plan::{Files, coded_extension};

/// What is looked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'w> {
    pub(super) files: &'w Files,
    pub(super) place: &'w Place,
    /// Codings that the client accepts, the preferred one first.
    pub(super) codings: &'w [Coding],
}

/// What was found.
pub(super) enum Found {
    /// A file.
    File(Opened),
    /// A folder that was named without its slash.
    Folder,
    /// What a folder holds.
    Entries(Vec<Entry>),
    /// Nothing.
    Missing,
    /// Something that may not be read.
    Forbidden,
}

/// An open file, and what is known about it.
pub(super) struct Opened {
    pub(super) file: Arc<OwnedFd>,
    pub(super) octets: u64,
    pub(super) modified: Modified,
    /// The name without the end that says its coding.
    pub(super) name: Vec<u8>,
    pub(super) coding: Option<Coding>,
    /// Whether another client may get another coding.
    pub(super) varies: bool,
}

impl Wanted<'_> {
    /// Looks for it. With `cached`, fails with `WouldBlock` where the disk would have to be asked.
    pub(super) fn find(self, cached: bool) -> io::Result<Found> {
        let lookup = Lookup { cached, symlinks: self.files.symlinks };
        match lookup.open_root(&self.files.root)? {
            Thing::Folder(root) => Below { wanted: self, lookup, root: root.as_fd() }.find(),
            Thing::File(file, octets, modified) => {
                let name = self.files.root.as_os_str().as_encoded_bytes().to_vec();
                let file = Arc::new(file);
                Ok(Found::File(Opened { file, octets, modified, name, coding: None, varies: false }))
            }
            Thing::Missing => Ok(Found::Missing),
            Thing::Forbidden => Ok(Found::Forbidden),
        }
    }
}

/// A search below an open folder.
struct Below<'w> {
    wanted: Wanted<'w>,
    lookup: Lookup,
    root: BorrowedFd<'w>,
}

impl Below<'_> {
    fn find(&self) -> io::Result<Found> {
        let Wanted { files, place, .. } = self.wanted;
        let found = if place.is_folder { self.folder(&place.name)? } else { self.named(&place.name)? };
        match (found, &files.fallback) {
            (Found::Missing, Some(fallback)) => self.file(fallback.as_bytes().to_vec()),
            (found, _) => Ok(found),
        }
    }

    /// The file of a name, or of the name with an ending.
    fn named(&self, name: &[u8]) -> io::Result<Found> {
        let mut found = self.file(name.to_vec())?;
        for extension in &self.wanted.files.extensions {
            if !matches!(found, Found::Missing) {
                break;
            }
            found = self.file([name, extension.as_bytes()].concat())?;
        }
        Ok(found)
    }

    /// The index of a folder, or what is in it.
    fn folder(&self, name: &[u8]) -> io::Result<Found> {
        for index in &self.wanted.files.index {
            let slash: &[u8] = if name.is_empty() { b"" } else { b"/" };
            match self.file([name, slash, index.as_bytes()].concat())? {
                Found::Missing | Found::Folder => {}
                found => return Ok(found),
            }
        }
        if !self.wanted.files.listing {
            return Ok(Found::Missing);
        }
        match self.lookup.open(self.root, name)? {
            Thing::Folder(folder) => Ok(Found::Entries(self.lookup.entries(&folder, self.wanted.files.hidden)?)),
            Thing::Forbidden => Ok(Found::Forbidden),
            Thing::File(..) | Thing::Missing => Ok(Found::Missing),
        }
    }

    /// The file of exactly this name, coded as the client likes it where there is such a file beside it.
    fn file(&self, name: Vec<u8>) -> io::Result<Found> {
        let (file, octets, modified) = match self.lookup.open(self.root, &name)? {
            Thing::File(file, octets, modified) => (file, octets, modified),
            Thing::Folder(_) => return Ok(Found::Folder),
            Thing::Missing => return Ok(Found::Missing),
            Thing::Forbidden => return Ok(Found::Forbidden),
        };
        let varies = !self.wanted.files.precompressed.is_empty();
        for &coding in self.wanted.codings {
            let beside = [&name, coded_extension(coding).as_bytes()].concat();
            if let Thing::File(file, octets, modified) = self.lookup.open(self.root, &beside)? {
                let (file, coding) = (Arc::new(file), Some(coding));
                return Ok(Found::File(Opened { file, octets, modified, name, coding, varies }));
            }
        }
        let file = Arc::new(file);
        Ok(Found::File(Opened { file, octets, modified, name, coding: None, varies }))
    }
}
