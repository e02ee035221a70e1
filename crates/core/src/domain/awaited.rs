//! Waiting until a name leads to an object.
//!
//! An agent that waits enters a set of sleepers in the control segment, the one of the name's hash,
//! and then looks for the name. An agent that has created an object rings all agents in that set.
//! Those that wait for another name of the same hash are rung for nothing, and enter it again.
//!
//! | the creator died | the waiters |
//! | --- | --- |
//! | before the file had its name | see nothing, and wait for the next creator |
//! | after that, before its ring | see the name at their next tick; the registry says whether the object is there |
//! | while it rang | as above, those that were not rung yet |
//!
//! A dead waiter stays in the set until the next ring, which takes it out. A later agent of its
//! slot may be rung for nothing.

use super::agent::Agent;
use super::name::check_name;
use crate::error::{Error, Result};
use crate::faults::{Fault, seeded};
use crate::hash::hash_32;
use crate::layout::SlotSet;
use crate::sync::{Ordering, fence};
use crate::wait::{Peers, Sleepers};

impl Agent {
    /// Makes this agent one of those that are rung when something of that name is created. Returns
    /// whether the name leads to something already, which may be the memory of another program, or
    /// an object that nobody uses any more: opening it tells.
    ///
    /// # Errors
    /// `ERR_INVALID_NAME`, `ERR_PERMISSION`, `ERR_OS`.
    pub fn await_name(&self, name: &str) -> Result<bool> {
        check_name(name)?;
        self.waiting_for(name).insert(usize::from(self.seat().me().slot));
        // Pairs with the fence in `notify`: either the creator's ring finds this agent, or this
        // agent finds the name.
        fence(Ordering::SeqCst);
        let found = self.place().identify(name);
        let found = found.map_err(|e| Error::os(&format!("looking for \"{name}\""), &e))?;
        // Another program names its memory before it sizes it.
        Ok(found.is_some_and(|found| found.size > 0))
    }

    /// This agent waits for no name any more.
    pub fn await_no_name(&self) {
        let me = usize::from(self.seat().me().slot);
        for set in &self.seat().domain().control().header.awaited {
            if set.contains(me) {
                set.remove(me);
            }
        }
    }

    /// Rings the agents that wait for that name.
    pub(crate) fn announce(&self, name: &str) {
        if !seeded(Fault::CreatedInSilence) {
            self.waiting_for(name).notify_all(self.seat());
        }
    }

    fn waiting_for(&self, name: &str) -> &SlotSet {
        let sets = &self.seat().domain().control().header.awaited;
        &sets[hash_32(name.bytes()) as usize % sets.len()]
    }
}
