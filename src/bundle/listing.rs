//! What a folder or an archive holds, collected member by member.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use super::limits::{Exceeded, Limits};
use super::name;
use super::packed::Kept;

/// A member that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Path inside the bundle, `/`-separated; where it can be none, the name as found. May hold control characters.
    pub path: String,
    /// What kept it out.
    pub reason: String,
}

impl Skipped {
    fn new(path: impl Into<String>, reason: impl Into<String>) -> Skipped {
        Skipped {
            path: path.into(),
            reason: reason.into(),
        }
    }
}

/// Where the bytes of an item are.
#[derive(Debug)]
pub(super) enum Content {
    /// In a file below the bundle's folder.
    File(PathBuf),
    /// At a place of a plain tar.
    Range { offset: u64, size: u64 },
    /// In a zip, the member of this number.
    Entry(usize),
    /// In memory.
    Kept(Kept),
    /// Those of the member with this name; once the listing is finished, of one that has bytes itself.
    Link(String),
    /// Out of reach, for this reason: the item was left out and is known by name alone.
    Nowhere(String),
    /// Not there: the manifest alone lists the item.
    Listed,
}

/// One item of a bundle.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) content: Content,
    pub(super) modified: Option<Timestamp>,
    pub(super) truncated: bool,
}

impl Member {
    pub(super) fn new(content: Content) -> Member {
        Member {
            content,
            modified: None,
            truncated: false,
        }
    }
}

/// Most links from one to the next before a member is reached.
const MAX_LINKS: usize = 8;

/// The members found so far.
pub(super) struct Listing<'l> {
    pub(super) limits: &'l Limits,
    members: BTreeMap<String, Member>,
    /// What has a path in the bundle, and what has none.
    beside: Vec<Skipped>,
    refused: Vec<Skipped>,
    count: usize,
}

impl<'l> Listing<'l> {
    pub(super) fn new(limits: &'l Limits) -> Listing<'l> {
        Listing {
            limits,
            members: BTreeMap::new(),
            beside: Vec::new(),
            refused: Vec::new(),
            count: 0,
        }
    }

    /// Counts a member, of whatever kind.
    pub(super) fn count(&mut self) -> Result<(), Exceeded> {
        self.count += 1;
        if self.count > self.limits.members {
            return Err(Exceeded::Members(self.limits.members));
        }
        Ok(())
    }

    /// Notes something that no probe could ask for: what it is called is no path in a bundle.
    pub(super) fn refuse(&mut self, called: impl Into<String>, reason: impl Into<String>) {
        self.refused.push(Skipped::new(called, reason));
    }

    /// Adds a member; of several with one name the last counts, as it does when the archive is unpacked.
    pub(super) fn add(&mut self, path: String, member: Member) {
        if name::is_side_file(&path) {
            return self.beside.push(Skipped::new(path, "a side file of macOS"));
        }
        if self.members.insert(path.clone(), member).is_some() {
            self.beside.push(Skipped::new(path, "a later member has the same name"));
        }
    }

    /// Adds a member whose bytes must not or cannot be read. It stays known by name, so that a probe which asks for it is told why, and
    /// does not take another file in its place.
    pub(super) fn leave_out(&mut self, path: String, reason: impl Into<String>) {
        self.add(path, Member::new(Content::Nowhere(reason.into())));
    }

    /// Adds another name for a member; `target` is that member's name, or why there can be none.
    pub(super) fn link(&mut self, path: String, target: Result<String, &'static str>, modified: Option<Timestamp>) {
        match target {
            Err(reason) => self.leave_out(path, reason),
            Ok(target) => {
                let content = Content::Link(target);
                self.add(
                    path,
                    Member {
                        modified,
                        ..Member::new(content)
                    },
                );
            }
        }
    }

    /// Leads every link to the member that has the bytes. Links are followed by name alone, inside the bundle.
    fn follow_links(&mut self) {
        let links = self.members.iter().filter_map(|(path, member)| match &member.content {
            Content::Link(target) => Some((path.clone(), self.end_of(target))),
            _ => None,
        });
        for (path, end) in links.collect::<Vec<_>>() {
            let target = end.as_ref().ok().and_then(|end| self.members.get(end));
            let truncated = target.is_some_and(|target| target.truncated);
            if let Some(member) = self.members.get_mut(&path) {
                member.truncated = truncated;
                member.content = match end {
                    Ok(end) => Content::Link(end),
                    Err(reason) => Content::Nowhere(reason.into()),
                };
            }
        }
    }

    /// The name of the member at the end of a chain of links.
    fn end_of(&self, target: &str) -> Result<String, &'static str> {
        let mut name = target;
        for _ in 0..MAX_LINKS {
            let listed = |name: &&str| self.members.contains_key(*name);
            let found = Some(name)
                .filter(listed)
                .or_else(|| name::unpacked(name).filter(listed));
            name = found.ok_or("a link that leads to no file of the bundle")?;
            match self.members.get(name).map(|member| &member.content) {
                Some(Content::Link(next)) => name = next,
                _ => return Ok(name.to_owned()),
            }
        }
        Err("a link that leads from link to link")
    }

    /// Opens an archive below its top folder, where it has a single one.
    pub(super) fn strip_top_folder(&mut self) {
        let Some(top) = self.top_folder() else { return };
        let members = std::mem::take(&mut self.members);
        let inside = |(path, mut member): (String, Member)| {
            if let Content::Link(target) = &mut member.content
                && let Some(inner) = target.strip_prefix(&top)
            {
                *target = inner.to_owned();
            }
            Some((path.strip_prefix(&top)?.to_owned(), member))
        };
        self.members = members.into_iter().filter_map(inside).collect();
        for skipped in &mut self.beside {
            if let Some(path) = skipped.path.strip_prefix(&top) {
                skipped.path = path.to_owned();
            }
        }
    }

    /// The folder, with its slash, that all members are in.
    fn top_folder(&self) -> Option<String> {
        let (first, _) = self.members.first_key_value()?;
        let top = &first[..=first.find('/')?];
        self.members
            .keys()
            .all(|path| path.starts_with(top))
            .then(|| top.to_owned())
    }

    /// Lets packed members answer for the plain names that are not taken.
    pub(super) fn name_unpacked(&mut self) {
        let packed: Vec<String> = self
            .members
            .keys()
            .filter(|path| name::unpacked(path).is_some())
            .cloned()
            .collect();
        for path in packed {
            let Some(plain) = name::unpacked(&path).filter(|plain| !self.members.contains_key(*plain)) else {
                continue;
            };
            if let Some(member) = self.members.remove(&path) {
                self.members.insert(plain.to_owned(), member);
            }
        }
    }

    /// The members by path, and all that was left out.
    pub(super) fn finish(mut self) -> (BTreeMap<String, Member>, Vec<Skipped>) {
        self.follow_links();
        let nowhere = self.members.iter().filter_map(|(path, member)| match &member.content {
            Content::Nowhere(reason) => Some(Skipped::new(path, reason)),
            _ => None,
        });
        let mut skipped: Vec<Skipped> = nowhere.chain(self.beside).chain(self.refused).collect();
        skipped.sort();
        (self.members, skipped)
    }
}
