//! What every process of a theatre knows: the names of objects and files, and the ledger.

use std::error::Error;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use crossmem_core::{Agent, DomainName, Kind, Segment, Spec, Wait, list_of};

use crate::ledger::Ledger;

/// A wait that is long enough to sleep.
pub const NAP: Wait = Wait::For(Duration::from_millis(1));

/// A result. The error says which promise is broken.
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

    /// Two more names that the registry keeps in the same list.
    pub fn beside(&self, of: &str) -> [String; 2] {
        let list = list_of(&self.name(of));
        let mut others =
            (0..).map(|n| format!("{of}.{n}")).filter(|other| list_of(&self.name(other)) == list);
        [(); 2].map(|()| others.next().expect("endlessly many names"))
    }

    pub fn join(&self) -> Agent {
        Agent::register(&self.domain, 0).expect("joining the domain")
    }

    pub fn open(&self, agent: &Agent, of: &str) -> Segment {
        Segment::open(agent, &self.name(of), None).expect("opening an object that exists")
    }

    pub fn create(&self, agent: &Agent, of: &str, kind: Kind, params: [u64; 5]) -> Outcome<Segment> {
        let name = self.name(of);
        Ok(Segment::create(agent, &Spec { params: Some(params), ..Spec::new(&name, kind, 0) })?)
    }

    pub fn create_bytes(&self, agent: &Agent, of: &str, size: u64) -> Outcome<Segment> {
        Ok(Segment::create(agent, &Spec::new(&self.name(of), Kind::SharedMemory, size))?)
    }

    /// A domain that only victims join, one at a time.
    pub fn other_domain(&self) -> String {
        self.name("other")
    }

    /// A group whose domain only victims join, one at a time: one that no user has. A process that
    /// isn't root takes its own group, which other stages may use at the same time.
    pub fn group(&self) -> String {
        let me = me();
        let unused = || {
            self.domain
                .bytes()
                .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
        };
        if me.uid() == 0 { (unused() >> 2 | 1 << 30).to_string() } else { me.gid().to_string() }
    }

    /// Joins the domain of the group.
    pub fn join_group(&self) -> Agent {
        let domain = DomainName { name: &self.domain, group: Some(&self.group()) };
        Agent::register(domain, 0).expect("joining the domain of a group")
    }

    /// An ordinary file, to be locked.
    pub fn file(&self) -> PathBuf {
        std::env::temp_dir().join(format!("{}.lock", self.domain))
    }
}

/// Whether no other stage uses the group of a stage.
pub fn has_group_alone() -> bool {
    me().uid() == 0
}

/// This process, as its user and group.
fn me() -> std::fs::Metadata {
    std::fs::metadata("/proc/self").expect("/proc is there")
}

/// Marks where watching begins, and where it ends: the victim stops here for its tracer.
pub fn mark() {
    // SAFETY: a trap. This process is traced, so the trap only stops it.
    unsafe { std::arch::asm!("int3") }
}

pub fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}
