//! The control segment on Linux.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::access::Party;
use super::control::OpenControl;
use super::directory_linux::{chosen_directory, directory};
use super::file::{Part, Taken};
use super::group_directory_linux;
use super::life_ofd::Life;
use super::linux::reserve;
use super::mapping::Mapping;
use super::names_linux::{Names, Ours, Seen};
use super::place_linux::Place;
use super::publish_control::publish_control;
use super::room_linux::refuse_to_grow;

/// Opens the control segment. If there is none, makes it from the parts `create`, if given. The
/// descriptor for locks and the mapping are of the same file. It has the least of `sizes` when it
/// is made, and can grow to the largest.
pub(crate) fn open_control(
    party: Party,
    name: &str,
    sizes: &RangeInclusive<u64>,
    create: Option<&[Part<'_>]>,
) -> io::Result<Option<OpenControl>> {
    loop {
        let Some(place) = Place::of(party, create.is_some())? else { return Ok(None) };
        let opened = if place.is_beside_others() {
            open_beside_others(&place, name, sizes, create)
        } else {
            open_among_members(&place, name, sizes, create)
        };
        match opened {
            // The last agent of another domain has removed the directory of the group meanwhile.
            Err(e) if e.kind() == ErrorKind::NotFound && place.group().is_some() => {}
            // Another user has made a directory of that name since: the file may lie in that one.
            Ok(Some(_)) if !place.is_as_found()? => {}
            Ok(Some((name, mapping, life))) => return Ok(Some(OpenControl { place, name, mapping, life })),
            Ok(None) => return Ok(None),
            Err(e) => return Err(e),
        }
    }
}

type Opened = io::Result<Option<(String, Mapping, Life)>>;

/// In `/dev/shm` itself, where other users may have made a file of that name.
fn open_beside_others(
    place: &Place,
    name: &str,
    sizes: &RangeInclusive<u64>,
    create: Option<&[Part<'_>]>,
) -> Opened {
    let look = |path: &Path| look_at(path, sizes);
    loop {
        let names = Names::read(name, Ours::First, look)?;
        let Some((name, file)) = names.ours.into_iter().next() else {
            let Some(parts) = create else { return Ok(None) };
            // If another process of this user has made one under another name meanwhile, since the
            // other user's file came or went, both remove theirs and try again.
            if publish_control(place, &names.free, *sizes.start(), parts)?
                && Names::read(name, Ours::All, look)?.ours.len() > 1
            {
                place.remove(&names.free)?;
            }
            continue;
        };
        let meta = file.metadata()?;
        check_size(&meta, sizes)?;
        let mapping = match Mapping::open_growing(&name, *sizes.end()) {
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            other => other?,
        };
        // A name never leads to an earlier file again. So if it leads to this file now, it did when
        // the file was mapped.
        if place.identify(&name)?.is_some_and(|now| now.file == meta.ino()) {
            return Ok(Some((name, mapping, Life::new(file))));
        }
    }
}

/// In a directory of a group or of this user, where no other user can make a file.
fn open_among_members(
    place: &Place,
    name: &str,
    sizes: &RangeInclusive<u64>,
    create: Option<&[Part<'_>]>,
) -> Opened {
    loop {
        match (place.open(name), create) {
            (Ok(file), _) => {
                check_size(&file.metadata()?, sizes)?;
                let mapping = Mapping::of_file(&file, Some(*sizes.end()))?;
                return Ok(Some((name.to_owned(), mapping, Life::new(file))));
            }
            (Err(e), None) if e.kind() == ErrorKind::NotFound => return Ok(None),
            (Err(e), Some(parts)) if e.kind() == ErrorKind::NotFound => {
                publish_control(place, name, *sizes.start(), parts)?;
            }
            (Err(e), _) => return Err(place.refused(e)),
        }
    }
}

fn check_size(meta: &Metadata, sizes: &RangeInclusive<u64>) -> io::Result<()> {
    if sizes.contains(&meta.len()) {
        return Ok(());
    }
    Err(io::Error::new(
        ErrorKind::InvalidData,
        format!("it has {} bytes, not {} to {}", meta.len(), sizes.start(), sizes.end()),
    ))
}

/// The file of that name, if it is this user's.
fn look_at(path: &Path, sizes: &RangeInclusive<u64>) -> io::Result<Seen<fs::File>> {
    loop {
        let meta = match fs::symlink_metadata(path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Seen::Nothing),
            other => other?,
        };
        if is_ours(&meta, sizes) {
            match OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOFOLLOW).open(path) {
                Ok(file) if is_ours(&file.metadata()?, sizes) => return Ok(Seen::Ours(file)),
                // In a user namespace, files of all users outside show one owner.
                Err(e) if e.kind() == ErrorKind::PermissionDenied => {}
                // It was removed or replaced in this moment.
                Err(e) if !matches!(e.raw_os_error(), Some(libc::ENOENT | libc::ELOOP)) => return Err(e),
                _ => continue,
            }
        }
        return Ok(Seen::Taken { owner: meta.uid() });
    }
}

/// Whether this is a plain file of this user. A further link to a file of the user under this name
/// is not: where the kernel allows it (`fs.protected_hardlinks`), another user can make one.
fn is_ours(meta: &Metadata, sizes: &RangeInclusive<u64>) -> bool {
    // SAFETY: no arguments, no failure.
    let user = unsafe { libc::geteuid() };
    meta.is_file() && meta.uid() == user && (meta.nlink() == 1 || sizes.contains(&meta.len()))
}

/// The names of the files that lie where the control segments of these users do.
pub(crate) fn files_beside_control(party: Party) -> Vec<String> {
    let Ok(Some(place)) = Place::of(party, false) else { return Vec::new() };
    let entries = fs::read_dir(place.path("")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The names of the control segment, or of the group's directory, that others have.
pub(crate) fn control_taken(party: Party, name: &str, sizes: &RangeInclusive<u64>) -> Vec<Taken> {
    match party {
        Party::User if chosen_directory().is_some() => Vec::new(),
        Party::User => {
            let names = Names::read(name, Ours::First, |path| look_at(path, sizes));
            names.map_or(Vec::new(), |names| names.taken)
        }
        Party::Group(group) => group_directory_linux::taken(group),
    }
}

/// Bytes of the control segment that are reserved: all that its file has.
pub(crate) fn control_len(life: &Life) -> io::Result<u64> {
    Ok(life.file().metadata()?.len())
}

/// Reserves more of the control segment, up to `len` bytes. The file is never longer than what is
/// reserved, also if this process dies meanwhile: a tmpfs gives it its new length when the last
/// page is reserved (`shmem_fallocate` in Linux, `mm/shmem.c`). If the file system can't reserve,
/// the C library writes to one page after the other instead (`posix_fallocate(3)`).
pub(crate) fn grow_control(life: &Life, len: u64) -> io::Result<()> {
    let before = control_len(life)?;
    refuse_to_grow(directory(), before, len.saturating_sub(before))?;
    reserve(life.file(), before, len)
}

/// Whether the control segment that `life` locks has lost its name: to `rm`, or to a system that
/// cleans up after a login session (systemd's `RemoveIPC`).
pub(crate) fn control_is_gone(life: &Life) -> bool {
    life.file().metadata().is_ok_and(|meta| meta.nlink() == 0)
}

/// Removes the control segment's name if it still leads to the file that `life` locks, and the
/// directory of a group if nothing is left in it.
pub(crate) fn remove_control(place: &Place, name: &str, life: &Life) -> io::Result<()> {
    let ours = life.file().metadata()?.ino();
    if place.identify(name)?.is_some_and(|now| now.file == ours) {
        place.remove(name)?;
    }
    place.tidy();
    Ok(())
}

/// The user whose control segments these are.
pub(crate) fn user() -> String {
    // SAFETY: no arguments, no failure.
    unsafe { libc::geteuid() }.to_string()
}
