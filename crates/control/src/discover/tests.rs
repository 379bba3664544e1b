use super::{Discovery, Family, Finds};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use strait_plan::Lookup;

const SOON: Duration = Duration::from_secs(60);

/// What the name server says, to everybody.
#[derive(Clone)]
enum Says {
    A(Vec<[u8; 4]>, u32),
    /// Services; every name but theirs has this address.
    Srv(Vec<(u16, u16, u16, &'static str)>, [u8; 4]),
    /// A response code without records: 0 is an empty answer, 2 SERVFAIL, 3 NXDOMAIN.
    Code(u8),
    Nothing,
}

/// A name server over UDP (RFC 1035 §4), which answers questions of one type.
struct NameServer {
    address: SocketAddr,
    says: Arc<Mutex<Says>>,
    asked: Arc<(Mutex<usize>, Condvar)>,
}

impl NameServer {
    fn start(says: Says) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let says = Arc::new(Mutex::new(says));
        let told = says.clone();
        let asked = Arc::new((Mutex::new(0), Condvar::new()));
        let count = asked.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                if let Some(answer) = answer(&buffer[..length], &told.lock().unwrap()) {
                    socket.send_to(&answer, from).unwrap();
                }
                *count.0.lock().unwrap() += 1;
                count.1.notify_all();
            }
        });
        Self { address, says, asked }
    }

    fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    /// Waits until it was asked for addresses of both families once more, and again.
    fn wait_until_asked(&self) {
        let (asked, more) = &*self.asked;
        let asked = asked.lock().unwrap();
        let enough = *asked + 4;
        let (_asked, timeout) = more.wait_timeout_while(asked, SOON, |asked| *asked < enough).unwrap();
        assert!(!timeout.timed_out(), "nobody asks");
    }

    fn discovery(&self) -> (Discovery, std::sync::mpsc::Receiver<Lookup>) {
        Discovery::start(&[self.address], Family::PreferIpv4).unwrap()
    }
}

fn answer(query: &[u8], says: &Says) -> Option<Vec<u8>> {
    let end = 12 + query[12..].iter().position(|&byte| byte == 0)? + 5;
    let kind = u16::from_be_bytes([query[end - 4], query[end - 3]]);
    let (records, code): (Vec<(u16, u32, Vec<u8>)>, u8) = match says {
        Says::A(addresses, ttl) => (addresses.iter().map(|ip| (1, *ttl, ip.to_vec())).collect(), 0),
        Says::Srv(services, address) => {
            let services = services.iter().map(|service| (33, 60, srv(service)));
            (services.chain([(1, 60, address.to_vec())]).collect(), 0)
        }
        Says::Code(code) => (Vec::new(), *code),
        Says::Nothing => return None,
    };
    let records: Vec<_> = records.into_iter().filter(|record| record.0 == kind).collect();
    let mut out = vec![query[0], query[1], 0x81, 0x80 | code, 0, 1, 0, records.len() as u8, 0, 0, 0, 0];
    out.extend_from_slice(&query[12..end]);
    for (kind, ttl, data) in records {
        out.extend_from_slice(&[0xc0, 12]);
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&[0, 1]);
        out.extend_from_slice(&ttl.to_be_bytes());
        out.extend_from_slice(&(data.len() as u16).to_be_bytes());
        out.extend_from_slice(&data);
    }
    Some(out)
}

fn srv((priority, weight, port, target): &(u16, u16, u16, &str)) -> Vec<u8> {
    let mut data = [priority.to_be_bytes(), weight.to_be_bytes(), port.to_be_bytes()].concat();
    for label in target.split('.').filter(|label| !label.is_empty()) {
        data.push(label.len() as u8);
        data.extend_from_slice(label.as_bytes());
    }
    data.push(0);
    data
}

fn dns() -> Lookup {
    Lookup::Dns { host: "app.example.".into(), port: 80 }
}

fn names(finds: &Finds, lookup: &Lookup) -> Vec<String> {
    finds.get(lookup).map(|found| found.iter().map(|one| one.address.to_string()).collect()).unwrap_or_default()
}

#[test]
fn every_address_is_an_endpoint_and_a_ttl_is_kept_to() {
    let server = NameServer::start(Says::A(vec![[10, 0, 0, 2], [10, 0, 0, 1], [10, 0, 0, 2]], 1));
    let (discovery, changes) = server.discovery();
    let finds = discovery.adopt(vec![dns()], SOON);
    assert_eq!(names(&finds, &dns()), ["10.0.0.1:80", "10.0.0.2:80"]);
    assert_eq!(changes.recv_timeout(SOON).unwrap(), dns());
    server.say(Says::A(vec![[10, 0, 0, 3]], 1));
    assert_eq!(changes.recv_timeout(SOON).unwrap(), dns(), "asked again when the TTL was over");
    assert_eq!(discovery.known(&dns()).unwrap()[0].address.to_string(), "10.0.0.3:80");
}

#[test]
fn what_is_known_outlives_failures_and_empty_answers() {
    for says in [Says::Code(2), Says::Code(3), Says::Code(0), Says::Nothing] {
        let server = NameServer::start(Says::A(vec![[10, 0, 0, 1]], 1));
        let (discovery, changes) = server.discovery();
        discovery.adopt(vec![dns()], SOON);
        changes.recv_timeout(SOON).unwrap();
        server.say(says);
        server.wait_until_asked();
        assert!(changes.try_recv().is_err(), "nothing changes");
        assert_eq!(discovery.known(&dns()).unwrap()[0].address.to_string(), "10.0.0.1:80");
        server.say(Says::A(vec![[10, 0, 0, 9]], 1));
        assert_eq!(changes.recv_timeout(SOON).unwrap(), dns());
        assert_eq!(discovery.known(&dns()).unwrap()[0].address.to_string(), "10.0.0.9:80");
    }
}

#[test]
fn services_have_tiers_weights_and_ports_of_their_own() {
    let records = vec![
        (20, 0, 8082, "Backup.example"),
        (10, 3, 8080, "one.example"),
        (10, 1, 8081, "two.example"),
        (30, 1, 1, ""),
    ];
    let server = NameServer::start(Says::Srv(records, [10, 0, 0, 5]));
    let services = Lookup::Srv { name: "_http._tcp.app.example.".into() };
    let (discovery, _changes) = server.discovery();
    let finds = discovery.adopt(vec![services.clone()], SOON);
    let found: Vec<_> =
        finds[&services].iter().map(|one| (&*one.host, one.address.port(), one.tier, one.weight)).collect();
    assert_eq!(found, [("one.example", 8080, 0, 3), ("two.example", 8081, 0, 1), ("backup.example", 8082, 1, 1)]);
}

#[test]
fn a_name_server_that_is_silent_holds_nobody_up() {
    let server = NameServer::start(Says::Nothing);
    let (discovery, changes) = server.discovery();
    assert!(discovery.adopt(vec![dns()], Duration::from_millis(5)).is_empty());
    server.say(Says::A(vec![Ipv4Addr::LOCALHOST.octets()], 60));
    assert_eq!(changes.recv_timeout(SOON).unwrap(), dns(), "it comes when it comes");
}
