//! Limits of the system that a process reaches before a domain is full. Each call that they refuse
//! says so, and leaves nothing behind.
#![cfg(target_os = "linux")]

mod common;

use std::fs::File;
use std::path::Path;

use common::child::{Orders, child};
use common::{create, files, unique};
use crossmem_core::{Agent, Code, Error, Segment, inspect};

#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

fn limit(resource: Resource, to: u64) {
    let limit = libc::rlimit { rlim_cur: to, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a whole rlimit.
    unsafe { libc::setrlimit(resource, &raw const limit) };
}

fn assert_refused(error: &Error, advice: &str) {
    assert_eq!(error.code, Code::Limit, "{}", error.message);
    assert!(error.message.contains(advice), "{}", error.message);
}

/// Tries each call with no descriptor left, with one left, and so on, until all succeed.
fn run_out_of_descriptors(domain: &str, names: &str) {
    const ADVICE: &str = "ulimit -n";
    let agent = Agent::register(domain, 0).unwrap();
    let kept = create(&agent, names, 10).unwrap();
    // Only this process has so few: the limit is its own.
    limit(libc::RLIMIT_NOFILE, 1024);
    let (mut files_open, mut refusals) = (Vec::new(), 0);
    while let Ok(file) = File::open("/dev/null") {
        files_open.push(file);
    }
    for left in 0.. {
        let name = format!("{names}.{left}");
        let made = create(&agent, &name, 10);
        let opened = Segment::open(&agent, names, None);
        let joined = Agent::register(domain, 0);
        let refused = [made.as_ref().err(), opened.as_ref().err(), joined.as_ref().err()];
        let refused = refused.into_iter().flatten().map(|error| assert_refused(error, ADVICE)).count();
        refusals += refused;
        let has_name = Path::new("/dev/shm").join(&name).exists();
        assert_eq!(has_name, made.is_ok(), "a refused object has a name");
        if let Ok(made) = made {
            made.close(&agent);
        }
        if let Ok(opened) = opened {
            opened.close(&agent);
        }
        if let Ok(joined) = joined {
            joined.leave();
        }
        if refused == 0 {
            break;
        }
        files_open.pop();
    }
    assert!(refusals > 3, "the limit had no effect");
    drop(files_open);
    assert_eq!(inspect(domain).unwrap().objects.len(), 1);
    kept.close(&agent);
    agent.leave();
}

/// A process may have too many mappings, or too little address space. The kernel says the same of
/// both (`mmap(2)`, ENOMEM).
fn run_out_of_address_space(domain: &str, names: &str) {
    const LARGE: u64 = 64 << 20;
    const ADVICE: &str = "vm.max_map_count";
    let agent = Agent::register(domain, 0).unwrap();
    let foreign = format!("{names}.foreign");
    File::create(format!("/dev/shm/{foreign}")).unwrap().set_len(LARGE).unwrap();
    let used = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = used.split(' ').next().unwrap().parse().unwrap();
    limit(libc::RLIMIT_AS, pages * 4096 + LARGE / 4);
    assert_refused(&create(&agent, &format!("{names}.own"), LARGE).err().unwrap(), ADVICE);
    assert_refused(&Segment::open(&agent, &foreign, None).err().unwrap(), ADVICE);
    assert_refused(&Agent::register(domain, 0).err().unwrap(), ADVICE);
    limit(libc::RLIMIT_AS, libc::RLIM_INFINITY);
    assert_eq!(inspect(domain).unwrap().objects.len(), 0);
    assert_eq!(files(names), std::slice::from_ref(&foreign), "a refused object has a name");
    create(&agent, &format!("{names}.own"), LARGE).unwrap().close(&agent);
    Segment::open(&agent, &foreign, None).unwrap().unlink(&agent).unwrap();
    agent.leave();
}

#[test]
fn child_program() {
    let Some(Orders { deed, domain, names }) = Orders::given() else { return };
    match deed.as_str() {
        "descriptors" => run_out_of_descriptors(&domain, &names),
        "address space" => run_out_of_address_space(&domain, &names),
        other => panic!("no deed {other}"),
    }
}

/// Each in a process of its own, since a limit is the process's.
#[test]
fn a_process_that_reaches_its_limits_is_told_so() {
    for deed in ["descriptors", "address space"] {
        let (domain, names) = (unique("d"), unique("n"));
        let ended = child(deed, &domain, &names).output().unwrap();
        assert!(ended.status.success(), "{deed}: {}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!((files(&names), files(&domain)), (vec![], vec![]), "left by {deed}");
    }
}
