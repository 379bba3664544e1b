//! Becoming another user: what root started serves as somebody who may do little.
//!
//! It happens while the process has one thread, before anything but the configuration is read: certificates, logs and
//! everything a reload reads later are opened as that user from the start. The right to bind ports below 1024 is kept,
//! for listeners of now and of later reloads.

use rustix::process::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, set_capabilities, set_keep_capabilities, set_thread_groups, set_thread_res_gid,
    set_thread_res_uid,
};
use std::fs;
use strait_config::spec::Root;

/// A user to become.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    user: u32,
    group: u32,
    others: Vec<u32>,
}

/// Becomes the user that the configuration names. Without one nothing happens; nor when it is that user already.
///
/// # Errors
/// Why that cannot be, with what to do.
pub(crate) fn drop_to(spec: &Root) -> Result<(), String> {
    let Some(user) = &spec.user else { return Ok(()) };
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let group = spec.group.as_ref().map(|group| group.value.as_str());
    let identity = identity(&user.value, group, &read("/etc/passwd"), &read("/etc/group"))?;
    let own = rustix::process::geteuid();
    if own.as_raw() == identity.user {
        return Ok(());
    }
    if !own.is_root() {
        return Err(format!(
            "`user: {}`: only root can become another user\n  start it as root, as that user (then without `user`), or by systemd with User={}",
            user.value, user.value
        ));
    }
    let threads = read("/proc/self/status").lines().any(|line| line.starts_with("Threads:") && !line.ends_with("\t1"));
    if threads {
        return Err("a defect: threads run before privileges are dropped".to_owned());
    }
    become_it(&identity).map_err(|error| format!("`user: {}`: the system refuses: {error}", user.value))
}

fn become_it(identity: &Identity) -> rustix::io::Result<()> {
    let (user, group) = (Uid::from_raw(identity.user), Gid::from_raw(identity.group));
    let others: Vec<_> = identity.others.iter().map(|group| Gid::from_raw(*group)).collect();
    set_keep_capabilities(true)?;
    set_thread_groups(&others)?;
    set_thread_res_gid(group, group, group)?;
    set_thread_res_uid(user, user, user)?;
    let kept = CapabilitySet::NET_BIND_SERVICE;
    // Some containers have not even this one: then low ports cannot be bound, which is told where one is.
    let keep = |set| {
        set_capabilities(None, CapabilitySets { effective: set, permitted: set, inheritable: CapabilitySet::empty() })
    };
    keep(kept).or_else(|_| keep(CapabilitySet::empty()))
}

/// Looks a user up in passwd(5) and group(5); numbers need no entry.
fn identity(user: &str, group: Option<&str>, passwd: &str, groups: &str) -> Result<Identity, String> {
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let at = |fields: &[String], place: usize| fields.get(place).cloned().unwrap_or_default();
    let entry = |file: &str, name: &str| {
        let mut entries = file.lines().map(fields);
        entries.find(|entry| at(entry, 0) == name || at(entry, 2) == name)
    };
    let found = entry(passwd, user);
    let number = |text: &str| text.parse::<u32>().ok();
    let uid = found.as_ref().and_then(|found| number(&at(found, 2))).or_else(|| number(user));
    let uid =
        uid.ok_or_else(|| format!("`user: {user}`: there is no such user\n  make one: useradd --system {user}"))?;
    let gid = match group {
        Some(group) => {
            let known = entry(groups, group).and_then(|found| number(&at(&found, 2))).or_else(|| number(group));
            known.ok_or_else(|| {
                format!("`group: {group}`: there is no such group\n  make one: groupadd --system {group}")
            })?
        }
        None => found.as_ref().and_then(|found| number(&at(found, 3))).unwrap_or(uid),
    };
    let name = found.map_or_else(|| user.to_owned(), |found| at(&found, 0));
    let is_member = |entry: &Vec<String>| at(entry, 3).split(',').any(|member| member == name);
    let mut others: Vec<u32> =
        groups.lines().map(fields).filter(is_member).filter_map(|entry| number(&at(&entry, 2))).collect();
    others.push(gid);
    Ok(Identity { user: uid, group: gid, others })
}

#[cfg(test)]
mod tests {
    use super::{Identity, identity};

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nweb:x:101:102::/nonexistent:/bin/false\n";
    const GROUPS: &str = "root:x:0:\nweb:x:102:\nssl-cert:x:110:postgres,web\nlogs:x:111:\n";

    #[test]
    fn users_and_groups_are_looked_up() {
        let found = |user, group| identity(user, group, PASSWD, GROUPS);
        let web = Identity { user: 101, group: 102, others: vec![110, 102] };
        assert_eq!(found("web", None).as_ref(), Ok(&web));
        assert_eq!(found("101", None), Ok(web));
        assert_eq!(found("web", Some("logs")), Ok(Identity { user: 101, group: 111, others: vec![110, 111] }));
        assert_eq!(found("4711", Some("4712")), Ok(Identity { user: 4711, group: 4712, others: vec![4712] }));
        assert!(found("nobody-here", None).unwrap_err().contains("useradd --system nobody-here"));
        assert!(found("web", Some("nobody-here")).unwrap_err().contains("groupadd"));
    }
}
