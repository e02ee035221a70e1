//! A seat: the part of an agent that other agents see. The agent lives while the kernel holds the
//! lock on its byte of the control segment.

use std::time::Duration;

use super::control::Domain;
use super::limits::too_many;
use super::neighbours::Fifos;
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{AGENTS, Doorbell, Owner};
use crate::sync::Ordering;
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::sys::Bell;
use crate::wait::{Peers, asleep};

/// An agent's slot in the control segment, and its byte lock.
pub(crate) struct Seat {
    domain: Domain,
    owner: Owner,
    fifos: Fifos,
}

impl Seat {
    /// Takes a free slot or a dead agent's, and returns whether it was a dead agent's.
    pub(super) fn claim(domain: Domain, thread: u32) -> Result<(Seat, bool)> {
        let control = domain.control();
        let instance = claim_instance(&domain)?;
        fail::point("register.alive");
        for slot in 0..AGENTS {
            let agent = &control.agents[slot];
            let before = agent.instance.load(Acquire);
            if before != 0 && domain.life.is_alive(before as u32) {
                continue;
            }
            if before != 0 {
                domain.remove_fifo(before as u32);
            }
            fail::point("register.choosing");
            if seeded(Fault::SlotByStore) {
                agent.instance.store(instance.into(), Release);
            } else if agent.instance.compare_exchange(before, u64::from(instance), AcqRel, Relaxed).is_err() {
                continue;
            }
            fail::point("register.in-slot");
            agent.doorbell.asleep.store(0, Relaxed);
            agent.doorbell.reactor.store(0, Relaxed);
            agent.pid.store(std::process::id(), Relaxed);
            agent.thread.store(thread, Relaxed);
            let owner = Owner { instance, slot: slot as u16 };
            return Ok((Seat { domain, owner, fifos: Fifos::default() }, before != 0));
        }
        Err(too_many("agents"))
    }

    pub(crate) fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Frees the slot for other agents. The byte stays locked until this is dropped.
    pub(super) fn vacate(&self) {
        self.domain.control().agents[usize::from(self.owner.slot)].instance.store(0, Release);
    }
}

/// An instance number that no agent had before, with its byte locked.
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

impl Peers for Seat {
    fn me(&self) -> Owner {
        self.owner
    }

    fn is_dead(&self, owner: Owner) -> bool {
        owner.instance != self.owner.instance && !self.domain.life.is_alive(owner.instance)
    }

    fn in_slot(&self, slot: usize) -> Option<Owner> {
        let instance = self.domain.control().agents.get(slot)?.instance.load(Ordering::Acquire) as u32;
        (instance != 0).then_some(Owner { instance, slot: slot as u16 })
    }

    fn pid(&self, slot: usize) -> u32 {
        self.domain.control().agents.get(slot).map_or(0, |agent| agent.pid.load(Relaxed))
    }

    fn seems_alive(&self, owner: Owner) -> bool {
        owner.instance == self.owner.instance || self.domain.seems_alive(owner.instance)
    }

    fn bell(&self, slot: usize) -> &Doorbell {
        &self.domain.control().agents[slot].doorbell
    }

    fn park(&self, heard: u32, slice: Duration) {
        let bell = self.bell(usize::from(self.owner.slot));
        bell.fall_asleep(asleep::PARKED);
        Bell::park(&bell.rings, heard, slice);
        bell.wake_up(asleep::PARKED);
    }

    fn rouse(&self, slot: usize, asleep: u32) {
        // This agent's own thread is awake: its loop looks at the doorbell before it sleeps again.
        let is_mine = slot == usize::from(self.owner.slot);
        let asleep = if is_mine { asleep & asleep::REACTOR } else { asleep };
        if asleep & (asleep::PARKED | asleep::REACTOR) != 0 {
            Bell::ring(&self.bell(slot).rings);
        }
        if asleep & asleep::POLLING != 0
            && let Some(agent) = self.in_slot(slot)
        {
            self.fifos.ring(agent, || self.domain.place.open_fifo(&self.domain.fifo_name(agent.instance)));
        }
    }
}
