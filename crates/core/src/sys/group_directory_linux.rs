//! The directory of a group, `/dev/shm/.crossmem-g<gid>`.
//!
//! `/dev/shm` has the sticky bit: only a file's owner may remove it. In it, no process could remove
//! what a killed process of another user left, nor make an object of that name again. The group's
//! directory has no sticky bit, so each member may remove what another made. Its mode 2770 keeps
//! all others out: what lies in it is made by members or by root.
//!
//! A directory is made under a name that no other process uses, then gets its group and mode, and
//! then its name:
//!
//! | died | what is left | removed by |
//! | --- | --- | --- |
//! | before `place.made` | nothing | - |
//! | before `place.named` | an empty directory `.crossmem-g<gid>.<random>` of this user | the next process of the user that makes the group's directory |
//! | afterwards | the group's directory, whole | - |
//! | between `place.emptied` and `place.removed` | the group's directory, empty | the last agent of the group's next domain that may |
//!
//! Each of these repairs is one `rmdir`, which does nothing if there is nothing to remove, or if
//! the directory isn't empty.

use std::fs::{self, DirBuilder, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::accounts_linux::not_a_member;
use super::directory_linux::DIRECTORY;
use super::file::Taken;
use super::linux::in_words;
use super::names_linux::{Names, Ours, Seen};
use crate::fail;
use crate::faults::{Fault, seeded};

/// Members may enter it, and make and remove files; new files have its group.
const MODE: u32 = 0o2770;

/// So often in a row other users may make and remove a directory while this process makes its own.
const MOST_REFUSALS: u32 = 100;

/// A directory that a member of the group, or root, made for the group.
#[derive(Clone)]
pub(super) struct GroupDirectory {
    pub group: u32,
    name: String,
    inode: u64,
}

impl GroupDirectory {
    /// The group's directory; makes it if there is none and `create` says so.
    pub(super) fn of(group: u32, create: bool) -> io::Result<Option<GroupDirectory>> {
        let mut refusals = 0;
        loop {
            let names = names(group, Ours::First)?;
            if let Some((name, inode)) = names.ours.into_iter().next() {
                return Ok(Some(GroupDirectory { group, name, inode }));
            }
            if !create {
                return Ok(None);
            }
            match make(group, &names.free) {
                // Another user made a directory of that name meanwhile; it may be gone by now.
                Err(e) if e.raw_os_error() == Some(libc::EPERM) && refusals < MOST_REFUSALS => refusals += 1,
                other => other?,
            }
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        Path::new(DIRECTORY).join(&self.name)
    }

    /// Whether its name leads to it.
    pub(super) fn has_its_name(&self) -> io::Result<bool> {
        let now = look_at(&self.path(), self.group)?;
        Ok(matches!(now, Seen::Ours(inode) if inode == self.inode) || seeded(Fault::DirectoryUnchecked))
    }
}

/// The names of the group's directory that others have.
pub(super) fn taken(group: u32) -> Vec<Taken> {
    names(group, Ours::First).map_or(Vec::new(), |names| names.taken)
}

fn names(group: u32, ours: Ours) -> io::Result<Names<u64>> {
    Names::read(&first_name(group), ours, |path| look_at(path, group))
}

fn first_name(group: u32) -> String {
    format!(".crossmem-g{group}")
}

/// The group's directory of that name, as its inode.
fn look_at(path: &Path, group: u32) -> io::Result<Seen<u64>> {
    match fs::symlink_metadata(path) {
        Ok(meta) if is_of(group, &meta) => Ok(Seen::Ours(meta.ino())),
        Ok(meta) => Ok(Seen::Taken { owner: meta.uid() }),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Seen::Nothing),
        Err(e) => Err(e),
    }
}

/// Whether a member of the group, or root, made this directory for the group. No other user can
/// give a directory this group, or this mode to a directory of this group (chown(2), chmod(2));
/// unless members let others write to a directory of theirs in the same file system.
fn is_of(group: u32, meta: &Metadata) -> bool {
    meta.is_dir()
        && meta.gid() == group
        && (meta.mode() & 0o7777 == MODE || seeded(Fault::AnyDirectoryTrusted))
}

/// Makes the group's directory under that name, unless another process is faster.
fn make(group: u32, name: &str) -> io::Result<()> {
    let Some(made) = stage(group)? else { return Ok(()) };
    let path = Path::new(DIRECTORY).join(name);
    // It replaces nothing but an empty directory of this same user.
    let renamed = fs::rename(&made, &path);
    fail::point("place.named");
    tidy_staged(group);
    match renamed {
        // If another process has made one under another name meanwhile, since a foreign file came
        // or went, both remove theirs and try again.
        Ok(()) if names(group, Ours::All)?.ours.len() > 1 => {
            let _ = fs::remove_dir(&path);
            Ok(())
        }
        // Another process has the name, or had it, or another process tidied up.
        Err(e) if !is_of_others(&e) => Err(e),
        _ => Ok(()),
    }
}

/// Whether a directory couldn't be renamed because of what other processes did meanwhile.
fn is_of_others(error: &io::Error) -> bool {
    let kinds = [
        ErrorKind::NotFound,
        ErrorKind::AlreadyExists,
        ErrorKind::DirectoryNotEmpty,
        ErrorKind::NotADirectory,
    ];
    kinds.contains(&error.kind())
}

/// A directory for the group, under a name that no other process uses. `None`: another process of
/// this user found the group's directory, and tidied this one up.
fn stage(group: u32) -> io::Result<Option<PathBuf>> {
    let random = getrandom::u64().map_err(|e| io::Error::other(e.to_string()))?;
    let path = Path::new(DIRECTORY).join(format!("{}.{random:016x}", first_name(group)));
    DirBuilder::new().mode(0o700).create(&path).map_err(in_words)?;
    fail::point("place.made");
    let given = give(&path, group);
    fail::point("place.given");
    if !matches!(given, Ok(true)) {
        let _ = fs::remove_dir(&path);
    }
    Ok(given?.then_some(path))
}

/// Gives the new directory to the group. `false`: something else has its name by now. By its
/// descriptor: if another process of this user tidied the directory up, another user may have put a
/// link, or a directory of their own, in its place.
fn give(path: &Path, group: u32) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    let opened = options.read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(path);
    let directory = match opened {
        Err(e)
            if matches!(
                e.raw_os_error(),
                Some(libc::ENOENT | libc::ENOTDIR | libc::ELOOP | libc::EACCES)
            ) =>
        {
            return Ok(false);
        }
        other => other?,
    };
    // SAFETY: no arguments, no failure.
    if directory.metadata()?.uid() != unsafe { libc::geteuid() } {
        return Ok(false);
    }
    fchown(&directory, None, Some(group)).map_err(|e| match e.kind() {
        ErrorKind::PermissionDenied => not_a_member(group),
        _ => e,
    })?;
    // After fchown, which may clear bits.
    directory.set_permissions(Permissions::from_mode(MODE))?;
    Ok(true)
}

/// Removes the directories that killed processes of this user were making. One that a process is
/// making is no longer needed: the group has a directory.
fn tidy_staged(group: u32) {
    let prefix = format!("{}.", first_name(group));
    for entry in fs::read_dir(DIRECTORY).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}
