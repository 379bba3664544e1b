//! What is known about a request, as conditions and templates ask for it.

use crate::exchange::Exchange;
use crate::finish::UNKNOWN;
use crate::request_id::RequestId;
use crate::scratch::{Asked, Scratch};
use strait_message::{Headers, ResponseHead};
use strait_plan::{ClientView, Evidence, Facts, HeaderEdits, Listener, TlsFacts};

/// The places where it is written, by reference: a few words, for the future of an exchange holds it.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) asked: &'a Asked,
    pub(crate) view: &'a ClientView,
    pub(crate) listener: &'a Listener,
    pub(crate) id: &'a RequestId,
    pub(crate) tls: Option<&'a TlsFacts>,
}

impl<'a> Known<'a> {
    pub(crate) fn of(exchange: &'a Exchange<'_>) -> Self {
        Self {
            asked: &exchange.scratch.asked,
            view: &exchange.view,
            listener: exchange.listener,
            id: &exchange.id,
            tls: exchange.client.socket.tls(),
        }
    }

    /// The same from a scratch of which the other parts are being written.
    pub(crate) fn beside(
        scratch: &'a mut Scratch,
        view: &'a ClientView,
        listener: &'a Listener,
        id: &'a RequestId,
        tls: Option<&'a TlsFacts>,
    ) -> (Self, &'a mut ResponseHead, &'a mut Headers, &'a mut Vec<u8>) {
        let Scratch { asked, response, trailers, extra, .. } = scratch;
        (Self { asked, view, listener, id, tls }, response, trailers, extra)
    }

    /// The request, as a decision asks for it.
    pub(crate) fn facts(&self) -> Facts<'a> {
        let Asked { request, path, target, host, .. } = self.asked;
        Facts {
            method: &request.method,
            host,
            path,
            query: target.get(path.len() + 1..).filter(|_| target.len() > path.len()),
            headers: &request.headers,
            version: request.version,
            scheme: strait_plan::scheme(self.view.from_trusted_proxy, &request.headers, self.view.secure),
            client: Some(self.view.address).filter(|address| *address != UNKNOWN),
            listener: &self.listener.name,
            request_id: self.id,
            tls: self.tls,
        }
    }

    /// All that an expression may ask before there is a response.
    pub(crate) fn evidence(&self) -> Evidence<'a> {
        Evidence::of(self.facts(), self.asked.captures)
    }

    /// Edits the fields of a response.
    pub(crate) fn edit_response(&self, head: &mut ResponseHead, edits: &HeaderEdits) {
        let values = edits.values(&Evidence { response: Some(head), ..self.evidence() });
        edits.apply(&mut head.headers, &values);
    }
}
