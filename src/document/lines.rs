//! Lines and columns of offsets, without a table of all lines.

use super::{Document, Position, Span};
use memchr::{memchr, memchr_iter, memrchr};

/// One entry of the index for so many bytes.
const BLOCK: usize = 1 << 16;

/// What came before each block of the text.
#[derive(Debug)]
pub(super) struct Lines {
    blocks: Vec<Before>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Before {
    /// Line feeds before the block.
    lines: u32,
    /// Characters between the last of them and the block.
    chars: u32,
}

impl Before {
    fn after(self, bytes: &[u8]) -> Self {
        let lines = memchr_iter(b'\n', bytes).count() as u32;
        match memrchr(b'\n', bytes) {
            None => Self {
                lines: self.lines,
                chars: self.chars + chars(bytes),
            },
            Some(last) => Self {
                lines: self.lines + lines,
                chars: chars(bytes.get(last + 1..).unwrap_or_default()),
            },
        }
    }

    fn position(self) -> Position {
        Position {
            line: self.lines + 1,
            column: self.chars + 1,
        }
    }
}

/// Characters that begin in these bytes, which may cut one in two.
fn chars(bytes: &[u8]) -> u32 {
    // In runs whose count fits a byte: compilers make wide instructions of these.
    bytes
        .chunks(255)
        .map(|run| u32::from(run.iter().map(|byte| u8::from(byte & 0xC0 != 0x80)).sum::<u8>()))
        .sum()
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let mut before = Before::default();
        let blocks = text.as_bytes().chunks(BLOCK).map(|block| {
            let after = before.after(block);
            std::mem::replace(&mut before, after)
        });
        Self {
            blocks: blocks.collect(),
        }
    }

    fn position(&self, text: &str, offset: usize) -> Position {
        let offset = offset.min(text.len());
        let block = (offset / BLOCK).min(self.blocks.len().saturating_sub(1));
        let before = self.blocks.get(block).copied().unwrap_or_default();
        before
            .after(text.as_bytes().get(block * BLOCK..offset).unwrap_or_default())
            .position()
    }

    /// Where a line begins, in bytes.
    fn start(&self, text: &str, line: u32) -> Option<usize> {
        let feeds = line.checked_sub(1)?;
        if feeds == 0 {
            return Some(0);
        }
        let block = self
            .blocks
            .partition_point(|before| before.lines < feeds)
            .checked_sub(1)?;
        let missing = feeds - self.blocks.get(block)?.lines;
        let from = block * BLOCK;
        let feed = memchr_iter(b'\n', text.as_bytes().get(from..)?).nth(missing as usize - 1)?;
        Some(from + feed + 1)
    }
}

/// The position of a byte, found by reading the whole text before it.
pub(super) fn position_by_scan(text: &str, offset: usize) -> Position {
    let bytes = text.as_bytes();
    Before::default().after(bytes.get(..offset).unwrap_or(bytes)).position()
}

impl Document {
    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines::new(&self.text))
    }

    /// Line and column of a byte of the text. The first call indexes the whole text.
    pub fn position(&self, offset: u32) -> Position {
        self.lines().position(&self.text, offset as usize)
    }

    /// The bytes of a line, counted from 1, without what ends it.
    pub fn line_span(&self, line: u32) -> Option<Span> {
        let start = self.lines().start(&self.text, line)?;
        let rest = self.text.as_bytes().get(start..)?;
        let mut len = memchr(b'\n', rest).unwrap_or(rest.len());
        if rest.get(..len).is_some_and(|line| line.ends_with(b"\r")) {
            len -= 1;
        }
        Some(Span {
            start: start as u32,
            end: (start + len) as u32,
        })
    }
}
