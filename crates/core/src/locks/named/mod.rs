//! Locks by any name, as the Web Locks API has them: requests in a queue, shared or exclusive.
//! <https://w3c.github.io/web-locks/>
//!
//! The table is a row of runs of cells. A run is free or a request; everything changes under a mutex that is held inside
//! one call only, and each change is one store to a word of a run:
//!
//! | change | if its author dies right after it |
//! | --- | --- |
//! | two free runs become one; a free run becomes two, the second one first | the row is whole either way |
//! | free → pending, held (its other words were written before) | the request is a dead agent's |
//! | held, stolen, pending → free | who takes the mutex next grants what can be |
//! | pending → held | its owner asks for news at its next tick |
//! | held → stolen | likewise; the thief is dead, and was not granted anything |
//! | held → held by nobody | as if its holder had died |
//!
//! Who holds a lock and is dead is forgotten only when somebody else gets it, who is told: `recovered`.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use super::mutex::Acquired;
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::hash::hash_32;
use crate::layout::{AGENTS, CELL, CELLS, NamedLocksWords, Owner};
use crate::sync::AtomicU64;
use crate::sync::Ordering::{Relaxed, Release};
use crate::wait::{Peers, wake};

const FREE: u8 = 0;
const PENDING: u8 = 1;
const HELD: u8 = 2;
const STOLEN: u8 = 3;
const SHARED: u32 = 1;
const RECOVERED: u32 = 2;
/// Its owner knows that it holds the lock.
const NOTICED: u32 = 4;
const FLAGS: u32 = SHARED | RECOVERED | NOTICED;
/// Holds a lock whose holder gave it up without having been told that the one before died.
const NOBODY: Owner = Owner { instance: 0, slot: 0 };
/// Tickets are numbers in JavaScript.
const TICKETS: u64 = 1 << 53;
/// Longest name, in bytes.
pub(crate) const LOCK_NAME_MAX: usize = 1 << 16;

/// Where a request is. The ticket is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestRef {
    /// Its place in the table.
    pub cell: u32,
    /// Its number.
    pub ticket: u64,
}

/// A request that was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entered {
    /// How to name it.
    pub request: RequestRef,
    /// It holds the lock already; whether a holder before it died.
    pub granted: Option<bool>,
    /// There is news of other requests of the caller.
    pub news: bool,
}

/// A request that was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// It was over already: somebody stole its lock.
    pub stolen: bool,
    /// There is news of other requests of the caller.
    pub news: bool,
}

/// What has become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It holds the lock; whether a holder before it died.
    Granted {
        /// A holder died, and nobody had the lock since.
        recovered: bool,
    },
    /// Its lock was stolen. Nothing is left of it in the table.
    Stolen,
}

/// What an agent hears of one of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// Of the request.
    pub ticket: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Any bytes, at most 65,536.
    pub name: &'a [u8],
    /// Together with others that are shared, too.
    pub shared: bool,
    /// Only if it can be had at once.
    pub if_available: bool,
    /// At once, and from whoever has it.
    pub steal: bool,
}

/// A request of a living agent, for `query`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestInfo {
    /// Of the lock.
    pub name: Vec<u8>,
    /// Together with others that are shared, too.
    pub shared: bool,
    /// Granted, or waiting.
    pub held: bool,
    /// The instance that asked; unique in the domain.
    pub instance: u32,
}

/// First word of a run.
#[derive(Clone, Copy)]
struct Head {
    cells: u32,
    flags: u32,
    state: u8,
}

impl Head {
    fn of(word: u64) -> Head {
        Head { cells: (word >> 32) as u32, flags: (word >> 8) as u32 & 0xff_ffff, state: word as u8 }
    }

    fn word(self) -> u64 {
        u64::from(self.cells) << 32 | u64::from(self.flags) << 8 | u64::from(self.state)
    }
}

/// A request as one look found it.
#[derive(Clone, Copy)]
struct Request {
    at: usize,
    head: Head,
    owner: Owner,
    ticket: u64,
}

impl Request {
    fn is(&self, flag: u32) -> bool {
        self.head.flags & flag != 0
    }

    fn is_held(&self) -> bool {
        self.head.state == HELD
    }

    fn is_pending(&self) -> bool {
        self.head.state == PENDING
    }

    /// Its next holder must be told that one died, since this one wasn't.
    fn bequeaths(&self) -> bool {
        self.is(RECOVERED) && !self.is(NOTICED)
    }
}

/// The table while its mutex is held.
pub(crate) struct Inside<'a, P: Peers> {
    words: &'a NamedLocksWords,
    peers: &'a P,
    /// By instance, so that the kernel is asked once.
    dead: RefCell<HashMap<u32, bool>>,
    /// How much there is for the caller to hear.
    news: Cell<u32>,
}

impl NamedLocksWords {
    /// What a new table begins with: all cells in one free run.
    pub(crate) fn initial() -> u64 {
        Head { cells: CELLS as u32, flags: 0, state: FREE }.word()
    }

    /// The caller has `acquired` the mutex. What its dead holder left ungranted is granted now.
    pub(crate) fn inside<'a, P: Peers>(&'a self, peers: &'a P, acquired: Acquired) -> Result<Inside<'a, P>> {
        let inside = Inside { words: self, peers, dead: RefCell::default(), news: Cell::new(0) };
        fail::point("locks.locked");
        if acquired == Acquired::OwnerDied && !seeded(Fault::LeftUngranted) {
            inside.grant_all()?;
            self.mutex.mark_consistent();
        }
        Ok(inside)
    }
}

impl<P: Peers> Inside<'_, P> {
    /// Enters a request, and grants what can be. `None`: it was to be had at once or not at all.
    pub(crate) fn request(&self, wanted: &Wanted<'_>) -> Result<Option<Entered>> {
        if wanted.name.len() > LOCK_NAME_MAX {
            return Err(Error::new(
                Code::TooLarge,
                format!("a lock's name has at most {} UTF-16 units", LOCK_NAME_MAX / 2),
            ));
        }
        if wanted.if_available && !self.is_available(wanted)? {
            return Ok(None);
        }
        let at = self.take_run(wanted.name)?;
        let ticket = self.words.next_ticket.fetch_add(1, Relaxed);
        if ticket >= TICKETS {
            return Err(corrupt());
        }
        self.words.owners[at].store(self.peers.me().word(), Relaxed);
        self.words.tickets[at].store(ticket, Relaxed);
        self.write_name(at, wanted.name);
        fail::point("locks.written");
        let mut flags = if wanted.shared { SHARED } else { 0 };
        let mut dead = Vec::new();
        if wanted.steal {
            dead = self.steal(wanted.name, &mut flags)?;
        }
        let state = if wanted.steal { HELD } else { PENDING };
        self.put(at, Head { flags, state, ..self.head(at)? });
        fail::point("locks.entered");
        for request in dead {
            self.free(request.at)?;
        }
        self.grant(wanted.name)?;
        let granted = self.request_at(at)?.filter(Request::is_held).map(|request| self.notice(&request));
        // A thief needs no grant.
        let own = u32::from(granted.is_some() && !wanted.steal);
        let news = self.news.get() > own;
        Ok(Some(Entered { request: RequestRef { cell: at as u32, ticket }, granted, news }))
    }

    /// Takes the lock from those who live. Returns its dead holders, to be freed when there is a new one.
    fn steal(&self, name: &[u8], flags: &mut u32) -> Result<Vec<Request>> {
        let held = self.requests_for(name)?.into_iter().filter(Request::is_held);
        let (dead, living): (Vec<_>, Vec<_>) = held.partition(|request| self.is_dead(request));
        if !dead.is_empty() || living.iter().any(Request::bequeaths) {
            *flags |= RECOVERED;
        }
        for request in living {
            self.put(request.at, Head { state: STOLEN, ..request.head });
            fail::point("locks.stolen");
            self.tell(&request);
        }
        Ok(dead)
    }

    /// Ends a request of the caller, pending or held, and grants what others wait for. `untold`: the lock came to it, but
    /// whom it was for has not heard of it.
    pub(crate) fn end(&self, request: RequestRef, untold: bool) -> Result<Ended> {
        let mine = |found: &Request| {
            found.ticket == request.ticket
                && (found.owner == self.peers.me() || seeded(Fault::AnyoneEndsRequests))
        };
        let Some(found) = self.request_at(request.cell as usize)?.filter(mine) else {
            return Ok(Ended { stolen: true, news: false });
        };
        let stolen = found.head.state == STOLEN;
        let name = self.name(found.at)?;
        if untold && found.is_held() && found.is(RECOVERED) {
            self.words.owners[found.at].store(NOBODY.word(), Relaxed);
            fail::point("locks.left");
        } else {
            self.free(found.at)?;
        }
        self.grant(&name)?;
        Ok(Ended { stolen, news: self.news.get() > 0 })
    }

    /// What became of the caller's requests since it asked last, the oldest first.
    pub(crate) fn news(&self) -> Result<Vec<News>> {
        let me = self.peers.me();
        let mut requests =
            self.requests(|_, head| head.state == STOLEN || head.state == HELD && head.flags & NOTICED == 0)?;
        requests.retain(|request| request.owner == me);
        requests.sort_by_key(|request| request.ticket);
        let mut news = Vec::with_capacity(requests.len());
        for request in requests {
            let fate = if request.is_held() {
                Fate::Granted { recovered: self.notice(&request) }
            } else {
                self.free(request.at)?;
                Fate::Stolen
            };
            news.push(News { ticket: request.ticket, fate });
        }
        Ok(news)
    }

    /// The caller knows that it holds the lock; whether it has to know, too, that a holder died.
    fn notice(&self, request: &Request) -> bool {
        self.put(request.at, Head { flags: request.head.flags | NOTICED, ..request.head });
        request.is(RECOVERED)
    }

    /// Grants what the dead keep from others.
    pub(crate) fn sweep(&self) -> Result<()> {
        let (dead, living): (Vec<_>, Vec<_>) =
            self.requests(|_, _| true)?.into_iter().partition(|request| self.is_dead(request));
        if dead.is_empty() {
            return Ok(());
        }
        let names = |requests: &[Request]| -> Result<HashSet<Vec<u8>>> {
            requests.iter().map(|request| self.name(request.at)).collect()
        };
        let waiting: Vec<_> = living.into_iter().filter(Request::is_pending).collect();
        let of_the_dead = names(&dead)?;
        for request in dead.iter().filter(|request| !request.is_held()) {
            self.free(request.at)?;
        }
        for name in names(&waiting)?.intersection(&of_the_dead) {
            self.grant(name)?;
        }
        Ok(())
    }

    /// All requests of living agents, in the order of their tickets.
    pub(crate) fn query(&self) -> Result<Vec<RequestInfo>> {
        let mut requests = self.requests(|_, head| head.state != STOLEN)?;
        requests.retain(|request| !self.is_dead(request));
        requests.sort_by_key(|request| request.ticket);
        let info = |request: &Request| {
            Ok(RequestInfo {
                name: self.name(request.at)?,
                shared: request.is(SHARED),
                held: request.is_held(),
                instance: request.owner.instance,
            })
        };
        requests.iter().map(info).collect()
    }

    fn is_available(&self, wanted: &Wanted<'_>) -> Result<bool> {
        let requests = self.requests_for(wanted.name)?;
        let blocks = |request: &&Request| request.is_pending() || !(request.is(SHARED) && wanted.shared);
        Ok(requests.iter().filter(blocks).all(|request| self.is_dead(request)))
    }

    fn grant_all(&self) -> Result<()> {
        let waiting = self.requests(|_, head| head.state == PENDING)?;
        let names: Result<HashSet<Vec<u8>>> = waiting.iter().map(|request| self.name(request.at)).collect();
        names?.iter().try_for_each(|name| self.grant(name))
    }

    /// Grants the requests for a name whose turn has come, forgetting the dead on the way.
    fn grant(&self, name: &[u8]) -> Result<()> {
        let mut requests = self.requests_for(name)?;
        if requests.iter().all(Request::is_held) {
            return Ok(());
        }
        requests.sort_by_key(|request| request.ticket);
        let (dead, living): (Vec<_>, Vec<_>) =
            requests.into_iter().partition(|request| self.is_dead(request));
        let (held, waiting): (Vec<_>, Vec<_>) = living.into_iter().partition(Request::is_held);
        let mut exclusive = held.iter().any(|request| !request.is(SHARED));
        let mut shared = held.iter().any(|request| request.is(SHARED));
        let mut granted = Vec::new();
        for request in waiting {
            if exclusive || shared && !request.is(SHARED) {
                if seeded(Fault::ReadersOvertake) {
                    continue;
                }
                break;
            }
            exclusive = !request.is(SHARED);
            shared = request.is(SHARED);
            granted.push(request);
        }
        let recovers = dead.iter().any(Request::is_held) && !seeded(Fault::DeathOfHolderUntold);
        let recovered = if recovers { RECOVERED } else { 0 };
        for request in &granted {
            self.put(request.at, Head { state: HELD, flags: request.head.flags | recovered, ..request.head });
            fail::point("locks.granted");
            self.tell(request);
        }
        // The dead holder goes last: until then the next grant would tell of it, too.
        for request in dead {
            if !request.is_held() || !granted.is_empty() || seeded(Fault::DeadHolderForgotten) {
                self.free(request.at)?;
            }
        }
        Ok(())
    }

    fn tell(&self, request: &Request) {
        if request.owner == self.peers.me() {
            self.news.set(self.news.get() + 1);
        } else {
            wake(self.peers, usize::from(request.owner.slot));
        }
    }

    fn is_dead(&self, request: &Request) -> bool {
        let Owner { instance, .. } = request.owner;
        let ask = || instance == NOBODY.instance || self.peers.is_dead(request.owner);
        request.owner != self.peers.me()
            && !seeded(Fault::DeadHoldNames)
            && *self.dead.borrow_mut().entry(instance).or_insert_with(ask)
    }

    /// The pending and held requests for a name.
    fn requests_for(&self, name: &[u8]) -> Result<Vec<Request>> {
        let tag = tag(name);
        self.requests(|at, head| {
            head.state != STOLEN && self.words.tags[at].load(Relaxed) == tag && self.is_named(at, name)
        })
    }

    /// The requests for which `wanted(place, first word)`.
    fn requests(&self, wanted: impl Fn(usize, Head) -> bool) -> Result<Vec<Request>> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < CELLS {
            let head = self.head(at)?;
            if head.state != FREE && wanted(at, head) {
                found.extend(self.request_at(at)?);
            }
            at += head.cells as usize;
        }
        Ok(found)
    }

    /// The request in that run, if it is one.
    fn request_at(&self, at: usize) -> Result<Option<Request>> {
        let head = self.head(at)?;
        if head.state == FREE {
            return Ok(None);
        }
        let owner = Owner::of(self.words.owners[at].load(Relaxed));
        let owner = owner.filter(|owner| usize::from(owner.slot) < AGENTS);
        let ticket = self.words.tickets[at].load(Relaxed);
        match owner {
            Some(owner) if ticket < TICKETS => Ok(Some(Request { at, head, owner, ticket })),
            _ => Err(corrupt()),
        }
    }

    fn head(&self, at: usize) -> Result<Head> {
        let word = self.words.heads.get(at).ok_or_else(corrupt)?.load(Relaxed);
        let head = Head::of(word);
        let sound = head.cells >= 1
            && at + head.cells as usize <= CELLS
            && head.state <= STOLEN
            && head.flags & !FLAGS == 0;
        if sound { Ok(head) } else { Err(corrupt()) }
    }

    /// Publishes the state of a run.
    fn put(&self, at: usize, head: Head) {
        // Release: for whoever takes the mutex from us when we are dead.
        self.words.heads[at].store(head.word(), Release);
    }

    fn free(&self, at: usize) -> Result<()> {
        let head = self.head(at)?;
        self.put(at, Head { state: FREE, flags: 0, ..head });
        fail::point("locks.freed");
        Ok(())
    }

    /// A free run for that name, of just the right length.
    fn take_run(&self, name: &[u8]) -> Result<usize> {
        let cells = name.len().div_ceil(8 * CELL).max(1) as u32;
        if let Some(at) = self.find_run(cells)? {
            return Ok(at);
        }
        // What the dead hold stays until somebody wants it, or the room.
        self.sweep()?;
        for request in self.requests(|_, _| true)?.iter().filter(|request| self.is_dead(request)) {
            self.free(request.at)?;
        }
        self.find_run(cells)?.ok_or_else(|| {
            Error::new(
                Code::Limit,
                "the domain's table of named locks is full: release some locks, or set CROSSMEM_DOMAIN to use another",
            )
        })
    }

    /// The first run that is long enough, cut to length. Free neighbours become one on the way.
    fn find_run(&self, cells: u32) -> Result<Option<usize>> {
        let mut at = 0;
        while at < CELLS {
            let head = self.join(at)?;
            if head.state == FREE && head.cells >= cells {
                if head.cells > cells {
                    if seeded(Fault::SplitFrontFirst) {
                        self.put(at, Head { cells, ..head });
                        fail::point("locks.split");
                    }
                    self.put(at + cells as usize, Head { cells: head.cells - cells, ..head });
                    fail::point("locks.split");
                    self.put(at, Head { cells, ..head });
                }
                return Ok(Some(at));
            }
            at += head.cells as usize;
        }
        Ok(None)
    }

    /// Joins a free run with the free ones behind it.
    fn join(&self, at: usize) -> Result<Head> {
        let mut head = self.head(at)?;
        while head.state == FREE && at + (head.cells as usize) < CELLS {
            let next = self.head(at + head.cells as usize)?;
            if next.state != FREE {
                break;
            }
            head = Head { cells: head.cells + next.cells, flags: 0, state: FREE };
            self.put(at, head);
            fail::point("locks.joined");
        }
        Ok(head)
    }

    /// Where the name of a run is.
    fn name_words(&self, at: usize) -> impl Iterator<Item = &AtomicU64> {
        self.words.names[at..].iter().flatten()
    }

    fn write_name(&self, at: usize, name: &[u8]) {
        self.words.tags[at].store(tag(name), Relaxed);
        for (word, piece) in self.name_words(at).zip(name.chunks(8)) {
            word.store(whole_word(piece), Relaxed);
        }
    }

    /// Whether the request, whose tag says so, has that name.
    fn is_named(&self, at: usize, name: &[u8]) -> bool {
        let pieces = name.chunks(8).map(whole_word);
        self.name_words(at).map(|word| word.load(Relaxed)).take(name.len().div_ceil(8)).eq(pieces)
    }

    fn name(&self, at: usize) -> Result<Vec<u8>> {
        let written = self.words.tags[at].load(Relaxed);
        let len = written as u32 as usize;
        let room = self.head(at)?.cells as usize * CELL * 8;
        if len > room {
            return Err(corrupt());
        }
        let words = self.name_words(at).take(len.div_ceil(8));
        let mut name: Vec<u8> = words.flat_map(|word| word.load(Relaxed).to_le_bytes()).collect();
        name.truncate(len);
        if tag(&name) == written { Ok(name) } else { Err(corrupt()) }
    }
}

impl<P: Peers> Drop for Inside<'_, P> {
    fn drop(&mut self) {
        self.words.mutex.unlock(self.peers);
    }
}

fn whole_word(piece: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..piece.len()].copy_from_slice(piece);
    u64::from_le_bytes(bytes)
}

/// `{ hash: 32 | bytes: 32 }`
fn tag(name: &[u8]) -> u64 {
    u64::from(hash_32(name)) << 32 | name.len() as u64
}

fn corrupt() -> Error {
    Error::new(Code::Corrupt, "the domain's table of named locks was overwritten; restart its processes")
}

#[cfg(all(test, not(loom)))]
mod tests;
