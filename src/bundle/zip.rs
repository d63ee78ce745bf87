//! Bundles in a zip: listed from its directory, members unpacked when they are asked for.

use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use jiff::Timestamp;
use zip::CompressionMethod;
use zip::extra_fields::ExtraField;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::archive::{Archive, Stop};
use super::limits::{Exceeded, Limits};
use super::listing::{Content, Listing, Member};
use super::{name, packed};

/// A zip, open.
pub(super) type Zip = zip::ZipArchive<BufReader<Budgeted>>;

/// Bytes that are read for each member that there may be, before there are taken to be more: the library reads the whole directory at
/// once, however large.
const DIRECTORY_ENTRY: u64 = 256;

/// Opens a zip of `length` bytes and lists its members.
pub(super) fn list(archive: Box<dyn Archive>, length: u64, listing: &mut Listing<'_>) -> Result<Zip, Stop> {
    let mut zip = open(archive, listing.limits)?;
    // What the directory says is taken at its word: no member is read beyond the size that it tells.
    let sizes = (0..zip.len()).filter_map(|number| zip.by_index_data(number).ok());
    let unpacked = sizes.fold(0, |sum: u64, member| sum.saturating_add(member.size()));
    listing.limits.allow(unpacked, length)?;
    if zip.has_duplicate_names() {
        listing.refuse("", "some members have the same name; the last of each counts");
    }
    for number in 0..zip.len() {
        listing.count()?;
        add(&mut zip, number, listing);
    }
    Ok(zip)
}

fn open(archive: Box<dyn Archive>, limits: &Limits) -> Result<Zip, Stop> {
    let budget = (limits.members as u64)
        .saturating_mul(DIRECTORY_ENTRY)
        .saturating_add(1 << 20);
    let left = Arc::new(AtomicU64::new(budget));
    let budgeted = Budgeted {
        inner: archive,
        left: Arc::clone(&left),
    };
    let opened = zip::ZipArchive::new(BufReader::new(budgeted));
    let spent = left.swap(u64::MAX, Ordering::Relaxed) == 0;
    match opened {
        Err(_) if spent => Err(Exceeded::Members(limits.members).into()),
        Err(error) => Err(Stop::Damaged(error.to_string())),
        Ok(zip) => Ok(zip),
    }
}

fn add(zip: &mut Zip, number: usize, listing: &mut Listing<'_>) {
    let Ok(entry) = zip.by_index_data(number) else { return };
    if entry.is_dir() {
        return;
    }
    let path = match name::inside(&written_name(entry.name_raw(), entry.name().ok()), listing.limits) {
        Ok(path) => path,
        Err(bad) => return listing.refuse(bad.shown, bad.reason),
    };
    let special = entry
        .unix_mode()
        .is_some_and(|mode| !matches!(mode & 0o170_000, 0 | 0o100_000));
    if entry.is_symlink() {
        let target = link_target(zip, number).and_then(|to| name::linked(&path, &to));
        return listing.link(path, target, None);
    }
    if special {
        return listing.leave_out(path, "no regular file");
    }
    if entry.encrypted() {
        return listing.leave_out(path, "encrypted");
    }
    if entry.size().max(entry.compressed_size()) > listing.limits.item {
        return listing.leave_out(path, packed::larger_than(listing.limits.item));
    }
    if !matches!(
        entry.compression(),
        CompressionMethod::Stored | CompressionMethod::Deflated
    ) {
        return listing.leave_out(
            path,
            format!("packed with {}, which is not read here", entry.compression()),
        );
    }
    match zip.by_index_raw(number) {
        Err(error) => listing.leave_out(path, error.to_string()),
        Ok(file) => listing.add(
            path,
            Member {
                modified: modified(&file),
                ..Member::new(Content::Entry(number))
            },
        ),
    }
}

/// Where a link leads to: its bytes are the path.
fn link_target(zip: &mut Zip, number: usize) -> Result<Vec<u8>, &'static str> {
    const LONGEST: u64 = 4096;
    let readable = zip
        .by_index_data(number)
        .is_ok_and(|entry| entry.size() <= LONGEST && !entry.encrypted());
    let stored = readable.then(|| Stored::read(zip, number).and_then(Stored::unpack));
    match stored {
        Some(Ok(target)) => Ok(target),
        _ => Err("a link that cannot be read"),
    }
}

/// A name as it is meant: in the encoding that the zip tells, and with the backslashes of old Windows programs as slashes.
fn written_name(raw: &[u8], decoded: Option<std::borrow::Cow<'_, str>>) -> Vec<u8> {
    let mut name = decoded.map_or_else(|| raw.to_vec(), |name| name.into_owned().into_bytes());
    for byte in name.iter_mut().filter(|byte| **byte == b'\\') {
        *byte = b'/';
    }
    name
}

/// The time of a member, where it is told in UTC; the time that every zip tells is one of an unknown zone.
fn modified<R: Read>(file: &ZipFile<'_, R>) -> Option<Timestamp> {
    let times = file.extra_data_fields().filter_map(|field| match field {
        ExtraField::ExtendedTimestamp(times) => times.mod_time(),
        _ => None,
    });
    let seconds = times.filter(|seconds| *seconds != 0).last()?;
    Timestamp::from_second(i64::from(seconds)).ok()
}

/// A member as it is stored, so that others may use the zip while it is unpacked.
pub(super) struct Stored {
    bytes: Vec<u8>,
    method: CompressionMethod,
    size: u64,
    crc: u32,
}

impl Stored {
    /// Reads the member of this number.
    pub(super) fn read(zip: &mut Zip, number: usize) -> io::Result<Stored> {
        let mut file = zip.by_index_raw(number).map_err(into_io)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < file.compressed_size() {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the zip ends before it"));
        }
        Ok(Stored {
            bytes,
            method: file.compression(),
            size: file.size(),
            crc: file.crc32(),
        })
    }

    /// Its bytes, as many as the directory tells and with the checksum that it tells.
    pub(super) fn unpack(self) -> io::Result<Vec<u8>> {
        let bytes = if self.method == CompressionMethod::Deflated {
            let mut bytes = Vec::new();
            let decoder = DeflateDecoder::new(self.bytes.as_slice());
            decoder.take(self.size.saturating_add(1)).read_to_end(&mut bytes)?;
            bytes
        } else {
            self.bytes
        };
        let mut crc = Crc::new();
        crc.update(&bytes);
        if bytes.len() as u64 != self.size || crc.sum() != self.crc {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "its bytes do not agree with their checksum in the zip",
            ));
        }
        Ok(bytes)
    }
}

fn into_io(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// An archive of which no more may be read than is `left`.
pub(super) struct Budgeted {
    inner: Box<dyn Archive>,
    left: Arc<AtomicU64>,
}

impl Read for Budgeted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other("the directory of the zip is too long"));
        }
        let count = self.inner.read(buffer)?;
        self.left.store(left.saturating_sub(count as u64), Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Budgeted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
