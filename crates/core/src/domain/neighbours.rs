//! What an agent remembers of other agents, to make fewer system calls.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use crate::layout::Owner;
use crate::sys::Fifo;

/// For so long an agent that was alive counts as alive, where a mistake costs no more than time.
const LATELY: Duration = Duration::from_millis(10);
const REMEMBERED: usize = 64;
/// The most FIFOs that are kept open.
const MOST_FIFOS: usize = 256;

/// Agents that the kernel said were alive, by their instances.
pub(super) struct LatelyAlive([Cell<Option<(u32, Instant)>>; REMEMBERED]);

impl LatelyAlive {
    pub(super) fn new() -> LatelyAlive {
        LatelyAlive([const { Cell::new(None) }; REMEMBERED])
    }

    /// Whether that agent was alive lately; if it isn't known, `ask` asks the kernel.
    pub(super) fn has(&self, instance: u32, ask: impl FnOnce() -> bool) -> bool {
        let place = &self.0[instance as usize % REMEMBERED];
        if place.get().is_some_and(|(known, seen)| known == instance && seen.elapsed() < LATELY) {
            return true;
        }
        let lives = ask();
        if lives {
            place.set(Some((instance, Instant::now())));
        }
        lives
    }
}

/// The FIFOs of agents whose event loops this agent woke, by slot, with the agents' instances.
#[derive(Default)]
pub(super) struct Fifos(RefCell<HashMap<u16, (u32, Fifo)>>);

impl Fifos {
    /// Writes to the FIFO of that agent. If it can't be opened, the agent's tick makes up for it.
    pub(super) fn ring(&self, owner: Owner, open_fifo: impl FnOnce() -> io::Result<Fifo>) {
        let mut open = self.0.borrow_mut();
        if open.get(&owner.slot).is_none_or(|(instance, _)| *instance != owner.instance) {
            let Ok(fifo) = open_fifo() else { return };
            if open.len() >= MOST_FIFOS {
                open.clear();
            }
            open.insert(owner.slot, (owner.instance, fifo));
        }
        if let Some((_, fifo)) = open.get(&owner.slot) {
            fifo.ring();
        }
    }
}
