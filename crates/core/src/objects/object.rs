//! Objects that are more than bytes: a header, the words of their kind, and for values the data behind.

use super::segment::{Segment, Spec};
use crate::domain::Agent;
use crate::error::{Code, Error, Result};
use crate::faults::{Fault, seeded};
use crate::layout::{
    BarrierWords, ChannelGeometry, ChannelWords, ConditionWords, DATA_OFFSET, EventWords, Kind,
    LAYOUT_VERSION, MpmcWords, MutexWords, NamedLocksWords, OBJECT_MAGIC, ObjectHeader, PARAMS,
    QueueGeometry, RwLockWords, SemaphoreWords, Shared, Sleeper, SlotSet, WORDS,
};
use crate::locks::{MOST_PERMITS, Refused};
use crate::region::Region;
use crate::sync::Ordering::Relaxed;
use crate::sys::Part;
use crate::wait::{Peers, Sleepers};

/// The words of an object, for which kinds.
pub(crate) trait Words: Shared {
    const KINDS: &'static [Kind];
}
impl Words for MutexWords {
    const KINDS: &'static [Kind] =
        &[Kind::Mutex, Kind::RLock, Kind::Condition, Kind::Value, Kind::SharedArray, Kind::LockManager];
}
impl Words for RwLockWords {
    const KINDS: &'static [Kind] = &[Kind::RwLock];
}
impl Words for SemaphoreWords {
    const KINDS: &'static [Kind] = &[Kind::Semaphore];
}
impl Words for ConditionWords {
    const KINDS: &'static [Kind] = &[Kind::Condition];
}
impl Words for EventWords {
    const KINDS: &'static [Kind] = &[Kind::Event];
}
impl Words for BarrierWords {
    const KINDS: &'static [Kind] = &[Kind::Barrier];
}
impl Words for ChannelWords {
    const KINDS: &'static [Kind] = &[Kind::SpscQueue, Kind::Pipe];
}
impl Words for MpmcWords {
    const KINDS: &'static [Kind] = &[Kind::MpmcQueue, Kind::Queue, Kind::JoinableQueue];
}
impl Words for NamedLocksWords {
    const KINDS: &'static [Kind] = &[Kind::LockManager];
}

/// Opens the domain's table of named locks, making it if need be.
///
/// # Errors
/// As `Segment::create` and `Segment::open`.
pub fn open_lock_manager(agent: &Agent) -> Result<Segment> {
    let name = format!("crossmem-locks-{:016x}", agent.domain().id());
    let spec = Spec { params: Some([0; PARAMS]), ..Spec::new(&name, Kind::LockManager, 0) };
    loop {
        match Segment::open(agent, &name, Some(spec.kind)) {
            Err(e) if e.code == Code::NotFound => {}
            opened => return opened,
        }
        match Segment::create(agent, &spec) {
            // Another agent was faster, and may be gone again.
            Err(e) if e.code == Code::Exists => {}
            created => return created,
        }
    }
}

/// How a look went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked<T> {
    /// There it is.
    Got(T),
    /// Not yet; who armed itself sleeps in the set at that offset.
    NotYet {
        /// In the object's segment.
        sleepers: u64,
    },
    /// The caller's own agent has it: it would wait for itself.
    Mine,
}

impl<T> Looked<T> {
    /// In vain; `sleepers` lie in `region`.
    pub(crate) fn refused(refused: Refused, region: Region<'_>, sleepers: &SlotSet) -> Looked<T> {
        match refused {
            Refused::NotYet => Looked::NotYet { sleepers: offset(region, sleepers) },
            Refused::Mine => Looked::Mine,
        }
    }
}

/// Where those sleep who wait for `set`, as an offset in the segment.
fn offset<S>(region: Region<'_>, set: &S) -> u64 {
    (std::ptr::from_ref(set).addr() - region.as_ptr().addr()) as u64
}

/// An open object and who uses it.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    pub(crate) agent: &'a Agent,
    pub(crate) segment: &'a Segment,
}

impl<'a> Object<'a> {
    /// Cheap: made for each call.
    #[must_use]
    pub fn new(agent: &'a Agent, segment: &'a Segment) -> Object<'a> {
        Object { agent, segment }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.segment.kind
    }

    /// Its words. The header was checked when it was opened.
    pub(crate) fn words<T: Words>(&self) -> Result<&'a T> {
        if T::KINDS.contains(&self.segment.kind) {
            return self.segment.region().at(WORDS);
        }
        Err(Error::new(
            Code::WrongKind,
            format!("\"{}\" is a {}", self.segment.name, self.segment.kind.as_str()),
        ))
    }

    /// What it was made with.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn params(&self) -> Result<[u64; PARAMS]> {
        let header: &ObjectHeader = self.segment.region().at(0)?;
        Ok(std::array::from_fn(|i| header.params[i].load(Relaxed)))
    }

    /// Whether this agent is still among the sleepers at that offset. Once it isn't, somebody rang for it.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn sleeps(&self, sleepers: u64) -> Result<bool> {
        let (region, me) = (self.segment.region(), usize::from(self.agent.me().slot));
        Ok(match self.kind() {
            Kind::SpscQueue | Kind::Pipe => region.at::<Sleeper>(sleepers)?.contains(me),
            _ => region.at::<SlotSet>(sleepers)?.contains(me),
        })
    }

    /// Where those sleep who wait for `set`, as an offset in the segment.
    pub(crate) fn offset<S>(&self, set: &S) -> u64 {
        offset(self.segment.region(), set)
    }

    /// Not yet; who armed itself sleeps there.
    pub(crate) fn until<T, S>(&self, sleepers: &S) -> Looked<T> {
        Looked::NotYet { sleepers: self.offset(sleepers) }
    }

    pub(crate) fn refused<T>(&self, refused: Refused, sleepers: &SlotSet) -> Looked<T> {
        Looked::refused(refused, self.segment.region(), sleepers)
    }

    /// For what can't wait longer: somebody is inside and doesn't run.
    pub(crate) fn stuck(&self) -> Error {
        Error::new(
            Code::Timeout,
            format!(
                "a process has been inside \"{}\" for too long: it is alive but doesn't run (stopped, or in a debugger?); \
                 continue it or kill it",
                self.segment.name
            ),
        )
    }

    pub(crate) fn lost(&self, what: &str) -> Error {
        Error::new(
            Code::LostOwnership,
            format!("this thread doesn't hold {what} of \"{}\" (any more)", self.segment.name),
        )
    }
}

/// Calls `create` with everything that a new object is made of.
pub(crate) fn with_parts<T>(
    agent: &Agent,
    spec: &Spec<'_>,
    params: &[u64; PARAMS],
    create: impl FnOnce(&Spec<'_>) -> Result<T>,
) -> Result<T> {
    let mut header = [0; WORDS as usize];
    header[0..8].copy_from_slice(&OBJECT_MAGIC.to_le_bytes());
    header[8..12].copy_from_slice(&LAYOUT_VERSION.to_le_bytes());
    header[12..16].copy_from_slice(&(spec.kind as u32).to_le_bytes());
    header[16..24].copy_from_slice(&agent.domain().id().to_le_bytes());
    for (to, param) in header[24..].chunks_exact_mut(8).zip(params) {
        to.copy_from_slice(&param.to_le_bytes());
    }
    let (offset, first) = match spec.kind {
        Kind::Semaphore if params[0] > params[1] || params[1] > MOST_PERMITS => {
            return Err(Error::new(
                Code::InvalidArg,
                format!("a semaphore has at first 0 to `max` permits, and at most {MOST_PERMITS}"),
            ));
        }
        Kind::Barrier if !(1..=u64::from(u32::MAX)).contains(&params[0]) => {
            return Err(Error::new(Code::InvalidArg, "a barrier has 1 to 4294967295 parties"));
        }
        Kind::Semaphore => (std::mem::offset_of!(SemaphoreWords, total), params[0]),
        Kind::LockManager => (std::mem::offset_of!(NamedLocksWords, heads), NamedLocksWords::initial()),
        _ => (0, 0),
    };
    let first = first.to_le_bytes();
    let words = size_of_words(spec.kind, params)?.ok_or_else(|| {
        Error::new(Code::InvalidArg, format!("a {} is made in another way", spec.kind.as_str()))
    })?;
    let mut parts = vec![
        Part { offset: 0, bytes: &header, len: WORDS },
        Part { offset: WORDS + offset as u64, bytes: &first, len: 8 },
    ];
    parts.extend(spec.parts.iter().filter(|part| part.len > 0).map(|part| Part {
        offset: part.offset + DATA_OFFSET,
        bytes: part.bytes,
        len: part.len,
    }));
    create(&Spec { size: words.saturating_add(spec.size), parts: &parts, params: None, ..*spec })
}

/// Whether an opened segment has the header of its kind, and is as large as its words are.
pub(crate) fn check(agent: &Agent, segment: &Segment) -> Result<()> {
    if matches!(segment.kind, Kind::SharedMemory | Kind::NDArray | Kind::Spill) {
        return Ok(());
    }
    let name = &segment.name;
    let header = segment.region().at::<ObjectHeader>(0);
    let Some(header) = header.ok().filter(|header| header.magic.load(Relaxed) == OBJECT_MAGIC) else {
        return Err(if segment.is_foreign() {
            Error::new(
                Code::WrongKind,
                format!("\"{name}\" is memory that another program made; open it as a SharedMemory"),
            )
        } else {
            overwritten(name)
        });
    };
    let layout = header.layout.load(Relaxed);
    if layout != LAYOUT_VERSION {
        return Err(Error::new(
            Code::Corrupt,
            format!("\"{name}\" has layout {layout}, this crossmem has {LAYOUT_VERSION}; use one version"),
        ));
    }
    if !seeded(Fault::AnyDomain)
        && (header.domain_id.load(Relaxed) != agent.domain().id() || segment.is_foreign())
    {
        return Err(Error::new(
            Code::WrongDomain,
            format!(
                "\"{name}\" was made in another domain, whose processes can't be seen from here; set CROSSMEM_DOMAIN to \
                 that domain"
            ),
        ));
    }
    let params = std::array::from_fn(|i| header.params[i].load(Relaxed));
    let size = size_of_words(segment.kind, &params).ok().flatten();
    let fits = size.is_some_and(|size| size <= segment.region().len() as u64);
    let sound = header.kind.load(Relaxed) == segment.kind as u32 && fits;
    if sound || seeded(Fault::HeaderTrusted) { Ok(()) } else { Err(overwritten(name)) }
}

fn overwritten(name: &str) -> Error {
    Error::new(Code::Corrupt, format!("the header of \"{name}\" was overwritten; unlink it and make it anew"))
}

/// Bytes of an object of that kind, without a value's data; `None` for those that are bytes only.
fn size_of_words(kind: Kind, params: &[u64; PARAMS]) -> Result<Option<u64>> {
    let words = match kind {
        Kind::SharedMemory | Kind::NDArray | Kind::Spill => return Ok(None),
        Kind::Value | Kind::SharedArray => return Ok(Some(DATA_OFFSET)),
        Kind::SpscQueue | Kind::Pipe => return Ok(Some(ChannelGeometry::of(params)?.size)),
        Kind::MpmcQueue | Kind::Queue | Kind::JoinableQueue => {
            return Ok(Some(QueueGeometry::of(params)?.size));
        }
        Kind::Mutex | Kind::RLock => size_of::<MutexWords>(),
        Kind::RwLock => size_of::<RwLockWords>(),
        Kind::Semaphore => size_of::<SemaphoreWords>(),
        Kind::Condition => size_of::<ConditionWords>(),
        Kind::Event => size_of::<EventWords>(),
        Kind::Barrier => size_of::<BarrierWords>(),
        Kind::LockManager => size_of::<NamedLocksWords>(),
    };
    Ok(Some(WORDS + words as u64))
}
