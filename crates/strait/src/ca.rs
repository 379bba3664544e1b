//! `strait ca`: the local authority, and how systems are told to trust it.

use crate::exit::Exit;
use crate::operator::{print, say};
use crate::source::Output;
use crate::state;
use clap::Args;
use std::path::Path;
use strait_compile::wall_clock;

/// The local authority: where its certificate lies, and how to trust it
///
/// Strait issues certificates of its own for localhost, *.internal and other names that no public authority issues
/// for. Clients accept them once they trust this authority. It is made when it is first needed; its key never leaves
/// the machine.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  curl --cacert \"$(strait ca --path)\" https://localhost:8443/")]
pub(crate) struct Ca {
    /// Print only the path of the certificate
    #[arg(long)]
    path: bool,
}

impl Ca {
    pub(crate) fn run(self, output: Output) -> Exit {
        let certificate = match state::authority().prepare(wall_clock()) {
            Ok(certificate) => certificate,
            Err(why) => {
                say(&why);
                return Exit::Failed;
            }
        };
        let text = match (self.path, output) {
            (true, _) => format!("{}\n", certificate.display()),
            (false, Output::Json) => format!("{}\n", serde_json::json!({"certificate": certificate})),
            (false, _) => instructions(&certificate),
        };
        print(&text);
        Exit::Done
    }
}

fn instructions(certificate: &Path) -> String {
    let file = certificate.display();
    format!(
        "The certificate of the local authority: {file}

Trust it only on machines that are yours: whoever has its key (beside it, readable by its owner only) can pretend
to be any site towards them.

Debian, Ubuntu     sudo cp {file} /usr/local/share/ca-certificates/strait.crt && sudo update-ca-certificates
Fedora, RHEL       sudo trust anchor {file}
Arch               sudo trust anchor --store {file}
Alpine             sudo cp {file} /usr/local/share/ca-certificates/strait.crt && sudo update-ca-certificates
macOS              sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {file}
Windows            certutil -addstore -f Root {file}
Firefox            Settings, Privacy & Security, View Certificates, Authorities, Import (or: about:config,
                   security.enterprise_roots.enabled = true)
Chrome on Linux    certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n strait -i {file}
curl               curl --cacert {file} https://localhost:8443/
Python             REQUESTS_CA_BUNDLE={file}
Node               NODE_EXTRA_CA_CERTS={file}
Java               keytool -importcert -cacerts -alias strait -file {file}
"
    )
}
