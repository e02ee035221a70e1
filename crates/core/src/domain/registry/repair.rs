//! Cleans up after dead agents: a living agent sweeps what they held, and the next owner of the
//! mutex repairs what they left half done.

use super::arena::bytes_of;
use super::state::{BORN, FREE, LIVE};
use super::table::{Registry, is_lock_manager};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::wait::Sleepers;

/// What a sweep freed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Number of dead agents.
    pub agents: u32,
    /// Number of objects without a living agent.
    pub objects: u32,
    /// Total size of these objects in bytes.
    pub bytes: u64,
}

impl std::ops::Add for Swept {
    type Output = Swept;

    fn add(self, more: Swept) -> Swept {
        Swept {
            agents: self.agents + more.agents,
            objects: self.objects + more.objects,
            bytes: self.bytes.saturating_add(more.bytes),
        }
    }
}

impl Registry<'_> {
    /// As `sweep`, for an agent that has just taken a slot. `inherited`: the slot was a dead
    /// agent's, so the caller is attached to what that one had open. If no agent has died, and no
    /// sweep is due, it looks at no object.
    pub(crate) fn sweep_on_arrival(&self, inherited: bool) -> Swept {
        let dead = self.dead_agents();
        let is_due = self.control.header.unswept.load(Relaxed) != 0;
        if inherited || !dead.is_empty() || is_due {
            self.sweep_objects(dead, inherited)
        } else {
            Swept::default()
        }
    }

    /// Detaches dead agents from all objects, erases objects without a living agent, and frees the
    /// slots of dead agents.
    pub(crate) fn sweep(&self) -> Swept {
        self.sweep_objects(self.dead_agents(), false)
    }

    fn dead_agents(&self) -> Vec<(usize, u64)> {
        let me = self.me();
        let mut dead: Vec<(usize, u64)> = Vec::new();
        for (slot, agent) in self.control.agents.iter().enumerate() {
            let instance = agent.instance.load(Acquire);
            let lives = || self.seat.domain().life.is_alive(instance as u32);
            if slot != me && instance != 0 && (seeded(Fault::SweepTheLiving) || !lives()) {
                dead.push((slot, instance));
            }
        }
        dead
    }

    fn sweep_objects(&self, dead: Vec<(usize, u64)>, inherited: bool) -> Swept {
        let me = self.me();
        let mut swept = Swept { agents: dead.len() as u32, ..Swept::default() };
        // If this agent dies, the next one sweeps for that reason.
        self.control.header.unswept.store(0, Relaxed);
        fail::point("sweep.begun");
        for (index, entry) in self.used_entries().iter().enumerate() {
            if entry.state.load(Acquire) != LIVE {
                continue;
            }
            for &(slot, _) in &dead {
                // Only what changes is written: other processes read it meanwhile.
                let was_there = entry.attached.contains(slot) && entry.attached.remove(slot);
                if was_there && seeded(Fault::SweepDetachesTheLiving) {
                    entry.attached.clear();
                }
            }
            if inherited && !seeded(Fault::NewcomerInherits) && entry.attached.contains(me) {
                entry.attached.remove(me);
            }
            fail::point("sweep.detached");
            if !self.is_wanted(entry) {
                let bytes = bytes_of(self.seat.domain(), entry);
                // If the system refuses to remove a name, the next sweep tries again.
                if self.erase(index).is_ok() {
                    swept = swept + Swept { agents: 0, objects: 1, bytes };
                }
            }
        }
        for (slot, instance) in dead.into_iter().filter(|_| !seeded(Fault::SweepKeepsSlots)) {
            if !seeded(Fault::SweepKeepsFifos) {
                self.seat.domain().remove_fifo(instance as u32);
            }
            // A CAS, since a newcomer may have taken the slot meanwhile.
            fail::point("sweep.freeing");
            let there = &self.control.agents[slot].instance;
            if seeded(Fault::SweepByStore) {
                there.store(0, Release);
            }
            let _ = there.compare_exchange(instance, 0, Release, Relaxed);
            fail::point("sweep.freed");
        }
        swept
    }

    /// Whether the caller, which is leaving, is the last agent, and no objects are left.
    pub(crate) fn is_deserted(&self) -> bool {
        if self.has_others() && !seeded(Fault::RetireBesideOthers) {
            return false;
        }
        // After the last agent, no agent is left to sweep what dead agents held.
        if !seeded(Fault::LastOneOutSweepsNothing) {
            self.sweep();
        }
        for (index, entry) in self.used_entries().iter().enumerate() {
            if entry.state.load(Acquire) == LIVE && is_lock_manager(entry) {
                // If the system refuses to remove the name, the domain stays.
                let _ = self.erase(index);
            }
        }
        self.used_entries().iter().all(|entry| entry.state.load(Acquire) == FREE)
    }

    fn has_others(&self) -> bool {
        let me = self.me();
        self.control.agents.iter().enumerate().any(|(slot, agent)| {
            let instance = agent.instance.load(Acquire);
            slot != me && instance != 0 && self.seat.domain().life.is_alive(instance as u32)
        })
    }

    pub(super) fn repair(&self) {
        self.rebuild_index(None);
        fail::point("repair.indexed");
        for (index, entry) in self.used_entries().iter().enumerate() {
            match entry.state.load(Acquire) {
                FREE => {}
                BORN if seeded(Fault::RepairKeepsUnborn) => {}
                LIVE if self.is_wanted(entry) => {}
                _ => drop(self.erase(index)),
            }
        }
    }
}
