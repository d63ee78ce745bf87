//! Bundles written: to a folder, or to an archive whose kind its name tells.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::manifest::{MANIFEST, Manifest};

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
        let file = File::create(partial(path))?;
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

    fn folder(path: &Path) -> io::Result<Writer> {
        match fs::read_dir(path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(ErrorKind::AlreadyExists.into());
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => fs::create_dir_all(path)?,
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
    /// What the system says.
    pub fn add(&mut self, path: &str, bytes: &[u8], at: Option<Timestamp>) -> io::Result<()> {
        let name = format!("{}{path}", self.top);
        let seconds = at.map_or(0, Timestamp::as_second);
        match &mut self.target {
            Target::Folder => {
                let file = self.path.join(path);
                if let Some(folder) = file.parent() {
                    fs::create_dir_all(folder)?;
                }
                File::create_new(file)?.write_all(bytes)
            }
            Target::Tar(tar) => {
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                header.set_mode(0o644);
                header.set_mtime(u64::try_from(seconds).unwrap_or(0));
                tar.append_data(&mut header, name, bytes)
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

    /// Writes the manifest and closes the bundle.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(mut self, manifest: &Manifest) -> io::Result<()> {
        self.add(MANIFEST, manifest.to_json().as_bytes(), None)?;
        match self.target {
            Target::Folder => return Ok(()),
            Target::Tar(tar) => tar.into_inner()?.finish()?,
            Target::Zip(zip) => drop(zip.finish()?),
        }
        fs::rename(partial(&self.path), &self.path)
    }
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
}

impl Packer {
    fn finish(self) -> io::Result<()> {
        match self {
            Packer::Plain(mut file) => file.flush(),
            Packer::Gzip(packer) => packer.finish().map(drop),
            Packer::Zstd(packer) => packer.finish().map(drop),
        }
    }
}

impl Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Packer::Plain(file) => file.write(bytes),
            Packer::Gzip(packer) => packer.write(bytes),
            Packer::Zstd(packer) => packer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Packer::Plain(file) => file.flush(),
            Packer::Gzip(packer) => packer.flush(),
            Packer::Zstd(packer) => packer.flush(),
        }
    }
}
