//! The domain of one input, and its files.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use crossmem_core::{Agent, Code, Kind, PARAMS, Part, Result, Segment, Spec};

/// A domain that no other input has. Dropping it removes its files, even those that the registry
/// has lost.
pub struct World {
    pub domain: String,
}

impl World {
    /// Its name begins with `CROSSMEM_DOMAIN`, so that the program that starts a fuzzer can clean
    /// up after a crash.
    pub fn new() -> World {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let prefix = std::env::var("CROSSMEM_DOMAIN").unwrap_or_else(|_| "fuzz".to_owned());
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        World { domain: format!("{prefix}.{}.{number}.", std::process::id()) }
    }

    pub fn join(&self) -> Result<Agent> {
        Agent::register(&self.domain, 0)
    }

    /// One of a few names.
    pub fn name(&self, number: u8) -> String {
        format!("{}{}", self.domain, number % 6)
    }

    /// The names of its files.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir("/dev/shm").expect("a system with /dev/shm");
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.filter(|name| name.contains(&self.domain)).collect()
    }

    /// Checks that the agents of this domain have removed all files.
    pub fn assert_empty(&self) {
        assert_eq!(self.files(), [""; 0], "files are left");
    }

    /// The name of the control segment.
    pub fn control(&self) -> Option<String> {
        // A name with a `+` is an arena's.
        self.files().into_iter().find(|name| name.starts_with(".crossmem-") && !name.contains('+'))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for name in self.files() {
            let _ = fs::remove_file(format!("/dev/shm/{name}"));
        }
    }
}

/// Every kind that can be made.
pub const KINDS: [Kind; 21] = [
    Kind::SharedMemory,
    Kind::NDArray,
    Kind::Mutex,
    Kind::RLock,
    Kind::RwLock,
    Kind::Semaphore,
    Kind::Condition,
    Kind::Event,
    Kind::Barrier,
    Kind::Value,
    Kind::SharedArray,
    Kind::LockManager,
    Kind::SpscQueue,
    Kind::MpmcQueue,
    Kind::Queue,
    Kind::JoinableQueue,
    Kind::Pipe,
    Kind::RecordQueue,
    Kind::ShareableList,
    Kind::Pool,
    Kind::SharedMap,
];

/// The offset of a small array's trailer.
pub const GUARD: u64 = 4096;

/// Makes a small object.
pub fn create(agent: &Agent, name: &str, kind: Kind, persist: bool) -> Result<Segment> {
    const SPILL_AND_REDELIVER: u64 = 3;
    let params: Option<[u64; PARAMS]> = match kind {
        kind if kind.is_plain() => None,
        Kind::Semaphore => Some([2, 3, 0, 0, 0]),
        Kind::Barrier => Some([2, 0, 0, 0, 0]),
        Kind::Value | Kind::SharedArray => Some([1, 2, 1, 0, 0]),
        Kind::SpscQueue => Some([128, 0, 0, 0, 0]),
        Kind::Pipe => Some([128, 64, 0, 0, 0]),
        Kind::MpmcQueue => Some([6, 24, SPILL_AND_REDELIVER, 0, 0]),
        Kind::Queue | Kind::JoinableQueue | Kind::Pool => Some([3, 40, 0, 0, 0]),
        Kind::RecordQueue => Some([3, 12, 64, 0, 0]),
        _ => Some([0; PARAMS]),
    };
    let size = match kind {
        Kind::NDArray => 2 * GUARD,
        Kind::SharedMemory | Kind::ShareableList => 100,
        Kind::Value | Kind::SharedArray => 8,
        Kind::SharedMap => 64,
        _ => 0,
    };
    let guard = (kind == Kind::NDArray).then_some(GUARD);
    let contents = [Part { offset: 0, bytes: &[7; 8], len: 8 }];
    let parts = if size > 0 { &contents[..] } else { &[] };
    Segment::create(agent, &Spec { persist, parts, guard, params, ..Spec::new(name, kind, size) })
}

/// Returns the answer of a call. Any error is one, except an error of the operating system.
pub fn heard<T>(outcome: Result<T>) -> Option<T> {
    match outcome {
        Ok(answer) => Some(answer),
        Err(error) => {
            assert!(error.code != Code::Os, "{error}");
            None
        }
    }
}
