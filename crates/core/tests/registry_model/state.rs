//! The state that processes share, what each process remembers, and what only the model knows.

pub(crate) const PROCESSES: usize = 3;
/// How many control segments there can be: the one that has the name, and one that each process
/// opened before.
pub(crate) const CONTROLS: usize = PROCESSES + 1;
pub(crate) const SLOTS: usize = 2;
pub(crate) const ENTRIES: usize = 2;
pub(crate) const NAMES: usize = 1;

/// The files of the names, and an arena. The name of an arena is made of its object's id. There is
/// one at a time, since there is one name for objects.
pub(crate) const FILES: usize = NAMES + 1;
pub(crate) const ARENA: usize = NAMES;

// Agents have numbers; objects share theirs with their files. 0 is none. A new number is one that
// occurs nowhere in the state.

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(crate) enum Phase {
    #[default]
    Free,
    Born,
    Live,
    Dying,
}
pub(crate) use Phase::{Born, Dying, Free, Live};

/// An entry of the registry. Its fields are 0 when it is `Free` and not listed: then no process
/// reads them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) phase: Phase,
    /// Whether it is in the list of its name.
    pub(crate) listed: bool,
    pub(crate) id: u8,
    pub(crate) name: u8,
    /// A bit per slot.
    pub(crate) attached: u8,
}

/// The word of the registry's mutex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Word {
    pub(crate) owner: u8,
    pub(crate) died: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Control {
    pub(crate) retired: bool,
    pub(crate) word: Word,
    /// The instance of each slot's agent.
    pub(crate) slots: [u8; SLOTS],
    pub(crate) entries: [Entry; ENTRIES],
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(crate) struct File {
    pub(crate) id: u8,
    pub(crate) whole: bool,
}

/// An object that a process has open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Handle {
    pub(crate) id: u8,
    pub(crate) index: u8,
    /// The object was unlinked since, or its reader removed it. Only the model knows this.
    pub(crate) unlinked: bool,
}

/// How far a process is in taking the registry's mutex, and in what the new owner does first. All
/// of this comes before the step that needs the mutex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Lock {
    /// The mutex is held, or not needed.
    Settled,
    Look,
    Cas {
        seen: Word,
    },
    Repair {
        index: u8,
    },
    Consistent,
    /// Closes what the process could not close earlier.
    Detach {
        name: u8,
    },
    Detached {
        name: u8,
    },
}

/// The erasure of an entry, which comes before everything else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Erase {
    pub(crate) index: u8,
    /// An agent asked for it: the object is unlinked.
    pub(crate) asked: bool,
    pub(crate) step: Erasing,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Erasing {
    Dying,
    Identify,
    Remove,
    IdentifyArena,
    RemoveArena,
    Free,
    Unlist,
}

/// The reason for a sweep.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Sweep {
    Joining,
    Collecting,
    Leaving,
}

/// What a process does next in its operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Step {
    Gone,
    Idle,

    // Registering.
    Open,
    Publish,
    Map,
    Identify,
    Claim,
    Scan { slot: u8 },
    Enter { slot: u8, before: u8 },
    Joined,

    SweepLook { why: Sweep },
    SweepBit { why: Sweep, index: u8, slot: u8 },
    SweepEntry { why: Sweep, index: u8 },
    SweepFree { why: Sweep, slot: u8 },

    // Leaving, also leaving a domain that turns out to be retired.
    Others,
    Deserted,
    Retire,
    IdentifyControl { again: bool },
    RemoveControl { again: bool },
    ClearSlot { again: bool },
    Drop { again: bool },

    // Objects.
    Refuse { name: u8 },
    RefuseAgain { name: u8 },
    Fields { name: u8 },
    Bear { name: u8, index: u8 },
    List { name: u8, index: u8 },
    LinkArena { name: u8, index: u8 },
    Link { name: u8, index: u8 },
    Live { name: u8, index: u8 },
    Find { name: u8 },
    MapObject { name: u8, index: u8 },
    Attach { name: u8, index: u8 },
    Unlink { name: u8 },
    Closed,

    Unlock { to: After },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Standing {
    Newcomer,
    Member,
    Leaving,
}

/// What comes after the mutex is released.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum After {
    Idle,
    Member,
    Stage {
        name: u8,
    },
    Opened {
        name: u8,
        index: u8,
    },
    /// Only with a fault: does what should have been done under the mutex.
    Late {
        name: u8,
        index: u8,
    },
    Drop {
        again: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Process {
    pub(crate) erase: Option<Erase>,
    pub(crate) lock: Lock,
    pub(crate) step: Step,
    /// The control segment whose bytes it locks, and the one that it has mapped.
    pub(crate) control: Option<u8>,
    pub(crate) mapped: Option<u8>,
    pub(crate) instance: u8,
    /// It has locked the byte of its instance.
    pub(crate) alive: bool,
    pub(crate) slot: Option<u8>,
    /// It is a newcomer in the slot of a dead agent.
    pub(crate) inherits: bool,
    pub(crate) standing: Standing,
    /// It holds the mutex.
    pub(crate) inside: bool,
    pub(crate) handles: [Handle; NAMES],
    pub(crate) leaving: [Handle; NAMES],
    /// The instances that its sweep found dead, by slot.
    pub(crate) dead: [u8; SLOTS],
    /// Its file that has no name yet.
    pub(crate) staged: File,
}

pub(crate) const GONE: Process = Process {
    erase: None,
    lock: Lock::Settled,
    step: Step::Gone,
    control: None,
    mapped: None,
    instance: 0,
    alive: false,
    slot: None,
    inherits: false,
    standing: Standing::Newcomer,
    inside: false,
    handles: [Handle { id: 0, index: 0, unlinked: false }; NAMES],
    leaving: [Handle { id: 0, index: 0, unlinked: false }; NAMES],
    dead: [0; SLOTS],
    staged: File { id: 0, whole: false },
};

impl Process {
    /// Whether the process only reads next: what only the mutex's owner changes, and which agents
    /// live. This is no step of its own: no process can tell when it reads, or when another one
    /// died in between.
    pub(crate) fn reads(&self) -> bool {
        let reads = matches!(
            self.step,
            Step::Joined
                | Step::SweepLook { .. }
                | Step::SweepEntry { .. }
                | Step::Others
                | Step::Deserted
                | Step::IdentifyControl { .. }
                | Step::Refuse { .. }
                | Step::RefuseAgain { .. }
                | Step::Find { .. }
                | Step::MapObject { .. }
                | Step::Unlink { .. }
                | Step::Closed
        );
        self.inside
            && match (self.erase, self.lock) {
                (Some(erase), _) => matches!(erase.step, Erasing::Identify | Erasing::IdentifyArena),
                (None, Lock::Detached { .. }) => true,
                (None, Lock::Settled) => reads,
                _ => false,
            }
    }

    pub(crate) fn exists(&self) -> bool {
        self.step != Step::Gone
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct State {
    /// The control segment that has the name.
    pub(crate) named: Option<u8>,
    pub(crate) controls: [Control; CONTROLS],
    /// The files that the names of objects lead to, and the arena.
    pub(crate) files: [File; FILES],
    pub(crate) processes: [Process; PROCESSES],
}

impl State {
    pub(crate) fn process(&self, p: u8) -> &Process {
        &self.processes[usize::from(p)]
    }

    /// The control segment that process `p` sees.
    pub(crate) fn seen_by(&self, p: u8) -> usize {
        usize::from(self.process(p).mapped.unwrap_or_default())
    }

    pub(crate) fn entry(&self, p: u8, index: u8) -> &Entry {
        &self.controls[self.seen_by(p)].entries[usize::from(index)]
    }

    /// Whether the kernel tells process `p` that another agent with that instance lives.
    pub(crate) fn is_alive(&self, p: u8, instance: u8) -> bool {
        let control = self.process(p).control;
        let mut others = (0..).zip(&self.processes).filter(|(q, _)| *q != p);
        instance != 0 && others.any(|(_, q)| q.alive && q.instance == instance && q.control == control)
    }
}
