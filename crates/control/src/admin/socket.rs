use std::fmt;
use std::fs::{self, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

const MODE: u32 = 0o660;

/// A Unix socket in the file system, removed when dropped unless somebody else's has taken its place.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

/// Why a socket cannot be made.
#[derive(Debug)]
pub enum SocketError {
    /// Another process answers on it.
    InUse,
    /// Something that is not a socket stands there.
    NotASocket,
    /// What the system said.
    System(io::Error),
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => f.write_str("another process answers on it"),
            Self::NotASocket => f.write_str("a file that is not a socket stands there"),
            Self::System(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for SocketError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl SocketFile {
    /// Makes the socket, in the place of one that nobody answers on. It has its mode before it has its name, so that
    /// there is no moment in which others could connect.
    pub(super) fn make(path: &Path) -> Result<(Self, UnixListener), SocketError> {
        refuse_taken(path)?;
        let mut nameless = path.as_os_str().to_owned();
        nameless.push(format!(".{}", std::process::id()));
        let nameless = PathBuf::from(nameless);
        let _ = fs::remove_file(&nameless);
        let listener = UnixListener::bind(&nameless)?;
        let named = listener
            .set_nonblocking(true)
            .and_then(|()| fs::set_permissions(&nameless, Permissions::from_mode(MODE)))
            .and_then(|()| fs::rename(&nameless, path))
            .and_then(|()| fs::symlink_metadata(path));
        match named {
            Ok(metadata) => Ok((Self { path: path.to_owned(), identity: identity(&metadata) }, listener)),
            Err(error) => {
                let _ = fs::remove_file(&nameless);
                Err(error.into())
            }
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|metadata| identity(&metadata) == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn refuse_taken(path: &Path) -> Result<(), SocketError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.file_type().is_socket() => Err(SocketError::NotASocket),
        Ok(_) => match UnixStream::connect(path) {
            Ok(_) => Err(SocketError::InUse),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
            Err(error) => Err(error.into()),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}
