//! A scanner of TLS (sslyze) against Strait and against nginx: it finds nothing in Strait that it does not find there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the support module serves several test files")]

mod support;

use std::net::SocketAddr;
use std::process::Command;
use support::{Strait, authority, free_port, has, python, run, serve};

/// Prints a line for each finding, out of sslyze's JSON.
const FINDINGS: &str = r#"
import json, subprocess, sys, tempfile
with tempfile.NamedTemporaryFile() as out:
    subprocess.run([sys.executable, "-m", "sslyze", "--json_out", out.name, sys.argv[1]], stdout=subprocess.DEVNULL)
    scan = json.load(open(out.name))["server_scan_results"][0]
assert scan["scan_status"] == "COMPLETED", scan["scan_status"]
result = {name: one.get("result") or {} for name, one in scan["scan_result"].items() if one}
for old in ["ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"]:
    for one in result[old + "_cipher_suites"]["accepted_cipher_suites"]:
        print(old, one["cipher_suite"]["name"])
for one in result["tls_1_2_cipher_suites"]["accepted_cipher_suites"]:
    name = one["cipher_suite"]["name"]
    if "_CBC_" in name or not name.startswith(("TLS_ECDHE_", "TLS_DHE_")):
        print("weak suite", name)
print("answered" if result["tls_1_3_cipher_suites"]["accepted_cipher_suites"] else "no TLS 1.3")
for scan_name, key, good in [
    ("tls_compression", "supports_compression", False),
    ("openssl_ccs_injection", "is_vulnerable_to_ccs_injection", False),
    ("heartbleed", "is_vulnerable_to_heartbleed", False),
    ("tls_fallback_scsv", "supports_fallback_scsv", True),
    ("session_renegotiation", "is_vulnerable_to_client_renegotiation_dos", False),
    ("session_renegotiation", "supports_secure_renegotiation", True),
    ("tls_extended_master_secret", "supports_ems_extension", True),
]:
    if result[scan_name][key] != good:
        print(key, result[scan_name][key])
if not result["robot"]["robot_result"].startswith("NOT_VULNERABLE"):
    print("robot", result["robot"]["robot_result"])
"#;

fn findings(at: SocketAddr) -> Vec<String> {
    let said = run(&python(), &["-c", FINDINGS, &at.to_string()]);
    let found: Vec<String> = said.lines().map(str::to_owned).collect();
    assert!(found.iter().any(|line| line == "answered"), "TLS 1.3 is not spoken: {found:?}");
    found
}

#[test]
fn a_scanner_finds_nothing_that_it_does_not_find_in_nginx() {
    let scans = Command::new(python()).args(["-c", "import sslyze"]).output().unwrap().status.success();
    if !scans || !has("openssl") || !has("nginx") {
        eprintln!("skipped: sslyze or nginx is missing; run `cargo xtask peers`");
        return;
    }
    let folder = authority();
    let (ours, theirs, dir) = (free_port(), free_port(), folder.display());
    let text = format!(
        "listeners:\n  web: {{address: 127.0.0.1:0}}\n  https: {{address: \"{ours}\", tls: {{certificates: [{{cert: {dir}/site.pem, \
         key: {dir}/site.key}}]}}}}\ntelemetry: {{access_log: {{format: off}}}}\nroutes: {{/: {{respond: hello}}}}\n"
    );
    let Some(_strait) = Strait::start_as_it_is(&text) else { return };
    let body = format!(
        "daemon off; pid {dir}/pid; error_log {dir}/error.log; events {{}} http {{ access_log off; server {{ listen {theirs} ssl; \
         ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {dir}/site.pem; ssl_certificate_key {dir}/site.key; \
         location / {{ return 200 hello; }} }} }}"
    );
    std::fs::write(folder.join("nginx.conf"), body).unwrap();
    let mut nginx = Command::new("nginx");
    let _nginx = serve(nginx.args(["-p", &dir.to_string(), "-c", &format!("{dir}/nginx.conf")]), theirs);
    let (in_strait, in_nginx) = (findings(ours), findings(theirs));
    println!("Strait: {in_strait:?}\nnginx: {in_nginx:?}");
    let only_ours: Vec<_> = in_strait.iter().filter(|finding| !in_nginx.contains(finding)).collect();
    assert!(only_ours.is_empty(), "{only_ours:?}");
}
