//! What the registry cannot do without: each fault leaves out one part, or does it in another
//! order.

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fault {
    // The domain and its agents.
    /// A newcomer doesn't check that it has mapped the control segment that it opened.
    MapWithoutSecondLook,
    /// A newcomer takes an instance number that a dead agent had.
    InstanceReused,
    /// A newcomer takes its slot before it locks the byte of its instance.
    SlotBeforeLife,
    /// A newcomer takes a slot by a store.
    SlotTakenByStore,
    /// A newcomer stays attached to what its predecessor in the slot had open.
    KeepPredecessorsBits,
    /// A newcomer joins a retired domain.
    JoinRetired,
    /// A leaving agent retires a domain in which other agents live.
    RetireDespiteOthers,
    /// The last agent retires a domain that still has objects.
    RetireDespiteObjects,
    /// The last agent removes the control segment before it retires the domain.
    RemoveBeforeRetired,
    /// The last agent removes whichever control segment has the name now.
    RemoveControlByName,
    /// A leaving agent clears its slot before anything else.
    LeaveSlotFirst,
    // The mutex.
    /// The registry's mutex is taken by a store.
    TakeByStore,
    /// An agent that takes the mutex from a dead holder repairs nothing.
    NoRepair,
    /// A creator releases the mutex before the entry is `LIVE`.
    UnlockBeforeLive,
    // Objects.
    /// A file gets its name before it has its contents.
    LinkBeforeWritten,
    /// A file gets its name before its entry is `BORN`.
    LinkBeforeBorn,
    /// An entry is `LIVE` before its file has its name.
    LiveBeforeLink,
    /// The repair turns a `BORN` entry into a `LIVE` one.
    BornIsKept,
    /// A file is removed before its entry is `DYING`.
    RemoveBeforeDying,
    /// An entry is `FREE` before its file is removed.
    FreeBeforeRemoved,
    /// An agent that opens an object is attached to it only after it has released the mutex.
    AttachAfterUnlock,
    /// A close erases the object even if another agent has it open.
    CloseErases,
    /// A sweep erases an object even if a live agent has it open.
    SweepErases,
    /// A sweep frees slots by a store.
    SweepClearsSlotsByStore,
    // Arenas.
    /// An arena gets its name before its queue's entry is `BORN`.
    ArenaBeforeBorn,
    /// A queue's entry is `LIVE` before its arena has its name.
    ArenaAfterLive,
    /// A queue is erased without its arena.
    EraseForgetsArena,
}
