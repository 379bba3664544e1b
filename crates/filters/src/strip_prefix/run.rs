use super::StripPrefix;
use crate::flow::{Behaviour, Flow, Reply};
use crate::target::below;
use crate::Request;
use strait_message::Name;

impl Behaviour for StripPrefix {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        if self.prefix.is_empty() || below(request.target.path(), &self.prefix).is_none() {
            return Flow::Continue;
        }
        let stripped = request.target.set_path(|path, out| {
            let rest = below(path, &self.prefix).unwrap_or(path);
            // One slash: what begins with two is a host to some origins and to every browser that is redirected to it.
            let name = rest.iter().position(|&b| b != b'/').unwrap_or(rest.len());
            out.push(b'/');
            out.extend_from_slice(rest.get(name..).unwrap_or_default());
        });
        match stripped {
            Ok(()) => {
                // The origin can build links that work outside, as Traefik and Spring know it.
                request.notes.forced.set(Name::XForwardedPrefix, &self.prefix);
                Flow::Continue
            }
            Err(error) => Reply::from(error).into(),
        }
    }

    fn describe(&self) -> String {
        format!("takes {} off the path", String::from_utf8_lossy(&self.prefix))
    }
}
