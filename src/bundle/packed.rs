//! Compression: of whole archives, of single items, and of what is kept in memory.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use super::limits::{self, Limits};

/// How something is packed, told by its first bytes: no text and no tar starts with these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// RFC 1952
    Gzip,
    /// RFC 8878
    Zstd,
}

impl Codec {
    pub(super) fn of(bytes: &[u8]) -> Option<Codec> {
        match bytes {
            [0x1f, 0x8b, 8, ..] => Some(Codec::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Codec::Zstd),
            _ => None,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Codec::Gzip => "gzip",
            Codec::Zstd => "zstd",
        }
    }

    /// Unpacks `packed`. Several packed streams one after another are read as one, as `gzip` and `zstd` do.
    fn decoder<'r>(self, packed: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
        Ok(match self {
            Codec::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Codec::Zstd => Box::new(zstd::Decoder::with_buffer(packed)?),
        })
    }
}

/// An item as it is read: packed bytes are unpacked, once; a packed item inside a packed one stays as it is.
pub(super) fn unpack(bytes: Vec<u8>, limit: u64) -> io::Result<Vec<u8>> {
    let Some(codec) = Codec::of(&bytes) else {
        return Ok(bytes);
    };
    let mut unpacked = Vec::new();
    let read = codec
        .decoder(bytes.as_slice())
        .and_then(|decoder| decoder.take(limit.saturating_add(1)).read_to_end(&mut unpacked));
    match read {
        Ok(count) if count as u64 > limit => Err(too_large(limit)),
        Ok(_) => Ok(unpacked),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(io::Error::new(
            error.kind(),
            format!("it is packed with {} and cut off", codec.word()),
        )),
        Err(error) => Err(io::Error::new(
            ErrorKind::InvalidData,
            format!("it is packed with {} and damaged: {error}", codec.word()),
        )),
    }
}

/// An item has more bytes than one may have.
pub(super) fn too_large(limit: u64) -> io::Error {
    io::Error::new(ErrorKind::FileTooLarge, larger_than(limit))
}

/// The same in words.
pub(super) fn larger_than(limit: u64) -> String {
    format!("larger than {}, the bound that `--max-item` sets", limits::bytes(limit))
}

/// The unpacked bytes of a whole archive, counted as they come, so that a bomb is noticed while it unfolds.
pub(super) struct Unpacked<'r> {
    decoder: Box<dyn Read + 'r>,
    packed: Rc<Cell<u64>>,
    unpacked: u64,
    limits: Limits,
}

impl<'r> Unpacked<'r> {
    pub(super) fn new(codec: Codec, archive: impl Read + 'r, limits: &Limits) -> io::Result<Unpacked<'r>> {
        let packed = Rc::new(Cell::new(0));
        let counted = Counted {
            inner: archive,
            count: Rc::clone(&packed),
        };
        Ok(Unpacked {
            decoder: codec.decoder(BufReader::with_capacity(1 << 16, counted))?,
            packed,
            unpacked: 0,
            limits: *limits,
        })
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer)?;
        self.unpacked += count as u64;
        self.limits
            .allow(self.unpacked, self.packed.get())
            .map_err(io::Error::other)?;
        Ok(count)
    }
}

struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

/// Bytes of a member that are held in memory: as they are, or packed again.
#[derive(Debug)]
pub(super) enum Kept {
    Plain(Vec<u8>),
    Packed { bytes: Vec<u8>, size: usize },
}

impl Kept {
    /// Packs fast rather than small: it is to be unpacked again soon.
    pub(super) fn packed(plain: Vec<u8>) -> Kept {
        match zstd::bulk::compress(&plain, 1) {
            Ok(mut bytes) => {
                bytes.shrink_to_fit();
                Kept::Packed {
                    bytes,
                    size: plain.len(),
                }
            }
            Err(_) => Kept::Plain(plain),
        }
    }

    /// Bytes of memory that it takes.
    pub(super) fn held(&self) -> u64 {
        match self {
            Kept::Plain(bytes) | Kept::Packed { bytes, .. } => bytes.len() as u64,
        }
    }

    pub(super) fn bytes(&self) -> io::Result<Vec<u8>> {
        match self {
            Kept::Plain(bytes) => Ok(bytes.clone()),
            Kept::Packed { bytes, size } => zstd::bulk::decompress(bytes, *size),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn items_are_unpacked_once() {
        let zstd = zstd::encode_all(&b"text"[..], 1).unwrap();
        for packed in [gzip(b"text"), zstd] {
            assert_eq!(unpack(packed, 100).unwrap(), b"text");
        }
        let twice = gzip(&gzip(b"text"));
        assert_eq!(unpack(twice, 100).unwrap(), gzip(b"text"));
        assert_eq!(unpack(b"text".to_vec(), 2).unwrap(), b"text");
    }

    #[test]
    fn streams_one_after_another_are_one() {
        let gzipped = [gzip(b"ab"), gzip(b"cd")].concat();
        assert_eq!(unpack(gzipped, 100).unwrap(), b"abcd");
        let frames = [&b"ab"[..], b"cd"].map(|part| zstd::encode_all(part, 1).unwrap());
        assert_eq!(unpack(frames.concat(), 100).unwrap(), b"abcd");
    }

    #[test]
    fn a_packed_item_that_unfolds_too_far_is_refused() {
        let bomb = gzip(&vec![0; 1 << 20]);
        assert_eq!(
            unpack(bomb, 1 << 19).unwrap_err().to_string(),
            "larger than 512 KiB, the bound that `--max-item` sets"
        );
        assert_eq!(unpack(gzip(b"12345"), 5).unwrap(), b"12345");
    }

    #[test]
    fn cut_and_damaged_items_are_told_apart() {
        let mut whole = gzip(b"some text, some text, some text");
        let cut = whole[..whole.len() - 3].to_vec();
        assert_eq!(
            unpack(cut, 100).unwrap_err().to_string(),
            "it is packed with gzip and cut off"
        );
        let checksum = whole.len() - 6;
        whole[checksum] ^= 1;
        let message = unpack(whole, 100).unwrap_err().to_string();
        assert!(message.starts_with("it is packed with gzip and damaged: "), "{message}");
    }

    #[test]
    fn kept_bytes_come_back() {
        let bytes = b"abc ".repeat(10_000);
        let kept = Kept::packed(bytes.clone());
        assert!(kept.held() < 1000);
        assert_eq!(kept.bytes().unwrap(), bytes);
        assert_eq!(Kept::Plain(bytes.clone()).bytes().unwrap(), bytes);
        assert_eq!(Kept::packed(Vec::new()).bytes().unwrap(), b"");
    }
}
