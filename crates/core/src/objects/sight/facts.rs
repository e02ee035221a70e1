//! The state of an object in numbers and flags, each with a name of its own.

use super::Sight;
use super::holders::Hold;
use crate::error::Result;
use crate::layout::{
    BarrierWords, ChannelGeometry, ChannelWords, ConditionWords, DIED, EventWords, Kind, MAP_DATA_OFFSET,
    MAP_SIZE_AT, MpmcWords, MutexWords, NamedLocksWords, QueueGeometry, RecordGeometry, RecordQueueWords,
    RingWords, RwLockWords, SemaphoreWords, UNIT,
};
use crate::locks::SeenRequest;
use crate::objects::channel::{CONSUMER, PRODUCER};
use crate::queues::{Phase, RecordRing};
use crate::sync::Ordering::{Acquire, Relaxed};

/// A number or a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// A number.
    Count(u64),
    /// True or false.
    Flag(bool),
}

/// One fact: its name, as JSON has it, and what it is worth now.
pub type Fact = (&'static str, Worth);

use Worth::{Count, Flag};

impl Sight<'_> {
    pub(super) fn facts(&self) -> Result<Vec<Fact>> {
        Ok(match self.kind {
            Kind::SharedMemory | Kind::ShareableList => Vec::new(),
            Kind::NDArray => self.array(),
            Kind::Mutex | Kind::RLock | Kind::Value | Kind::SharedArray => vec![died(self.words()?)],
            Kind::Condition => vec![died(&self.words::<ConditionWords>()?.mutex)],
            Kind::SharedMap => self.map()?,
            Kind::RwLock => self.rwlock(self.words()?)?,
            Kind::Semaphore => self.semaphore(self.words()?)?,
            Kind::Event => {
                let state = self.words::<EventWords>()?.state.load(Acquire);
                vec![("isSet", Flag(state & 1 != 0)), ("timesSet", Count(u64::from(state >> 1)))]
            }
            Kind::Barrier => self.barrier(self.words()?)?,
            Kind::LockManager => {
                let requests = self.words::<NamedLocksWords>()?.next_ticket.load(Relaxed);
                vec![("requests", Count(requests))]
            }
            Kind::SpscQueue | Kind::Pipe => self.channel(self.words()?)?,
            Kind::MpmcQueue | Kind::Queue | Kind::JoinableQueue | Kind::Pool => self.queue()?,
            Kind::RecordQueue => self.record_queue(self.words()?)?,
        })
    }

    /// The requests for named locks, the oldest first.
    pub(super) fn requests(&self) -> Result<Vec<SeenRequest>> {
        let seen = self.words::<NamedLocksWords>()?.seen().into_iter();
        // A dead holder is shown until the next one has been told.
        Ok(seen.filter(|request| request.held || self.lives(request.owner)).collect())
    }

    pub(super) fn queue_words(&self) -> Result<&MpmcWords> {
        self.words()
    }

    pub(super) fn queue_geometry(&self) -> Result<QueueGeometry> {
        let geometry = QueueGeometry::of(&self.params()?).ok();
        geometry.filter(|geometry| geometry.size <= self.region.len() as u64).ok_or_else(|| self.corrupt())
    }

    fn array(&self) -> Vec<Fact> {
        let Some(guard) = self.guard() else { return Vec::new() };
        let sequence = guard.sequence.load(Acquire);
        let is_updated = guard.writer.holder().is_some_and(|owner| self.lives(owner));
        vec![("updates", Count(sequence / 2)), ("isHalfChanged", Flag(sequence % 2 == 1 && !is_updated))]
    }

    fn rwlock(&self, words: &RwLockWords) -> Result<Vec<Fact>> {
        let holders = self.holders()?;
        let inside = |hold| holders.iter().filter(move |holder| holder.alive && holder.hold == hold);
        let readers = inside(Hold::ReadLock).map(|holder| u64::from(holder.count)).sum();
        Ok(vec![
            ("ownerDied", Flag(words.torn.load(Relaxed) != 0)),
            ("isWriting", Flag(inside(Hold::WriteLock).count() > 0)),
            ("readers", Count(readers)),
        ])
    }

    fn semaphore(&self, words: &SemaphoreWords) -> Result<Vec<Fact>> {
        let held: u64 =
            self.holders()?.iter().filter(|holder| holder.alive).map(|holder| u64::from(holder.count)).sum();
        // The permits of dead holders go back with the next call.
        let free = words.total.load(Relaxed).saturating_sub(held);
        Ok(vec![("permits", Count(free)), ("max", Count(self.params()?[1]))])
    }

    fn barrier(&self, words: &BarrierWords) -> Result<Vec<Fact>> {
        let holders = self.holders()?;
        // A party that died at the barrier has broken it, as soon as a process calls it.
        let is_broken = words.broken.load(Relaxed) != 0 || holders.iter().any(|holder| !holder.alive);
        let waiting = holders.iter().filter(|holder| holder.alive && !is_broken);
        Ok(vec![
            ("parties", Count(self.params()?[0])),
            ("waiting", Count(waiting.map(|holder| u64::from(holder.count)).sum())),
            ("isBroken", Flag(is_broken)),
            ("meetings", Count(words.generation.load(Relaxed))),
        ])
    }

    fn channel(&self, words: &ChannelWords) -> Result<Vec<Fact>> {
        let geometry = ChannelGeometry::of(&self.params()?).map_err(|_| self.corrupt())?;
        let used = |ring: usize| {
            let RingWords { tail, head, .. } = &words.rings[ring];
            let units = tail.load(Acquire).wrapping_sub(head.load(Acquire)).min(geometry.units[ring]);
            Count(u64::from(units) * u64::from(UNIT))
        };
        let room = |ring: usize| Count(u64::from(geometry.units[ring]) * u64::from(UNIT));
        let popped = |ring: usize| u64::from(words.rings[ring].head.load(Relaxed)) * u64::from(UNIT);
        let closed = |end: usize| Flag(words.ends[end].closed.load(Relaxed) != 0);
        Ok(if self.kind == Kind::Pipe {
            vec![
                ("usedBytesTo0", used(0)),
                ("byteCapacityTo0", room(0)),
                ("usedBytesTo1", used(1)),
                ("byteCapacityTo1", room(1)),
                ("isClosed0", closed(0)),
                ("isClosed1", closed(1)),
                ("poppedBytes", Count(popped(0) + popped(1))),
            ]
        } else {
            vec![
                ("usedBytes", used(CONSUMER)),
                ("byteCapacity", room(CONSUMER)),
                ("isEnded", closed(PRODUCER)),
                ("poppedBytes", Count(popped(CONSUMER))),
            ]
        })
    }

    fn queue(&self) -> Result<Vec<Fact>> {
        let (words, geometry) = (self.queue_words()?, self.queue_geometry()?);
        let queued = self.claims()?.filter(|claim| claim.phase == Phase::Queued).count();
        // A participant that was stopped or killed may have left these two behind.
        let (puts, gets) = (words.tail.load(Relaxed), words.head.load(Relaxed));
        let mut facts = vec![
            ("size", Count(queued as u64)),
            ("capacity", Count(u64::from(geometry.capacity))),
            ("messageBytes", Count(u64::from(geometry.message_bytes))),
            ("isEnded", Flag(words.ended.load(Relaxed) != 0)),
            ("puts", Count(puts)),
            ("gets", Count(gets)),
        ];
        if self.kind == Kind::JoinableQueue {
            let unfinished =
                self.claims()?.filter(|claim| matches!(claim.phase, Phase::Queued | Phase::Reading));
            facts.push(("unfinished", Count(unfinished.count() as u64)));
            facts.push(("failed", Count(words.failed.load(Relaxed))));
        }
        Ok(facts)
    }

    /// JavaScript writes these numbers: see `src/map/numbers.ts`.
    fn map(&self) -> Result<Vec<Fact>> {
        let mut size = [0; 8];
        let read = self.region.copy_to(MAP_DATA_OFFSET + MAP_SIZE_AT, &mut size);
        read.map_err(|_| self.corrupt())?;
        let mut facts = vec![died(&self.words::<ConditionWords>()?.mutex)];
        facts.push(("size", Count(f64::from_le_bytes(size) as u64)));
        match self.params()?[2] {
            0 => {}
            most => facts.push(("maxBytes", Count(most))),
        }
        Ok(facts)
    }

    fn record_queue(&self, words: &RecordQueueWords) -> Result<Vec<Fact>> {
        let geometry = RecordGeometry::of(&self.params()?).map_err(|_| self.corrupt())?;
        let ring = RecordRing { words, capacity: geometry.capacity };
        Ok(vec![
            ("size", Count(u64::from(ring.len()))),
            ("capacity", Count(u64::from(geometry.capacity))),
            ("isEnded", Flag(words.ended.load(Relaxed) != 0)),
        ])
    }
}

fn died(mutex: &MutexWords) -> Fact {
    ("ownerDied", Flag(mutex.owner.load(Relaxed) & DIED != 0))
}
