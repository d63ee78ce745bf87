//! Bundles that are archives: told apart by their bytes, indexed in one pass, never unpacked to disk.
//!
//! A plain tar and a zip are read in place: a member is sought when it is asked for. A packed tar cannot be sought, so its members are
//! held in memory: as they are up to [`HELD_PLAIN`] bytes, which is all of a small bundle, and packed anew, each for itself, beyond that.
//! So a small bundle costs one unpacking; a large one takes about as much memory as the archive has bytes, plus what is in use, and
//! reading a member costs unpacking that member alone.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use super::error::BundleError;
use super::limits::Exceeded;
use super::listing::{Content, Listing, Member};
use super::name;
use super::packed::{self, Codec, Kept, Unpacked};
use super::tar::{self, Header, Kind, Plain, Source, Walk};
use super::zip::{self, Stored, Zip};

/// Bytes of a packed tar that are held as they are.
const HELD_PLAIN: u64 = 32 << 20;

/// What an archive can be read from: a file, or bytes in memory.
pub(super) trait Archive: Read + Seek + Send {}

impl<T: Read + Seek + Send> Archive for T {}

/// An archive that is read in place. Readers take turns.
pub(super) enum Handle {
    Tar(Mutex<Box<dyn Archive>>),
    Zip(Mutex<Zip>),
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Handle::Tar(_) => "Tar",
            Handle::Zip(_) => "Zip",
        })
    }
}

impl Handle {
    /// Reads bytes of a plain tar.
    pub(super) fn range(&self, offset: u64, size: u64) -> io::Result<Vec<u8>> {
        let Handle::Tar(archive) = self else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
        archive.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        archive.by_ref().take(size).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < size {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the archive has become shorter",
            ));
        }
        Ok(bytes)
    }

    /// Reads a member of a zip.
    pub(super) fn entry(&self, number: usize) -> io::Result<Vec<u8>> {
        let Handle::Zip(zip) = self else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let stored = Stored::read(&mut zip.lock().unwrap_or_else(PoisonError::into_inner), number)?;
        stored.unpack()
    }
}

/// What there is to keep of an archive once it is listed.
pub(super) struct Opened {
    pub(super) handle: Option<Handle>,
    /// Whether the archive came to its proper end.
    pub(super) whole: bool,
}

/// Lists an archive; `name` is what the user calls it.
pub(super) fn list(
    name: &str,
    mut archive: Box<dyn Archive>,
    listing: &mut Listing<'_>,
) -> Result<Opened, BundleError> {
    let unreadable = |source| BundleError::Unreadable {
        name: name.to_owned(),
        source,
    };
    let (head, length) = head(&mut archive).map_err(unreadable)?;
    let opened = match Shape::of(&head) {
        Shape::Packed(codec) => packed_tar(codec, archive, listing),
        Shape::Tar => plain_tar(archive, length, listing),
        Shape::Zip => zip::list(archive, length, listing).map(|zip| Opened {
            handle: Some(Handle::Zip(Mutex::new(zip))),
            whole: true,
        }),
        Shape::Other(what) => Err(Stop::NoArchive(what)),
    };
    listing.strip_top_folder();
    opened.map_err(|stop| stop.error(name))
}

/// The first block and the length of an archive, which is left at its beginning.
fn head(archive: &mut Box<dyn Archive>) -> io::Result<(Vec<u8>, u64)> {
    let length = archive.seek(SeekFrom::End(0))?;
    archive.rewind()?;
    let mut head = Vec::new();
    archive.by_ref().take(512).read_to_end(&mut head)?;
    archive.rewind()?;
    Ok((head, length))
}

/// What a file is, by its first bytes.
enum Shape {
    Packed(Codec),
    Tar,
    Zip,
    Other(&'static str),
}

impl Shape {
    fn of(head: &[u8]) -> Shape {
        if let Some(codec) = Codec::of(head) {
            return Shape::Packed(codec);
        }
        if <&[u8; 512]>::try_from(head).is_ok_and(|block| tar::is_header(block) || block.iter().all(|byte| *byte == 0))
        {
            return Shape::Tar;
        }
        match head {
            [] => Shape::Other("is empty"),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Shape::Zip,
            [b'B', b'Z', b'h', ..] => Shape::Other("is packed with bzip2, which is not read here; unpack it first"),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
                Shape::Other("is packed with xz, which is not read here; unpack it first")
            }
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => {
                Shape::Other("is a 7z archive, which is not read here; unpack it first")
            }
            [b'R', b'a', b'r', b'!', ..] => Shape::Other("is a RAR archive, which is not read here; unpack it first"),
            _ => Shape::Other("is neither a folder nor an archive"),
        }
    }
}

/// Why an archive cannot be listed.
#[derive(Debug)]
pub(super) enum Stop {
    /// It breaks a bound.
    Exceeded(Exceeded),
    /// Its bytes are not what they were.
    Damaged(String),
    /// It is none; what it is, as a predicate.
    NoArchive(&'static str),
    /// It cannot be read.
    Failed(io::Error),
}

impl From<Exceeded> for Stop {
    fn from(exceeded: Exceeded) -> Stop {
        Stop::Exceeded(exceeded)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Exceeded>()) {
            Some(exceeded) => Stop::Exceeded(*exceeded),
            // The system's errors have a number; those of a decoder tell of bad bytes.
            None if error.raw_os_error().is_none() => Stop::Damaged(error.to_string()),
            None => Stop::Failed(error),
        }
    }
}

impl Stop {
    fn error(self, name: &str) -> BundleError {
        let name = name.to_owned();
        match self {
            Stop::Exceeded(exceeded) => BundleError::TooLarge { name, exceeded },
            Stop::Damaged(message) => BundleError::Damaged { name, message },
            Stop::NoArchive(what) => BundleError::NotABundle {
                name,
                what: what.to_owned(),
            },
            Stop::Failed(source) => BundleError::Unreadable { name, source },
        }
    }
}

fn plain_tar(mut archive: Box<dyn Archive>, length: u64, listing: &mut Listing<'_>) -> Result<Opened, Stop> {
    let step = |walk: &mut Walk<Plain<'_>>, header: &Header| {
        let offset = walk.position();
        let size = walk.pass(header.size)?;
        Ok((Content::Range { offset, size }, size))
    };
    let whole = walk(Walk::new(Plain::new(&mut archive, length)), listing, step)?;
    Ok(Opened {
        handle: Some(Handle::Tar(Mutex::new(archive))),
        whole,
    })
}

fn packed_tar(codec: Codec, archive: Box<dyn Archive>, listing: &mut Listing<'_>) -> Result<Opened, Stop> {
    let source = Unpacked::new(codec, archive, listing.limits)?;
    let limit = listing.limits.memory;
    let (mut plain, mut held) = (0, 0);
    let step = |walk: &mut Walk<Unpacked<'_>>, header: &Header| {
        let bytes = walk.read(header.size)?;
        let size = bytes.len() as u64;
        plain += size;
        let kept = if plain <= HELD_PLAIN {
            Kept::Plain(bytes)
        } else {
            Kept::packed(bytes)
        };
        held += kept.held() + header.name.len() as u64;
        if held > limit {
            return Err(Exceeded::Memory(limit).into());
        }
        Ok((Content::Kept(kept), size))
    };
    let whole = walk(Walk::new(source), listing, step)?;
    Ok(Opened { handle: None, whole })
}

/// Lists the members of a tar; whether it came to its end. `step` goes over the bytes of an item, and gives where they are and how many
/// there were.
fn walk<S: Source>(
    mut walk: Walk<S>,
    listing: &mut Listing<'_>,
    mut step: impl FnMut(&mut Walk<S>, &Header) -> Result<(Content, u64), Stop>,
) -> Result<bool, Stop> {
    let mut first = true;
    loop {
        match walk.next() {
            Ok(Some(header)) => member(&mut walk, listing, &header, &mut step)?,
            Ok(None) => break,
            Err(tar::Stop::Cut | tar::Stop::Bad(_)) if first => {
                return Err(Stop::NoArchive("holds no tar, or too little of one"));
            }
            Err(tar::Stop::Cut) => return Ok(false),
            Err(tar::Stop::Bad(message)) => return Err(Stop::Damaged(message.into())),
            Err(tar::Stop::Failed(error)) => return Err(error.into()),
        }
        first = false;
    }
    match walk.finish() {
        Ok(true) => listing.refuse("", "something follows the end of the archive; it is not read"),
        Ok(false) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    Ok(true)
}

fn member<S: Source>(
    walk: &mut Walk<S>,
    listing: &mut Listing<'_>,
    header: &Header,
    step: &mut impl FnMut(&mut Walk<S>, &Header) -> Result<(Content, u64), Stop>,
) -> Result<(), Stop> {
    listing.count()?;
    if header.kind == Kind::Folder {
        return Ok(());
    }
    let path = match name::inside(&header.name, listing.limits) {
        Ok(path) => path,
        Err(bad) => {
            listing.refuse(bad.shown, bad.reason);
            return Ok(());
        }
    };
    match &header.kind {
        Kind::Other(what) => listing.leave_out(path, *what),
        Kind::Symlink(to) => {
            let target = name::linked(&path, to);
            listing.link(path, target, header.modified);
        }
        Kind::HardLink(to) => listing.link(path, name::linked("", to), header.modified),
        _ if header.size > listing.limits.item => listing.leave_out(path, packed::larger_than(listing.limits.item)),
        _ => {
            let (content, size) = step(walk, header)?;
            file(listing, path, header, content, size);
        }
    }
    Ok(())
}

/// Adds a file of which `size` bytes were there.
fn file(listing: &mut Listing<'_>, path: String, header: &Header, content: Content, size: u64) {
    let truncated = size < header.size;
    // Nothing at all must not be taken for an empty item.
    let content = if truncated && size == 0 {
        Content::Nowhere("the archive is cut off before it".into())
    } else {
        content
    };
    let modified = header.modified;
    listing.add(
        path,
        Member {
            content,
            modified,
            truncated,
        },
    );
}
