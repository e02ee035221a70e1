//! Seeded faults: each breaks the code on purpose, and a model or a test must notice. Compiled to nothing outside the
//! models.

/// What can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(all(loom, test)), allow(dead_code))]
pub(crate) enum Fault {
    /// The mutex is taken by a store.
    PlainStoreForCas,
    /// The mutex is released without ordering what was done under it.
    RelaxedUnlock,
    /// Who takes it from a dead holder, or after sleeping, forgets that others may sleep.
    ForgetWaiters,
    /// A dead holder's successor isn't told.
    ForgetDied,
    /// No fence between changing what others wait for and looking who sleeps.
    NoFenceInNotify,
    /// A sleeper looks first, and enters the set of sleepers afterwards.
    LookBeforeInsert,
    /// A dead sleeper is rung, and nobody else.
    RingTheDead,
    /// Who gives up keeps the wake-up that came for it.
    KeepTheBaton,
    /// The doorbell is not changed, only rung.
    SilentBell,
    /// A writer goes in without looking for readers.
    WriterSkipsReaders,
    /// A reader lets go without ordering what it read.
    RelaxedReaderExit,
    /// The last reader wakes nobody.
    ReaderLeavesSilently,
    /// A writer that finds a dead reader waits for it.
    WaitForDeadReaders,
    /// A reader enters without the gate.
    ReaderSkipsGate,
    /// A record is published without ordering what is in it.
    RelaxedPush,
    /// A record's place is given back without ordering that it was read.
    RelaxedPop,
    /// The producer believes that there is always room.
    PushWithoutRoom,
    /// A chunk is queued without ordering what is in it.
    RelaxedPublish,
    /// A chunk is freed without ordering that it was read.
    RelaxedFree,
    /// A chunk is claimed by a store.
    ClaimByStore,
    /// Nobody moves a tail that lags.
    NoTailHelp,
    /// Nobody moves a head that lags.
    NoHeadHelp,
    /// A getter doesn't look again at the slot.
    NoSlotReread,
    /// A slot whose chunk is claimed is left to its claimant.
    NoHelpForClaimed,
    /// A reaper doesn't look whether a queued chunk is linked.
    ReapWithoutScan,
}

/// The fault of this process: `CROSSMEM_FAULT`, by its name above.
#[cfg(all(loom, test))]
pub(crate) fn seeded(fault: Fault) -> bool {
    use std::sync::OnceLock;
    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| std::env::var("CROSSMEM_FAULT").ok());
    chosen.as_ref().is_some_and(|name| *name == format!("{fault:?}"))
}

/// Whether the code is to be broken in this way.
#[cfg(not(all(loom, test)))]
#[inline]
pub(crate) const fn seeded(_: Fault) -> bool {
    false
}
