//! An agent: one Node environment as the others see it, alive while the kernel holds its byte lock.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use super::control::Domain;
use super::listener::Listener;
use super::name;
use super::registry::{ObjectRef, Registry, Swept};
use super::seat::Seat;
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::locks::{ATTEMPT_TIMEOUT, DEFERRABLE_TIMEOUT, STUCK_TIMEOUT};
use crate::sync::Ordering::Release;
use crate::sys;
use crate::wait::Peers;

/// One participant of a domain. It belongs to the thread that registered it.
pub struct Agent {
    seat: Seat,
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
            let (seat, was_dead) = Seat::claim(Domain::open_or_create(domain)?, thread)?;
            let registry = Registry::lock(&seat, STUCK_TIMEOUT)?;
            if !seat.domain().is_retired() || seeded(Fault::EnterRetiredDomain) {
                let mut swept = Swept { agents: u32::from(was_dead), ..Swept::default() };
                if !seeded(Fault::EnterWithoutSweep) {
                    swept = swept + registry.sweep(true);
                }
                drop(registry);
                fail::point("register.swept");
                return Ok(Agent {
                    seat,
                    handles: RefCell::default(),
                    found_on_arrival: Cell::new(swept),
                    leaving: RefCell::default(),
                    read_spills: RefCell::default(),
                });
            }
            // Whoever retired it may have died before it removed the name.
            seat.domain().remove_control()?;
            seat.vacate();
        }
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
            self.seat.domain().remove_control()?;
            fail::point("leave.removed");
        }
        if !seeded(Fault::LeaveKeepsSlot) {
            self.seat.vacate();
        }
        // The word that unlocks still names us, and our byte is locked until `self` is dropped.
        Ok(())
    }

    /// For a thread that listens to this agent's doorbell.
    #[must_use]
    pub fn listener(&self) -> Listener {
        Listener::of(&self.seat)
    }

    /// This agent as the word of a mutex that it holds names it: `{ instance: 32 | slot + 1: 32 }`.
    #[must_use]
    pub fn owner_word(&self) -> u64 {
        self.seat.me().word()
    }

    pub(crate) fn seat(&self) -> &Seat {
        &self.seat
    }

    /// Takes the registry's lock, and then does what `detach` could not do earlier.
    pub(crate) fn registry(&self) -> Result<Registry<'_>> {
        self.registry_in(STUCK_TIMEOUT)
    }

    /// The same, with other patience.
    pub(crate) fn registry_in(&self, patience: Duration) -> Result<Registry<'_>> {
        let registry = self.registry_within(patience)?;
        if sys::control_is_gone(&self.seat.domain().life) && !seeded(Fault::LostControlUnnoticed) {
            return Err(Error::new(
                Code::Corrupt,
                format!(
                    "somebody removed the control segment {} while it was in use, so new processes can't see us (rm, or \
                     systemd's RemoveIPC at logout?); what is open stays usable; restart the processes of this domain",
                    self.seat.domain().file_name
                ),
            ));
        }
        Ok(registry)
    }

    fn registry_within(&self, patience: Duration) -> Result<Registry<'_>> {
        let registry = Registry::lock(&self.seat, patience)?;
        for object in self.leaving.take() {
            // A name that the system doesn't let us remove stays for the next sweep.
            let _ = registry.detach(object, |parent| self.has_open(parent));
        }
        for number in self.read_spills.take() {
            let _ = registry.erase_spill(&name::numbered_name(number));
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

    fn has_open(&self, object: ObjectRef) -> bool {
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
