//! Who holds a port that cannot be bound.

use std::fs;
use std::net::SocketAddr;

/// A listening socket's state in /proc/net/tcp (`TCP_LISTEN` of Linux's tcp_states.h).
const LISTENING: &str = "0A";

/// The process that listens on this port: `nginx (process 4711)`. `None` when it belongs to another user or is gone.
pub(crate) fn holder(address: SocketAddr) -> Option<String> {
    let inodes = listening_inodes(address.port());
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let id = ids.find(|&id| holds_any(id, &inodes))?;
    let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
    Some(format!("{} (process {id})", name.trim()))
}

/// The sockets that listen on a port, over IPv4 or IPv6, as the kernel numbers them.
fn listening_inodes(port: u16) -> Vec<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    tables.iter().flat_map(|table| table.lines().skip(1)).filter_map(|line| inode_of(line, port)).collect()
}

/// The inode of a line of /proc/net/tcp when it is a listener on this port: proc_net(5).
fn inode_of(line: &str, port: u16) -> Option<String> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
    let is_it = *fields.get(3)? == LISTENING && u16::from_str_radix(local_port, 16) == Ok(port);
    is_it.then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
}

fn holds_any(process: u32, inodes: &[String]) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    let targets = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    targets.into_iter().any(|target| inodes.iter().any(|inode| target.to_str() == Some(inode)))
}

/// Below which port the system asks for a permission, and how it is given.
pub(crate) fn permission() -> String {
    let setting = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let first = setting.ok().and_then(|text| text.trim().parse::<u16>().ok()).unwrap_or(1024);
    format!(
        "ports below {first} need a permission, one of:
  - in a systemd unit: AmbientCapabilities=CAP_NET_BIND_SERVICE
  - for this program: setcap cap_net_bind_service=+ep /usr/bin/strait
  - for this machine or container: sysctl -w net.ipv4.ip_unprivileged_port_start=80
  - started as root, with `user: strait` in the configuration
  - none with a port from {first} up"
    )
}

#[cfg(test)]
mod tests {
    use super::{holder, inode_of};
    use std::net::TcpListener;

    #[test]
    fn the_holder_of_a_port_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(holder(address).unwrap().ends_with(&format!("(process {})", std::process::id())));
        drop(listener);
        assert_eq!(holder(address), None);
    }

    #[test]
    fn a_line_of_the_kernel_is_read() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 31337 1 0 100 0 0 10 0";
        assert_eq!(inode_of(line, 8080).as_deref(), Some("socket:[31337]"));
        assert_eq!(inode_of(line, 8081), None);
        assert_eq!(inode_of(&line.replace(" 0A ", " 01 "), 8080), None);
    }
}
