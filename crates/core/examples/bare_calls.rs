//! The floor that `bench/` compares crossmem with: the time of the bare system calls that create,
//! open and remove a segment of 1 MiB.
//!
//! `cargo run --release -p crossmem-core --example bare_calls` reads orders from its standard input,
//! one a line: `HOW COUNT [fill]`. The answer is a line of JSON, `[ns]` of one repetition. The first
//! line says that the program is ready. With `fill`, the creator writes every byte before it removes
//! the segment.
//!
//! | HOW | what another process may see | bytes reserved |
//! | --- | --- | --- |
//! | `whole` | the whole segment or none: made unnamed, then linked, as crossmem does | yes |
//! | `reserved` | a name whose segment has no bytes yet | yes |
//! | `sized` | a name whose segment has no bytes yet | no: SIGBUS later if /dev/shm is full |

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("bare_calls needs Linux");
    std::process::exit(2);
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::CString;
    use std::io::{Error, stdin};
    use std::time::Instant;

    use libc::{c_int, c_void};

    const SIZE: usize = 1 << 20;

    pub fn main() {
        let names = Names::new();
        println!("{{}}");
        for line in stdin().lines() {
            let line = line.expect("orders are text");
            let words: Vec<&str> = line.split(' ').collect();
            let (how, count, fills) = match words[..] {
                [how, count] => (how, count, false),
                [how, count, "fill"] => (how, count, true),
                _ => panic!("HOW COUNT [fill], not {line}"),
            };
            println!("[{:.1}]", measure(&names, how, count.parse().expect("a number"), fills));
        }
    }

    /// Nanoseconds of one repetition.
    fn measure(names: &Names, how: &str, count: u32, fills: bool) -> f64 {
        let create: fn(&Names) -> *mut c_void = match how {
            "whole" => create_whole,
            "reserved" => create_reserved,
            "sized" => create_sized,
            _ => panic!("whole, reserved or sized, not {how}"),
        };
        let started = Instant::now();
        for _ in 0..count {
            let made = create(names);
            let opened = open_again(names);
            if fills {
                fill(made);
            }
            unmap(opened);
            unmap(made);
            unlink(names);
        }
        started.elapsed().as_secs_f64() * 1e9 / f64::from(count)
    }

    /// Made beforehand, so that the measured calls allocate nothing.
    struct Names {
        segment: CString,
        path: CString,
    }

    impl Names {
        fn new() -> Names {
            let name = format!("bare-calls-{}", std::process::id());
            let c = |text: String| CString::new(text).expect("no NUL in it");
            Names { segment: c(format!("/{name}")), path: c(format!("/dev/shm/{name}")) }
        }
    }

    fn create_whole(names: &Names) -> *mut c_void {
        let flags = libc::O_TMPFILE | libc::O_RDWR | libc::O_CLOEXEC;
        // SAFETY: a NUL-terminated path.
        let fd = check(unsafe { libc::open(c"/dev/shm".as_ptr(), flags, 0o600) });
        reserve(fd);
        let made = map(fd, SIZE);
        let from = CString::new(format!("/proc/self/fd/{fd}")).expect("no NUL in it");
        // SAFETY: two NUL-terminated paths.
        check(unsafe {
            let (from, to) = (from.as_ptr(), names.path.as_ptr());
            libc::linkat(libc::AT_FDCWD, from, libc::AT_FDCWD, to, libc::AT_SYMLINK_FOLLOW)
        });
        close(fd);
        made
    }

    fn create_reserved(names: &Names) -> *mut c_void {
        let fd = create_named(names);
        reserve(fd);
        let made = map(fd, SIZE);
        close(fd);
        made
    }

    fn create_sized(names: &Names) -> *mut c_void {
        let fd = create_named(names);
        // SAFETY: a descriptor of our own.
        check(unsafe { libc::ftruncate(fd, SIZE as i64) });
        let made = map(fd, SIZE);
        close(fd);
        made
    }

    fn create_named(names: &Names) -> c_int {
        // SAFETY: a NUL-terminated name.
        check(unsafe {
            libc::shm_open(names.segment.as_ptr(), libc::O_CREAT | libc::O_EXCL | libc::O_RDWR, 0o600)
        })
    }

    /// Opens the segment as a process that knows only its name: the size comes from the file.
    fn open_again(names: &Names) -> *mut c_void {
        // SAFETY: a NUL-terminated name.
        let fd = check(unsafe { libc::shm_open(names.segment.as_ptr(), libc::O_RDWR, 0) });
        // SAFETY: stat is plain integers, filled by the call.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: a descriptor of our own and a whole stat.
        check(unsafe { libc::fstat(fd, &raw mut stat) });
        let opened = map(fd, stat.st_size as usize);
        close(fd);
        opened
    }

    fn reserve(fd: c_int) {
        // SAFETY: a descriptor of our own.
        let errno = unsafe { libc::posix_fallocate(fd, 0, SIZE as i64) };
        assert_eq!(errno, 0, "{}", Error::from_raw_os_error(errno));
    }

    fn map(fd: c_int, len: usize) -> *mut c_void {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping, at an address that the kernel chooses.
        let made = unsafe { libc::mmap(std::ptr::null_mut(), len, protection, libc::MAP_SHARED, fd, 0) };
        assert_ne!(made, libc::MAP_FAILED, "{}", Error::last_os_error());
        made
    }

    fn fill(mapping: *mut c_void) {
        // SAFETY: made by `map` with this length, and no reference points to the bytes.
        unsafe { mapping.cast::<u8>().write_bytes(1, SIZE) };
    }

    fn unmap(mapping: *mut c_void) {
        // SAFETY: made by `map` with this length, and nothing points into it.
        check(unsafe { libc::munmap(mapping, SIZE) });
    }

    fn close(fd: c_int) {
        // SAFETY: a descriptor of our own, closed once.
        check(unsafe { libc::close(fd) });
    }

    fn unlink(names: &Names) {
        // SAFETY: a NUL-terminated name.
        check(unsafe { libc::shm_unlink(names.segment.as_ptr()) });
    }

    fn check(result: c_int) -> c_int {
        assert!(result >= 0, "{}", Error::last_os_error());
        result
    }
}
