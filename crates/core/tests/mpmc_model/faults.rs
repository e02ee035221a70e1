//! What the algorithm cannot do without: each can be left out.

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fault {
    TakeWithoutSecondLook,
    NoGeneration,
    NoHelpForClaimed,
    NoTailHelp,
    NoHeadHelp,
    LinkBeforeQueued,
    SlotLeftToHelpers,
    FreeBeforeRemoval,
    ReapWithoutScan,
    ReapStoresQueued,
    ReapLeavesSlot,
    /// Harms only the bound on tail - head.
    ReapLeavesHead,
    ReapWithoutMutex,
    EndedLoadBeforeClaim,
    DoneDespiteWriting,
    DoneDespiteQueued,
    DoneDespiteReading,
    RemoveWithoutRetire,
}
