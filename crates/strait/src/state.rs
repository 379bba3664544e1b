//! Where Strait keeps what outlives it: the local authority, the key of cookies, what the admin API has patched.

use std::path::PathBuf;
use strait_compile::LocalAuthority;

/// The folder of all that: `$STRAIT_STATE`, else the folder that systemd gives (`StateDirectory=`),
/// else the usual place of the system (for root) or of the user.
pub(crate) fn folder() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // Several folders are separated by colons.
    let systemd = || {
        let all = variable("STATE_DIRECTORY")?;
        all.to_string_lossy().split(':').next().map(PathBuf::from)
    };
    // Who became another user still has the home of before in the environment.
    let is_own = |folder: &PathBuf| {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(folder).is_ok_and(|folder| folder.uid() == rustix::process::geteuid().as_raw())
    };
    let of_user = || match variable("XDG_DATA_HOME") {
        Some(data) => Some(data.join("strait")),
        None => variable("HOME").filter(is_own).map(|home| home.join(".local/share/strait")),
    };
    let is_root = rustix::process::geteuid().is_root();
    let usual = || if is_root { None } else { of_user() };
    let state = variable("STRAIT_STATE").or_else(systemd).or_else(usual);
    state.unwrap_or_else(|| PathBuf::from("/var/lib/strait"))
}

/// The folder of the local authority.
pub(crate) fn authority_folder() -> PathBuf {
    folder().join("ca")
}

/// The local authority of a process that serves: made when it is first needed.
pub(crate) fn authority() -> LocalAuthority {
    LocalAuthority::Folder(authority_folder())
}

/// The local authority for verbs that only look.
pub(crate) fn authority_if_there() -> LocalAuthority {
    LocalAuthority::IfThere(authority_folder())
}

/// Where the admin socket is when nobody says where, best first: systemd's `RuntimeDirectory=`, the user's, the system's,
/// and for users who have none of these their own [`folder`].
pub(crate) fn socket_folders() -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let systemd =
        variable("RUNTIME_DIRECTORY").and_then(|all| all.to_string_lossy().split(':').next().map(PathBuf::from));
    let of_user = variable("XDG_RUNTIME_DIR").map(|folder| folder.join("strait"));
    systemd.into_iter().chain(of_user).chain([PathBuf::from("/run/strait"), folder()]).collect()
}
