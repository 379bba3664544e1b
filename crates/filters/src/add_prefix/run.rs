use super::AddPrefix;
use crate::Request;
use crate::flow::{Behaviour, Flow, Reply};

impl Behaviour for AddPrefix {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        if !request.target.is_path() {
            return Flow::Continue;
        }
        let added = request.target.set_path(|path, out| {
            out.extend_from_slice(&self.prefix);
            out.extend_from_slice(path);
        });
        added.map_or_else(|error| Reply::from(error).into(), |()| Flow::Continue)
    }

    fn describe(&self) -> String {
        format!("puts {} before the path", String::from_utf8_lossy(&self.prefix))
    }
}
