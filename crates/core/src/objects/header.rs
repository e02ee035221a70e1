//! The header of an object that is more than bytes: written with the object, checked when it is
//! opened.

use super::spec::Spec;
use crate::domain::{Agent, Domain, FoundDomain, GroupInfo, domain_of};
use crate::error::{Code, Error, Result};
use crate::faults::{Fault, seeded};
use crate::layout::{
    BarrierWords, ChannelGeometry, ChannelWords, ConditionWords, DATA_OFFSET, DESCRIPTION_OFFSET, EventWords,
    GUARD_MAGIC, GuardWords, Kind, LAYOUT_VERSION, MAP_DATA_OFFSET, MpmcWords, MutexWords, NamedLocksWords,
    OBJECT_MAGIC, ObjectHeader, PAGE, PARAMS, QueueGeometry, RecordGeometry, RecordQueueWords, RwLockWords,
    SemaphoreWords, Shared, WORDS, spills,
};
use crate::locks::MOST_PERMITS;
use crate::region::Region;
use crate::sync::Ordering::Relaxed;
use crate::sys::Part;

/// The fields of an object, and the kinds that have them.
pub(crate) trait Words: Shared {
    const KINDS: &'static [Kind];
}
impl Words for MutexWords {
    const KINDS: &'static [Kind] = &[
        Kind::Mutex,
        Kind::RLock,
        Kind::Condition,
        Kind::Value,
        Kind::SharedArray,
        Kind::LockManager,
        Kind::SharedMap,
    ];
}
impl Words for RwLockWords {
    const KINDS: &'static [Kind] = &[Kind::RwLock];
}
impl Words for SemaphoreWords {
    const KINDS: &'static [Kind] = &[Kind::Semaphore];
}
impl Words for ConditionWords {
    const KINDS: &'static [Kind] = &[Kind::Condition, Kind::SharedMap];
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
    const KINDS: &'static [Kind] = &[Kind::MpmcQueue, Kind::Queue, Kind::JoinableQueue, Kind::Pool];
}
impl Words for RecordQueueWords {
    const KINDS: &'static [Kind] = &[Kind::RecordQueue];
}
impl Words for NamedLocksWords {
    const KINDS: &'static [Kind] = &[Kind::LockManager];
}

/// Calls `create` with the first contents of a new object: header, fields, data.
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
    header[16..24].copy_from_slice(&agent.seat().domain().id().to_le_bytes());
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
    let words = size_of_words(spec.kind, params)?
        .ok_or_else(|| Error::new(Code::InvalidArg, format!("a {} has no parameters", spec.kind.as_str())))?;
    let mut parts = vec![
        Part { offset: 0, bytes: &header, len: WORDS },
        Part { offset: WORDS + offset as u64, bytes: &first, len: 8 },
    ];
    parts.extend(spec.parts.iter().filter(|part| part.len > 0).map(|part| Part {
        offset: part.offset + data_offset(spec.kind),
        bytes: part.bytes,
        len: part.len,
    }));
    create(&Spec { size: words.saturating_add(spec.size), parts: &parts, params: None, ..*spec })
}

/// Whether an object of that kind, made with these parameters, has an arena: a queue that spills,
/// or a map.
pub(crate) fn has_arena(kind: Kind, params: &[u64; PARAMS]) -> bool {
    kind == Kind::SharedMap || MpmcWords::KINDS.contains(&kind) && spills(params)
}

/// Checks that an opened segment has the header of its kind and room for the fields of that kind.
pub(crate) fn check(
    domain: &Domain,
    name: &str,
    kind: Kind,
    region: Region<'_>,
    is_foreign: bool,
) -> Result<()> {
    if kind.is_plain() {
        return Ok(());
    }
    let header = region.at::<ObjectHeader>(0);
    let Some(header) = header.ok().filter(|header| header.magic.load(Relaxed) == OBJECT_MAGIC) else {
        return Err(if is_foreign {
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
    let is_ours = header.domain_id.load(Relaxed) == domain.id() && !is_foreign;
    if !is_ours && !seeded(Fault::AnyDomain) {
        return Err(made_elsewhere(&format!("\"{name}\""), header.domain_id.load(Relaxed)));
    }
    let params = std::array::from_fn(|i| header.params[i].load(Relaxed));
    let size = size_of_words(kind, &params).ok().flatten();
    let fits = size.is_some_and(|size| size <= region.len() as u64);
    let sound = header.kind.load(Relaxed) == kind as u32 && fits;
    if sound || seeded(Fault::HeaderTrusted) { Ok(()) } else { Err(overwritten(name)) }
}

/// Refuses memory that is seen to be an object of another domain: taken for another program's
/// memory, it would pass for a `SharedMemory`.
pub(crate) fn refuse_other_domains(domain: &Domain, name: &str, region: Region<'_>) -> Result<()> {
    let of_object = region.at::<ObjectHeader>(0).ok();
    let of_object = of_object
        .filter(|header| header.magic.load(Relaxed) == OBJECT_MAGIC)
        .map(|header| (header.kind.load(Relaxed), header.domain_id.load(Relaxed)));
    let trailer = (region.len() as u64).checked_sub(PAGE);
    let of_array = trailer.and_then(|at| region.at::<GuardWords>(at).ok());
    let of_array = of_array
        .filter(|words| words.magic.load(Relaxed) == GUARD_MAGIC)
        .map(|words| (Kind::NDArray as u32, words.domain_id.load(Relaxed)));
    match of_object.or(of_array) {
        Some((kind, id)) if id != domain.id() => {
            let kind = Kind::from_stored(kind).map_or("newer object", Kind::as_str);
            Err(made_elsewhere(&format!("\"{name}\" ({kind})"), id))
        }
        _ => Ok(()),
    }
}

/// The error for `what` was made in the domain of that id.
pub(super) fn made_elsewhere(what: &str, id: u64) -> Error {
    let (whose, how) = match domain_of(id) {
        Some(FoundDomain { name, group: None, .. }) => {
            (format!("the domain \"{name}\""), format!("set CROSSMEM_DOMAIN={name}"))
        }
        Some(FoundDomain { name, group: Some(GroupInfo { id, name: group }), .. }) => {
            let group = group.unwrap_or_else(|| id.to_string());
            let how = format!("set CROSSMEM_DOMAIN={name} and CROSSMEM_GROUP={group}");
            (format!("the domain \"{name}\" of the group {group}"), how)
        }
        None => {
            let how = "set CROSSMEM_DOMAIN and CROSSMEM_GROUP to that domain";
            ("another domain".to_owned(), how.to_owned())
        }
    };
    Error::new(
        Code::WrongDomain,
        format!("{what} was made in {whose}, whose processes can't be seen from here; {how}"),
    )
}

/// Where the first contents of an object of that kind lie in its segment.
fn data_offset(kind: Kind) -> u64 {
    match kind {
        Kind::RecordQueue => DESCRIPTION_OFFSET,
        Kind::SharedMap => MAP_DATA_OFFSET,
        _ => DATA_OFFSET,
    }
}

fn overwritten(name: &str) -> Error {
    Error::new(
        Code::Corrupt,
        format!("the header of \"{name}\" was overwritten; unlink it and create it again"),
    )
}

/// Size of an object of that kind in bytes, without a value's data. `None` for kinds without a
/// header.
fn size_of_words(kind: Kind, params: &[u64; PARAMS]) -> Result<Option<u64>> {
    let words = match kind {
        Kind::SharedMemory | Kind::NDArray | Kind::ShareableList => return Ok(None),
        Kind::Value | Kind::SharedArray => return Ok(Some(DATA_OFFSET)),
        Kind::SharedMap => return Ok(Some(MAP_DATA_OFFSET)),
        Kind::SpscQueue | Kind::Pipe => return Ok(Some(ChannelGeometry::of(params)?.size)),
        Kind::MpmcQueue | Kind::Queue | Kind::JoinableQueue | Kind::Pool => {
            return Ok(Some(QueueGeometry::of(params)?.size));
        }
        Kind::RecordQueue => return Ok(Some(RecordGeometry::of(params)?.size)),
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
