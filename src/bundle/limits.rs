//! Bounds on what a bundle may hold.

/// Bounds on what a bundle may hold, so that hostile or mistaken input ends in a message and not in a full memory.
///
/// What breaks a bound on one item (`depth`, `name`, `item`) is left out and listed; what breaks one on the whole stops the opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most members of a folder or an archive: files, folders, links and all else. By default 200,000.
    pub members: usize,
    /// Most folders above a file. By default 64.
    pub depth: usize,
    /// Longest name of a file in an archive, its folders included, in bytes. By default 1,024.
    pub name: usize,
    /// Most bytes of one item, unpacked. By default 512 MiB.
    pub item: u64,
    /// Most bytes that an archive may unpack to. By default 8 GiB.
    pub unpacked: u64,
    /// Most times its own size that an archive may unpack to; looked at from 256 MiB on. By default 500.
    pub ratio: u64,
    /// Most bytes of memory that the items of a packed tar may take for as long as the bundle is open. By default 2 GiB.
    pub memory: u64,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Unpacked bytes below which the ratio does not matter: that much does no harm.
const HARMLESS: u64 = 256 * MIB;

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            members: 200_000,
            depth: 64,
            name: 1024,
            item: 512 * MIB,
            unpacked: 8 * GIB,
            ratio: 500,
            memory: 2 * GIB,
        }
    }
}

impl Limits {
    /// Whether an archive of `packed` bytes may give `unpacked` ones.
    pub(super) fn allow(&self, unpacked: u64, packed: u64) -> Result<(), Exceeded> {
        match () {
            () if unpacked > self.unpacked => Err(Exceeded::Unpacked(self.unpacked)),
            () if unpacked > HARMLESS && unpacked / self.ratio.max(1) > packed => Err(Exceeded::Ratio(self.ratio)),
            () => Ok(()),
        }
    }
}

/// The bound that a bundle as a whole breaks, with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// [`Limits::members`]
    #[error("it has more than {0} members")]
    Members(usize),
    /// [`Limits::unpacked`]
    #[error("it unpacks to more than {}", bytes(*.0))]
    Unpacked(u64),
    /// [`Limits::ratio`]
    #[error("it unpacks to more than {0} times its own size")]
    Ratio(u64),
    /// [`Limits::memory`]
    #[error("its items take more than {} of memory", bytes(*.0))]
    Memory(u64),
}

/// A number of bytes for people: `512 MiB`, `1.5 GiB`, `17 bytes`.
pub(super) fn bytes(count: u64) -> String {
    let units = [(GIB, "GiB"), (MIB, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| count >= *unit) {
        None => format!("{count} bytes"),
        Some((unit, name)) if count.is_multiple_of(unit) => format!("{} {name}", count / unit),
        Some((unit, name)) => format!("{}.{} {name}", count / unit, count % unit * 10 / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_for_people() {
        let written: Vec<_> = [0, 1023, 1024, 1536, 512 * MIB, 3 * GIB / 2].map(bytes).into();
        assert_eq!(
            written,
            ["0 bytes", "1023 bytes", "1 KiB", "1.5 KiB", "512 MiB", "1.5 GiB"]
        );
    }

    #[test]
    fn the_ratio_matters_only_from_a_size_on() {
        let limits = Limits::default();
        assert_eq!(limits.allow(HARMLESS, 1), Ok(()));
        assert_eq!(limits.allow(HARMLESS + 1, 1), Err(Exceeded::Ratio(500)));
        assert_eq!(limits.allow(HARMLESS + 1, HARMLESS / 100), Ok(()));
        assert_eq!(limits.allow(9 * GIB, 9 * GIB), Err(Exceeded::Unpacked(8 * GIB)));
    }
}
