//! An agent: one Node environment as the others see it, alive while the kernel holds its byte lock.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::registry::{ObjectRef, Registry, Swept};
use super::{Domain, name, too_many};
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{AGENTS, Owner};
use crate::locks::{ATTEMPT_TIMEOUT, DEFERRABLE_TIMEOUT, STUCK_TIMEOUT};
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::sync::{AtomicU32, Ordering};
use crate::sys::{self, Bell, Mapping};
use crate::wait::Peers;

/// One participant of a domain. It belongs to the thread that registered it.
pub struct Agent {
    domain: Domain,
    me: Owner,
    /// Open handles per object: the registry knows an agent as attached or not.
    handles: RefCell<HashMap<ObjectRef, u32>>,
    /// What the sweep at registration found, until someone asks.
    found_on_arrival: Cell<Swept>,
    /// Objects we closed but could not take ourselves off yet.
    leaving: RefCell<Vec<ObjectRef>>,
    /// Numbers of spilled messages that were read, and whose segments are still there.
    read_spills: RefCell<Vec<u64>>,
}

impl Agent {
    /// Joins a domain, making it if need be, and sweeps what the dead left in it. `thread` is for display:
    /// the worker's id, 0 on the main thread.
    ///
    /// # Errors
    /// `ERR_INVALID_NAME`, `ERR_LIMIT` (1,024 agents), `ERR_NO_SPACE`, `ERR_CORRUPT`, `ERR_TIMEOUT`,
    /// `ERR_PERMISSION`, `ERR_OS`.
    pub fn register(domain: &str, thread: u32) -> Result<Agent> {
        loop {
            let agent = Self::enter(Domain::open_or_create(domain)?, thread)?;
            let registry = Registry::lock(&agent, STUCK_TIMEOUT)?;
            if !agent.domain.is_retired() || seeded(Fault::EnterRetiredDomain) {
                if !seeded(Fault::EnterWithoutSweep) {
                    agent.found_on_arrival.set(agent.found_on_arrival.take() + registry.sweep(true));
                }
                drop(registry);
                fail::point("register.swept");
                return Ok(agent);
            }
            // Whoever retired it may have died before it removed the name.
            agent.remove_control()?;
            registry.control().agents[usize::from(agent.me.slot)].instance.store(0, Release);
        }
    }

    fn enter(domain: Domain, thread: u32) -> Result<Agent> {
        let control = domain.control();
        let instance = claim_instance(&domain)?;
        fail::point("register.alive");
        for slot in 0..AGENTS {
            let agent = &control.agents[slot];
            let before = agent.instance.load(Acquire);
            if before != 0 && domain.life.is_alive(before as u32) {
                continue;
            }
            fail::point("register.choosing");
            if seeded(Fault::SlotByStore) {
                agent.instance.store(instance.into(), Release);
            } else if agent.instance.compare_exchange(before, u64::from(instance), AcqRel, Relaxed).is_err() {
                continue;
            }
            fail::point("register.in-slot");
            agent.pid.store(std::process::id(), Relaxed);
            agent.thread.store(thread, Relaxed);
            let me = Owner { instance, slot: slot as u16 };
            return Ok(Agent {
                domain,
                me,
                handles: RefCell::default(),
                found_on_arrival: Cell::new(Swept { agents: u32::from(before != 0), ..Swept::default() }),
                leaving: RefCell::default(),
                read_spills: RefCell::default(),
            });
        }
        Err(too_many("agents"))
    }

    /// Sweeps what dead agents left behind. The first call counts what registration swept, too.
    ///
    /// # Errors
    /// `ERR_TIMEOUT` when a stopped process holds the registry, `ERR_OS`.
    pub fn collect_garbage(&self) -> Result<Swept> {
        let now = self.registry()?.sweep(false);
        Ok(self.found_on_arrival.take() + now)
    }

    /// Leaves in good order: everything is detached, and the last one out of an empty domain removes it. An
    /// agent that doesn't get here is swept like any other dead one.
    pub fn leave(self) {
        let _ = self.try_leave();
    }

    fn try_leave(&self) -> Result<()> {
        let open: Vec<ObjectRef> = self.handles.borrow_mut().drain().map(|(object, _)| object).collect();
        if !seeded(Fault::LeaveStaysAttached) {
            self.leaving.borrow_mut().extend(open);
        }
        let registry = self.registry_within(DEFERRABLE_TIMEOUT)?;
        fail::point("leave.detached");
        if registry.is_deserted() {
            registry.control().header.retired.store(u32::from(!seeded(Fault::RetireUntold)), Release);
            fail::point("leave.retired");
            self.remove_control()?;
            fail::point("leave.removed");
        }
        if !seeded(Fault::LeaveKeepsSlot) {
            registry.control().agents[usize::from(self.me.slot)].instance.store(0, Release);
        }
        // The word that unlocks still names us, and our byte is locked until `self` is dropped.
        Ok(())
    }

    /// For a thread that listens to this agent's doorbell.
    #[must_use]
    pub fn listener(&self) -> Listener {
        Listener {
            bell: std::ptr::from_ref(self.bell(usize::from(self.me.slot))),
            mapping: self.domain.keep_mapped(),
        }
    }

    /// This agent as the word of a mutex that it holds names it: `{ instance: 32 | slot + 1: 32 }`.
    #[must_use]
    pub fn owner_word(&self) -> u64 {
        self.me.word()
    }

    fn remove_control(&self) -> Result<()> {
        sys::remove_control(&self.domain.file_name, &self.domain.life)
            .map_err(|e| Error::os("removing the control segment", &e))
    }

    pub(crate) fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Takes the registry's lock, and then does what `detach` could not do earlier.
    pub(crate) fn registry(&self) -> Result<Registry<'_>> {
        self.registry_in(STUCK_TIMEOUT)
    }

    /// The same, with other patience.
    pub(crate) fn registry_in(&self, patience: Duration) -> Result<Registry<'_>> {
        let registry = self.registry_within(patience)?;
        if sys::control_is_gone(&self.domain.life) && !seeded(Fault::LostControlUnnoticed) {
            return Err(Error::new(
                Code::Corrupt,
                format!(
                    "somebody removed the control segment {} while it was in use, so new processes can't see us (rm, or \
                     systemd's RemoveIPC at logout?); what is open stays usable; restart the processes of this domain",
                    self.domain.file_name
                ),
            ));
        }
        Ok(registry)
    }

    fn registry_within(&self, patience: Duration) -> Result<Registry<'_>> {
        let registry = Registry::lock(self, patience)?;
        for object in self.leaving.take() {
            // A name that the system doesn't let us remove stays for the next sweep.
            let _ = registry.detach(object);
        }
        for number in self.read_spills.take() {
            let _ = registry.erase_spill(&name::numbered(number));
        }
        Ok(registry)
    }

    /// Removes the segment of a message that was too large for its queue: now, or with the next call that gets through to the
    /// registry.
    pub(crate) fn remove_spill(&self, number: u64) {
        let patience = if self.read_spills.borrow().is_empty() { ATTEMPT_TIMEOUT } else { Duration::ZERO };
        self.read_spills.borrow_mut().push(number);
        let _ = self.registry_within(patience);
    }

    /// Counts one more handle of an object that the registry has us attached to.
    pub(crate) fn attach(&self, object: ObjectRef) {
        *self.handles.borrow_mut().entry(object).or_insert(0) += 1;
    }

    pub(crate) fn has_open(&self, object: ObjectRef) -> bool {
        self.handles.borrow().contains_key(&object)
    }

    /// Closes one handle; the last one takes us off the object. If the registry is stuck, that happens with
    /// the next call that gets through.
    pub(crate) fn detach(&self, object: ObjectRef) {
        let mut handles = self.handles.borrow_mut();
        let Some(count) = handles.get_mut(&object) else { return };
        *count -= 1;
        if *count > 0 && !seeded(Fault::FirstCloseDetaches) {
            return;
        }
        handles.remove(&object);
        drop(handles);
        // Whoever waited in vain a moment ago doesn't wait again.
        let patience = if self.leaving.borrow().is_empty() { DEFERRABLE_TIMEOUT } else { Duration::ZERO };
        self.leaving.borrow_mut().push(object);
        let _ = self.registry_within(patience);
    }
}

/// An agent's doorbell, for another thread than the agent's own. It keeps nobody alive.
pub struct Listener {
    bell: *const AtomicU32,
    #[expect(dead_code, reason = "keeps the doorbell mapped")]
    mapping: Arc<Mapping>,
}

// SAFETY: a doorbell is an atomic in memory that `mapping` keeps where it is.
unsafe impl Send for Listener {}
// SAFETY: as above.
unsafe impl Sync for Listener {}

impl Listener {
    fn bell(&self) -> &AtomicU32 {
        // SAFETY: `mapping` keeps it mapped; it is an atomic, so any value others write is one of its type.
        unsafe { &*self.bell }
    }

    /// What the doorbell shows now.
    #[must_use]
    pub fn heard(&self) -> u32 {
        // Acquire: pairs with the Release in `wake`.
        self.bell().load(Ordering::Acquire)
    }

    /// Sleeps while it shows `heard`, for `slice` at the most. May return for no reason.
    pub fn park(&self, heard: u32, slice: Duration) {
        Bell::park(self.bell(), heard, slice);
    }

    /// Rings it.
    pub fn ring(&self) {
        self.bell().fetch_add(1, Ordering::Release);
        Bell::ring(self.bell());
    }
}

/// An instance number that nobody had before, with its byte locked.
fn claim_instance(domain: &Domain) -> Result<u32> {
    let next = &domain.control().header.next_instance;
    if seeded(Fault::InstanceReused) {
        next.store(1, Relaxed);
    }
    loop {
        let instance = u32::try_from(next.fetch_add(1, Relaxed)).map_err(|_| {
            Error::new(Code::Limit, "this domain has used up its 2^32 agents; remove its control segment")
        })?;
        fail::point("register.numbered");
        if instance != 0
            && domain
                .life
                .claim(instance)
                .map_err(|e| Error::os("locking a byte of the control segment", &e))?
        {
            return Ok(instance);
        }
    }
}

impl Peers for Agent {
    fn me(&self) -> Owner {
        self.me
    }

    fn is_dead(&self, owner: Owner) -> bool {
        owner.instance != self.me.instance && !self.domain.life.is_alive(owner.instance)
    }

    fn in_slot(&self, slot: usize) -> Option<Owner> {
        let instance = self.domain.control().agents.get(slot)?.instance.load(Ordering::Acquire) as u32;
        (instance != 0).then_some(Owner { instance, slot: slot as u16 })
    }

    fn pid(&self, slot: usize) -> u32 {
        self.domain.control().agents.get(slot).map_or(0, |agent| agent.pid.load(Relaxed))
    }

    fn bell(&self, slot: usize) -> &AtomicU32 {
        &self.domain.control().agents[slot].doorbell
    }

    fn park(&self, bell: &AtomicU32, heard: u32, slice: Duration) {
        Bell::park(bell, heard, slice);
    }

    fn ring(&self, bell: &AtomicU32) {
        Bell::ring(bell);
    }
}
