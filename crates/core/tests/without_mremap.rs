//! Where no mapping can be duplicated, as under qemu.
#![cfg(target_os = "linux")]

mod common;

use common::{create, files, unique, write};
use crossmem_core::{Agent, Kind, Region, Segment};

/// Lets the kernel refuse `mremap` with an old size of 0 to this thread, as qemu does (seccomp(2)).
fn refuse_duplicates() {
    let step = |code, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    // Where `struct seccomp_data` has the number of the call, and the lower half of its second
    // argument.
    let (call, old_size) = (0, 24);
    let (load, equals, end) = (
        libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
        libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
        libc::BPF_RET | libc::BPF_K,
    );
    let mut steps = [
        step(load, 0, 0, call),
        step(equals, 0, 3, libc::SYS_mremap as u32),
        step(load, 0, 0, old_size),
        step(equals, 0, 1, 0),
        step(end, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOMEM as u32),
        step(end, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: a whole program, which the kernel copies. Nothing is at the address 0, and nothing
    // would be moved.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program), 0);
        assert_eq!(libc::mremap(std::ptr::null_mut(), 0, 1, libc::MREMAP_MAYMOVE), libc::MAP_FAILED);
    }
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::ENOMEM));
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn objects_work_where_no_mapping_can_be_duplicated() {
    // More than a control segment has room for at first, so that it grows.
    const MANY: usize = 200;
    refuse_duplicates();
    let (domain, name) = (unique("d"), unique("n"));
    let (agent, other) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 1).unwrap());
    let before = descriptors();
    let first_byte = |region: Region<'_>| {
        let mut byte = [0];
        region.copy_to(0, &mut byte).unwrap();
        byte[0]
    };

    let mine = create(&agent, &name, 5000).unwrap();
    let theirs = Segment::open(&other, &name, Some(Kind::SharedMemory)).unwrap();
    write(&mine, 0, &[7]);
    assert_eq!((theirs.region().len(), first_byte(theirs.region())), (5000, 7));
    let again = mine.map_again().unwrap();
    mine.close(&agent);
    write(&theirs, 0, &[8]);
    assert_eq!(first_byte(again.region()), 8);
    theirs.close(&other);

    let named = |number| format!("{name}.{number}");
    let all: Vec<_> = (0..MANY).map(|number| create(&agent, &named(number), 1).unwrap()).collect();
    for number in 0..MANY {
        Segment::open(&other, &named(number), None).unwrap().close(&other);
    }
    for object in all {
        object.close(&agent);
    }
    assert_eq!(descriptors(), before, "a closed object keeps a descriptor");
    agent.leave();
    other.leave();
    assert!(files(&domain).is_empty() && files(&name).is_empty());
}
