//! A page as a sequence of blocks.

/// A fenced block, or a comment for the test.
pub(crate) struct Block {
    /// The line of the page on which it begins, from 1.
    pub(crate) line: usize,
    /// The language; `origins` for the comment that asks for some.
    pub(crate) language: String,
    /// The words behind the language.
    pub(crate) words: Vec<String>,
    /// What it holds.
    pub(crate) text: String,
    /// Whether only blank lines stand between the block before and this one.
    pub(crate) follows: bool,
}

impl Block {
    /// The value of `key=value` among its words.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// Whether a word stands behind its language.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|found| found == word)
    }
}

/// The blocks of a page, in order.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    let mut follows = false;
    for (at, line) in page.lines().enumerate() {
        match &mut open {
            Some(block) if line == "```" => {
                follows = true;
                blocks.extend(open.take().filter(|block| !block.language.is_empty()));
            }
            Some(block) => block.text.extend([line, "\n"]),
            None if line.starts_with("```") => open = Some(begun(at + 1, line.trim_start_matches('`'), follows)),
            None => {
                let asked = line.strip_prefix("<!-- origins:").and_then(|rest| rest.strip_suffix("-->"));
                blocks.extend(asked.map(|ports| begun(at + 1, &format!("origins {ports}"), false)));
                follows = follows && line.trim().is_empty();
            }
        }
    }
    assert!(open.is_none(), "a block is never closed");
    blocks
}

fn begun(line: usize, info: &str, follows: bool) -> Block {
    let mut words = info.split_whitespace().map(str::to_owned);
    let language = words.next().unwrap_or_default();
    Block { line, language, words: words.collect(), text: String::new(), follows }
}

/// Whether a text is as written, where `…` stands for anything and blanks at line ends do not count.
pub(crate) fn matches(said: &str, written: &str) -> bool {
    let tidy = |text: &str| text.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let (said, written) = (tidy(said), tidy(written));
    let parts: Vec<&str> = written.split('…').collect();
    let [first, middle @ .., last] = &*parts else { return said == written };
    let Some(mut rest) = said.strip_prefix(first) else { return false };
    for part in middle {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

#[test]
fn an_ellipsis_is_anything() {
    assert!(matches("a b c \n", "a b c"));
    assert!(matches("took 3 ms\nand 4\n", "took … ms\nand …"));
    assert!(!matches("took 3 ms", "took … s\nand"));
    assert!(matches("1\n2\n3", "1\n…\n3"));
}
