//! Huge pages for shared memory: whether a mount gives them, and reserving memory by them.
//!
//! `fallocate` takes pages as the mount says. A mount with `huge=advise` gives huge ones only to
//! mappings with `MADV_HUGEPAGE` that touch the memory first, so it is reserved by touching.
//! `MADV_POPULATE_WRITE` does that and returns an error where a store would be a SIGBUS.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::path::Path;

use super::directory_linux::{directory, lies_in_memory};
use super::mapping::Mapping;
use super::room::HugePages;
use super::room_linux::memory_has_room;

/// What `/dev/shm` gives; `None` if its file system has no such option, or `/proc` isn't there.
pub(crate) fn huge_pages() -> Option<HugePages> {
    of_mount(directory())
}

fn of_mount(directory: &Path) -> Option<HugePages> {
    let file = File::open(directory).ok()?;
    let fdinfo = fs::read_to_string(format!("/proc/thread-self/fdinfo/{}", file.as_raw_fd())).ok()?;
    let id = fdinfo.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim();
    let mount = option_of(&fs::read_to_string("/proc/thread-self/mountinfo").ok()?, id)?;
    let system = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/shmem_enabled").ok();
    Some(HugePages { mount, system: system.and_then(|text| chosen(&text)) })
}

/// The option `huge=` of the tmpfs with that id. The kernel doesn't show its default, `never`.
fn option_of(mountinfo: &str, id: &str) -> Option<String> {
    let line = mountinfo.lines().find(|line| line.split(' ').next() == Some(id))?;
    let options = line.split_once(" - ")?.1.strip_prefix("tmpfs ")?.rsplit(' ').next()?;
    let huge = options.split(',').find_map(|option| option.strip_prefix("huge="));
    Some(huge.unwrap_or("never").to_owned())
}

/// `always [never] force` → `never`
fn chosen(text: &str) -> Option<String> {
    Some(text.split_once('[')?.1.split_once(']')?.0.to_owned())
}

/// Refuses where it is known that the system gives no huge pages.
pub(super) fn refuse_without_huge_pages(directory: &Path) -> io::Result<()> {
    match of_mount(directory) {
        Some(pages) if pages.are_off() => Err(unsupported(&format!(
            "/dev/shm gives no huge pages (mounted with huge={}, shmem_enabled is {}): leave hugePages out, or mount \
             -o remount,huge=advise /dev/shm",
            pages.mount,
            pages.system.as_deref().unwrap_or("unknown")
        ))),
        None if !lies_in_memory() => {
            Err(unsupported("CROSSMEM_DIR lies on a disk, which has no huge pages: leave hugePages out"))
        }
        _ => Ok(()),
    }
}

fn unsupported(message: &str) -> io::Error {
    io::Error::new(ErrorKind::Unsupported, message)
}

/// Reserves the bytes of a new file in huge pages, as far as the system has any: in steps, before
/// each of which memory is asked for again, as in `linux::reserve`.
pub(super) fn reserve_huge(file: &File, size: u64) -> io::Result<()> {
    const STEP: u64 = 64 << 20;
    file.set_len(size)?;
    let mapping = Mapping::of_file(file, None)?;
    let advise = |from: u64, to: u64, advice| {
        let region = mapping.region();
        // SAFETY: inside the mapping, which no other thread knows; neither advice changes bytes.
        let done = unsafe {
            let base = region.as_ptr().add(from as usize).cast();
            libc::madvise(base, (to - from) as usize, advice)
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    advise(0, size, libc::MADV_HUGEPAGE)
        .map_err(|_| unsupported("this kernel has no huge pages: leave hugePages out"))?;
    let mut done = 0;
    while done < size {
        if done > 0 {
            memory_has_room(size - done)?;
        }
        let to = size.min(done + STEP);
        advise(done, to, libc::MADV_POPULATE_WRITE).map_err(|e| match e.raw_os_error() {
            Some(libc::EINVAL) => unsupported("hugePages needs Linux 5.14 or later: leave it out"),
            // A store would have been a SIGBUS: the file system is full.
            Some(libc::EFAULT | libc::ENOMEM) => ErrorKind::StorageFull.into(),
            _ => e,
        })?;
        done = to;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn the_option_is_that_of_the_mount_with_the_id() {
        let mounts = "24 1 0:5 / /dev rw - devtmpfs none rw,size=1\n\
                      25 24 0:23 / /dev/shm rw,relatime shared:3 - tmpfs tmpfs rw,size=9k,huge=advise\n\
                      26 24 0:24 / /run rw - tmpfs tmpfs rw\n";
        assert_eq!(option_of(mounts, "25").as_deref(), Some("advise"));
        assert_eq!(option_of(mounts, "26").as_deref(), Some("never"));
        assert_eq!(option_of(mounts, "24"), None);
        assert_eq!(option_of(mounts, "2"), None);
        assert_eq!(chosen("always within_size [never] deny\n").as_deref(), Some("never"));
        assert_eq!(chosen("always"), None);
    }

    #[test]
    fn the_system_and_the_mount_say_together_whether_there_are_any() {
        let pages = |mount: &str, system: Option<&str>| HugePages {
            mount: mount.to_owned(),
            system: system.map(str::to_owned),
        };
        assert!(pages("never", Some("never")).are_off());
        assert!(pages("never", None).are_off());
        assert!(!pages("never", Some("force")).are_off());
        assert!(!pages("advise", Some("never")).are_off());
        assert!(pages("always", Some("deny")).are_off());
    }

    /// Mounts a tmpfs of 8 MiB for this thread alone, and calls `then` with its path. `false`: this
    /// user may not.
    fn on_small_mount(options: &str, then: impl FnOnce(&Path) + Send) -> bool {
        let directory = std::env::temp_dir().join(format!("crossmem-huge-{}-{options}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let path = CString::new(directory.to_str().unwrap()).unwrap();
        let data = CString::new(format!("size=8m,{options}")).unwrap();
        let mount = |kind: *const libc::c_char, at: &std::ffi::CStr, flags, data| {
            // SAFETY: NUL-terminated strings.
            unsafe { libc::mount(c"none".as_ptr(), at.as_ptr(), kind, flags, data) == 0 }
        };
        let was_possible = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                // SAFETY: it is this thread's own view of the mounts that changes.
                let may = unsafe { libc::unshare(libc::CLONE_NEWNS) } == 0
                    && mount(std::ptr::null(), c"/", libc::MS_REC | libc::MS_PRIVATE, std::ptr::null())
                    && mount(c"tmpfs".as_ptr(), &path, 0, data.as_ptr().cast());
                if may {
                    then(&directory);
                }
                may
            });
            thread.join().unwrap()
        });
        fs::remove_dir(&directory).unwrap();
        was_possible
    }

    #[test]
    fn reserving_by_touching_takes_all_the_memory_or_fails_without_a_signal() {
        let possible = on_small_mount("huge=advise", |directory| {
            let full = File::options().read(true).write(true).create_new(true).open(directory.join("full"));
            let error = reserve_huge(&full.unwrap(), 9 << 20).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageFull);
            fs::remove_file(directory.join("full")).unwrap();
            let fits = File::options().read(true).write(true).create_new(true).open(directory.join("fits"));
            let fits = fits.unwrap();
            reserve_huge(&fits, (4 << 20) + 1).unwrap();
            let meta = fits.metadata().unwrap();
            assert_eq!((meta.len(), meta.blocks() * 512), ((4 << 20) + 1, (4 << 20) + 4096));
        });
        if !possible {
            eprintln!("not run: reserving by touching, since this user may mount nothing");
        }
    }

    #[test]
    fn a_mount_without_huge_pages_is_refused() {
        let possible = on_small_mount("huge=never", |directory| {
            let error = refuse_without_huge_pages(directory).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
        });
        let possible = on_small_mount("huge=within_size", |directory| {
            refuse_without_huge_pages(directory).unwrap();
        }) && possible;
        if !possible {
            eprintln!("not run: a mount without huge pages, since this user may mount nothing");
        }
    }
}
