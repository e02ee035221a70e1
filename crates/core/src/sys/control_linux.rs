//! The control segment on Linux.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use super::file::{Part, Taken};
use super::life_ofd::Life;
use super::linux::{DIRECTORY, identify, path, remove, reserve};
use super::mapping::Mapping;
use super::publish_control::publish_control;
use super::room_linux::refuse_to_grow;

/// Opens the control segment. If there is none, makes it from the parts `create`, if given. The
/// descriptor for locks and the mapping are of the same file, whose name is returned with them. It
/// has the least of `sizes` when it is made, and can grow to the largest.
///
/// `/dev/shm` belongs to all users, so another user may have made a file of the control segment's
/// name: for a joke, or as root of a user namespace, which is another user outside. Then the next
/// name is taken. All processes of the user agree on one: the first name whose file is theirs.
pub(crate) fn open_control(
    name: &str,
    sizes: &RangeInclusive<u64>,
    create: Option<&[Part<'_>]>,
) -> io::Result<Option<(String, Mapping, Life)>> {
    loop {
        let names = Names::read(name, sizes, Ours::First)?;
        let Some((name, file)) = names.ours.into_iter().next() else {
            let Some(parts) = create else { return Ok(None) };
            // If another process of this user has made one under another name meanwhile, since the
            // other user's file came or went, both remove theirs and try again.
            if publish_control(&names.free, *sizes.start(), parts)?
                && Names::read(name, sizes, Ours::All)?.ours.len() > 1
            {
                remove(&names.free)?;
            }
            continue;
        };
        let meta = file.metadata()?;
        if !sizes.contains(&meta.len()) {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                format!("it has {} bytes, not {} to {}", meta.len(), sizes.start(), sizes.end()),
            ));
        }
        let mapping = match Mapping::open_growing(&name, *sizes.end()) {
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            other => other?,
        };
        // A name never leads to an earlier file again. So if it leads to this file now, it did when
        // the file was mapped.
        if identify(&name)?.is_some_and(|now| now.file == meta.ino()) {
            return Ok(Some((name, mapping, Life::new(file))));
        }
    }
}

/// The names that a control segment may have, in order: its own, then with `~1`, `~2` and so on,
/// which no domain's name contains.
struct Names {
    /// Those whose file is this user's, with the file.
    ours: Vec<(String, File)>,
    /// Those that another user has.
    taken: Vec<Taken>,
    /// The first that leads nowhere.
    free: String,
}

/// Which names of this user to look for. Usually the very first is, and no directory need be read.
#[derive(Clone, Copy, PartialEq)]
enum Ours {
    First,
    All,
}

impl Names {
    fn read(name: &str, sizes: &RangeInclusive<u64>, ours: Ours) -> io::Result<Names> {
        let mut names = Names { ours: Vec::new(), taken: Vec::new(), free: String::new() };
        names.sort(name.to_owned(), sizes)?;
        if !names.ours.is_empty() && ours == Ours::First {
            return Ok(names);
        }
        let mut numbers: Vec<u64> = fs::read_dir(DIRECTORY)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| number_of(entry.file_name().to_str()?, name))
            .collect();
        numbers.sort_unstable();
        for number in &numbers {
            names.sort(numbered(name, *number), sizes)?;
        }
        if names.free.is_empty() {
            let number = (1..=numbers.len() as u64 + 1).find(|number| numbers.binary_search(number).is_err());
            names.free = numbered(name, number.unwrap_or(1));
        }
        Ok(names)
    }

    fn sort(&mut self, name: String, sizes: &RangeInclusive<u64>) -> io::Result<()> {
        let path = path(&name);
        loop {
            let meta = match fs::symlink_metadata(&path) {
                Err(e) if e.kind() == ErrorKind::NotFound => {
                    if self.free.is_empty() {
                        self.free = name;
                    }
                    return Ok(());
                }
                other => other?,
            };
            if is_ours(&meta, sizes) {
                match OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOFOLLOW).open(&path) {
                    Ok(file) if is_ours(&file.metadata()?, sizes) => {
                        self.ours.push((name, file));
                        return Ok(());
                    }
                    // In a user namespace, files of all users outside show one owner.
                    Err(e) if e.kind() == ErrorKind::PermissionDenied => {}
                    // It was removed or replaced in this moment.
                    Err(e) if !matches!(e.raw_os_error(), Some(libc::ENOENT | libc::ELOOP)) => return Err(e),
                    _ => continue,
                }
            }
            self.taken.push(Taken { path, owner: meta.uid() });
            return Ok(());
        }
    }
}

/// Whether this is a plain file of this user. A further link to a file of the user under this name
/// is not: where the kernel allows it (`fs.protected_hardlinks`), another user can make one.
fn is_ours(meta: &Metadata, sizes: &RangeInclusive<u64>) -> bool {
    // SAFETY: no arguments, no failure.
    let user = unsafe { libc::geteuid() };
    meta.is_file() && meta.uid() == user && (meta.nlink() == 1 || sizes.contains(&meta.len()))
}

fn numbered(name: &str, number: u64) -> String {
    format!("{name}~{number}")
}

fn number_of(file: &str, name: &str) -> Option<u64> {
    let number = file.strip_prefix(name)?.strip_prefix('~')?.parse().ok()?;
    (file == numbered(name, number) && number > 0).then_some(number)
}

/// The names of the control segment that other users have.
pub(crate) fn control_taken(name: &str, sizes: &RangeInclusive<u64>) -> Vec<Taken> {
    Names::read(name, sizes, Ours::First).map_or(Vec::new(), |names| names.taken)
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
    refuse_to_grow(DIRECTORY, before, len.saturating_sub(before))?;
    reserve(life.file(), before, len)
}

/// Whether the control segment that `life` locks has lost its name: to `rm`, or to a system that
/// cleans up after a login session (systemd's `RemoveIPC`).
pub(crate) fn control_is_gone(life: &Life) -> bool {
    life.file().metadata().is_ok_and(|meta| meta.nlink() == 0)
}

/// Removes the control segment's name if it still leads to the file that `life` locks.
pub(crate) fn remove_control(name: &str, life: &Life) -> io::Result<()> {
    let ours = life.file().metadata()?.ino();
    if identify(name)?.is_some_and(|now| now.file == ours) { remove(name) } else { Ok(()) }
}

/// The user whose control segments these are.
pub(crate) fn user() -> String {
    // SAFETY: no arguments, no failure.
    unsafe { libc::geteuid() }.to_string()
}
