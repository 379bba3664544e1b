//! The local authority: where it lies, made when it is first needed.

use super::Kept;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strait_tls::{Authority, Certificate, Flaw, LEAF_DAYS, Part};

/// The certificate of the authority, which clients must trust.
const CERTIFICATE: &str = "ca.pem";
/// Its key, which nobody else may read.
const KEY: &str = "ca.key";
/// What is issued is issued anew once less than a third of its time is left.
const RENEW_S: i64 = LEAF_DAYS * 86_400 / 3;

/// Where the local authority lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LocalAuthority {
    /// Nowhere: one is made for as long as the process lives.
    #[default]
    Memory,
    /// In a folder, which is made when it is first needed.
    Folder(PathBuf),
    /// In a folder if it is there, else nowhere: for those who only look.
    IfThere(PathBuf),
}

impl Kept {
    /// A certificate of the local authority for names: the one issued before, while it is fresh.
    pub(super) fn issue(&mut self, names: &[String], now_s: i64) -> Result<Arc<Certificate>, Flaw> {
        if let Some(known) = self.issued.get(names).filter(|known| known.not_after_s - now_s > RENEW_S) {
            return Ok(known.clone());
        }
        let authority = self.authority(now_s)?;
        let issued = Arc::new(authority.issue(names, now_s)?);
        self.issued.insert(names.to_vec(), issued.clone());
        Ok(issued)
    }

    /// Forgets what nobody uses any more.
    pub(crate) fn forget_issued(&mut self) {
        self.issued.retain(|_, certificate| Arc::strong_count(certificate) > 1);
    }

    fn authority(&mut self, now_s: i64) -> Result<Arc<Authority>, Flaw> {
        if let Some(authority) = &self.authority {
            return Ok(authority.clone());
        }
        let authority = match &self.place {
            LocalAuthority::Folder(folder) => open(folder, now_s)?,
            LocalAuthority::IfThere(folder) if folder.join(KEY).exists() => read(folder)?,
            _ => Authority::create("this process", now_s)?.0,
        };
        let authority = Arc::new(authority);
        self.authority = Some(authority.clone());
        Ok(authority)
    }
}

/// Opens the authority in a folder, or makes it there.
pub(crate) fn open(folder: &Path, now_s: i64) -> Result<Authority, Flaw> {
    if folder.join(KEY).exists() {
        return read(folder);
    }
    let owner = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let owner = if owner.trim().is_empty() { "this machine" } else { owner.trim() };
    let (authority, key) = Authority::create(owner, now_s)?;
    let made = std::fs::create_dir_all(folder)
        .and_then(|()| write(&folder.join(CERTIFICATE), authority.certificate_pem.as_bytes(), 0o644))
        // The key last: where there is one, all is there.
        .and_then(|()| write(&folder.join(KEY), key.as_bytes(), 0o600));
    made.map_err(|error| flaw(folder, "be written", &error))?;
    Ok(authority)
}

fn read(folder: &Path) -> Result<Authority, Flaw> {
    let text = |name: &str| std::fs::read_to_string(folder.join(name));
    let read = text(CERTIFICATE).and_then(|certificate| Ok((certificate, text(KEY)?)));
    let (certificate, key) = read.map_err(|error| flaw(folder, "be read", &error))?;
    Authority::read(&certificate, &key)
}

fn flaw(folder: &Path, what: &str, error: &std::io::Error) -> Flaw {
    Flaw {
        part: Part::Chain,
        what: format!("cannot {what} in {}: {error}", folder.display()),
        hint: "let the user that runs Strait write there, or name another folder in $STRAIT_STATE".to_owned(),
    }
}

/// Writes a whole file or none.
fn write(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let aside = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&aside, path)
}

impl LocalAuthority {
    /// Makes the authority where it lies, if it is not there, and names the file of its certificate.
    ///
    /// # Errors
    /// Why it can be neither read nor made, in words.
    pub fn prepare(&self, now_s: i64) -> Result<PathBuf, String> {
        match self {
            Self::Memory => Err("it lies nowhere".to_owned()),
            Self::Folder(folder) | Self::IfThere(folder) => match open(folder, now_s) {
                Ok(_) => Ok(folder.join(CERTIFICATE)),
                Err(flaw) => Err(format!("the local authority {}\n  {}", flaw.what, flaw.hint)),
            },
        }
    }
}
