//! The directory of shared memory on Linux: `/dev/shm`, or the one that `CROSSMEM_DIR` names.
//!
//! A directory of that variable may be on a disk, and may be open to other users, as `/tmp` is. In
//! it, the files of a user lie in a directory of mode 0700, `crossmem-<uid>-<boot>`, which no other
//! user can replace. The number of the boot is in the name, since a disk keeps files that a crash
//! of the machine left half-written: after a restart, no process sees them.
//!
//! | died | what is left | removed by |
//! | --- | --- | --- |
//! | before or after the one `mkdir` | nothing, or an empty directory | none: the next process uses it |

use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nix::sys::statfs::{self, FsType, statfs};

use super::access::Party;
use crate::hash::hash_64;

/// Where glibc and musl keep POSIX shared memory (`shm_overview(7)`).
pub(super) const DIRECTORY: &str = "/dev/shm";

/// File systems that can't keep what is promised, by their numbers in `linux/magic.h`.
const REFUSED: [(FsType, &str); 9] = [
    (FsType(0x6969), "NFS"),
    (FsType(0x517B), "SMB"),
    (FsType(0xFF53_4D42), "SMB"),
    (FsType(0xFE53_4D42), "SMB"),
    (FsType(0x00C3_6400), "Ceph"),
    (FsType(0x0102_1997), "9P"),
    (FsType(0x9123_683E), "Btrfs"),
    (FsType(0x2FC1_2FC1), "ZFS"),
    (FsType(0xCA45_1A4E), "bcachefs"),
];

/// The directory that `CROSSMEM_DIR` names, if it is set. Read once: all objects of a process lie
/// in one directory.
pub(crate) fn chosen_directory() -> Option<&'static Path> {
    static CHOSEN: OnceLock<Option<PathBuf>> = OnceLock::new();
    CHOSEN
        .get_or_init(|| std::env::var_os("CROSSMEM_DIR").filter(|path| !path.is_empty()).map(PathBuf::from))
        .as_deref()
}

/// The directory of shared memory.
pub(super) fn directory() -> &'static Path {
    chosen_directory().unwrap_or(Path::new(DIRECTORY))
}

/// Whether what lies there takes memory, and not space of a disk.
pub(super) fn lies_in_memory() -> bool {
    static LIES: OnceLock<bool> = OnceLock::new();
    let memory = [statfs::TMPFS_MAGIC, FsType(0x8584_58F6)];
    *LIES.get_or_init(|| {
        let kind =
            chosen_directory().and_then(|chosen| statfs(chosen).ok()).map(|stat| stat.filesystem_type());
        kind.is_none_or(|kind| memory.contains(&kind))
    })
}

/// The user's own directory in the chosen one; makes it if there is none and `create` says so.
pub(super) fn own(chosen: &Path, create: bool) -> io::Result<Option<PathBuf>> {
    // SAFETY: no arguments, no failure.
    let user = unsafe { libc::geteuid() };
    let boot = fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let path = chosen.join(format!("crossmem-{user}-{:016x}", hash_64(&boot)));
    if create {
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
    }
    match fs::symlink_metadata(&path) {
        Ok(meta) if meta.is_dir() && meta.uid() == user && meta.mode() & 0o777 == 0o700 => Ok(Some(path)),
        Ok(_) => Err(io::Error::new(
            ErrorKind::PermissionDenied,
            format!(
                "{} is not a directory of this user alone; remove it, or set CROSSMEM_DIR to another directory",
                path.display()
            ),
        )),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Refuses a `CROSSMEM_DIR` in which nothing could be promised. If it can't be looked at, making a
/// file in it fails, and tells why.
pub(crate) fn check_directory(party: Party) -> io::Result<()> {
    let Some(chosen) = chosen_directory() else { return Ok(()) };
    let refuse = |kind, why: String| Err(io::Error::new(kind, why));
    let shown = chosen.display();
    if !chosen.is_absolute() {
        return refuse(
            ErrorKind::InvalidInput,
            format!("CROSSMEM_DIR is the absolute path of a directory, not {shown}"),
        );
    }
    if party.group().is_some() {
        return refuse(
            ErrorKind::Unsupported,
            "the domain of a group (CROSSMEM_GROUP) is in /dev/shm only: unset CROSSMEM_DIR".to_owned(),
        );
    }
    let (Ok(meta), Ok(stat)) = (fs::metadata(chosen), statfs(chosen)) else { return Ok(()) };
    if let Some((_, name)) = REFUSED.iter().find(|(kind, _)| *kind == stat.filesystem_type()) {
        return refuse(
            ErrorKind::Unsupported,
            format!(
                "{shown} (CROSSMEM_DIR) is on {name}, where memory can't be shared or reserved: choose a directory on \
                 tmpfs, ext4 or XFS"
            ),
        );
    }
    if is_open_to_others(&meta) {
        return refuse(
            ErrorKind::PermissionDenied,
            format!(
                "other users may remove what lies in {shown} (CROSSMEM_DIR): take that permission away (chmod go-w), or \
                 set the sticky bit (chmod +t)"
            ),
        );
    }
    Ok(())
}

/// Whether other users can replace the directory of this one.
fn is_open_to_others(meta: &Metadata) -> bool {
    let (others_write, sticky) = (meta.mode() & 0o022 != 0, meta.mode() & 0o1000 != 0);
    others_write && !sticky
}
