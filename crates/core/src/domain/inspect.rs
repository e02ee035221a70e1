//! Inspects a domain without joining it: takes no lock, registers no agent and sweeps nothing. Of a
//! concurrent change, each entry shows either the state before or the state after.

use std::collections::HashSet;

use super::control::{Domain, party};
use super::limits::storage_error;
use super::name::DomainName;
use super::registry::{LIVE, bytes_of, name_of};
use crate::error::{Error, Result};
use crate::faults::{Fault, seeded};
use crate::layout::{Entry, Kind, Owner};
use crate::sync::Ordering::{Acquire, Relaxed};
use crate::sys::{self, Headroom, HugePages, Limit, Taken};

/// An agent as the control segment shows it.
#[derive(Clone, Debug)]
pub struct AgentInfo {
    /// Its slot.
    pub slot: usize,
    /// Id of its process in that process's pid namespace, for display.
    pub pid: u32,
    /// Id of its worker thread, 0 for the main thread.
    pub thread: u32,
    /// Whether the kernel reports that it lives.
    pub alive: bool,
}

/// An object as the registry shows it.
#[derive(Clone, Debug)]
pub struct ObjectInfo {
    /// Its name.
    pub name: String,
    /// Its kind; `None` if a newer version of crossmem made it.
    pub kind: Option<Kind>,
    /// Bytes of its segment, and of the large messages that are in it.
    pub size: u64,
    /// Whether it outlives all agents, until it is unlinked.
    pub persist: bool,
    /// Slots of the agents that have it open, including dead ones that aren't swept yet.
    pub attached: Vec<usize>,
    /// Whether its name still leads to it: another program may have removed the name.
    pub present: bool,
    /// Whether the next sweep erases it.
    pub doomed: bool,
}

/// A group of users.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupInfo {
    /// Its id.
    pub id: u32,
    /// Its name, if it has one on this system.
    pub name: Option<String>,
}

/// A domain, read without a lock.
#[derive(Clone, Debug)]
pub struct DomainInfo {
    /// The group whose members share it; `None`: it is of one user.
    pub group: Option<GroupInfo>,
    /// Name of the control segment; `None` if there is none.
    pub control: Option<String>,
    /// Names of the control segment that other users have.
    pub taken: Vec<Taken>,
    /// Size of the control segment in bytes.
    pub control_size: u64,
    /// All agents, including dead ones that aren't swept yet.
    pub agents: Vec<AgentInfo>,
    /// All objects, sorted by name.
    pub objects: Vec<ObjectInfo>,
    /// Room for shared memory.
    pub headroom: Headroom,
    /// The memory that this process may still use, if the system tells.
    pub memory: Option<Headroom>,
    /// Whether shared memory is made of huge pages, if the system tells.
    pub huge_pages: Option<HugePages>,
    /// Id of the living process that holds the registry's mutex, if any. A process that runs holds
    /// it for microseconds.
    pub registry_held_by: Option<u32>,
}

/// Why no object can be made in that domain now; `None` if one can.
#[must_use]
pub fn obstacle<'a>(domain: impl Into<DomainName<'a>>) -> Option<Error> {
    match party(domain.into()) {
        Ok(party) => sys::rehearse(party).err().map(|e| storage_error("making shared memory", 1, &e)),
        Err(e) => Some(e),
    }
}

/// Inspects the domain of that name.
///
/// # Errors
/// `ERR_INVALID_NAME`, `ERR_INVALID_ARG` (no such group), `ERR_UNSUPPORTED` (a group on macOS or
/// Windows), `ERR_CORRUPT`, `ERR_PERMISSION`, `ERR_OS`.
pub fn inspect<'a>(domain: impl Into<DomainName<'a>>) -> Result<DomainInfo> {
    let domain = domain.into();
    // If there is no shared memory, `obstacle` says why.
    let none = Headroom { limit: Limit::SharedMemory, total: 0, free: 0 };
    let headroom = sys::headroom().unwrap_or(none);
    let mut info = DomainInfo {
        group: party(domain)?.group().map(|id| GroupInfo { id, name: sys::group_name(id) }),
        control: None,
        taken: Domain::taken(domain)?,
        control_size: 0,
        agents: Vec::new(),
        objects: Vec::new(),
        headroom,
        memory: sys::memory_limit(),
        huge_pages: sys::huge_pages(),
        registry_held_by: None,
    };
    let Some(domain) = Domain::open_existing(domain)? else { return Ok(info) };
    if domain.is_retired() {
        return Ok(info);
    }
    let control = domain.control();
    info.control = Some(domain.shown_name());
    info.control_size = domain.size();
    for (slot, agent) in control.agents.iter().enumerate() {
        if agent.instance.load(Acquire) != 0 {
            let (pid, thread) = (agent.pid.load(Relaxed), agent.thread.load(Relaxed));
            info.agents.push(AgentInfo { slot, pid, thread, alive: domain.is_alive_in(slot) });
        }
    }
    // One question to the kernel for each agent, not for each object. A slot that had no living
    // agent may have a newcomer by now.
    let seen_alive: HashSet<usize> =
        info.agents.iter().filter(|agent| agent.alive).map(|agent| agent.slot).collect();
    let lives = |slot: usize| seen_alive.contains(&slot) || domain.is_alive_in(slot);
    info.objects = domain.used_entries().iter().filter_map(|entry| object(&domain, entry, lives)).collect();
    info.objects.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    // The table of named locks stays for as long as an agent is left: `Registry::is_wanted`.
    for table in info.objects.iter_mut().filter(|object| object.kind == Some(Kind::LockManager)) {
        table.doomed &= seen_alive.is_empty();
    }
    let owner = Owner::of(control.header.registry.owner.load(Relaxed));
    info.registry_held_by = owner
        .filter(|owner| domain.life.is_alive(owner.instance))
        .and_then(|owner| Some(control.agents.get(usize::from(owner.slot))?.pid.load(Relaxed)));
    Ok(info)
}

fn has_user(attached: &[usize], lives: impl Fn(usize) -> bool) -> bool {
    if seeded(Fault::DoomedBesideTheDead) {
        return attached.iter().all(|&slot| lives(slot));
    }
    attached.iter().any(|&slot| lives(slot))
}

/// The object of an entry; `None` if there is none, or if the entry changed while it was read.
fn object(domain: &Domain, entry: &Entry, lives: impl Fn(usize) -> bool) -> Option<ObjectInfo> {
    let is_live = || entry.state.load(Acquire) == LIVE;
    let id = entry.id.load(Relaxed);
    if !is_live() {
        return None;
    }
    let name = name_of(entry)?;
    let attached: Vec<usize> = entry.attached.iter().collect();
    let persist = entry.persist.load(Relaxed) != 0;
    let file = entry.file.load(Relaxed);
    let info = ObjectInfo {
        present: domain.place.identify(&name).ok().flatten().is_some_and(|now| now.file == file),
        kind: Kind::from_stored(entry.kind.load(Relaxed)),
        size: bytes_of(domain, entry),
        persist,
        doomed: !persist && !has_user(&attached, lives),
        attached,
        name,
    };
    (is_live() && entry.id.load(Relaxed) == id).then_some(info)
}
