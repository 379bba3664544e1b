use crate::decode::OneOrMany;
use crate::value::Size;
use strait_config_derive::Spec;

/// Codes response bodies with gzip, brotli or zstd, whichever the client prefers. Bodies that are coded already, say `no-transform`, are part of a range, or are of other types are left alone. Streams are flushed whenever the origin pauses. A list stands for `encodings`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`compress`", short = "encodings", empty_ok, peers(algorithms = "encodings", prefer = "encodings", gzip_types = "types", includedContentTypes = "types", content_type = "types", min_length = "min_size", gzip_min_length = "min_size", minResponseBodyBytes = "min_size", minimum_length = "min_size", gzip_comp_level = "level"))]
pub struct Compress {
    /// The codings, the preferred one first; between codings that a client likes equally this order decides.
    #[spec(default = OneOrMany(vec![Encoding::Zstd, Encoding::Br, Encoding::Gzip]))]
    pub encodings: OneOrMany<Encoding>,
    /// Types of bodies that are coded; `text/*` means all of text.
    #[spec(default = Compress::usual_types())]
    pub types: Vec<String>,
    /// The smallest body that is coded.
    #[spec(default = Size::kib(1))]
    pub min_size: Size,
    /// How hard every coding tries, 1 to 9. Without the key: gzip 3, brotli 4, zstd 3.
    #[spec(min = 1_u32, max = 9_u32)]
    pub level: Option<u32>,
}

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a content coding", peers(brotli = "br", zst = "zstd", zstandard = "zstd", deflate = "gzip"))]
pub enum Encoding {
    /// Zstandard: the quickest; Chromium and Firefox since 2024.
    Zstd,
    /// Brotli: the smallest; over TLS in every browser since 2017.
    Br,
    /// gzip: everywhere.
    Gzip,
}

impl Compress {
    fn usual_types() -> Vec<String> {
        let types = [
            "text/*", "application/json", "application/javascript", "application/xml", "application/xhtml+xml",
            "application/rss+xml", "application/atom+xml", "application/ld+json", "application/problem+json",
            "application/manifest+json", "application/wasm", "application/vnd.ms-fontobject", "font/ttf", "font/otf",
            "image/svg+xml", "image/bmp", "image/x-icon",
        ];
        types.map(str::to_owned).to_vec()
    }
}
