//! What every process of a scene has: the names of things, and the ledger.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use crossmem_core::{Agent, Kind, Segment, Spec, Wait};

use crate::ledger::Ledger;

/// Long enough to fall asleep.
pub const NAP: Wait = Wait::For(Duration::from_millis(1));

/// How something went; an error says what is not as promised.
pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[derive(Clone)]
pub struct Stage {
    pub domain: String,
    pub ledger: &'static Ledger,
}

impl Stage {
    pub fn name(&self, of: &str) -> String {
        format!("{}.{of}", self.domain)
    }

    pub fn join(&self) -> Agent {
        Agent::register(&self.domain, 0).expect("joining the domain")
    }

    pub fn open(&self, agent: &Agent, of: &str) -> Segment {
        Segment::open(agent, &self.name(of), None).expect("opening what is there")
    }

    pub fn create(&self, agent: &Agent, of: &str, kind: Kind, params: [u64; 5]) -> Outcome<Segment> {
        let name = self.name(of);
        Ok(Segment::create(agent, &Spec { params: Some(params), ..Spec::new(&name, kind, 0) })?)
    }

    pub fn create_bytes(&self, agent: &Agent, of: &str, size: u64) -> Outcome<Segment> {
        Ok(Segment::create(agent, &Spec::new(&self.name(of), Kind::SharedMemory, size))?)
    }

    /// Where only victims are, one at a time.
    pub fn other_domain(&self) -> String {
        self.name("other")
    }

    /// A file that isn't shared memory.
    pub fn file(&self) -> PathBuf {
        std::env::temp_dir().join(format!("{}.lock", self.domain))
    }
}

/// Where a victim is watched from, and up to where: it stops there for its tracer.
pub fn mark() {
    // SAFETY: a trap; this process is traced, so it only stops.
    unsafe { std::arch::asm!("int3") }
}

pub fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}
