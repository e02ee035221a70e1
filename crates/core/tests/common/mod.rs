//! What the tests share: names, objects, refusals, wake-ups and files.
#![allow(dead_code, reason = "each test program uses a part")]

pub mod child;
#[cfg(target_os = "linux")]
pub mod group;
pub mod random;

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use crossmem_core::{Agent, Code, Kind, Looked, Object, PARAMS, Result, Segment, Spec};

/// A name for a domain or an object that no other test has.
pub fn unique(what: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    format!("{what}.{}.{}.{now:x}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A domain of agents that a test drops. Declared before them, it is dropped last, and sweeps what
/// they left.
pub struct Swept(pub String);

impl Drop for Swept {
    fn drop(&mut self) {
        Agent::register(&self.0, 0).unwrap().leave();
    }
}

pub fn spec(name: &str, size: u64) -> Spec<'_> {
    Spec::new(name, Kind::SharedMemory, size)
}

/// Creates a segment without contents.
pub fn create(agent: &Agent, name: &str, size: u64) -> Result<Segment> {
    Segment::create(agent, &spec(name, size))
}

/// Creates an object that is more than bytes.
pub fn make(agent: &Agent, name: &str, kind: Kind, params: [u64; PARAMS]) -> Segment {
    Segment::create(agent, &Spec { params: Some(params), ..Spec::new(name, kind, 0) }).unwrap()
}

/// Writes to a part of a segment that the caller has reserved.
pub fn write(segment: &Segment, offset: u64, bytes: &[u8]) {
    assert!(offset + bytes.len() as u64 <= segment.region().len() as u64);
    // SAFETY: the range lies in the segment, and is reserved for the caller alone.
    unsafe {
        let to = segment.region().as_ptr().add(offset as usize);
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
    }
}

/// The code of an error.
pub fn code<T>(result: Result<T>) -> Code {
    result.err().expect("the call should have been refused").code
}

/// Checks that `act` rings a waiter that has armed itself without success.
pub fn rung<T: Debug>(waiter: Object<'_>, armed: Result<Looked<T>>, act: impl FnOnce()) {
    let armed = armed.unwrap();
    let Looked::NotYet { sleepers } = armed else { panic!("{armed:?}") };
    assert!(waiter.sleeps(sleepers).unwrap(), "the waiter isn't among the sleepers");
    act();
    assert!(!waiter.sleeps(sleepers).unwrap(), "the waiter wasn't rung");
}

/// The arenas of a domain: the files of the large messages of its queues.
#[cfg(target_os = "linux")]
pub fn arenas(domain: &str) -> Vec<String> {
    files(&format!("{domain}+"))
}

/// Bytes of memory that large messages of a domain take.
#[cfg(target_os = "linux")]
pub fn spilled_bytes(domain: &str) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let blocks = |name: &String| std::fs::metadata(format!("/dev/shm/{name}")).unwrap().blocks();
    arenas(domain).iter().map(|name| 512 * blocks(name)).sum()
}

/// Names in /dev/shm that contain `part`.
#[cfg(target_os = "linux")]
pub fn files(part: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/dev/shm").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap_or_default());
    let mut found: Vec<String> = names.filter(|name| name.contains(part)).collect();
    found.sort();
    found
}
