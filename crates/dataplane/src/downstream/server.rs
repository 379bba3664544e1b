//! The side of an exchange that faces the client, whichever version of HTTP it speaks.

use super::h2::Serving;
use crate::fault::client_misdeed;
use strait_http1::{Decoder, Encoder, Persistence, Received};
use strait_message::{BodyLength, Fault, Headers, Phase, RequestHead, ResponseHead};

/// What receives a request and sends its response. Heads of HTTP/1 are written behind each other into an output that
/// the exchange sends; those of HTTP/2 leave by their connection, and what is sent by the exchange are bodies alone.
pub(crate) enum Server {
    H1(strait_http1::Server),
    H2(Serving),
}

impl Server {
    /// Looks at received octets of a request head.
    ///
    /// # Errors
    /// The fault of a client whose head is refused.
    #[inline]
    pub(crate) fn recv(
        &mut self,
        input: &[u8],
        head: &mut RequestHead,
        limits: &strait_http1::Limits,
    ) -> Result<Received, Fault> {
        match self {
            Self::H1(server) => {
                server.recv(input, head, limits).map_err(|misdeed| client_misdeed(Phase::RequestHead, misdeed))
            }
            Self::H2(serving) => serving.recv(head),
        }
    }

    /// The length of the request's body.
    #[inline]
    pub(crate) fn request_length(&self) -> BodyLength {
        match self {
            Self::H1(server) => server.request_length(),
            Self::H2(serving) => serving.request_length(),
        }
    }

    /// Whether the whole request has been received.
    #[inline]
    pub(crate) fn request_is_done(&self) -> bool {
        match self {
            Self::H1(server) => server.request_is_done(),
            Self::H2(serving) => serving.decoder.is_done(),
        }
    }

    /// Whether the request asks to become a WebSocket.
    #[inline]
    pub(crate) fn wants_websocket(&self) -> bool {
        match self {
            Self::H1(server) => server.wants_websocket(),
            Self::H2(serving) => serving.wants_websocket(),
        }
    }

    /// The decoder of the request body.
    #[inline]
    pub(crate) fn decoder_mut(&mut self) -> &mut Decoder {
        match self {
            Self::H1(server) => server.decoder_mut(),
            Self::H2(serving) => &mut serving.decoder,
        }
    }

    /// The encoder of the response body.
    #[inline]
    pub(crate) fn encoder_mut(&mut self) -> &mut Encoder {
        match self {
            Self::H1(server) => server.encoder_mut(),
            Self::H2(serving) => &mut serving.encoder,
        }
    }

    /// The connection ends with this exchange, and the response says so. A stream ends with its exchange anyway.
    #[inline]
    pub(crate) fn close_after_response(&mut self) {
        if let Self::H1(server) = self {
            server.close_after_response();
        }
    }

    /// Sends an interim head, or appends it to the output.
    #[inline]
    pub(crate) fn send_interim(&mut self, head: &ResponseHead, out: &mut Vec<u8>) {
        match self {
            Self::H1(server) => server.send_interim(head, out),
            Self::H2(serving) => serving.send_interim(head),
        }
    }

    /// Sends the head that says that what follows is a tunnel, or appends it to the output.
    pub(crate) fn send_switch(&mut self, head: &mut ResponseHead, extra: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::H1(server) => server.send_switch(head, extra, out),
            Self::H2(serving) => serving.send_switch(head, extra),
        }
    }

    /// Sends the final head, or appends it to the output. Whether it has left with that: no other can take its place.
    #[inline]
    pub(crate) fn send_head(
        &mut self,
        head: &ResponseHead,
        length: BodyLength,
        extra: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        match self {
            Self::H1(server) => {
                server.send_head(head, length, extra, out);
                false
            }
            Self::H2(serving) => serving.send_head(head, length, extra),
        }
    }

    /// Whether the end of the response can be told from a broken connection.
    #[inline]
    pub(crate) fn response_is_framed(&self) -> bool {
        match self {
            Self::H1(server) => server.response_is_framed(),
            Self::H2(_) => true,
        }
    }

    /// Frames a whole body of so many octets, which is sent behind the output.
    #[inline]
    pub(crate) fn frame_whole(&mut self, octets: usize, out: &mut Vec<u8>) {
        match self {
            Self::H1(server) => {
                // What is announced here is what is sent: these cannot fail.
                let _ = server.encoder_mut().data_prefix(octets as u64, out);
                let _ = server.send_end(None, out);
            }
            Self::H2(serving) => serving.end_behind(octets),
        }
    }

    /// Whether nothing more will come from the client, as it said itself.
    #[inline]
    pub(crate) fn client_is_done(&self) -> bool {
        match self {
            Self::H1(server) => server.client_is_done(),
            Self::H2(_) => true,
        }
    }

    /// Ends the exchange; what becomes of the connection, which for a stream is the stream.
    #[inline]
    pub(crate) fn finish(&mut self) -> Persistence {
        match self {
            Self::H1(server) => server.finish(),
            Self::H2(_) => Persistence::Close,
        }
    }
}

/// Passes the end of a body on: to a stream behind the octets that are still to be written to it.
#[inline]
pub(crate) fn end_lane(socket: &crate::io::Socket, pending: usize, trailers: Option<&Headers>) {
    if let Some(lane) = socket.lane() {
        lane.end_behind(pending, trailers);
    }
}
