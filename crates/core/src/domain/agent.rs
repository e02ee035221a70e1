//! An agent: one Node environment, with a seat in its domain and the handles that it has open.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use super::control::Domain;
use super::listener::{Listener, LoopBell};
use super::name::DomainName;
use super::registry::{ObjectRef, Registry, Swept};
use super::seat::Seat;
use super::watch::AgentId;
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::locks::{DEFERRABLE_TIMEOUT, STUCK_TIMEOUT};
use crate::sync::Ordering::Release;
use crate::sys::{self, Place};
use crate::wait::Peers;

/// One agent of a domain. It belongs to the thread that registered it.
pub struct Agent {
    seat: Seat,
    /// Number of open handles of each object. The registry only knows whether the agent is
    /// attached.
    handles: RefCell<HashMap<ObjectRef, u32>>,
    /// Result of the sweep at registration, until `collect_garbage` reports it.
    found_on_arrival: Cell<Swept>,
    /// Closed objects from which the registry couldn't detach this agent yet.
    leaving: RefCell<Vec<ObjectRef>>,
}

impl Agent {
    /// Joins a domain, creates it if there is none, and sweeps what dead agents left in it.
    /// `thread` is for display: the id of the worker thread, 0 for the main thread.
    ///
    /// # Errors
    /// `ERR_INVALID_NAME`, `ERR_INVALID_ARG` (no such group), `ERR_UNSUPPORTED` (a group on macOS
    /// or Windows), `ERR_LIMIT` (1,024 agents), `ERR_NO_SPACE`, `ERR_CORRUPT`, `ERR_TIMEOUT`,
    /// `ERR_PERMISSION` (not a member of the group), `ERR_OS`.
    pub fn register<'a>(domain: impl Into<DomainName<'a>>, thread: u32) -> Result<Agent> {
        let domain = domain.into();
        loop {
            let (seat, was_dead) = Seat::claim(Domain::open_or_create(domain)?, thread)?;
            let registry = Registry::lock(&seat, STUCK_TIMEOUT)?;
            if !seat.domain().is_retired() || seeded(Fault::EnterRetiredDomain) {
                let mut swept = Swept { agents: u32::from(was_dead), ..Swept::default() };
                if !seeded(Fault::EnterWithoutSweep) {
                    swept = swept + registry.sweep_on_arrival(was_dead);
                }
                drop(registry);
                fail::point("register.swept");
                return Ok(Agent {
                    seat,
                    handles: RefCell::default(),
                    found_on_arrival: Cell::new(swept),
                    leaving: RefCell::default(),
                });
            }
            // The agent that retired the domain may have died before it removed the name.
            seat.domain().remove_control()?;
            seat.vacate();
        }
    }

    /// Sweeps what dead agents left behind. The first call also counts what registration swept.
    ///
    /// # Errors
    /// `ERR_TIMEOUT` if a stopped process holds the registry, `ERR_OS`.
    pub fn collect_garbage(&self) -> Result<Swept> {
        let now = self.registry()?.sweep();
        Ok(self.found_on_arrival.take() + now)
    }

    /// Leaves the domain: detaches from all objects. The last agent to leave cleans up after dead
    /// agents; if the domain is then empty, it marks it retired and removes the control segment. An
    /// agent that ends without this call is swept as a dead one.
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
        // The registry's mutex still names this agent. Its byte stays locked until `self` is
        // dropped, so no other agent takes the mutex from it as from a dead owner.
        Ok(())
    }

    /// The agent's doorbell, for another thread.
    #[must_use]
    pub fn listener(&self) -> Listener {
        Listener::of(&self.seat)
    }

    /// The agent's doorbell, for the event loop of its thread.
    ///
    /// # Errors
    /// `ERR_OS`: the system makes no FIFO beside the control segment.
    pub fn loop_bell(&self) -> Result<LoopBell> {
        LoopBell::of(&self.seat)
    }

    /// Tells all other agents that an agent may have ended. What hears of that calls this.
    pub fn tell_of_endings(&self) {
        self.seat.tell_of_endings();
    }

    /// Whether this agent is told of endings if it doesn't hear of them itself.
    #[must_use]
    pub fn is_told_of_endings(&self) -> bool {
        self.seat.is_told_of_endings()
    }

    /// The owner word of a mutex that this agent holds: `{ instance: 32 | slot + 1: 32 }`.
    #[must_use]
    pub fn owner_word(&self) -> u64 {
        self.seat.me().word()
    }

    /// What other processes know it by.
    #[must_use]
    pub fn id(&self) -> AgentId {
        AgentId { domain: self.seat.domain().id(), instance: self.seat.me().instance }
    }

    /// The descriptor that keeps this agent alive. `None` on Windows, where no other process can
    /// inherit it.
    pub(crate) fn descriptor(&self) -> Option<i32> {
        self.seat.domain().life.descriptor()
    }

    /// Where the files of its domain lie.
    pub(crate) fn place(&self) -> &Place {
        &self.seat.domain().place
    }

    pub(crate) fn seat(&self) -> &Seat {
        &self.seat
    }

    /// Takes the registry's mutex, and catches up on what earlier calls couldn't do without it.
    pub(crate) fn registry(&self) -> Result<Registry<'_>> {
        let registry = self.registry_within(STUCK_TIMEOUT)?;
        if sys::control_is_gone(&self.seat.domain().life) && !seeded(Fault::LostControlUnnoticed) {
            return Err(Error::new(
                Code::Corrupt,
                format!(
                    "the control segment {} was removed while it was in use (by rm, or by systemd's RemoveIPC at logout?), \
                     so new processes don't see this domain; open objects stay usable; restart the domain's processes",
                    self.seat.domain().shown_name()
                ),
            ));
        }
        Ok(registry)
    }

    fn registry_within(&self, timeout: Duration) -> Result<Registry<'_>> {
        let registry = Registry::lock(&self.seat, timeout)?;
        for object in self.leaving.take() {
            // If the system refuses to remove a name, the next sweep tries again.
            let _ = registry.detach(object);
        }
        Ok(registry)
    }

    /// Counts one more handle of an object to which this agent is attached.
    pub(crate) fn attach(&self, object: ObjectRef) {
        *self.handles.borrow_mut().entry(object).or_insert(0) += 1;
    }

    /// How many open handles of an object this agent has.
    pub(crate) fn handles_of(&self, object: ObjectRef) -> u32 {
        self.handles.borrow().get(&object).copied().unwrap_or(0)
    }

    /// Closes one handle. The last one detaches the agent from the object: now, or with the next
    /// call that gets the registry's mutex.
    pub(crate) fn detach(&self, object: ObjectRef) {
        let mut handles = self.handles.borrow_mut();
        let Some(count) = handles.get_mut(&object) else { return };
        *count -= 1;
        if *count > 0 && !seeded(Fault::FirstCloseDetaches) {
            return;
        }
        handles.remove(&object);
        drop(handles);
        // If an earlier call timed out, this one doesn't wait: the holder is probably still
        // stopped.
        let timeout = if self.leaving.borrow().is_empty() { DEFERRABLE_TIMEOUT } else { Duration::ZERO };
        self.leaving.borrow_mut().push(object);
        let _ = self.registry_within(timeout);
    }
}
