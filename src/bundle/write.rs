//! Bundles written: to a folder, to an archive whose kind its name tells, or to memory.
//!
//! Whatever is there under its name is whole. Only its owner may read it: evidence tells much.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::limits::Limits;
use super::manifest::{MANIFEST, Manifest};
use super::name;

/// Writes a bundle item by item. Nothing is overwritten; an archive has its name only once it is whole.
pub struct Writer {
    path: PathBuf,
    /// The folder that all members of an archive are in: unpacked, they do not scatter.
    top: String,
    target: Target,
}

enum Target {
    Folder,
    Tar(Box<tar::Builder<Packer>>),
    Zip(Box<ZipWriter<File>>),
}

/// Kinds of archives by the ends of their names.
const ENDS: [(&str, Kind); 6] = [
    (".tar", Kind::Tar),
    (".tar.gz", Kind::Gzip),
    (".tgz", Kind::Gzip),
    (".tar.zst", Kind::Zstd),
    (".tzst", Kind::Zstd),
    (".zip", Kind::Zip),
];

#[derive(Clone, Copy)]
enum Kind {
    Tar,
    Gzip,
    Zstd,
    Zip,
}

impl Writer {
    /// Begins a bundle at `path`: a folder, unless the name ends like that of an archive.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] where there is something, other than an empty folder; what the system says.
    pub fn create(path: &Path) -> io::Result<Writer> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kind = ENDS
            .iter()
            .find_map(|(end, kind)| Some((name.strip_suffix(end)?, *kind)));
        let Some((top, kind)) = kind.filter(|(top, _)| !top.is_empty()) else {
            return Writer::folder(path);
        };
        if path.exists() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let file = private(OpenOptions::new().create(true).truncate(true), &partial(path))?;
        let target = match kind {
            Kind::Zip => Target::Zip(Box::new(ZipWriter::new(file))),
            Kind::Tar => Target::tar(Packer::Plain(BufWriter::new(file))),
            Kind::Gzip => Target::tar(Packer::Gzip(GzEncoder::new(file, Compression::default()))),
            Kind::Zstd => Target::tar(Packer::Zstd(zstd::Encoder::new(file, 3)?)),
        };
        Ok(Writer {
            path: path.to_owned(),
            top: format!("{top}/"),
            target,
        })
    }

    /// Begins a bundle that touches no disk; [`Writer::finish`] gives the bytes of its archive.
    pub fn in_memory() -> Writer {
        Writer {
            path: PathBuf::new(),
            top: String::new(),
            target: Target::tar(Packer::Memory(Vec::new())),
        }
    }

    fn folder(path: &Path) -> io::Result<Writer> {
        match fs::read_dir(path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(ErrorKind::AlreadyExists.into());
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => make_folder(path)?,
            Err(error) => return Err(error),
        }
        Ok(Writer {
            path: path.to_owned(),
            top: String::new(),
            target: Target::Folder,
        })
    }

    /// Writes an item; `path` is its path in the bundle, `at` the time that an archive carries for it.
    ///
    /// # Errors
    /// What the system says; a path that leads out of the bundle, or is that of the manifest.
    pub fn add(&mut self, path: &str, bytes: &[u8], at: Option<Timestamp>) -> io::Result<()> {
        let wrong = |reason: String| io::Error::new(ErrorKind::InvalidInput, reason);
        match name::inside(path.as_bytes(), &Limits::default()) {
            Ok(clean) if clean == path && path != MANIFEST => self.store(path, bytes, at),
            Ok(_) => Err(wrong("this is not the path of an item".into())),
            Err(bad) => Err(wrong(bad.reason)),
        }
    }

    /// Writes the manifest as it is so far, for whoever finds the folder after a crash; an archive has it only at its end.
    ///
    /// # Errors
    /// What the system says.
    pub fn note(&mut self, manifest: &Manifest) -> io::Result<()> {
        match self.target {
            Target::Folder => self.store(MANIFEST, manifest.to_json().as_bytes(), None),
            Target::Tar(_) | Target::Zip(_) => Ok(()),
        }
    }

    fn store(&mut self, path: &str, bytes: &[u8], at: Option<Timestamp>) -> io::Result<()> {
        let name = format!("{}{path}", self.top);
        let seconds = at.map_or(0, Timestamp::as_second);
        match &mut self.target {
            Target::Folder => {
                let file = self.path.join(path);
                if let Some(folder) = file.parent() {
                    make_folder(folder)?;
                }
                replace(&file, bytes)
            }
            Target::Tar(tar) => {
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                header.set_mode(0o600);
                header.set_mtime(u64::try_from(seconds).unwrap_or(0));
                tar.append_data(&mut header, name, bytes)?;
                // What comes before a full disk or a sudden end can then be unpacked.
                tar.get_mut().flush()
            }
            Target::Zip(zip) => {
                zip.start_file(
                    name,
                    zip_options(at).large_file(bytes.len() as u64 >= u64::from(u32::MAX)),
                )?;
                zip.write_all(bytes)
            }
        }
    }

    /// Writes the manifest and closes the bundle. One in memory is handed over.
    ///
    /// # Errors
    /// What the system says. What was written before stays; an archive then keeps a name that ends in `.partial`.
    pub fn finish(mut self, manifest: &Manifest) -> io::Result<Option<Vec<u8>>> {
        self.store(MANIFEST, manifest.to_json().as_bytes(), None)?;
        let kept = match self.target {
            Target::Folder => return Ok(None),
            Target::Tar(tar) => tar.into_inner()?.finish()?,
            Target::Zip(zip) => {
                zip.finish()?.sync_all()?;
                None
            }
        };
        match kept {
            Some(bytes) => Ok(Some(bytes)),
            None => fs::rename(partial(&self.path), &self.path).map(|()| None),
        }
    }
}

/// The name of a bundle that lies at `path`: without what its packing adds.
pub fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let plain = ENDS.iter().find_map(|(end, _)| name.strip_suffix(end));
    plain.filter(|plain| !plain.is_empty()).unwrap_or(&name).to_owned()
}

/// Opens a file that only its owner may read.
fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.write(true).open(path)
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file so that it is there whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = partial(path);
    let written = private(OpenOptions::new().create(true).truncate(true), &beside)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // There is nothing to be said about it beyond the first error.
        let _ = fs::remove_file(&beside);
    }
    written
}

impl Target {
    fn tar(packer: Packer) -> Target {
        Target::Tar(Box::new(tar::Builder::new(packer)))
    }
}

/// Where an archive is until it is whole.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

fn zip_options(at: Option<Timestamp>) -> SimpleFileOptions {
    let time = at.map(|at| jiff::tz::Offset::UTC.to_datetime(at));
    let time = time.and_then(|at| {
        let part = |number: i8| u8::try_from(number).unwrap_or(0);
        let year = u16::try_from(at.year()).ok()?;
        let (month, day) = (part(at.month()), part(at.day()));
        let (hour, minute, second) = (part(at.hour()), part(at.minute()), part(at.second()));
        zip::DateTime::from_date_and_time(year, month, day, hour, minute, second).ok()
    });
    let options = SimpleFileOptions::default();
    time.map_or(options, |time| options.last_modified_time(time))
}

/// What packs a tar.
enum Packer {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<File>),
    Zstd(zstd::Encoder<'static, File>),
    Memory(Vec<u8>),
}

impl Packer {
    /// Ends the archive; one in memory is handed over.
    fn finish(self) -> io::Result<Option<Vec<u8>>> {
        let file = match self {
            Packer::Plain(file) => file.into_inner()?,
            Packer::Gzip(packer) => packer.finish()?,
            Packer::Zstd(packer) => packer.finish()?,
            Packer::Memory(bytes) => return Ok(Some(bytes)),
        };
        file.sync_all().map(|()| None)
    }
}

impl Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Packer::Plain(file) => file.write(bytes),
            Packer::Gzip(packer) => packer.write(bytes),
            Packer::Zstd(packer) => packer.write(bytes),
            Packer::Memory(held) => held.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Packer::Plain(file) => file.flush(),
            Packer::Gzip(packer) => packer.flush(),
            Packer::Zstd(packer) => packer.flush(),
            Packer::Memory(_) => Ok(()),
        }
    }
}
