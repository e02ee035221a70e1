//! Which requests hold their locks: granting, stealing, and forgetting dead agents.

use std::collections::HashSet;

use super::runs::{FREE, HELD, Head, NOTICED, NamedLocks, PENDING, RECOVERED, SHARED, STOLEN, corrupt, tag};
use crate::error::Result;
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{AGENTS, CELLS, Owner};
use crate::sync::Ordering::Relaxed;
use crate::wait::{Peers, wake};

/// Holds a lock that a requester gave up before it was told that the holder before it died.
pub(super) const NOBODY: Owner = Owner { instance: 0, slot: 0 };
/// Tickets are numbers in JavaScript.
pub(super) const TICKETS: u64 = 1 << 53;

/// A request, as it was when it was read.
#[derive(Clone, Copy)]
pub(super) struct Request {
    pub at: usize,
    pub head: Head,
    pub owner: Owner,
    pub ticket: u64,
}

impl Request {
    pub(super) fn is(&self, flag: u32) -> bool {
        self.head.flags & flag != 0
    }

    pub(super) fn is_held(&self) -> bool {
        self.head.state == HELD
    }

    pub(super) fn is_pending(&self) -> bool {
        self.head.state == PENDING
    }

    /// Whether the next holder has to be told that a holder died, since this one wasn't.
    pub(super) fn bequeaths(&self) -> bool {
        self.is(RECOVERED) && !self.is(NOTICED)
    }
}

impl<P: Peers> NamedLocks<'_, P> {
    pub(super) fn grant_all(&self) -> Result<()> {
        let waiting = self.requests(|_, head| head.state == PENDING)?;
        let names: Result<HashSet<Vec<u8>>> = waiting.iter().map(|request| self.name(request.at)).collect();
        names?.iter().try_for_each(|name| self.grant(name))
    }

    /// Grants the first requests for a name that can hold the lock together, and removes those of
    /// dead agents.
    pub(super) fn grant(&self, name: &[u8]) -> Result<()> {
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
        // The dead holder's request goes last: if this process dies before, the next grant tells of
        // the death again.
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
        } else if !seeded(Fault::GrantRingsNobody) {
            wake(self.peers, usize::from(request.owner.slot));
        }
    }

    /// Takes the lock from its living holders. Returns the requests of its dead holders, to be
    /// freed when there is a new holder.
    pub(super) fn steal(&self, name: &[u8], flags: &mut u32) -> Result<Vec<Request>> {
        let held = self.requests_for(name)?.into_iter().filter(Request::is_held);
        let (dead, living): (Vec<_>, Vec<_>) = held.partition(|request| self.is_dead(request));
        if !dead.is_empty() || living.iter().any(Request::bequeaths) {
            *flags |= RECOVERED;
        }
        for request in living {
            self.put(request.at, Head { state: STOLEN, ..request.head });
            fail::point("locks.stolen");
            if !seeded(Fault::TheftUntold) {
                self.tell(&request);
            }
        }
        Ok(dead)
    }

    /// Grants the requests that wait for locks of dead agents.
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

    pub(super) fn is_available(&self, name: &[u8], shared: bool) -> Result<bool> {
        let requests = self.requests_for(name)?;
        let blocks = |request: &&Request| {
            if request.is_pending() {
                return !seeded(Fault::AvailableToAQueueJumper);
            }
            !(request.is(SHARED) && shared)
        };
        Ok(requests.iter().filter(blocks).all(|request| self.is_dead(request)))
    }

    pub(super) fn is_dead(&self, request: &Request) -> bool {
        let Owner { instance, .. } = request.owner;
        let ask = || instance == NOBODY.instance || self.peers.is_dead(request.owner);
        request.owner != self.peers.me()
            && !seeded(Fault::DeadHoldNames)
            && *self.dead.borrow_mut().entry(instance).or_insert_with(ask)
    }

    /// The pending and held requests for a name.
    pub(super) fn requests_for(&self, name: &[u8]) -> Result<Vec<Request>> {
        let tag = tag(name);
        self.requests(|at, head| {
            head.state != STOLEN && self.words.tags[at].load(Relaxed) == tag && self.is_named(at, name)
        })
    }

    /// The requests for which `wanted(first cell, first word)`.
    pub(super) fn requests(&self, wanted: impl Fn(usize, Head) -> bool) -> Result<Vec<Request>> {
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
    pub(super) fn request_at(&self, at: usize) -> Result<Option<Request>> {
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

    /// Notes that the caller knows that it holds the lock. Returns whether it has to be told that a
    /// holder died.
    pub(super) fn notice(&self, request: &Request) -> bool {
        self.put(request.at, Head { flags: request.head.flags | NOTICED, ..request.head });
        request.is(RECOVERED)
    }
}
