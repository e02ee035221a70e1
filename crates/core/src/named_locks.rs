//! Locks by any name, as the Web Locks API has them: requests in a queue, shared or exclusive.
//! <https://w3c.github.io/web-locks/>
//!
//! The table is a row of runs of cells. A run is free or a request; everything changes under a mutex that is held inside
//! one call only, and each change is one store to the first word of a run:
//!
//! | change | if its author dies right after it |
//! | --- | --- |
//! | two free runs become one; a free run becomes two, the second one first | the row is whole either way |
//! | free → pending, held (its other words were written before) | the request is a dead agent's |
//! | held, stolen, pending → free | those who wait for it are granted theirs when a waiter nudges |
//! | pending → held | its owner finds it when it nudges |
//! | held → stolen | likewise; the thief is dead, and was not granted anything |
//!
//! Who holds a lock and is dead is forgotten only when somebody else wants it, who is told: `recovered`.

use crate::doorbell::{Peers, wake};
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::layout::{CELL, CELLS, NamedLocksWords};
use crate::name::hash;
use crate::owner::Owner;
use crate::sync::AtomicU64;
use crate::sync::Ordering::{Acquire, Relaxed, Release};

const FREE: u8 = 0;
const PENDING: u8 = 1;
const HELD: u8 = 2;
const STOLEN: u8 = 3;
const SHARED: u32 = 1;
const RECOVERED: u32 = 2;
/// Words before the name.
const FIXED: usize = 4;
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

/// What has become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// It waits for its turn.
    Pending,
    /// It holds the lock; whether a holder before it died.
    Held {
        /// A holder died, and nobody had the lock since.
        recovered: bool,
    },
    /// It is over: stolen, or given back.
    Gone,
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
    fn shared(&self) -> bool {
        self.head.flags & SHARED != 0
    }
}

/// The table while its mutex is held.
pub(crate) struct Inside<'a, P: Peers> {
    words: &'a NamedLocksWords,
    peers: &'a P,
}

impl NamedLocksWords {
    /// What a new table begins with: all cells in one free run.
    pub(crate) fn initial() -> u64 {
        Head { cells: CELLS as u32, flags: 0, state: FREE }.word()
    }

    /// The caller holds `mutex`, and there is nothing to repair.
    pub(crate) fn inside<'a, P: Peers>(&'a self, peers: &'a P) -> Inside<'a, P> {
        fail::point("locks.locked");
        self.mutex.mark_consistent();
        Inside { words: self, peers }
    }

    /// What has become of a request; takes no lock.
    pub(crate) fn state(&self, request: RequestRef) -> RequestState {
        let Some(cell) = self.cells.get(request.cell as usize) else { return RequestState::Gone };
        // Acquire: pairs with the Release in `put`.
        let head = Head::of(cell[0].load(Acquire));
        if cell[2].load(Relaxed) != request.ticket {
            return RequestState::Gone;
        }
        match head.state {
            PENDING => RequestState::Pending,
            HELD => RequestState::Held { recovered: head.flags & RECOVERED != 0 },
            _ => RequestState::Gone,
        }
    }
}

impl<P: Peers> Inside<'_, P> {
    /// Enters a request, and grants what can be. `None`: it was to be had at once or not at all.
    pub(crate) fn request(&self, wanted: &Wanted<'_>) -> Result<Option<RequestRef>> {
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
        let cell = &self.words.cells[at];
        cell[1].store(self.peers.me().word(), Relaxed);
        cell[2].store(ticket, Relaxed);
        self.write_name(at, wanted.name);
        fail::point("locks.written");
        if wanted.steal {
            for request in self.requests_for(wanted.name)?.iter().filter(|request| request.head.state == HELD)
            {
                self.put(request.at, Head { state: STOLEN, ..request.head });
                fail::point("locks.stolen");
                wake(self.peers, usize::from(request.owner.slot));
            }
        }
        let flags = if wanted.shared { SHARED } else { 0 };
        let state = if wanted.steal { HELD } else { PENDING };
        self.put(at, Head { flags, state, ..self.head(at)? });
        fail::point("locks.entered");
        self.grant(wanted.name)?;
        Ok(Some(RequestRef { cell: at as u32, ticket }))
    }

    /// Ends a request, pending or held, and grants what others wait for.
    pub(crate) fn end(&self, request: RequestRef) -> Result<()> {
        if self.words.state(request) == RequestState::Gone {
            // What was stolen is cleared by whom it was stolen from.
            return self.clear_stolen(request);
        }
        let at = request.cell as usize;
        let name = self.name(at)?;
        self.free(at)?;
        self.grant(&name)
    }

    fn clear_stolen(&self, request: RequestRef) -> Result<()> {
        let at = request.cell as usize;
        let is_it = self.words.cells.get(at).is_some_and(|cell| cell[2].load(Relaxed) == request.ticket);
        if is_it && self.head(at)?.state == STOLEN { self.free(at) } else { Ok(()) }
    }

    /// For a waiter whose slice is over: grants what somebody who died left ungranted.
    pub(crate) fn nudge(&self, request: RequestRef) -> Result<()> {
        if self.words.state(request) == RequestState::Pending {
            self.grant(&self.name(request.cell as usize)?)?;
        }
        Ok(())
    }

    /// All requests of living agents, in the order of their tickets.
    pub(crate) fn query(&self) -> Result<Vec<RequestInfo>> {
        let mut requests = self.requests()?;
        requests.retain(|request| matches!(request.head.state, PENDING | HELD) && !self.is_dead(request));
        requests.sort_by_key(|request| request.ticket);
        let info = |request: &Request| {
            Ok(RequestInfo {
                name: self.name(request.at)?,
                shared: request.shared(),
                held: request.head.state == HELD,
                instance: request.owner.instance,
            })
        };
        requests.iter().map(info).collect()
    }

    fn is_available(&self, wanted: &Wanted<'_>) -> Result<bool> {
        let requests = self.requests_for(wanted.name)?;
        let blocks =
            |request: &&Request| request.head.state == PENDING || !(request.shared() && wanted.shared);
        Ok(requests.iter().filter(blocks).all(|request| self.is_dead(request)))
    }

    /// Grants the requests for a name whose turn has come, forgetting the dead on the way.
    fn grant(&self, name: &[u8]) -> Result<()> {
        let mut requests = self.requests_for(name)?;
        if requests.iter().all(|request| request.head.state == HELD) {
            return Ok(());
        }
        requests.sort_by_key(|request| request.ticket);
        let (dead, living): (Vec<_>, Vec<_>) =
            requests.into_iter().partition(|request| self.is_dead(request));
        let (held, waiting): (Vec<_>, Vec<_>) =
            living.into_iter().partition(|request| request.head.state == HELD);
        let (mut exclusive, mut shared) =
            (held.iter().any(|request| !request.shared()), held.iter().any(Request::shared));
        let mut granted = Vec::new();
        for request in waiting {
            if exclusive || shared && !request.shared() {
                break;
            }
            exclusive = !request.shared();
            shared = request.shared();
            granted.push(request);
        }
        let died = dead.iter().any(|request| request.head.state == HELD);
        let recovered = if died { RECOVERED } else { 0 };
        for request in &granted {
            self.put(request.at, Head { state: HELD, flags: request.head.flags | recovered, ..request.head });
            fail::point("locks.granted");
            if request.owner != self.peers.me() {
                wake(self.peers, usize::from(request.owner.slot));
            }
        }
        // The dead holder goes last: until then the next grant would tell of it, too.
        for request in dead {
            if request.head.state != HELD || !granted.is_empty() {
                self.free(request.at)?;
            }
        }
        Ok(())
    }

    fn is_dead(&self, request: &Request) -> bool {
        request.owner != self.peers.me() && self.peers.is_dead(request.owner)
    }

    /// The pending and held requests for a name.
    fn requests_for(&self, name: &[u8]) -> Result<Vec<Request>> {
        let tag = tag(name);
        let mut requests = self.requests()?;
        requests.retain(|request| {
            matches!(request.head.state, PENDING | HELD)
                && self.words.cells[request.at][3].load(Relaxed) == tag
                && self.name(request.at).is_ok_and(|found| found == name)
        });
        Ok(requests)
    }

    fn requests(&self) -> Result<Vec<Request>> {
        let mut found = Vec::new();
        self.each_run(|at, head| {
            let cell = &self.words.cells[at];
            if let Some(owner) = Owner::of(cell[1].load(Relaxed)).filter(|_| head.state != FREE) {
                found.push(Request { at, head, owner, ticket: cell[2].load(Relaxed) });
            }
        })?;
        Ok(found)
    }

    fn each_run(&self, mut visit: impl FnMut(usize, Head)) -> Result<()> {
        let mut at = 0;
        while at < CELLS {
            let head = self.head(at)?;
            visit(at, head);
            at += head.cells as usize;
        }
        Ok(())
    }

    fn head(&self, at: usize) -> Result<Head> {
        let head = Head::of(self.words.cells[at][0].load(Relaxed));
        let sound = head.cells >= 1 && at + head.cells as usize <= CELLS && head.state <= STOLEN;
        if sound { Ok(head) } else { Err(corrupt()) }
    }

    /// Publishes the state of a run.
    fn put(&self, at: usize, head: Head) {
        // Release: its other words come before it; pairs with the Acquire in `state`.
        self.words.cells[at][0].store(head.word(), Release);
    }

    fn free(&self, at: usize) -> Result<()> {
        let head = self.head(at)?;
        self.put(at, Head { state: FREE, flags: 0, ..head });
        fail::point("locks.freed");
        Ok(())
    }

    /// A free run for that name, of just the right length.
    fn take_run(&self, name: &[u8]) -> Result<usize> {
        let cells = (FIXED + name.len().div_ceil(8)).div_ceil(CELL).max(1) as u32;
        if let Some(at) = self.find_run(cells)? {
            return Ok(at);
        }
        // What the dead hold stays until somebody wants it, or the room.
        for request in self.requests()?.iter().filter(|request| self.is_dead(request)) {
            self.free(request.at)?;
        }
        self.find_run(cells)?.ok_or_else(|| {
            Error::new(
                Code::Limit,
                "the domain's table of named locks is full: release some locks, or set CROSSMEM_DOMAIN to use another",
            )
        })
    }

    fn find_run(&self, cells: u32) -> Result<Option<usize>> {
        let mut at = 0;
        while at < CELLS {
            let mut head = self.head(at)?;
            while head.state == FREE && at + (head.cells as usize) < CELLS {
                let next = self.head(at + head.cells as usize)?;
                if next.state != FREE || head.cells >= cells {
                    break;
                }
                head.cells += next.cells;
                self.put(at, head);
                fail::point("locks.joined");
            }
            if head.state == FREE && head.cells >= cells {
                if head.cells > cells {
                    self.put(at + cells as usize, Head { cells: head.cells - cells, flags: 0, state: FREE });
                    fail::point("locks.split");
                    self.put(at, Head { cells, ..head });
                }
                return Ok(Some(at));
            }
            at += head.cells as usize;
        }
        Ok(None)
    }

    /// The words of a run from the name on.
    fn name_words(&self, at: usize) -> impl Iterator<Item = &AtomicU64> {
        self.words.cells[at..].iter().flatten().skip(FIXED)
    }

    fn write_name(&self, at: usize, name: &[u8]) {
        self.words.cells[at][3].store(tag(name), Relaxed);
        for (word, piece) in self.name_words(at).zip(name.chunks(8)) {
            let mut bytes = [0; 8];
            bytes[..piece.len()].copy_from_slice(piece);
            word.store(u64::from_le_bytes(bytes), Relaxed);
        }
    }

    fn name(&self, at: usize) -> Result<Vec<u8>> {
        let len = self.words.cells[at][3].load(Relaxed) as u32 as usize;
        let room = (self.head(at)?.cells as usize * CELL - FIXED) * 8;
        if len > room {
            return Err(corrupt());
        }
        let words = self.name_words(at).take(len.div_ceil(8));
        let mut name: Vec<u8> = words.flat_map(|word| word.load(Relaxed).to_le_bytes()).collect();
        name.truncate(len);
        Ok(name)
    }
}

impl<P: Peers> Drop for Inside<'_, P> {
    fn drop(&mut self) {
        self.words.mutex.unlock(self.peers);
    }
}

/// `{ hash: 32 | bytes: 32 }`
fn tag(name: &[u8]) -> u64 {
    u64::from(hash(name)) << 32 | name.len() as u64
}

fn corrupt() -> Error {
    Error::new(Code::Corrupt, "the domain's table of named locks was overwritten; restart its processes")
}
