use super::World;
use strait_config::Span;
use strait_config::filter::{Compress as Spec, Encoding};
use strait_filters::compress::{Coding, Compress};

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<Compress> {
    let coding = |encoding: &Encoding| {
        let (coding, level) = match encoding {
            Encoding::Zstd => (Coding::Zstd, 3),
            Encoding::Br => (Coding::Brotli, 4),
            Encoding::Gzip => (Coding::Gzip, 3),
        };
        (coding, spec.level.unwrap_or(level))
    };
    Some(Compress {
        codings: spec.encodings.iter().map(coding).collect(),
        types: spec.types.iter().map(|kind| kind.to_ascii_lowercase().into()).collect(),
        octets_min: spec.min_size.get(),
    })
}
