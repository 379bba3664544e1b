//! The system calls about files. Those that may not wait say `WouldBlock` where they would.

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat2, statat};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use strait_files::{Entry, Modified};
use strait_plan::Symlinks;

/// Names that a listing holds, at most.
const ENTRIES_MAX: usize = 10_000;
/// A name that moves while it is looked up is looked up again, so often.
const TRIES: usize = 8;

/// What was opened.
pub(super) enum Thing {
    /// A file, with its octets and when it was last changed.
    File(OwnedFd, u64, Modified),
    /// A folder.
    Folder(OwnedFd),
    /// Nothing of this name, or nothing that may be reached.
    Missing,
    /// Something that may not be read.
    Forbidden,
}

/// How names are looked up.
#[derive(Clone, Copy)]
pub(super) struct Lookup {
    /// Only in what the kernel remembers; anything else would be waited for.
    pub(super) cached: bool,
    pub(super) symlinks: Symlinks,
}

impl Lookup {
    /// Opens the folder that names are below, or the one file.
    pub(super) fn open_root(self, root: &Path) -> io::Result<Thing> {
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        self.open_by(|flags| openat2(CWD, root, OPEN, Mode::empty(), flags), ResolveFlags::empty())
    }

    /// Opens a name below a folder. No link, race or name leads out of it, for the kernel itself looks (openat2).
    pub(super) fn open(self, folder: BorrowedFd<'_>, name: &[u8]) -> io::Result<Thing> {
        let rule = match self.symlinks {
            Symlinks::Inside => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
            Symlinks::None => ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
            Symlinks::Anywhere => ResolveFlags::NO_MAGICLINKS,
        };
        let name = if name.is_empty() { b"." } else { name };
        self.open_by(|flags| openat2(folder, name, OPEN, Mode::empty(), flags), rule)
    }

    fn open_by(
        self,
        open: impl Fn(ResolveFlags) -> rustix::io::Result<OwnedFd>,
        rule: ResolveFlags,
    ) -> io::Result<Thing> {
        let flags = if self.cached { rule | ResolveFlags::CACHED } else { rule };
        for _ in 0..TRIES {
            match open(flags) {
                Ok(file) => return thing(file),
                Err(Errno::AGAIN) if !self.cached => {}
                // A kernel before 5.12 does not know the flag.
                Err(Errno::INVAL) if self.cached => return Err(io::ErrorKind::WouldBlock.into()),
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::NAMETOOLONG | Errno::NXIO) => {
                    return Ok(Thing::Missing);
                }
                Err(Errno::ACCESS | Errno::PERM) => return Ok(Thing::Forbidden),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Thing::Missing)
    }

    /// What a folder holds that would be served: names that may be reached and, unless `hidden`, do not begin with a dot.
    pub(super) fn entries(self, folder: &OwnedFd, hidden: bool) -> io::Result<Vec<Entry>> {
        if self.cached {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut entries = Vec::new();
        for entry in Dir::read_from(folder)? {
            let name = entry?.file_name().to_bytes().to_vec();
            let is_hidden = name.starts_with(b".") && (!hidden || matches!(&*name, b"." | b".."));
            if !is_hidden {
                entries.extend(self.entry(folder, name));
            }
            if entries.len() >= ENTRIES_MAX {
                break;
            }
        }
        Ok(entries)
    }

    fn entry(self, folder: &OwnedFd, name: Vec<u8>) -> Option<Entry> {
        let about = statat(folder, &*name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let about = match FileType::from_raw_mode(about.st_mode) {
            FileType::Symlink => match self.open(folder.as_fd(), &name).ok()? {
                Thing::File(file, ..) | Thing::Folder(file) => fstat(file).ok()?,
                Thing::Missing | Thing::Forbidden => return None,
            },
            FileType::RegularFile | FileType::Directory => about,
            _ => return None,
        };
        Some(Entry {
            name,
            is_folder: FileType::from_raw_mode(about.st_mode) == FileType::Directory,
            octets: u64::try_from(about.st_size).unwrap_or(0),
            modified_seconds: u64::try_from(about.st_mtime).unwrap_or(0),
        })
    }
}

/// A pipe or a device of a name would make the opener wait, or do something.
const OPEN: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOCTTY).union(OFlags::NONBLOCK);

fn thing(file: OwnedFd) -> io::Result<Thing> {
    let about = fstat(&file)?;
    Ok(match FileType::from_raw_mode(about.st_mode) {
        FileType::RegularFile => {
            let seconds = u64::try_from(about.st_mtime).unwrap_or(0);
            let nanoseconds = u32::try_from(about.st_mtime_nsec).unwrap_or(0);
            Thing::File(file, u64::try_from(about.st_size).unwrap_or(0), Modified { seconds, nanoseconds })
        }
        FileType::Directory => Thing::Folder(file),
        _ => Thing::Missing,
    })
}

/// Reads what the kernel has in memory; `WouldBlock` when it would have to ask the disk, or cannot tell.
pub(super) fn read_cached(file: &OwnedFd, at: u64, into: &mut [u8]) -> io::Result<usize> {
    match preadv2(file, &mut [IoSliceMut::new(into)], at, ReadWriteFlags::NOWAIT) {
        Err(Errno::AGAIN | Errno::OPNOTSUPP) => Err(io::ErrorKind::WouldBlock.into()),
        outcome => Ok(outcome?),
    }
}

/// Reads, waiting for the disk if need be. Fewer octets than asked for mean that the file has ended.
pub(super) fn read(file: &OwnedFd, at: u64, octets: usize) -> io::Result<Vec<u8>> {
    let mut read = vec![0; octets];
    let mut filled = 0;
    while let Some(rest @ [_, ..]) = read.get_mut(filled..) {
        match rustix::io::pread(file, rest, at + filled as u64) {
            Ok(0) => break,
            Ok(octets) => filled += octets,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    read.truncate(filled);
    Ok(read)
}
