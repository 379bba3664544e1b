//! Coders: octets of a body in, coded ones out.

use std::fmt;
use std::io::Write;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// gzip (RFC 1952).
    Gzip,
    /// Brotli (RFC 7932).
    Brotli,
    /// Zstandard (RFC 8878), with a window that every browser takes (RFC 9659).
    Zstd,
}

impl Coding {
    /// Its name in Accept-Encoding and Content-Encoding.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// Octets of the buffer in a brotli coder.
const BROTLI_BUFFER: usize = 4096;
/// The logarithm of brotli's window: 256 KiB of it are worth their memory, more are not for pages.
const BROTLI_WINDOW_LOG: u32 = 18;
/// RFC 9659: 8 MiB at most; 1 MiB keeps a coder small.
const ZSTD_WINDOW_LOG: u32 = 20;

/// Codes one body. What comes out stands in a buffer that whoever moves the body empties after each piece, so that it
/// is never larger than what one piece makes.
pub struct Coder {
    inner: Inner,
    octets_in: u64,
    octets_out: u64,
    /// Something was taken in since the last flush.
    unflushed: bool,
}

enum Inner {
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    /// The body has ended; what is left of it.
    Ended(Vec<u8>),
}

impl Coder {
    /// A coder for one body; `None` when the library has no memory for one.
    pub fn new(coding: Coding, level: u32) -> Option<Self> {
        let inner = match coding {
            Coding::Gzip => Inner::Gzip(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level.min(9)))),
            Coding::Brotli => {
                let writer = brotli::CompressorWriter::new(Vec::new(), BROTLI_BUFFER, level.min(11), BROTLI_WINDOW_LOG);
                Inner::Brotli(Box::new(writer))
            }
            Coding::Zstd => {
                let level = i32::try_from(level.min(19)).unwrap_or(3);
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level).ok()?;
                encoder.window_log(ZSTD_WINDOW_LOG).ok()?;
                Inner::Zstd(encoder)
            }
        };
        Some(Self { inner, octets_in: 0, octets_out: 0, unflushed: false })
    }

    /// Takes octets of the body in. Writing into memory does not fail.
    pub fn push(&mut self, data: &[u8]) {
        self.octets_in += data.len() as u64;
        self.unflushed = true;
        let _ = match &mut self.inner {
            Inner::Gzip(writer) => writer.write_all(data),
            Inner::Brotli(writer) => writer.write_all(data),
            Inner::Zstd(writer) => writer.write_all(data),
            Inner::Ended(_) => Ok(()),
        };
    }

    /// Brings out all that was taken in, so that the client can read up to there: before a wait for more.
    pub fn flush(&mut self) {
        if !std::mem::take(&mut self.unflushed) {
            return;
        }
        let _ = match &mut self.inner {
            Inner::Gzip(writer) => writer.flush(),
            Inner::Brotli(writer) => writer.flush(),
            Inner::Zstd(writer) => writer.flush(),
            Inner::Ended(_) => Ok(()),
        };
    }

    /// Ends the body.
    pub fn finish(&mut self) {
        self.inner = match std::mem::replace(&mut self.inner, Inner::Ended(Vec::new())) {
            Inner::Gzip(writer) => Inner::Ended(writer.finish().unwrap_or_default()),
            Inner::Brotli(writer) => Inner::Ended(writer.into_inner()),
            Inner::Zstd(writer) => Inner::Ended(writer.finish().unwrap_or_default()),
            ended @ Inner::Ended(_) => ended,
        };
    }

    /// Hands what came out to `take`, and forgets it.
    pub fn drain<T>(&mut self, take: impl FnOnce(&[u8]) -> T) -> T {
        let out = match &mut self.inner {
            Inner::Gzip(writer) => writer.get_mut(),
            Inner::Brotli(writer) => writer.get_mut(),
            Inner::Zstd(writer) => writer.get_mut(),
            Inner::Ended(rest) => rest,
        };
        self.octets_out += out.len() as u64;
        let taken = take(out);
        out.clear();
        taken
    }

    /// A whole body at once.
    pub fn whole(mut self, data: &[u8]) -> Vec<u8> {
        self.push(data);
        self.finish();
        self.drain(<[u8]>::to_vec)
    }
}

impl fmt::Debug for Coder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let coding = match self.inner {
            Inner::Gzip(_) => "gzip",
            Inner::Brotli(_) => "br",
            Inner::Zstd(_) => "zstd",
            Inner::Ended(_) => "ended",
        };
        write!(f, "Coder({coding}, {} in, {} out)", self.octets_in, self.octets_out)
    }
}
