//! The objects that victims and survivors share.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

use crossmem_core::{Agent, ArrayGuard, Kind, Locked, Object, PAGE, Segment, Spec, open_lock_manager};

use crate::stage::{Outcome, Stage, check};
use crate::user::{MESSAGE_BYTES, RECORD_BYTES};

pub const PERMITS: u64 = 2;
pub const CAPACITY: u64 = 8;
pub const REDELIVER: u64 = 1;
pub const SPILL: u64 = 2;
pub const STRUCTURES: u64 = 4;
/// The structures of the main queue: the first, and those that victims and survivors add.
pub const FIRST_STRUCTURE: &[u8] = b"first";
pub const VICTIMS_STRUCTURE: &[u8] = b"the victim's, which is long";
pub const SURVIVORS_STRUCTURE: &[u8] = b"the survivors'";
const ARRAY_BYTES: u64 = 4096;

/// The objects that survivors use in turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    Mutex,
    RwLock,
    Semaphore,
    Event,
    Condition,
    Barrier,
    NamedLock,
    Array,
    Main,
    Tasks,
    Ring,
    Records,
    Registry,
}

pub const THINGS: [Thing; 13] = [
    Thing::Main,
    Thing::Mutex,
    Thing::RwLock,
    Thing::Tasks,
    Thing::Semaphore,
    Thing::Event,
    Thing::Ring,
    Thing::Records,
    Thing::Condition,
    Thing::Barrier,
    Thing::NamedLock,
    Thing::Array,
    Thing::Registry,
];

/// All objects of a scene, open.
pub struct Scene {
    pub stage: Stage,
    pub agent: Agent,
    pub mutex: Segment,
    /// A mutex that the first survivor holds if the trial's setting says so.
    pub held: Segment,
    pub rwlock: Segment,
    pub semaphore: Segment,
    pub event: Segment,
    pub condition: Segment,
    pub barrier: Segment,
    pub pair: Segment,
    pub named: Segment,
    pub data: Segment,
    pub array: Segment,
    pub main: Segment,
    pub tasks: Segment,
    pub ring: Segment,
    pub records: Segment,
}

impl Scene {
    /// Creates all objects.
    pub fn create(stage: &Stage) -> Outcome<Scene> {
        let agent = Agent::register(&stage.domain, 0)?;
        let name = stage.name("array");
        let array = Spec { guard: Some(ARRAY_BYTES), ..Spec::new(&name, Kind::NDArray, ARRAY_BYTES + PAGE) };
        let array = Segment::create(&agent, &array)?;
        let object = |of: &str, kind, params| stage.create(&agent, of, kind, params);
        let scene = Scene {
            mutex: object("mutex", Kind::Mutex, [0; 5])?,
            held: object("held", Kind::Mutex, [0; 5])?,
            rwlock: object("rwlock", Kind::RwLock, [0; 5])?,
            semaphore: object("semaphore", Kind::Semaphore, [PERMITS, 100, 0, 0, 0])?,
            event: object("event", Kind::Event, [0; 5])?,
            condition: object("condition", Kind::Condition, [0; 5])?,
            barrier: object("barrier", Kind::Barrier, [1, 0, 0, 0, 0])?,
            pair: object("pair", Kind::Barrier, [2, 0, 0, 0, 0])?,
            named: open_lock_manager(&agent)?,
            data: stage.create_bytes(&agent, "data", 64)?,
            array,
            main: object("main", Kind::MpmcQueue, [CAPACITY, MESSAGE_BYTES, SPILL | STRUCTURES, 0, 0])?,
            tasks: object("tasks", Kind::JoinableQueue, [CAPACITY, MESSAGE_BYTES, SPILL | REDELIVER, 0, 0])?,
            ring: object("ring", Kind::SpscQueue, [1024, 0, 0, 0, 0])?,
            records: object("records", Kind::RecordQueue, [CAPACITY, RECORD_BYTES as u64, 64, 0, 0])?,
            stage: stage.clone(),
            agent,
        };
        let queue = scene.on(&scene.main);
        let member = queue.join_queue()?;
        queue.add_structure(&member, FIRST_STRUCTURE)?;
        queue.leave_queue(member)?;
        Ok(scene)
    }

    /// Opens all objects as a new agent.
    pub fn open(stage: &Stage) -> Scene {
        let agent = stage.join();
        let open = |of: &str| stage.open(&agent, of);
        Scene {
            mutex: open("mutex"),
            held: open("held"),
            rwlock: open("rwlock"),
            semaphore: open("semaphore"),
            event: open("event"),
            condition: open("condition"),
            barrier: open("barrier"),
            pair: open("pair"),
            named: open_lock_manager(&agent).expect("the table of named locks"),
            data: open("data"),
            array: open("array"),
            main: open("main"),
            tasks: open("tasks"),
            ring: open("ring"),
            records: open("records"),
            stage: stage.clone(),
            agent,
        }
    }

    pub fn on<'a>(&'a self, segment: &'a Segment) -> Object<'a> {
        Object::new(&self.agent, segment)
    }

    pub fn guard(&self) -> Outcome<ArrayGuard<'_>> {
        let guard = ArrayGuard::find(&self.agent, self.array.region(), ARRAY_BYTES)?;
        Ok(guard.ok_or("the array has lost its trailer")?)
    }

    /// The twins that `what` guards.
    pub fn twins(&self, what: Thing) -> Twins<'_> {
        let (segment, at) = match what {
            Thing::Mutex => (&self.data, 0),
            Thing::RwLock => (&self.data, 16),
            _ => (&self.array, 0),
        };
        // SAFETY: 16 bytes inside the segment, aligned, that are only used as these atomics.
        Twins(unsafe { &*segment.region().as_ptr().add(at).cast() })
    }
}

/// Two numbers, equal except while a process that holds their lock changes them one after the
/// other.
#[derive(Clone, Copy)]
pub struct Twins<'a>(&'a [AtomicU64; 2]);

impl Twins<'_> {
    pub fn change(self) {
        for word in self.0 {
            word.fetch_add(1, SeqCst);
        }
    }

    /// Changes one of the two, as a process that dies inside the lock does.
    pub fn half_change(self) {
        self.0[0].fetch_add(1, SeqCst);
    }

    pub fn are_equal(self) -> bool {
        self.0[0].load(SeqCst) == self.0[1].load(SeqCst)
    }

    pub fn repair(self) {
        self.0[1].store(self.0[0].load(SeqCst), SeqCst);
    }

    /// Checks what the last holder of the lock left, and makes one more change.
    pub fn change_after(self, locked: Locked) -> Outcome {
        if locked.owner_died {
            self.repair();
        }
        check(self.are_equal(), || "it is half-changed, but no death is reported".into())?;
        self.change();
        Ok(())
    }
}
