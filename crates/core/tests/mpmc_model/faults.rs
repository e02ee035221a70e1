//! What the algorithm cannot do without: each fault leaves out one part, or does it at another
//! time.

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fault {
    /// A get doesn't read the slot again after the owner word.
    TakeWithoutSecondLook,
    /// An owner word returns to an earlier value: it has no generation.
    NoGeneration,
    /// A get doesn't empty the slot of a chunk that another process has claimed.
    NoHelpForClaimed,
    /// A put doesn't advance a tail that lags behind.
    NoTailHelp,
    /// A get doesn't advance a head that lags behind.
    NoHeadHelp,
    /// A put links the chunk before it marks it as queued.
    LinkBeforeQueued,
    /// A get reads its message without emptying the slot.
    SlotLeftToHelpers,
    /// A get frees the chunk before it empties the slot.
    FreeBeforeRemoval,
    /// A reaper requeues a queued chunk without checking that it isn't linked.
    ReapWithoutScan,
    /// A reaper requeues a chunk by a store.
    ReapStoresQueued,
    /// A reaper doesn't empty the slot of a chunk that the dead process was taking.
    ReapLeavesSlot,
    /// A reaper doesn't advance a head that lags behind. This harms only the bound on tail - head.
    ReapLeavesHead,
    /// Two processes reap at the same time.
    ReapWithoutMutex,
    /// A put checks that the queue hasn't ended before it claims a chunk.
    EndedLoadBeforeClaim,
    /// An ended queue is done while a chunk is being written.
    DoneDespiteWriting,
    /// An ended queue is done while a chunk is queued.
    DoneDespiteQueued,
    /// An ended queue is done while a chunk is being read that may be redelivered.
    DoneDespiteReading,
    /// A get removes the message's segment without retiring the message first.
    RemoveWithoutRetire,
}
