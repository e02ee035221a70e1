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

mod grants;
mod runs;
#[cfg(all(test, not(loom)))]
mod tests;

pub(crate) use runs::NamedLocks;

use grants::{NOBODY, Request, TICKETS};
use runs::{HELD, Head, NOTICED, PENDING, RECOVERED, SHARED, STOLEN, corrupt};

use super::mutex::Acquired;
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{CELL, NamedLocksWords};
use crate::sync::Ordering::Relaxed;
use crate::wait::Peers;

/// Longest name, in bytes.
const LOCK_NAME_MAX: usize = 1 << 16;

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
pub struct EnteredRequest {
    /// How to name it.
    pub request: RequestRef,
    /// It holds the lock already; whether a holder before it died.
    pub granted: Option<bool>,
    /// There is news of other requests of the caller.
    pub news: bool,
}

/// A request that was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedRequest {
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

impl NamedLocksWords {
    /// The caller has `acquired` the mutex. What its dead holder left ungranted is granted now.
    pub(crate) fn inside<'a, P: Peers>(
        &'a self,
        peers: &'a P,
        acquired: Acquired,
    ) -> Result<NamedLocks<'a, P>> {
        let inside = NamedLocks::new(self, peers);
        fail::point("locks.locked");
        if acquired == Acquired::OwnerDied && !seeded(Fault::LeftUngranted) {
            inside.grant_all()?;
            self.mutex.mark_consistent();
        }
        Ok(inside)
    }
}

impl<P: Peers> NamedLocks<'_, P> {
    /// Enters a request, and grants what can be. `None`: it was to be had at once or not at all.
    pub(crate) fn request(&self, wanted: &Wanted<'_>) -> Result<Option<EnteredRequest>> {
        if wanted.name.len() > LOCK_NAME_MAX {
            return Err(Error::new(
                Code::TooLarge,
                format!("a lock's name has at most {} UTF-16 units", LOCK_NAME_MAX / 2),
            ));
        }
        if wanted.if_available && !self.is_available(wanted.name, wanted.shared)? {
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
        Ok(Some(EnteredRequest { request: RequestRef { cell: at as u32, ticket }, granted, news }))
    }

    /// Ends a request of the caller, pending or held, and grants what others wait for. `untold`: the lock came to it, but
    /// whom it was for has not heard of it.
    pub(crate) fn end(&self, request: RequestRef, untold: bool) -> Result<EndedRequest> {
        let mine = |found: &Request| {
            found.ticket == request.ticket
                && (found.owner == self.peers.me() || seeded(Fault::AnyoneEndsRequests))
        };
        let Some(found) = self.request_at(request.cell as usize)?.filter(mine) else {
            return Ok(EndedRequest { stolen: true, news: false });
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
        Ok(EndedRequest { stolen, news: self.news.get() > 0 })
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
}
