//! Where the files of a domain lie on Linux: those of a user in `/dev/shm` itself, or in a
//! directory of the user's own below `CROSSMEM_DIR`; those of a group in a directory of its own.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::access::{Access, Party};
use super::accounts_linux::{group_in_words, not_a_member, ownership};
use super::directory_linux::{self, DIRECTORY, chosen_directory, directory};
use super::file::{Found, Pages};
use super::group_directory_linux::GroupDirectory;
use super::huge_pages_linux::{refuse_without_huge_pages, reserve_huge};
use super::linux::{Staged, in_words, open, reserve};
use super::mapping::Mapping;
use super::view::{View, ViewRoom};
use crate::fail;
use crate::faults::{Fault, seeded};

/// The directory of a domain's files.
#[derive(Clone)]
pub(crate) struct Place {
    directory: PathBuf,
    /// Of a group: the directory as it was found.
    found: Option<GroupDirectory>,
}

impl Place {
    /// The place of that party's files. A group's is made if there is none and `create` says so.
    pub(super) fn of(party: Party, create: bool) -> io::Result<Option<Place>> {
        match (party, chosen_directory()) {
            (Party::User, None) => Ok(Some(Place::base())),
            (Party::User, Some(chosen)) => {
                let own = directory_linux::own(chosen, create).map_err(in_words)?;
                Ok(own.map(|directory| Place { directory, found: None }))
            }
            (Party::Group(group), _) => {
                let found = GroupDirectory::of(group, create)?;
                Ok(found.map(|found| Place { directory: found.path(), found: Some(found) }))
            }
        }
    }

    fn base() -> Place {
        Place { directory: directory().to_owned(), found: None }
    }

    /// Whether it is `/dev/shm` itself, where other users make files, too.
    pub(super) fn is_beside_others(&self) -> bool {
        self.directory == Path::new(DIRECTORY)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The path of that name below `/dev/shm`.
    pub(crate) fn shown(&self, name: &str) -> String {
        let path = self.path(name);
        path.strip_prefix(DIRECTORY).unwrap_or(&path).to_string_lossy().into_owned()
    }

    pub(crate) fn group(&self) -> Option<u32> {
        self.found.as_ref().map(|found| found.group)
    }

    /// Who may use a file for which nothing else is said.
    pub(crate) fn access(&self) -> Access {
        match self.group() {
            None => Access::OWNER,
            group => Access { mode: 0o660, group },
        }
    }

    /// Reserves `size` zeroed bytes for a file of this place.
    pub(crate) fn stage(&self, size: u64, access: Access, pages: Pages) -> io::Result<Staged> {
        let staged = match pages {
            Pages::Usual => Staged::new(&self.directory, size, access, |file, size| reserve(file, 0, size)),
            Pages::Huge => refuse_without_huge_pages(&self.directory)
                .and_then(|()| Staged::new(&self.directory, size, access, reserve_huge)),
        };
        staged.map_err(|e| self.refused(e))
    }

    /// The file behind a name now.
    pub(crate) fn identify(&self, name: &str) -> io::Result<Option<Found>> {
        match fs::symlink_metadata(self.path(name)) {
            Ok(meta) if meta.is_file() => Ok(Some(Found { file: meta.ino(), size: meta.len() })),
            Ok(_) => Err(io::Error::new(ErrorKind::InvalidInput, "it is not a shared memory object")),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Removes the name; fine if it is gone already.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                Err(self.denied(name, e, "only its owner or root may remove it"))
            }
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Maps the segment of that name, whole, for reading and writing.
    pub(crate) fn map(&self, name: &str) -> io::Result<Mapping> {
        let mapped = if self.is_beside_others() {
            Mapping::open(name)
        } else {
            // `shm_open` takes no path with a directory in it.
            self.open(name).and_then(|file| Mapping::of_file(&file, None))
        };
        mapped.map_err(|e| self.not_opened(name, e))
    }

    /// The bytes of that name, to look at: a copy, or if they are many the memory itself.
    pub(crate) fn view<'a>(&self, name: &str, room: &'a mut ViewRoom) -> io::Result<View<'a>> {
        let file = self.open(name).map_err(|e| self.not_opened(name, e))?;
        match room.copy(|to| file.read_at(to, 0))? {
            Some(copy) => Ok(View::Copied(copy)),
            None => Mapping::of_file(&file, None).map(View::Mapped),
        }
    }

    /// Why a segment can't be opened, in words.
    fn not_opened(&self, name: &str, cause: io::Error) -> io::Error {
        match (cause.kind(), self.group()) {
            (ErrorKind::PermissionDenied, None) => self.denied(
                name,
                cause,
                "processes of several users share what they make in a domain of a group (CROSSMEM_GROUP), and bytes alone \
                 that their maker gives to a group ({ mode: 0o660, group })",
            ),
            (ErrorKind::PermissionDenied, Some(_)) => {
                self.denied(name, cause, "its maker gave it to fewer users than the domain has (mode, group)")
            }
            _ => cause,
        }
    }

    /// Opens a file of this place for reading and writing.
    pub(super) fn open(&self, name: &str) -> io::Result<File> {
        open(&self.path(name))
    }

    /// `cause` in words: whose the file is, and what to do.
    fn denied(&self, name: &str, cause: io::Error, advice: &str) -> io::Error {
        match ownership(&self.path(name)) {
            Some(whose) => io::Error::new(ErrorKind::PermissionDenied, format!("{whose}; {advice}")),
            None => cause,
        }
    }

    /// A refusal to open or make a file, in words.
    pub(super) fn refused(&self, cause: io::Error) -> io::Error {
        if cause.raw_os_error().is_none() {
            return cause;
        }
        let directory = self.directory.display();
        match (self.group(), cause.kind()) {
            (Some(group), ErrorKind::PermissionDenied) => {
                let (why, group) = (not_a_member(group), group_in_words(group));
                io::Error::new(why.kind(), format!("{directory} belongs to the group {group}, and {why}"))
            }
            (Some(_), ErrorKind::NotFound) => io::Error::new(
                ErrorKind::NotFound,
                format!("{directory} was removed while it was in use; restart the processes of its domains"),
            ),
            _ => in_words(cause),
        }
    }

    /// Whether the directory is the one that was found. If it is, it was so all the time since
    /// then: a directory that was removed doesn't come back, and one that has files isn't removed.
    pub(super) fn is_as_found(&self) -> io::Result<bool> {
        self.found.as_ref().map_or(Ok(true), GroupDirectory::has_its_name)
    }

    /// Removes a group's directory if it is empty, and `/dev/shm` allows it: to its owner, and to
    /// root.
    pub(super) fn tidy(&self) {
        if self.found.is_some() && !seeded(Fault::DirectoryStays) {
            fail::point("place.emptied");
            let _ = fs::remove_dir(&self.directory);
            fail::point("place.removed");
        }
    }
}

/// Whether an object could be made now: goes all the way up to giving it a name, but names it like
/// the directory itself, which is refused as the last step.
pub(crate) fn rehearse(party: Party) -> io::Result<()> {
    let staged = match Place::of(party, false)? {
        Some(place) => place.stage(1, place.access(), Pages::Usual),
        None if party == Party::User => Place::base().stage(1, Access::OWNER, Pages::Usual),
        // The directory that a group's first process makes gets its group in the same way.
        None => Place::base().stage(1, Access { mode: 0o660, group: party.group() }, Pages::Usual),
    };
    match staged?.publish(".") {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
