//! The Debian package: what is built, laid out as it is installed.

use crate::shell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files that go in as they are: where they stand here, where they are installed, and with which mode.
const FILES: [(&str, &str, u32); 8] = [
    ("deploy/systemd/strait.service", "usr/lib/systemd/system/strait.service", 0o644),
    ("deploy/systemd/strait.socket", "usr/lib/systemd/system/strait.socket", 0o644),
    ("deploy/debian/sysusers.conf", "usr/lib/sysusers.d/strait.conf", 0o644),
    ("deploy/debian/strait.yaml", "etc/strait/strait.yaml", 0o644),
    ("deploy/debian/postinst", "DEBIAN/postinst", 0o755),
    ("deploy/debian/prerm", "DEBIAN/prerm", 0o755),
    ("LICENSE", "usr/share/doc/strait/copyright", 0o644),
    ("CHANGELOG.md", "usr/share/doc/strait/changelog", 0o644),
];

/// Builds `target/strait_VERSION_ARCH.deb` and says where it is.
pub(crate) fn build(root: &Path) -> Result<(), String> {
    shell::run(shell::cargo(root).args(["build", "--locked", "--profile", "dist", "--package", "strait"]))?;
    let package = pack(root, &root.join("target/dist/strait"), &root.join("target"), "-Zxz")?;
    println!("{}", package.display());
    Ok(())
}

/// Packs a program that is built; `compression` is a flag of dpkg-deb.
fn pack(root: &Path, program: &Path, into: &Path, compression: &str) -> Result<PathBuf, String> {
    let stage = into.join("deb");
    let _ = fs::remove_dir_all(&stage);
    for (from, to, mode) in FILES {
        put(&root.join(from), &stage.join(to), mode)?;
    }
    put(program, &stage.join("usr/bin/strait"), 0o755)?;
    generated(program, &stage)?;
    let (version, architecture) = (env!("CARGO_PKG_VERSION"), architecture());
    let control = read(&root.join("deploy/debian/control"))?;
    let control = control.replace("@VERSION@", version).replace("@ARCHITECTURE@", architecture);
    write(&stage.join("DEBIAN/control"), control.as_bytes())?;
    // What an operator edits is never overwritten without being asked.
    write(&stage.join("DEBIAN/conffiles"), b"/etc/strait/strait.yaml\n")?;
    let package = into.join(format!("strait_{version}_{architecture}.deb"));
    shell::run(
        Command::new("dpkg-deb").args([compression, "--build", "--root-owner-group"]).arg(&stage).arg(&package),
    )?;
    Ok(package)
}

/// Man pages and completions, which the program writes itself.
fn generated(program: &Path, stage: &Path) -> Result<(), String> {
    let man = stage.join("usr/share/man/man1");
    fs::create_dir_all(&man).map_err(|error| format!("{}: {error}", man.display()))?;
    shell::run(Command::new(program).arg("man").arg(&man))?;
    let completions = [
        ("bash", "usr/share/bash-completion/completions/strait"),
        ("zsh", "usr/share/zsh/vendor-completions/_strait"),
        ("fish", "usr/share/fish/vendor_completions.d/strait.fish"),
    ];
    for (kind, to) in completions {
        let output = Command::new(program).args(["completion", kind]).output();
        write(&stage.join(to), &output.map_err(|error| format!("completion {kind}: {error}"))?.stdout)?;
    }
    Ok(())
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn put(from: &Path, to: &Path, mode: u32) -> Result<(), String> {
    write(to, &fs::read(from).map_err(|error| format!("{}: {error}", from.display()))?)?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).map_err(|error| format!("{}: {error}", to.display()))
}

fn write(path: &Path, octets: &[u8]) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    let done = fs::create_dir_all(folder).and_then(|()| fs::write(path, octets));
    done.map_err(|error| format!("{}: {error}", path.display()))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_holds_what_it_should_and_asks_before_it_overwrites() {
        let root = crate::root();
        let program = root.join("target/debug/strait");
        if shell::find("dpkg-deb").is_none() || !program.is_file() {
            return eprintln!("skipped: it needs dpkg-deb and a program that is built");
        }
        let into = std::env::temp_dir().join(format!("strait-deb-{}", std::process::id()));
        let package = pack(&root, &program, &into, "-Znone").unwrap_or_default();
        let list = |flag: &str| shell::capture(Command::new("dpkg-deb").arg(flag).arg(&package)).unwrap_or_default();
        let contents = list("--contents");
        for file in ["./usr/bin/strait", "./usr/share/man/man1/strait-run.1", "./usr/lib/systemd/system/strait.service"]
        {
            assert!(contents.contains(file), "{file} is not in\n{contents}");
        }
        assert!(contents.lines().all(|line| line.contains("root/root")), "{contents}");
        assert!(list("--info").contains("conffiles"));
        let _ = fs::remove_dir_all(&into);
    }

    /// Installs, runs as its user, asks, and removes, in a copy of this machine that forgets everything.
    const INSTALL: &str = r#"
set -e
mkdir work merged
mount -t tmpfs none work
mkdir work/upper work/work
mount -t overlay none -o "lowerdir=/,upperdir=$PWD/work/upper,workdir=$PWD/work/work" merged
mount -t proc proc merged/proc
ip link set lo up
cp "$1" merged/strait.deb
chroot merged dpkg --force-depends -i /strait.deb >/dev/null 2>&1
chroot merged /usr/bin/strait check --offline /etc/strait
id=$(chroot merged id -u strait)
test "$id" != 0
chroot merged env -i STATE_DIRECTORY=/var/lib/strait setpriv --reuid strait --regid strait --clear-groups /usr/bin/strait run -c /etc/strait &
tries=0
until curl --silent --fail http://127.0.0.1:8080/; do sleep 0.1; tries=$((tries + 1)); test $tries -lt 300; done
grep -q "^Uid:.$id" merged/proc/$!/status
kill -s TERM $!
wait $!
echo "x-mine: 1" >>merged/etc/strait/strait.yaml
chroot merged dpkg -r strait >/dev/null 2>&1
test ! -e merged/usr/bin/strait
grep -q "x-mine: 1" merged/etc/strait/strait.yaml
echo; echo installed, served and removed
"#;

    #[test]
    fn the_package_installs_serves_as_its_user_and_goes() {
        let root = crate::root();
        let program = root.join("target/debug/strait");
        let namespaces = ["--mount", "--net", "--pid", "--fork", "--kill-child"];
        let tools = ["dpkg-deb", "unshare", "setpriv", "curl", "ip"].iter().all(|tool| shell::find(tool).is_some());
        let probe = || shell::capture(Command::new("unshare").args(namespaces).arg("true")).is_ok();
        if !tools || !program.is_file() || !probe() {
            return eprintln!("skipped: it needs root, dpkg, curl, iproute2 and a program that is built");
        }
        let into = std::env::temp_dir().join(format!("strait-install-{}", std::process::id()));
        let package = pack(&root, &program, &into, "-Znone").unwrap_or_default();
        let mut install = Command::new("unshare");
        install.args(namespaces).args(["sh", "-c", INSTALL, "sh"]).arg(&package).current_dir(&into);
        let said = shell::capture(&mut install);
        let _ = fs::remove_dir_all(&into);
        assert!(said.as_ref().is_ok_and(|said| said.contains("installed, served and removed")), "{said:?}");
    }
}
