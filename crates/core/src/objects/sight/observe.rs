//! Looking at objects without opening them.

use super::Sight;
use super::facts::Fact;
use super::holders::Holder;
use super::waiters::Waiter;
use crate::domain::{Domain, DomainName, check_name};
use crate::error::{Error, Result};
use crate::layout::{DATA_OFFSET, Kind, PARAMS};
use crate::objects::header;
use crate::objects::segment::not_found;
use crate::sys::ViewRoom;

/// Bytes of the largest element of a value.
const VALUE_BYTES: usize = 16;

/// An object to look at, as the registry shows it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its kind.
    pub kind: Kind,
}

/// What an onlooker sees of an object.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Its state.
    pub facts: Vec<Fact>,
    /// The agents that hold something of it.
    pub holders: Vec<Holder>,
    /// The agents that wait at it.
    pub waiters: Vec<Waiter>,
    /// Of the table of named locks: all requests, the oldest first.
    pub requests: Vec<SeenNamedLock>,
    /// Of a `Value` or `SharedArray`: the parameters that it was made with.
    pub params: Option<[u64; PARAMS]>,
    /// Of a `Value`: the bytes of its number, and zeros.
    pub number: Option<[u8; VALUE_BYTES]>,
}

/// A request for a named lock.
#[derive(Clone, Debug)]
pub struct SeenNamedLock {
    /// The name of the lock.
    pub name: Vec<u8>,
    /// The lock may be held by other shared requests at the same time.
    pub shared: bool,
    /// Whether it holds the lock; otherwise it waits.
    pub held: bool,
    /// The slot of its agent; `None` if the agent died, and lost the slot.
    pub slot: Option<usize>,
    /// Whether that agent lives.
    pub alive: bool,
}

/// Looks at objects of a domain without joining it. The result has an item for each subject.
///
/// # Errors
/// As `inspect`, for the domain. For each object: `ERR_NOT_FOUND`, `ERR_CORRUPT`,
/// `ERR_WRONG_DOMAIN`, `ERR_PERMISSION`, `ERR_OS`.
pub fn observe<'a>(
    domain: impl Into<DomainName<'a>>,
    subjects: &[Subject<'_>],
) -> Result<Vec<Result<Observed>>> {
    let Some(domain) = Domain::open_existing(domain.into())? else {
        return Ok(subjects.iter().map(|subject| Err(not_found(subject.name))).collect());
    };
    let mut room = ViewRoom::new();
    Ok(subjects.iter().map(|subject| look(&domain, *subject, &mut room)).collect())
}

fn look(domain: &Domain, Subject { name, kind }: Subject<'_>, room: &mut ViewRoom) -> Result<Observed> {
    check_name(name)?;
    if kind == Kind::SharedMemory {
        return Ok(Observed::default());
    }
    let view = domain.place.view(name, room).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => not_found(name),
        _ => Error::os(&format!("reading \"{name}\""), &e),
    })?;
    header::check(domain, name, kind, view.region(), false)?;
    let sight = Sight::new(name, kind, view.region(), domain);
    let has_params = matches!(kind, Kind::Value | Kind::SharedArray);
    Ok(Observed {
        facts: sight.facts()?,
        holders: sight.holders()?,
        waiters: sight.waiters()?,
        requests: if kind == Kind::LockManager { sight.named_locks()? } else { Vec::new() },
        params: if has_params { Some(sight.params()?) } else { None },
        number: (kind == Kind::Value).then(|| sight.number()),
    })
}

impl Sight<'_> {
    fn named_locks(&self) -> Result<Vec<SeenNamedLock>> {
        let seen = self.requests()?.into_iter();
        Ok(seen
            .map(|request| SeenNamedLock {
                alive: self.lives(request.owner),
                slot: self.seat_of(request.owner),
                name: request.name,
                shared: request.shared,
                held: request.held,
            })
            .collect())
    }

    fn number(&self) -> [u8; VALUE_BYTES] {
        let mut number = [0; VALUE_BYTES];
        let there = (self.region.len() as u64).saturating_sub(DATA_OFFSET).min(VALUE_BYTES as u64);
        // It lies inside, so nothing fails.
        let _ = self.region.copy_to(DATA_OFFSET, &mut number[..there as usize]);
        number
    }
}
