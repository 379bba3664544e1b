//! Both roles against each other, without a network: what a policy asks is what a client must show, also when it
//! comes back with a ticket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use crate::{
    Authority, Certificate, Chooser, ClientAuth, ClientPolicy, ClientSettings, Facts, HandshakeFailure, Hello,
    ListenerTls, Peeked, Room, ServerSettings, TicketKeys, TlsEngine, Trust, VersionMin, certificates, failure_of,
    peek, revocation_lists,
};
use proptest::prelude::*;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::sync::Arc;
use std::time::Duration;

const NOW_S: i64 = 1_764_000_000;

fn now_s() -> i64 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    now.as_secs() as i64
}

/// An authority of clients, with what it issues.
struct Clients {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Clients {
    fn new() -> Self {
        Self::named("Authority of clients")
    }

    fn named(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn issue(&self, serial: u64, valid: bool) -> Arc<Certificate> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["client.internal".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, format!("client {serial}"));
        params.serial_number = Some(serial.into());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if !valid {
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
            params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        }
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Arc::new(Certificate::read("client", pem.as_bytes(), key.serialize_pem().as_bytes(), None).unwrap())
    }

    fn revoke(&self, serial: u64) -> String {
        let list = rcgen::CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2025, 1, 1),
            next_update: rcgen::date_time_ymd(2125, 1, 1),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: vec![rcgen::RevokedCertParams {
                serial_number: serial.into(),
                revocation_time: rcgen::date_time_ymd(2025, 1, 1),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    fn auth(&self, required: bool, revoked: Option<&str>) -> ClientAuth {
        ClientAuth::Certificate {
            roots: certificates(self.pem.as_bytes()).unwrap(),
            revoked: revoked.map(|list| revocation_lists(list.as_bytes()).unwrap()).unwrap_or_default(),
            required,
        }
    }
}

/// A server with a policy for everybody and one for `admin.example.com`, and what its clients trust.
struct Server {
    tls: ListenerTls,
    roots: String,
}

impl Server {
    fn new(tickets: &Arc<TicketKeys>, everybody: ClientAuth, admin: ClientAuth) -> Self {
        let (authority, _) = Authority::create("test", now_s()).unwrap();
        Self::of(&authority, tickets, everybody, admin)
    }

    fn of(authority: &Authority, tickets: &Arc<TicketKeys>, everybody: ClientAuth, admin: ClientAuth) -> Self {
        let names = ["example.com".to_owned(), "*.example.com".to_owned()];
        let certificate = Arc::new(authority.issue(&names, now_s()).unwrap());
        let settings = ServerSettings {
            name: "https".into(),
            certificates: Arc::new(Chooser::new(vec![certificate])),
            client_auth: everybody,
            version_min: VersionMin::Tls12,
            protocols: vec![b"http/1.1".to_vec()],
            tickets: Some(tickets.clone()),
        };
        let of_admin = ServerSettings { client_auth: admin, ..settings.clone() };
        let some = vec![("admin.example.com".into(), of_admin)];
        let tls = ListenerTls::new(settings, some, Duration::from_secs(10), 10).unwrap();
        Self { tls, roots: authority.certificate_pem.clone() }
    }

    fn client(&self, name: &str, certificate: Option<Arc<Certificate>>) -> ClientPolicy {
        let settings = ClientSettings {
            trust: Trust::Roots { roots: certificates(self.roots.as_bytes()).unwrap(), revoked: Vec::new() },
            certificate,
            version_min: VersionMin::Tls12,
            protocols: vec![b"http/1.1".to_vec()],
            handshake_timeout: Duration::from_secs(1),
        };
        ClientPolicy::new(&settings, name).unwrap()
    }

    /// Shakes hands, and lets both say something. What the server then knows, or why there was no service.
    fn meet(&self, client: &ClientPolicy) -> Result<Facts, HandshakeFailure> {
        let mut client = Side::new(TlsEngine::client(client).unwrap());
        client.run(&[])?;
        let hello = match peek(&client.out) {
            Peeked::Hello(hello) => hello,
            other => panic!("{other:?}"),
        };
        let policy = self.tls.policy_of(hello.server_name.as_deref());
        let mut server = Side::new(TlsEngine::server(self.tls.policy(policy).unwrap(), &hello).unwrap());
        exchange(&mut client, &mut server)?;
        assert!(!client.engine.is_handshaking() && !server.engine.is_handshaking());
        server.say(b"hello");
        client.say(b"and hello");
        exchange(&mut client, &mut server)?;
        assert_eq!((&client.plain[..], &server.plain[..]), (&b"hello"[..], &b"and hello"[..]));
        Ok(server.engine.facts(policy, hello.server_name))
    }
}

struct Side {
    engine: TlsEngine,
    incoming: Vec<u8>,
    plain: Vec<u8>,
    out: Vec<u8>,
}

impl Side {
    fn new(engine: TlsEngine) -> Self {
        Self { engine, incoming: Vec::new(), plain: Vec::new(), out: Vec::new() }
    }

    fn run(&mut self, octets: &[u8]) -> Result<(), HandshakeFailure> {
        self.incoming.extend_from_slice(octets);
        let mut room = Room::new(&mut [], &mut self.plain);
        let done = self.engine.recv(&mut self.incoming, &mut room, &mut self.out);
        let done = done.map_err(|error| failure_of(&error))?;
        self.incoming.drain(..done);
        Ok(())
    }

    fn say(&mut self, octets: &[u8]) {
        let mut room = vec![0; octets.len() * 2 + 1024];
        let (sealed, written) = self.engine.send(&mut self.incoming, octets, &mut room).unwrap();
        assert_eq!(sealed, octets.len());
        self.out.extend_from_slice(&room[..written]);
    }
}

/// Carries octets until neither side has more to say. The server's reason goes first: it is the one that decides.
fn exchange(client: &mut Side, server: &mut Side) -> Result<(), HandshakeFailure> {
    while !client.out.is_empty() || !server.out.is_empty() {
        server.run(&std::mem::take(&mut client.out))?;
        client.run(&std::mem::take(&mut server.out))?;
    }
    Ok(())
}

#[test]
fn a_session_is_resumed_under_its_policy_and_only_there() {
    let (tickets, clients) = (Arc::new(TicketKeys::default()), Clients::new());
    let server = Server::new(&tickets, ClientAuth::Off, clients.auth(true, None));
    let client = server.client("www.example.com", None);
    assert!(!server.meet(&client).unwrap().resumed);
    let again = server.meet(&client).unwrap();
    assert!(again.resumed);
    assert_eq!((again.version, again.suite), ("TLSv1.3", "TLS13_AES_128_GCM_SHA256"));
    // CVE-2025-23419: a ticket of the open host is no way around the certificate that another one asks for.
    let stranger = server.client("admin.example.com", None);
    assert_eq!(server.meet(&stranger), Err(HandshakeFailure::CertificateMissing));
    let known = server.client("admin.example.com", Some(clients.issue(1, true)));
    assert_eq!(server.meet(&known).unwrap().client.unwrap().subject.as_ref(), "CN=client 1");
    let known_again = server.meet(&known).unwrap();
    assert!(known_again.resumed && known_again.policy == 1);
    assert_eq!(known_again.client.unwrap().subject.as_ref(), "CN=client 1", "the identity comes back with the session");
}

#[test]
fn a_change_of_what_clients_must_prove_ends_their_sessions() {
    let (tickets, clients) = (Arc::new(TicketKeys::default()), Clients::new());
    let (authority, _) = Authority::create("test", now_s()).unwrap();
    let before = Server::of(&authority, &tickets, clients.auth(true, None), ClientAuth::Off);
    let client = before.client("www.example.com", Some(clients.issue(7, true)));
    assert!(before.meet(&client).is_ok());
    assert!(before.meet(&client).unwrap().resumed);
    let list = clients.revoke(7);
    let after = Server::of(&authority, &tickets, clients.auth(true, Some(&list)), ClientAuth::Off);
    assert_eq!(after.meet(&client), Err(HandshakeFailure::CertificateRevoked));
    let another = after.client("www.example.com", Some(clients.issue(8, true)));
    assert!(!after.meet(&another).unwrap().resumed);
    // Other certificates, the same demands: sessions live on.
    let renewed = Server::of(&authority, &tickets, clients.auth(true, Some(&list)), ClientAuth::Off);
    assert!(renewed.meet(&another).unwrap().resumed);
    tickets.rotate();
    assert!(renewed.meet(&another).unwrap().resumed, "keys turn once");
    tickets.rotate();
    tickets.rotate();
    assert!(!renewed.meet(&another).unwrap().resumed, "and are gone after two turns");
}

#[test]
fn certificates_of_clients() {
    let (tickets, clients, strangers) = (Arc::new(TicketKeys::default()), Clients::new(), Clients::named("Strangers"));
    let required = Server::new(&tickets, clients.auth(true, None), ClientAuth::Off);
    let optional = Server::new(&tickets, clients.auth(false, None), ClientAuth::Off);
    let meet = |server: &Server, certificate: Option<Arc<Certificate>>| {
        server.meet(&server.client("www.example.com", certificate)).map(|facts| facts.client.is_some())
    };
    use HandshakeFailure::{CertificateExpired, CertificateMissing, UnknownIssuer};
    assert_eq!(meet(&required, None), Err(CertificateMissing));
    assert_eq!(meet(&optional, None), Ok(false));
    for server in [&required, &optional] {
        assert_eq!(meet(server, Some(clients.issue(1, true))), Ok(true));
        assert_eq!(meet(server, Some(clients.issue(2, false))), Err(CertificateExpired));
        assert_eq!(meet(server, Some(strangers.issue(3, true))), Err(UnknownIssuer));
    }
}

#[test]
fn endpoints_are_verified() {
    let server = Server::new(&Arc::default(), ClientAuth::Off, ClientAuth::Off);
    assert!(server.meet(&server.client("www.example.com", None)).is_ok());
    let other = server.client("www.example.org", None);
    assert_eq!(server.meet(&other), Err(HandshakeFailure::CertificateName));
    let (other, _) = Authority::create("other", now_s()).unwrap();
    let stranger = Server::of(&other, &Arc::default(), ClientAuth::Off, ClientAuth::Off);
    assert_eq!(server.meet(&stranger.client("www.example.com", None)), Err(HandshakeFailure::UnknownIssuer));
    let settings = ClientSettings {
        trust: Trust::Anybody,
        certificate: None,
        version_min: VersionMin::Tls13,
        protocols: Vec::new(),
        handshake_timeout: Duration::from_secs(1),
    };
    assert!(server.meet(&ClientPolicy::new(&settings, "www.example.org").unwrap()).is_ok());
}

#[test]
fn identity_of_a_client() {
    let clients = Clients::new();
    let server = Server::new(&Arc::default(), clients.auth(true, None), ClientAuth::Off);
    let certificate = clients.issue(0x1234, true);
    let facts = server.meet(&server.client("www.example.com", Some(certificate.clone()))).unwrap();
    let client = facts.client.unwrap();
    assert_eq!(client.serial.as_ref(), "1234");
    assert_eq!(client.names, [Box::from("DNS:client.internal")]);
    assert_eq!(client.fingerprint, certificate.fingerprint);
    assert_eq!(facts.server_name.as_deref(), Some("www.example.com"));
    assert_eq!(facts.protocol.as_deref(), Some(&b"http/1.1"[..]));
}

#[test]
fn a_long_message_goes_whole_and_an_end_is_told_from_a_cut() {
    let server = Server::new(&Arc::default(), ClientAuth::Off, ClientAuth::Off);
    let mut client = Side::new(TlsEngine::client(&server.client("example.com", None)).unwrap());
    client.run(&[]).unwrap();
    let mut server = Side::new(TlsEngine::server(server.tls.policy(0).unwrap(), &Hello::default()).unwrap());
    exchange(&mut client, &mut server).unwrap();
    let long: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
    server.say(&long);
    // In pieces as a network might deliver them.
    for piece in std::mem::take(&mut server.out).chunks(1_449) {
        client.run(piece).unwrap();
    }
    assert!(client.plain == long);
    assert!(!client.engine.peer_has_closed());
    server.engine.close(&mut server.incoming, &mut server.out);
    client.run(&std::mem::take(&mut server.out)).unwrap();
    assert!(client.engine.peer_has_closed());
}

#[test]
fn a_certificate_is_chosen_by_name_and_by_what_the_client_can_check() {
    let (authority, _) = Authority::create("test", NOW_S).unwrap();
    let issue = |names: &[&str], now_s| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Arc::new(authority.issue(&names, now_s).unwrap())
    };
    let (one, all, new) = (
        issue(&["a.example"], NOW_S),
        issue(&["*.example", "b.test"], NOW_S),
        issue(&["a.example"], NOW_S + 1_000_000),
    );
    let chooser = Chooser::new(vec![one.clone(), all.clone(), new.clone()]);
    let find = |name| {
        let (found, choice) = chooser.find(name);
        (found[0].fingerprint.clone(), choice)
    };
    use crate::Choice::{Exact, NoName, UnknownName, Wildcard};
    assert_eq!(find(Some("a.example")), (new.fingerprint.clone(), Exact), "the one that is valid longer");
    assert_eq!(find(Some("x.example")), (all.fingerprint.clone(), Wildcard("example")));
    assert_eq!(find(Some("b.test")), (all.fingerprint.clone(), Exact));
    assert_eq!(find(Some("c.test")).1, UnknownName);
    assert_eq!(find(None), (new.fingerprint.clone(), NoName));
}

#[test]
fn what_is_wrong_with_files_is_said() {
    let (authority, ca_key) = Authority::create("test", NOW_S).unwrap();
    let clients = Clients::new();
    let key = KeyPair::generate().unwrap();
    let pem = CertificateParams::new(vec!["a.example".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
    let read = |chain: &str, key: &str| {
        let flaw = Certificate::read("x", chain.as_bytes(), key.as_bytes(), None).unwrap_err();
        format!("{:?} {}", flaw.part, flaw.what)
    };
    let key = key.serialize_pem();
    assert!(Certificate::read("x", pem.as_bytes(), key.as_bytes(), None).is_ok());
    assert_eq!(read(&key, &pem), "Chain holds no certificate");
    assert_eq!(read(&pem, &pem), "Key holds no key");
    assert!(read(&pem, &ca_key).starts_with("Key holds another key than the certificate's"));
    assert!(read(&format!("{pem}{}", clients.pem), &key).starts_with("Chain is out of order"));
    assert_eq!(read("", &key), "Chain holds no certificate");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert_eq!(read(&pem, encrypted), "Key holds a key with a passphrase");
    assert!(Authority::read(&authority.certificate_pem, &ca_key).is_ok());
}

proptest! {
    #[test]
    fn a_handshake_with_changed_octets_fails_and_does_no_more(
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..4),
        cut: usize,
        piece in 1..700usize,
    ) {
        let server = Server::new(&Arc::default(), ClientAuth::Off, ClientAuth::Off);
        let mut client = Side::new(TlsEngine::client(&server.client("example.com", None)).unwrap());
        client.run(&[]).unwrap();
        let mut hello = std::mem::take(&mut client.out);
        for (place, octet) in changes {
            let place = place % hello.len();
            hello[place] = octet;
        }
        hello.truncate(hello.len() - cut % 3);
        let mut side = Side::new(TlsEngine::server(server.tls.policy(0).unwrap(), &Hello::default()).unwrap());
        for piece in hello.chunks(piece) {
            if side.run(piece).is_err() {
                return Ok(());
            }
        }
        // What comes back, whole or changed, does the client no harm either.
        let mut answer = std::mem::take(&mut side.out);
        if let Some(octet) = answer.get_mut(cut % 97) {
            *octet ^= 0x55;
        }
        let _ = client.run(&answer);
    }

    #[test]
    fn octets_that_are_no_handshake_are_survived(octets: Vec<u8>, kind in 20..24u8) {
        let server = Server::new(&Arc::default(), ClientAuth::Off, ClientAuth::Off);
        let mut side = Side::new(TlsEngine::server(server.tls.policy(0).unwrap(), &Hello::default()).unwrap());
        let record = [&[kind, 3, 3][..], &(octets.len() as u16).to_be_bytes(), &octets].concat();
        let _ = side.run(&record);
        let mut other = Side::new(TlsEngine::server(server.tls.policy(0).unwrap(), &Hello::default()).unwrap());
        let _ = other.run(&octets);
    }
}

#[test]
fn handshakes_have_a_limit() {
    let server = Server::new(&Arc::default(), ClientAuth::Off, ClientAuth::Off);
    let running: Vec<_> = (0..10).map(|_| server.tls.begin_handshake().unwrap()).collect();
    assert!(server.tls.begin_handshake().is_none());
    drop(running);
    assert!(server.tls.begin_handshake().is_some());
}
