use super::probe::{self, Asked};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use strait_plan::{
    CheckKind, CheckStep, Endpoint, EndpointAddress, EndpointState, HealthCheck, Hint, HttpCheck, StatusSet,
};
use strait_traffic::CheckRules;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers every connection with this, once it has received something; then closes.
async fn origin(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

fn endpoint(at: SocketAddr) -> Endpoint {
    let state = EndpointState::new(EndpointAddress::Name(at.ip().to_string(), at.port()), 1);
    state.set_resolved(&[at]);
    Endpoint {
        name: at.to_string().into(),
        authority: at.to_string().into(),
        weight: 4,
        tier: 0,
        connections_max: None,
        state: Arc::new(state),
    }
}

fn check(kind: CheckKind) -> HealthCheck {
    let rules =
        CheckRules { interval_ms: 1_000, recheck_ms: 100, healthy_after: 1, unhealthy_after: 1, starts_healthy: true };
    HealthCheck { kind, port: None, tls: true, timeout: Duration::from_secs(5), rules }
}

fn http(statuses: StatusSet, body: Option<&str>) -> HealthCheck {
    let body = body.map(|body| body.as_bytes().into());
    let method = "GET";
    check(CheckKind::Http(HttpCheck {
        method,
        path: "/healthz".into(),
        host: None,
        headers: Vec::new(),
        statuses,
        body,
    }))
}

async fn ask(check: &HealthCheck, at: SocketAddr) -> Result<Option<Hint>, String> {
    let endpoint = endpoint(at);
    ask_of(check, &endpoint).await
}

async fn ask_of(check: &HealthCheck, endpoint: &Endpoint) -> Result<Option<Hint>, String> {
    let tls = probe::policy(check, endpoint);
    probe::probe(check, &Asked { endpoint, port: None, tls: tls.as_ref() }).await
}

const GOOD: StatusSet = StatusSet::EMPTY;

#[tokio::test]
async fn an_answer_is_judged_by_status_and_body() {
    let good = http(GOOD.with(200, 299), None);
    let answer = origin("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    assert_eq!(ask(&good, answer).await, Ok(None));
    assert_eq!(ask(&http(GOOD.with(200, 299), Some("ok")), answer).await, Ok(None));
    let found = ask(&http(GOOD.with(200, 299), Some("fine")), answer).await.unwrap_err();
    assert_eq!(found, "the body of the answer does not contain \"fine\"");
    let busy = origin("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(ask(&good, busy).await.unwrap_err(), "GET /healthz was answered with 503");
    let garbage = origin("SSH-2.0-OpenSSH\r\n").await;
    assert!(ask(&good, garbage).await.unwrap_err().starts_with("the answer is malformed"));
    let silent = origin("").await;
    assert_eq!(ask(&good, silent).await.unwrap_err(), "the connection was closed before an answer came");
}

#[tokio::test]
async fn a_body_may_be_chunked_or_end_with_the_connection() {
    let fine = http(GOOD.with(200, 200), Some("all fine"));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nall \r\n4\r\nfine\r\n0\r\n\r\n";
    assert_eq!(ask(&fine, origin(chunked).await).await, Ok(None));
    assert_eq!(ask(&fine, origin("HTTP/1.1 200 OK\r\n\r\nit is all fine").await).await, Ok(None));
}

#[tokio::test]
async fn an_endpoint_may_say_how_much_it_wants_to_do() {
    let good = http(GOOD.with(200, 299), None);
    let answer = origin("HTTP/1.1 200 OK\r\nStrait-Endpoint: weight=50%\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(ask(&good, answer).await, Ok(Some(Hint::Weight(50))));
    let endpoint = endpoint(answer);
    Hint::Weight(50).apply(&endpoint, 1);
    assert_eq!(endpoint.weight_now(), 2);
    Hint::Drain.apply(&endpoint, 1);
    assert!(endpoint.state.standing.is_draining());
    Hint::Ready.apply(&endpoint, 1);
    assert!(!endpoint.state.standing.is_draining());
    assert_eq!(endpoint.weight_now(), 4);
}

#[tokio::test]
async fn a_script_is_played_in_order() {
    let send = |text: &str| CheckStep::Send(text.as_bytes().into());
    let expect = |text: &str| CheckStep::Expect(text.as_bytes().into());
    let redis = origin("+PONG\r\n:1\r\n").await;
    let good = check(CheckKind::Tcp([send("PING\r\n"), expect("+PONG"), expect(":1")].into()));
    assert_eq!(ask(&good, redis).await, Ok(None));
    let bad = check(CheckKind::Tcp([send("PING\r\n"), expect(":1"), expect("+PONG")].into()));
    assert_eq!(ask(&bad, redis).await.unwrap_err(), "expected \"+PONG\", got \"\\r\\n\"");
}

#[tokio::test]
async fn a_connection_is_enough_or_the_reason_why_there_is_none() {
    let tcp = check(CheckKind::Tcp(Box::new([])));
    assert_eq!(ask(&tcp, origin("").await).await, Ok(None));
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(ask(&tcp, nobody).await.unwrap_err(), format!("{nobody} refuses connections"));
}
