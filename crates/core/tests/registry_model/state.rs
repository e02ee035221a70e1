//! What processes share, what each remembers, and what only the model knows.

pub(crate) const PROCESSES: usize = 3;
/// A control segment that has the name, and those of processes that opened another one before.
pub(crate) const CONTROLS: usize = PROCESSES + 1;
pub(crate) const SLOTS: usize = 2;
pub(crate) const ENTRIES: usize = 2;
pub(crate) const NAMES: usize = 2;

/// The name of spilled messages, in models that have them. Theirs are never used again: so there is one at a time.
pub(crate) const SPILL: u8 = 1;

// Numbers of agents, and those of objects, which are the numbers of their files as well: 0 is none. A new one is one that
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

/// Without what it was when it is `Free` and has no tag: nobody reads that.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) phase: Phase,
    pub(crate) tag: bool,
    pub(crate) id: u8,
    pub(crate) name: u8,
    pub(crate) parent: u8,
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
    /// Instances.
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
    /// The object was unlinked since, or removed by who read it. Only the model knows.
    pub(crate) unlinked: bool,
}

/// A message in a queue, in a segment of its own. Which one is said in the queue's memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Message {
    pub(crate) queue: u8,
    pub(crate) id: u8,
    /// Instance of its writer, if the queue had lost its name when it was put: then it stays for as long as that one lives.
    pub(crate) writer: u8,
}

/// On the way to the registry's lock, which goes before the step that it is wanted for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Lock {
    /// Held, or not wanted.
    Settled,
    Look,
    Cas {
        seen: Word,
    },
    Repair {
        index: u8,
    },
    Consistent,
    /// What could not be closed earlier.
    Detach {
        name: u8,
    },
    Detached {
        name: u8,
    },
    DetachChild {
        name: u8,
        index: u8,
    },
    DetachedChild {
        name: u8,
        index: u8,
    },
    EraseSpill,
}

/// Erasing an entry, which goes before everything else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Erase {
    pub(crate) index: u8,
    /// A bit per entry.
    pub(crate) children: u8,
    /// Somebody asked for it.
    pub(crate) asked: bool,
    pub(crate) step: Erasing,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Erasing {
    /// Children that a parent's users have until it goes, bit by bit.
    Share,
    Dying,
    Identify,
    Remove,
    Free,
    Untag,
    /// Children that nobody needs.
    Next,
}

/// Why a sweep.
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

    // Leaving, also a domain that is retired.
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
    Tag { name: u8, index: u8 },
    Link { name: u8, index: u8 },
    Live { name: u8, index: u8 },
    Find { name: u8 },
    MapObject { name: u8, index: u8 },
    Attach { name: u8, index: u8 },
    Unlink { name: u8 },
    Closed,

    // Spilled messages.
    Company,
    Spilled { id: u8, linked: bool },
    Take { message: Message },

    Unlock { to: After },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Standing {
    Newcomer,
    Member,
    Leaving,
}

/// What comes after the lock.
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
    Put {
        id: u8,
        linked: bool,
    },
    /// Only with a fault: what should have been done under the lock.
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
    /// The control segment whose bytes it locks, and the one it has mapped.
    pub(crate) control: Option<u8>,
    pub(crate) mapped: Option<u8>,
    pub(crate) instance: u8,
    /// It has its life lock.
    pub(crate) alive: bool,
    pub(crate) slot: Option<u8>,
    pub(crate) standing: Standing,
    /// It is between locking and unlocking.
    pub(crate) inside: bool,
    pub(crate) handles: [Handle; NAMES],
    pub(crate) leaving: [Handle; NAMES],
    /// A message that was read, and whose segment is still there.
    pub(crate) read: u8,
    /// Instances that its sweep found dead, by slot.
    pub(crate) dead: [u8; SLOTS],
    /// A file that has no name yet.
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
    standing: Standing::Newcomer,
    inside: false,
    handles: [Handle { id: 0, index: 0, unlinked: false }; NAMES],
    leaving: [Handle { id: 0, index: 0, unlinked: false }; NAMES],
    read: 0,
    dead: [0; SLOTS],
    staged: File { id: 0, whole: false },
};

impl Process {
    /// Whether it goes on with reading what only the lock's owner changes, and who lives. That is no step of its own: nobody
    /// can tell when it was read, or when in between somebody died.
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
                | Step::Spilled { .. }
        );
        self.inside
            && match (self.erase, self.lock) {
                (Some(erase), _) => matches!(erase.step, Erasing::Identify | Erasing::Next),
                (None, Lock::Detached { .. } | Lock::DetachedChild { .. }) => true,
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
    /// What the names of objects lead to.
    pub(crate) files: [File; NAMES],
    pub(crate) message: Message,
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

    /// Whether the kernel tells process `p` that somebody else of that instance lives.
    pub(crate) fn is_alive(&self, p: u8, instance: u8) -> bool {
        let control = self.process(p).control;
        let mut others = (0..).zip(&self.processes).filter(|(q, _)| *q != p);
        instance != 0 && others.any(|(_, q)| q.alive && q.instance == instance && q.control == control)
    }
}
