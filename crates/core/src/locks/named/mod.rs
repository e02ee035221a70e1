//! Locks by any name, as the Web Locks API has them: requests in a queue, shared or exclusive.
//! <https://w3c.github.io/web-locks/>
//!
//! The table is a row of runs of cells. A run is free or a request. Everything changes under a
//! mutex that is held inside one call only. Each change is one store to a word of a run:
//!
//! | change | if the agent that made it dies right after it |
//! | --- | --- |
//! | two free runs become one; a free run becomes two, the second one first | the row is whole |
//! | free → pending, held (its other words were written before) | the request is a dead agent's |
//! | held, stolen, pending → free | the next owner of the mutex grants the requests that can be |
//! | pending → held | the requester asks for news at its next tick |
//! | held → stolen | likewise; the thief is dead, and got nothing |
//! | held → held by no agent | as if its holder had died |
//!
//! The request of a dead holder stays until another agent gets the lock. That agent is told of the
//! death: `recovered`.

mod grants;
mod runs;
mod seen;
#[cfg(all(test, not(loom)))]
mod tests;

pub(crate) use runs::NamedLocks;
pub(crate) use seen::SeenRequest;

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

/// Names a request. A ticket is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestRef {
    /// Its first cell in the table.
    pub cell: u32,
    /// Its number.
    pub ticket: u64,
}

/// A request that was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnteredRequest {
    /// Names the request from now on.
    pub request: RequestRef,
    /// If it holds the lock already: whether a holder before it died.
    pub granted: Option<bool>,
    /// There is news of other requests of the caller.
    pub news: bool,
}

/// A request that was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedRequest {
    /// It was over already: another agent had stolen its lock.
    pub stolen: bool,
    /// There is news of other requests of the caller.
    pub news: bool,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It holds the lock.
    Granted {
        /// A holder died, and no other agent had the lock since.
        recovered: bool,
    },
    /// Its lock was stolen. It is no longer in the table.
    Stolen,
}

/// News for an agent about one of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// The ticket of the request.
    pub ticket: u64,
    /// Its fate.
    pub fate: Fate,
}

/// A request to be made.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Any bytes, at most 65,536.
    pub name: &'a [u8],
    /// The lock may be held by other shared requests at the same time.
    pub shared: bool,
    /// Only if the lock is available at once.
    pub if_available: bool,
    /// At once, and taken from its holders.
    pub steal: bool,
}

/// A request of a living agent, for `query`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestInfo {
    /// The name of the lock.
    pub name: Vec<u8>,
    /// The lock may be held by other shared requests at the same time.
    pub shared: bool,
    /// Whether it holds the lock; otherwise it waits.
    pub held: bool,
    /// The instance of the requesting agent; unique in the domain.
    pub instance: u32,
}

impl NamedLocksWords {
    /// The caller has `acquired` the mutex. If the holder before died, its ungranted requests are
    /// granted now.
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
    /// Enters a request, and grants the requests that can be. `None`: it had `if_available`, and
    /// the lock isn't available.
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
        // A stolen lock is no grant.
        let own = u32::from(granted.is_some() && !wanted.steal);
        let news = self.news.get() > own;
        Ok(Some(EnteredRequest { request: RequestRef { cell: at as u32, ticket }, granted, news }))
    }

    /// Ends a request of the caller, pending or held, and grants the requests that wait for it.
    /// `untold`: the lock was granted, but the requester hasn't been told.
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

    /// What became of the caller's requests since its last call, the oldest first.
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
        requests.retain(|request| !self.is_dead(request) || seeded(Fault::DeadQueried));
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

    /// A free run of exactly the length that the name needs.
    fn take_run(&self, name: &[u8]) -> Result<usize> {
        let cells = name.len().div_ceil(8 * CELL).max(1) as u32;
        if let Some(at) = self.find_run(cells)? {
            return Ok(at);
        }
        // Requests of dead holders stay until another agent wants the lock, or the room in the
        // table.
        self.sweep()?;
        let dead = |request: &&Request| self.is_dead(request) && !seeded(Fault::DeadFillTable);
        for request in self.requests(|_, _| true)?.iter().filter(dead) {
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
