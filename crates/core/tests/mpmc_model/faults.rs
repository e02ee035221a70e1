//! What the algorithm cannot do without: each fault leaves out one part, or does it at another
//! time.

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fault {
    /// A get takes a queued chunk that an old slot names, wherever the chunk is queued now.
    PositionIgnored,
    /// A put doesn't go on from a tail that lags behind.
    NoTailHelp,
    /// A get doesn't go on from a head that lags behind.
    NoHeadHelp,
    /// A get goes on from a head that lags by a lap behind the last link in its slot.
    HeadSkipsLap,
    /// A put marks its chunk as queued after it links it.
    LinkBeforeQueued,
    /// A put doesn't mark its chunk again when it goes on to the next position.
    MarkedOnce,
    /// A put stores the tail before it links its chunk.
    TailBeforeLink,
    /// A get stores the head before it claims the chunk.
    HeadBeforeClaim,
    /// A reaper requeues a queued chunk without checking that it isn't linked.
    ReapWithoutLook,
    /// A reaper requeues a chunk by a store.
    ReapStoresQueued,
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
