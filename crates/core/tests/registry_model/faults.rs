//! What the registry cannot do without: each can be left out, or done in another order.

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fault {
    // The domain and its agents.
    MapWithoutSecondLook,
    /// An instance number that nobody living has, whoever had it before.
    InstanceReused,
    SlotBeforeLife,
    SlotTakenByStore,
    KeepPredecessorsBits,
    JoinRetired,
    RetireDespiteOthers,
    RetireDespiteObjects,
    RemoveBeforeRetired,
    RemoveControlByName,
    LeaveSlotFirst,
    // The lock.
    TakeByStore,
    NoRepair,
    UnlockBeforeLive,
    // Objects.
    LinkBeforeWritten,
    LinkBeforeBorn,
    LiveBeforeLink,
    BornIsKept,
    RemoveBeforeDying,
    FreeBeforeRemoved,
    AttachAfterUnlock,
    CloseErases,
    SweepErases,
    SweepClearsSlotsByStore,
    // Children.
    UnlinkForgetsChildren,
    DyingBeforeShared,
    CloseForgetsChildren,
    CloseForgetsParent,
    RepairKeepsShares,
}
