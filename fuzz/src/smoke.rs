//! A target on its seeds and on mutations of them, without libFuzzer, for the normal test run. Always the same ones.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// A test for each target: its name is that of the function in the module `targets`, and of its seeds.
macro_rules! smoke {
    ($mutations:literal: $($target:ident),+) => {
        $(
            #[test]
            fn $target() {
                smoke::run(stringify!($target), $mutations, targets::$target);
            }
        )+
    };
}

/// Runs `target` on every seed of `fuzz/corpus/NAME` and on `mutations` inputs made of them.
///
/// # Panics
/// When the target does, with the input, which then belongs into the corpus.
pub fn run(name: &str, mutations: u32, target: fn(&[u8])) {
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "fuzz/corpus/{name} has no seeds");
    seeds.iter().for_each(|seed| one(name, seed, target));
    let mut random = Random(0x5eed);
    for _ in 0..mutations {
        let input = mutation(&seeds, &mut random);
        one(name, &input, target);
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "seed"));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn one(name: &str, input: &[u8], target: fn(&[u8])) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        eprintln!("{name} fails on b\"{}\"", input.escape_ascii());
        std::panic::resume_unwind(panic);
    }
}

/// Octets that mean something to one grammar or another.
const TELLING: &[u8] = b"\r\n\0\t :;,=\"/\\%?#*{}[]-&!|.09azAF\x7f\x80\xff";

/// A seed with a few changes: an octet replaced, inserted or removed, a stretch repeated, or another seed's end.
fn mutation(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(input.len() + 1);
        match random.below(6) {
            0 if at < input.len() => input[at] = random.next() as u8,
            1 if at < input.len() => input[at] = TELLING[random.below(TELLING.len())],
            2 => input.insert(at, TELLING[random.below(TELLING.len())]),
            3 if at < input.len() => drop(input.remove(at)),
            4 => {
                let stretch = input[at..].iter().copied().take(random.below(16)).collect::<Vec<u8>>();
                input.splice(at..at, stretch);
            }
            _ => {
                let other = &seeds[random.below(seeds.len())];
                input.truncate(at);
                input.extend_from_slice(&other[random.below(other.len() + 1)..]);
            }
        }
    }
    input
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
