//! Walking through a tar (POSIX.1-2017 `pax`, and GNU's long names), in one pass and without believing it.
//!
//! The headers are read with the `tar` crate. The walk is ours: the crate's own reads names of any length into memory and does not tell
//! an archive that was cut off from one that is damaged.

use std::borrow::Cow;
use std::io::{self, BufReader, ErrorKind, Read};

use jiff::Timestamp;
use tar::EntryType;

use super::archive::Archive;
use super::packed::Unpacked;

const BLOCK: u64 = 512;

/// Most bytes of one extension (a long name, pax records) and most extensions before one member.
const MAX_EXTENSION: u64 = 1 << 20;
const MAX_EXTENSIONS: usize = 8;

/// What a tar is read from.
pub(super) trait Source: Read {
    /// Moves on by `count` bytes; gives how many of them there were.
    fn pass(&mut self, count: u64) -> io::Result<u64>;
}

impl Source for Unpacked<'_> {
    fn pass(&mut self, count: u64) -> io::Result<u64> {
        io::copy(&mut self.take(count), &mut io::sink())
    }
}

/// A tar that lies open on disk, whose members are stepped over and not read.
pub(super) struct Plain<'a> {
    reader: BufReader<&'a mut Box<dyn Archive>>,
    left: u64,
}

impl<'a> Plain<'a> {
    /// `archive` stands at its beginning and has `length` bytes.
    pub(super) fn new(archive: &'a mut Box<dyn Archive>, length: u64) -> Plain<'a> {
        Plain {
            reader: BufReader::new(archive),
            left: length,
        }
    }
}

impl Read for Plain<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.by_ref().take(self.left).read(buffer)?;
        self.left -= count as u64;
        Ok(count)
    }
}

impl Source for Plain<'_> {
    fn pass(&mut self, count: u64) -> io::Result<u64> {
        let count = count.min(self.left);
        let offset = i64::try_from(count).map_err(io::Error::other)?;
        self.reader.seek_relative(offset)?;
        self.left -= count;
        Ok(count)
    }
}

/// What kind of thing a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// Another name of the file at this path, which counts from the member's own folder.
    Symlink(Vec<u8>),
    /// Another name of the member with this name.
    HardLink(Vec<u8>),
    /// Something that is never followed or opened: its name in a sentence.
    Other(&'static str),
}

/// What an archive says of a member.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) size: u64,
    pub(super) modified: Option<Timestamp>,
}

/// Why the walk came to no proper end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The archive ends too early.
    Cut,
    /// What should be a header is none, or one that nobody writes.
    Bad(&'static str),
    /// It cannot be read, or breaks a bound.
    Failed(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        match error.kind() {
            ErrorKind::UnexpectedEof => Stop::Cut,
            _ => Stop::Failed(error),
        }
    }
}

/// A walk from member to member.
pub(super) struct Walk<S> {
    source: S,
    /// Bytes walked so far.
    position: u64,
    /// Bytes between here and the next header.
    rest: u64,
}

impl<S: Source> Walk<S> {
    pub(super) fn new(source: S) -> Walk<S> {
        Walk {
            source,
            position: 0,
            rest: 0,
        }
    }

    /// Bytes walked so far: after [`Walk::next`], where the bytes of the member start.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The next member; `None` at the mark that ends the archive.
    pub(super) fn next(&mut self) -> Result<Option<Header>, Stop> {
        let mut extensions = Extensions::default();
        for _ in 0..=MAX_EXTENSIONS {
            let Some(block) = self.block()? else { return Ok(None) };
            let header = tar::Header::from_byte_slice(&block);
            let size = header
                .entry_size()
                .map_err(|_| Stop::Bad("a header has no usable size"))?;
            match header.entry_type() {
                EntryType::GNULongName => extensions.name = Some(until_nul(&self.extension(size)?).to_vec()),
                EntryType::XHeader => extensions.read(&self.extension(size)?),
                EntryType::GNULongLink => extensions.link = Some(until_nul(&self.extension(size)?).to_vec()),
                EntryType::XGlobalHeader => drop(self.extension(size)?),
                _ => {
                    let header = extensions.apply(header, size);
                    self.rest = padded(header.size).ok_or(Stop::Bad("a header has no usable size"))?;
                    return Ok(Some(header));
                }
            }
        }
        Err(Stop::Bad("a member has too many extensions"))
    }

    /// Reads the bytes of the member that [`Walk::next`] gave last, which has `size` of them; fewer come where the archive ends early.
    pub(super) fn read(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(1 << 24)).unwrap_or(0));
        let read = self.source.by_ref().take(size).read_to_end(&mut bytes);
        self.position += bytes.len() as u64;
        self.rest = self.rest.saturating_sub(bytes.len() as u64);
        match read {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(bytes),
        }
    }

    /// Steps over the bytes of that member instead; gives how many there were.
    pub(super) fn pass(&mut self, size: u64) -> io::Result<u64> {
        let count = self.source.pass(size)?;
        self.position += count;
        self.rest = self.rest.saturating_sub(count);
        Ok(count)
    }

    /// Goes on to the end of the source, to have its checksum tested; whether more than padding follows the archive.
    pub(super) fn finish(mut self) -> io::Result<bool> {
        let mut buffer = [0; 1 << 13];
        loop {
            let count = self.source.read(&mut buffer)?;
            let read = buffer.get(..count).unwrap_or_default();
            if read.iter().any(|byte| *byte != 0) {
                self.source.pass(u64::MAX)?;
                return Ok(true);
            }
            if count == 0 {
                return Ok(false);
            }
        }
    }

    /// The next header; `None` for a block of zeros, which ends the archive.
    fn block(&mut self) -> Result<Option<[u8; BLOCK as usize]>, Stop> {
        let rest = std::mem::take(&mut self.rest);
        if self.pass(rest)? < rest {
            return Err(Stop::Cut);
        }
        let mut block = [0; BLOCK as usize];
        self.source.read_exact(&mut block)?;
        self.position += BLOCK;
        match () {
            () if block.iter().all(|byte| *byte == 0) => Ok(None),
            () if is_header(&block) => Ok(Some(block)),
            () => Err(Stop::Bad("a header does not agree with its checksum")),
        }
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        if size > MAX_EXTENSION {
            return Err(Stop::Bad("a name or a record is too long"));
        }
        self.rest = padded(size).unwrap_or(0);
        let bytes = self.read(size)?;
        if (bytes.len() as u64) < size {
            return Err(Stop::Cut);
        }
        Ok(bytes)
    }
}

/// Whether a block is a header: the sum of its bytes stands in it, the sum itself counted as blanks.
pub(super) fn is_header(block: &[u8; BLOCK as usize]) -> bool {
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    tar::Header::from_byte_slice(block)
        .cksum()
        .is_ok_and(|written| written == sum)
}

fn padded(size: u64) -> Option<u64> {
    size.checked_next_multiple_of(BLOCK)
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// What stands before a member's header because it does not fit into it.
#[derive(Debug, Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<Timestamp>,
    sparse: bool,
}

impl Extensions {
    /// Reads pax records: `LENGTH KEY=VALUE` and a line feed, with the length of all of that. Records that are none are passed over.
    fn read(&mut self, mut records: &[u8]) {
        while let Some((record, rest)) = next_record(records) {
            records = rest;
            let Some(equals) = record.iter().position(|byte| *byte == b'=') else {
                continue;
            };
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = number(value),
                b"mtime" => self.modified = time(value),
                _ if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
        }
    }

    fn apply(self, header: &tar::Header, size: u64) -> Header {
        let name = self.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let kind = if self.sparse {
            Kind::Other("a sparse file")
        } else {
            let link = self.link.or_else(|| header.link_name_bytes().map(Cow::into_owned));
            kind(header.entry_type(), &name, link.unwrap_or_default())
        };
        let seconds = header.mtime().ok().and_then(|seconds| i64::try_from(seconds).ok());
        // Archives that are to be the same each time carry the beginning of 1970, which says nothing.
        let modified = seconds
            .filter(|seconds| *seconds != 0)
            .and_then(|seconds| Timestamp::from_second(seconds).ok());
        Header {
            size: if has_bytes(header.entry_type()) {
                self.size.unwrap_or(size)
            } else {
                0
            },
            modified: self.modified.or(modified),
            name,
            kind,
        }
    }
}

fn kind(entry: EntryType, name: &[u8], link: Vec<u8>) -> Kind {
    match entry {
        EntryType::Directory => Kind::Folder,
        // Before POSIX, folders were files with a slash at the end.
        EntryType::Regular | EntryType::Continuous if name.ends_with(b"/") => Kind::Folder,
        EntryType::Regular | EntryType::Continuous => Kind::File,
        EntryType::Link => Kind::HardLink(link),
        EntryType::Symlink => Kind::Symlink(link),
        EntryType::Char | EntryType::Block => Kind::Other("a device"),
        EntryType::Fifo => Kind::Other("a named pipe"),
        EntryType::GNUSparse => Kind::Other("a sparse file"),
        _ => Kind::Other("a member of an unknown kind"),
    }
}

/// Links, folders and devices consist of a header alone, whatever size it tells.
fn has_bytes(entry: EntryType) -> bool {
    use EntryType::{Block, Char, Directory, Fifo, Link, Symlink};
    !matches!(entry, Link | Symlink | Char | Block | Directory | Fifo)
}

/// The first of some pax records, without its length and line feed, and the others.
fn next_record(records: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = records.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(records.get(..blank)?)?).ok()?;
    let record = records.get(blank + 1..length.checked_sub(1)?)?;
    Some((record, records.get(length..)?))
}

fn number(digits: &[u8]) -> Option<u64> {
    str::from_utf8(digits).ok()?.parse().ok()
}

/// A pax time: seconds since 1970, with decimals or without.
fn time(text: &[u8]) -> Option<Timestamp> {
    let text = str::from_utf8(text).ok()?;
    let (seconds, decimals) = text.split_once('.').unwrap_or((text, ""));
    let nanoseconds = format!("{decimals:0<9}").get(..9)?.parse().ok()?;
    let seconds: i64 = seconds.parse().ok().filter(|seconds| *seconds > 0)?;
    Timestamp::new(seconds, nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pax_records_are_read_by_their_lengths() {
        let mut extensions = Extensions::default();
        extensions.read(b"12 path=a\nb\n22 mtime=1700000000.5\n");
        assert_eq!(extensions.name.as_deref(), Some(&b"a\nb"[..]));
        let mut extensions = Extensions::default();
        extensions.read(b"10 path=a\n13 size=1234\n23 mtime=1700000000.25\n");
        assert_eq!(extensions.name.as_deref(), Some(&b"a"[..]));
        assert_eq!(extensions.size, Some(1234));
        assert_eq!(extensions.modified.unwrap().to_string(), "2023-11-14T22:13:20.25Z");
    }

    #[test]
    fn broken_pax_records_say_nothing() {
        for records in [
            &b""[..],
            b" ",
            b"0 path=a\n",
            b"1 path=a\n",
            b"99 path=a\n",
            b"x path=a\n",
            b"99999999999999999999 path=a\n",
        ] {
            let mut extensions = Extensions::default();
            extensions.read(records);
            assert_eq!(extensions.name, None, "{}", records.escape_ascii());
        }
    }

    #[test]
    fn pax_times() {
        assert_eq!(time(b"1700000000").unwrap().to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(
            time(b"1700000000.1234567899").unwrap().to_string(),
            "2023-11-14T22:13:20.123456789Z"
        );
        for text in [
            &b"0"[..],
            b"-1.5",
            b"",
            b"x",
            b"1.x",
            b"99999999999999999999",
            b"1.\xff",
        ] {
            assert_eq!(time(text), None, "{}", text.escape_ascii());
        }
    }
}
