//! What exists: the table of objects, changed only under the registry's lock.
//!
//! | state | meaning | if the lock's owner dies here |
//! | --- | --- | --- |
//! | `FREE` | nothing | the tag is cleared |
//! | `BORN` | fields are whole; the file may or may not have its name yet | undone: nobody was told of it |
//! | `LIVE` | the object exists | kept; erased if nobody living is attached |
//! | `DYING` | the file may or may not have lost its name yet | finished |
//!
//! `repair` is idempotent: whoever takes the lock from a dead repairer starts it again.

use std::io::ErrorKind;
use std::time::Duration;

use super::agent::Agent;
use super::name::{self, NAME_MAX, tag};
use super::{Domain, too_many};
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{Control, Entry, Kind, OBJECTS};
use crate::locks::{Acquired, acquire_short};
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sys;
use crate::wait::{Peers, Sleepers};

pub(crate) const FREE: u32 = 0;
const BORN: u32 = 1;
pub(crate) const LIVE: u32 = 2;
const DYING: u32 = 3;

/// An object as a handle remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectRef {
    pub(crate) index: usize,
    pub(crate) id: u64,
}

/// What is to be entered.
pub(crate) struct Birth<'a> {
    pub name: &'a str,
    pub kind: Kind,
    pub size: u64,
    pub file: u64,
    pub persist: bool,
    /// Lives as long as that one, too.
    pub parent: Option<ObjectRef>,
}

/// What a sweep found and freed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Dead agents.
    pub agents: u32,
    /// Objects that nobody living was attached to.
    pub objects: u32,
    /// Bytes of these objects.
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

/// The registry while we hold its lock.
pub(crate) struct Registry<'a> {
    agent: &'a Agent,
    control: &'a Control,
}

impl<'a> Registry<'a> {
    pub(crate) fn lock(agent: &'a Agent, patience: Duration) -> Result<Registry<'a>> {
        let control = agent.domain().control();
        let acquired = acquire_short(&control.header.registry, agent, patience, "the registry")?;
        fail::point("registry.locked");
        let registry = Registry { agent, control };
        if acquired == Acquired::OwnerDied && !seeded(Fault::RegistryUnrepaired) {
            registry.repair();
            fail::point("registry.repaired");
            control.header.registry.mark_consistent();
        }
        Ok(registry)
    }

    pub(crate) fn control(&self) -> &'a Control {
        self.control
    }

    pub(crate) fn entry(&self, index: usize) -> &'a Entry {
        &self.control.entries[index]
    }

    /// The entry of a handle, unless its object was unlinked since.
    pub(crate) fn entry_of(&self, object: ObjectRef) -> Option<&'a Entry> {
        let entry = self.entry(object.index);
        (entry.state.load(Acquire) == LIVE
            && (entry.id.load(Relaxed) == object.id || seeded(Fault::StaleHandles)))
        .then_some(entry)
    }

    /// The living object of that name. One that only dead agents are attached to is erased on the way, and so
    /// is one whose name another program removed or took.
    pub(crate) fn find(&self, name: &str) -> Result<Option<usize>> {
        let Some(index) = self.entered_as(name) else { return Ok(None) };
        let entry = self.entry(index);
        let file = entry.file.load(Relaxed);
        let now = sys::identify(name).map_err(|e| Error::os(&format!("looking for \"{name}\""), &e))?;
        let there = now.is_some_and(|now| now.file == file || seeded(Fault::FindWhateverHasTheName));
        if there && self.is_wanted(entry) {
            return Ok(Some(index));
        }
        self.erase(index)?;
        Ok(None)
    }

    /// The entry with that name, whatever has become of its object.
    pub(crate) fn entered_as(&self, name: &str) -> Option<usize> {
        let wanted = tag(name);
        self.control.used_entries().find(|&index| {
            let entry = self.entry(index);
            self.control.tags[index].load(Relaxed) == wanted
                && entry.state.load(Acquire) == LIVE
                && has_name(entry, name)
        })
    }

    /// Enters an object, lets `publish` give its file the name, and attaches the caller.
    pub(crate) fn enter<T>(
        &self,
        birth: &Birth<'_>,
        publish: impl FnOnce() -> std::io::Result<T>,
    ) -> Result<(ObjectRef, T)> {
        let free = |i: &usize| {
            self.control.tags[*i].load(Relaxed) == 0 && self.entry(*i).state.load(Relaxed) == FREE
        };
        let used = self.control.used_entries();
        let index = used.clone().find(free).unwrap_or(used.end);
        if index == OBJECTS {
            return Err(too_many("objects"));
        }
        if index == used.end && !seeded(Fault::EntryUnannounced) {
            self.control.header.entries_used.store(index as u64 + 1, Release);
            fail::point("create.entry-used");
        }
        let entry = self.entry(index);
        let id = self.control.header.next_object.fetch_add(1, Relaxed).wrapping_add(1);
        entry.kind.store(birth.kind as u32, Relaxed);
        entry.id.store(id, Relaxed);
        entry.size.store(birth.size, Relaxed);
        entry.file.store(birth.file, Relaxed);
        entry.persist.store(u32::from(birth.persist), Relaxed);
        entry.parent.store(birth.parent.map_or(0, |parent| parent.id), Relaxed);
        entry.parent_index.store(birth.parent.map_or(0, |parent| parent.index as u64), Relaxed);
        entry.name_len.store(birth.name.len() as u32, Relaxed);
        for (to, from) in entry.name.iter().zip(birth.name.bytes()) {
            to.store(from, Relaxed);
        }
        if !seeded(Fault::PredecessorsAttached) {
            entry.attached.clear();
        }
        entry.attached.insert(self.me());
        fail::point("create.written");
        entry.state.store(if seeded(Fault::LiveBeforeFile) { LIVE } else { BORN }, Release);
        fail::point("create.born");
        self.control.tags[index].store(tag(birth.name), Release);
        fail::point("create.tagged");
        match publish() {
            Ok(made) => {
                fail::point("create.published");
                entry.state.store(LIVE, Release);
                fail::point("create.live");
                Ok((ObjectRef { index, id }, made))
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                if !seeded(Fault::RefusedStayEntered) {
                    self.free(index);
                }
                Err(Error::new(
                    Code::Exists,
                    format!(
                        "\"{}\" is taken by shared memory that this domain didn't make (another program, or another \
                         CROSSMEM_DOMAIN); choose another name or remove it",
                        birth.name
                    ),
                ))
            }
            Err(e) => {
                self.erase(index)?;
                Err(Error::os(&format!("publishing \"{}\"", birth.name), &e))
            }
        }
    }

    /// Removes the object and its name, if the name still leads to it; and its children, unless others still use it without
    /// its name: then they stay for as long as those live.
    pub(crate) fn erase(&self, index: usize) -> Result<()> {
        let children = self.children(index);
        for &child in children.iter().filter(|_| !seeded(Fault::ChildrenLoseUsers)) {
            for slot in self.entry(index).attached.iter() {
                self.entry(child).attached.insert(slot);
            }
        }
        fail::point("erase.children");
        self.erase_one(index)?;
        children
            .into_iter()
            .filter(|child| !self.is_wanted(self.entry(*child)))
            .try_for_each(|child| self.erase_one(child))
    }

    /// What belongs to a queue.
    fn children(&self, index: usize) -> Vec<usize> {
        let parent = self.entry(index);
        let may_have = Kind::from_stored(parent.kind.load(Relaxed)).is_some_and(Kind::has_children);
        if may_have && !seeded(Fault::ChildrenStay) {
            self.children_of(parent.id.load(Relaxed)).collect()
        } else {
            Vec::new()
        }
    }

    fn children_of(&self, id: u64) -> impl Iterator<Item = usize> + '_ {
        self.control.used_entries().filter(move |&index| {
            self.control.tags[index].load(Relaxed) != 0
                && self.entry(index).state.load(Acquire) == LIVE
                && self.entry(index).parent.load(Relaxed) == id
        })
    }

    /// Removes the segment of a message that was too large for its queue.
    pub(crate) fn erase_spill(&self, name: &str) -> Result<()> {
        let is_spill = |index: &usize| self.entry(*index).kind.load(Relaxed) == Kind::Spill as u32;
        self.entered_as(name).filter(is_spill).map_or(Ok(()), |index| self.erase_one(index))
    }

    fn erase_one(&self, index: usize) -> Result<()> {
        let entry = self.entry(index);
        if seeded(Fault::FreeBeforeRemoval) {
            self.free(index);
        }
        entry.state.store(DYING, Release);
        fail::point("erase.dying");
        if let Some(name) = name_of(entry) {
            let file = entry.file.load(Relaxed);
            let removed = match sys::identify(&name) {
                Ok(Some(now)) if now.file == file || seeded(Fault::RemoveWhateverHasTheName) => {
                    sys::remove(&name)
                }
                other => other.map(drop),
            };
            if let Err(e) = removed {
                entry.state.store(LIVE, Release);
                return Err(Error::os(&format!("removing \"{name}\""), &e));
            }
        }
        fail::point("erase.removed");
        self.free(index);
        Ok(())
    }

    fn free(&self, index: usize) {
        self.entry(index).state.store(FREE, Release);
        fail::point("erase.freed");
        self.control.tags[index].store(0, Release);
    }

    /// Takes the caller off the object; the last one out erases it. A child whose parent the caller has open, and which lost
    /// its name, stays the caller's until it closes the parent.
    pub(crate) fn detach(&self, object: ObjectRef) -> Result<()> {
        let Some(entry) = self.entry_of(object) else { return self.detach_children(object) };
        let is_kept = self.agent.has_open(parent_of(entry)) && !self.parent_lives(entry);
        if is_kept && !seeded(Fault::SpillWithoutKeeper) {
            return Ok(());
        }
        entry.attached.remove(self.me());
        fail::point("close.detached");
        if self.is_wanted(entry) { Ok(()) } else { self.erase(object.index) }
    }

    /// The object has lost its name; its children have those who use it as if they had them open.
    fn detach_children(&self, object: ObjectRef) -> Result<()> {
        for index in self.children_of(object.id) {
            let entry = self.entry(index);
            entry.attached.remove(self.me());
            if !self.is_wanted(entry) && !seeded(Fault::OrphanedChildrenStay) {
                self.erase_one(index)?;
            }
        }
        Ok(())
    }

    /// Clears what dead agents hold. The caller's own slot counts as dead when `newborn`: what it finds there
    /// is its predecessor's.
    pub(crate) fn sweep(&self, newborn: bool) -> Swept {
        let me = self.me();
        let mut dead: Vec<(usize, u64)> = Vec::new();
        for (slot, agent) in self.control.agents.iter().enumerate() {
            let instance = agent.instance.load(Acquire);
            let lives = || self.agent.domain().life.is_alive(instance as u32);
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
                entry.attached.remove(slot);
            }
            if newborn && !seeded(Fault::NewcomerInherits) {
                entry.attached.remove(me);
            }
            fail::point("sweep.detached");
            if !self.is_wanted(entry) {
                let bytes = entry.size.load(Relaxed);
                // A name that the system doesn't let us remove stays for the next sweep, and is nobody else's trouble.
                if self.erase(index).is_ok() {
                    swept = swept + Swept { agents: 0, objects: 1, bytes };
                }
            }
        }
        for (slot, instance) in dead.into_iter().filter(|_| !seeded(Fault::SweepKeepsSlots)) {
            // A newcomer may have taken the slot meanwhile: then it is no longer the dead agent's.
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

    /// Whether the caller, who leaves, is the last one, and nothing is left.
    pub(crate) fn is_deserted(&self) -> bool {
        if self.has_others() && !seeded(Fault::RetireBesideOthers) {
            return false;
        }
        // Nobody is left to sweep what others left who died.
        if !seeded(Fault::LastOneOutSweepsNothing) {
            self.sweep(false);
        }
        for index in self.control.used_entries() {
            let entry = self.entry(index);
            let exists = self.control.tags[index].load(Relaxed) != 0 && entry.state.load(Acquire) == LIVE;
            if exists && is_lock_manager(entry) {
                // A name that the system doesn't let us remove keeps the domain.
                let _ = self.erase(index);
            }
        }
        // Under the lock, an entry without a tag is free.
        self.control.used_entries().all(|index| self.control.tags[index].load(Relaxed) == 0)
    }

    fn has_others(&self) -> bool {
        let me = self.me();
        self.control.agents.iter().enumerate().any(|(slot, agent)| {
            let instance = agent.instance.load(Acquire);
            slot != me && instance != 0 && self.agent.domain().life.is_alive(instance as u32)
        })
    }

    fn repair(&self) {
        for index in self.control.used_entries() {
            let entry = self.entry(index);
            match entry.state.load(Acquire) {
                FREE if seeded(Fault::RepairKeepsTags) => {}
                // Free as they nearly all are: not written to, since this is done while everybody waits.
                FREE if self.control.tags[index].load(Relaxed) == 0 => {}
                FREE => self.control.tags[index].store(0, Release),
                BORN if seeded(Fault::RepairKeepsUnborn) => {}
                LIVE if self.is_wanted(entry) => {
                    if self.parent_lives(entry) && !seeded(Fault::RepairKeepsShares) {
                        // Who died here may have begun to share it among the parent's users, and the parent stays.
                        entry.attached.clear();
                    }
                    let tag = name_of(entry).map_or(1, |name| tag(&name));
                    self.control.tags[index].store(tag, Release);
                }
                _ => drop(self.erase(index)),
            }
        }
    }

    /// Whether a living agent is attached, or none is needed. The table of named locks tells who comes later that a holder
    /// died: it stays until nobody is left in the domain.
    fn is_wanted(&self, entry: &Entry) -> bool {
        entry.persist.load(Relaxed) != 0
            || is_lock_manager(entry) && !seeded(Fault::NamedLocksForgotten)
            || self.parent_lives(entry)
            || entry
                .attached
                .iter()
                .any(|slot| slot == self.me() || is_alive(self.agent.domain(), self.control, slot))
    }

    fn parent_lives(&self, entry: &Entry) -> bool {
        let parent = parent_of(entry);
        parent.id != 0
            && parent.index < OBJECTS
            && !seeded(Fault::ParentKeepsNothing)
            && self.entry_of(parent).is_some()
    }

    fn me(&self) -> usize {
        usize::from(self.agent.me().slot)
    }
}

impl Drop for Registry<'_> {
    fn drop(&mut self) {
        fail::point("registry.unlocking");
        self.control.header.registry.unlock(self.agent);
        fail::point("registry.unlocked");
    }
}

fn parent_of(entry: &Entry) -> ObjectRef {
    ObjectRef { index: entry.parent_index.load(Relaxed) as usize, id: entry.parent.load(Relaxed) }
}

fn is_lock_manager(entry: &Entry) -> bool {
    entry.kind.load(Relaxed) == Kind::LockManager as u32
}

/// Who has an object open, besides who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its name still leads to it.
    pub linked: bool,
    /// Another living agent has it open.
    pub others: bool,
}

/// Looks without the registry's lock, so at about one instant.
pub(crate) fn company(agent: &Agent, object: ObjectRef) -> Company {
    let (domain, control) = (agent.domain(), agent.domain().control());
    let entry = &control.entries[object.index];
    let me = usize::from(agent.me().slot);
    let others = entry.attached.iter().any(|slot| slot != me && is_alive(domain, control, slot));
    // After the table of who is attached: what is still this object's was this object's then.
    let linked = entry.state.load(Acquire) == LIVE && entry.id.load(Relaxed) == object.id;
    Company { linked, others: others && linked }
}

/// Whether the agent in that slot lives.
pub(crate) fn is_alive(domain: &Domain, control: &Control, slot: usize) -> bool {
    let instance = control.agents.get(slot).map_or(0, |agent| agent.instance.load(Acquire));
    instance != 0 && domain.life.is_alive(instance as u32)
}

/// The entry's name, unless its bytes can't be one.
pub(crate) fn name_of(entry: &Entry) -> Option<String> {
    let len = entry.name_len.load(Relaxed) as usize;
    if len == 0 || len > NAME_MAX {
        return None;
    }
    let bytes = entry.name[..len].iter().map(|byte| byte.load(Relaxed)).collect();
    String::from_utf8(bytes).ok().filter(|name| name::check(name).is_ok())
}

fn has_name(entry: &Entry, name: &str) -> bool {
    entry.name_len.load(Relaxed) as usize == name.len()
        && entry.name.iter().zip(name.bytes()).all(|(a, b)| a.load(Relaxed) == b)
}
