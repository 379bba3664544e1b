use std::fmt;
use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Where a socket is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketPlace {
    /// A file that the operator has named, for its owner and its group: mode 0660.
    Named(PathBuf),
    /// In this folder, named after the address, for its owner alone: mode 0600.
    In(PathBuf),
}

impl SocketPlace {
    /// The file of a process whose address is this. Who knows the address finds the socket: the usual port's is called
    /// `admin.sock`, others name the port, and what is bound to one address of many names that too.
    pub fn path(&self, address: Option<SocketAddr>) -> PathBuf {
        let folder = match self {
            Self::Named(path) => return path.clone(),
            Self::In(folder) => folder,
        };
        let is_usual = |at: &SocketAddr| at.ip() == Ipv4Addr::LOCALHOST || at.ip().is_unspecified();
        folder.join(match address {
            None => "admin.sock".to_owned(),
            Some(at) if is_usual(&at) && at.port() == USUAL_PORT => "admin.sock".to_owned(),
            Some(at) if is_usual(&at) => format!("admin-{}.sock", at.port()),
            Some(at) => format!("admin-{at}.sock"),
        })
    }

    pub(super) fn mode(&self) -> u32 {
        match self {
            Self::Named(_) => 0o660,
            Self::In(_) => 0o600,
        }
    }
}

/// The port of the address that holds when nobody writes one.
const USUAL_PORT: u16 = 9900;

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
    /// Makes the socket, in the place of one that nobody answers on. Until it has its mode it stands in a folder of its
    /// owner's, so that there is no moment in which others could connect, whatever the umask.
    pub(super) fn make(path: &Path, mode: u32) -> Result<(Self, UnixListener), SocketError> {
        refuse_taken(path)?;
        let mut private = path.as_os_str().to_owned();
        private.push(format!(".{}", std::process::id()));
        let private = PathBuf::from(private);
        let _ = fs::remove_dir_all(&private);
        DirBuilder::new().mode(0o700).create(&private)?;
        let made = Self::make_in(&private, path, mode);
        let _ = fs::remove_dir_all(&private);
        Ok(made?)
    }

    fn make_in(private: &Path, path: &Path, mode: u32) -> io::Result<(Self, UnixListener)> {
        let nameless = private.join("s");
        let listener = UnixListener::bind(&nameless)?;
        listener.set_nonblocking(true)?;
        fs::set_permissions(&nameless, Permissions::from_mode(mode))?;
        fs::rename(&nameless, path)?;
        let identity = identity(&fs::symlink_metadata(path)?);
        Ok((Self { path: path.to_owned(), identity }, listener))
    }
}

impl SocketFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
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

#[cfg(test)]
mod tests {
    use super::SocketPlace;
    use std::path::Path;

    #[test]
    fn the_socket_is_named_after_the_address() {
        let place = SocketPlace::In("/run/strait".into());
        for (address, name) in [
            ("127.0.0.1:9900", "admin.sock"),
            ("0.0.0.0:9900", "admin.sock"),
            ("127.0.0.1:9901", "admin-9901.sock"),
            ("[::]:9901", "admin-9901.sock"),
            ("127.0.0.2:9901", "admin-127.0.0.2:9901.sock"),
            ("[::1]:9900", "admin-[::1]:9900.sock"),
        ] {
            assert_eq!(place.path(address.parse().ok()), Path::new("/run/strait").join(name), "{address}");
        }
        assert_eq!(place.path(None), Path::new("/run/strait/admin.sock"));
        assert_eq!(SocketPlace::Named("/a".into()).path("127.0.0.1:1".parse().ok()), Path::new("/a"));
    }
}
