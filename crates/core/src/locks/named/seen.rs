//! The table as an onlooker reads it, who doesn't have its mutex.
//!
//! Only the head of a run says that it is a request: a head inside a run was free before the run
//! began, and stays so. So each head is looked at by itself, whatever the runs do meanwhile. What a
//! request says counts if its ticket and its head are the same afterwards.

use super::LOCK_NAME_MAX;
use super::grants::{NOBODY, TICKETS};
use super::runs::{HELD, Head, PENDING, SHARED};
use crate::layout::{AGENTS, CELLS, NamedLocksWords, Owner};
use crate::sync::Ordering::{Acquire, Relaxed};
use crate::sync::fence;

/// A request that holds its lock or waits for it.
#[derive(Clone, Debug)]
pub(crate) struct SeenRequest {
    pub name: Vec<u8>,
    pub shared: bool,
    pub held: bool,
    pub owner: Owner,
    pub ticket: u64,
}

impl NamedLocksWords {
    /// All requests, the oldest first.
    pub(crate) fn seen(&self) -> Vec<SeenRequest> {
        let mut seen: Vec<SeenRequest> = (0..CELLS).filter_map(|at| self.seen_at(at)).collect();
        seen.sort_by_key(|request| request.ticket);
        seen
    }

    fn seen_at(&self, at: usize) -> Option<SeenRequest> {
        // Acquire: pairs with the Release in `put`; the words of the request were written before.
        let word = self.heads[at].load(Acquire);
        let Head { cells, flags, state } = Head::of(word);
        // Longer names are garbage, and cost time.
        let fits = self.tags[at].load(Relaxed) as u32 as usize <= LOCK_NAME_MAX;
        if state != HELD && state != PENDING || !fits {
            return None;
        }
        let owner = Owner::of(self.owners[at].load(Relaxed))?;
        let ticket = self.tickets[at].load(Relaxed);
        let name = self.name_at(at, cells)?;
        // What was read is older than what is read now.
        fence(Acquire);
        let is_same = self.heads[at].load(Relaxed) == word && self.tickets[at].load(Relaxed) == ticket;
        let is_sound = usize::from(owner.slot) < AGENTS && ticket < TICKETS && owner != NOBODY;
        let request = SeenRequest { name, shared: flags & SHARED != 0, held: state == HELD, owner, ticket };
        (is_same && is_sound).then_some(request)
    }
}
