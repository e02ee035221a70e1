//! Cleans up after dead agents: a living agent sweeps what they held, and the next owner of the
//! mutex repairs what they left half done.

use super::arena::bytes_of;
use super::table::{BORN, FREE, LIVE, Registry, is_lock_manager, name_of};
use crate::domain::name::tag;
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
    /// Detaches dead agents from all objects, erases objects without a living agent, and frees the
    /// slots of dead agents. With `newborn`, detaches the caller too: its slot's predecessor was
    /// attached.
    pub(crate) fn sweep(&self, newborn: bool) -> Swept {
        let me = self.me();
        let mut dead: Vec<(usize, u64)> = Vec::new();
        for (slot, agent) in self.control.agents.iter().enumerate() {
            let instance = agent.instance.load(Acquire);
            let lives = || self.seat.domain().life.is_alive(instance as u32);
            if slot != me && instance != 0 && (seeded(Fault::SweepTheLiving) || !lives()) {
                dead.push((slot, instance));
            }
        }
        let mut swept = Swept { agents: dead.len() as u32, ..Swept::default() };
        for index in self.control.used_entries() {
            let entry = self.entry(index);
            if self.control.tags[index].load(Relaxed) == 0 || entry.state.load(Acquire) != LIVE {
                continue;
            }
            for &(slot, _) in &dead {
                let was_there = entry.attached.remove(slot);
                if was_there && seeded(Fault::SweepDetachesTheLiving) {
                    entry.attached.clear();
                }
            }
            if newborn && !seeded(Fault::NewcomerInherits) {
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
            self.sweep(false);
        }
        for index in self.control.used_entries() {
            let entry = self.entry(index);
            let exists = self.control.tags[index].load(Relaxed) != 0 && entry.state.load(Acquire) == LIVE;
            if exists && is_lock_manager(entry) {
                // If the system refuses to remove the name, the domain stays.
                let _ = self.erase(index);
            }
        }
        // Under the mutex, an entry without a tag is free.
        self.control.used_entries().all(|index| self.control.tags[index].load(Relaxed) == 0)
    }

    fn has_others(&self) -> bool {
        let me = self.me();
        self.control.agents.iter().enumerate().any(|(slot, agent)| {
            let instance = agent.instance.load(Acquire);
            slot != me && instance != 0 && self.seat.domain().life.is_alive(instance as u32)
        })
    }

    pub(super) fn repair(&self) {
        for index in self.control.used_entries() {
            let entry = self.entry(index);
            match entry.state.load(Acquire) {
                FREE if seeded(Fault::RepairKeepsTags) => {}
                // Nearly all entries: not written, since other agents wait for the repair.
                FREE if self.control.tags[index].load(Relaxed) == 0 => {}
                FREE => self.control.tags[index].store(0, Release),
                BORN if seeded(Fault::RepairKeepsUnborn) => {}
                LIVE if self.is_wanted(entry) => {
                    let tag = name_of(entry).map_or(1, |name| tag(&name));
                    self.control.tags[index].store(tag, Release);
                }
                _ => drop(self.erase(index)),
            }
        }
    }
}
