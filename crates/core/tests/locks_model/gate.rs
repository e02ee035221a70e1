//! The short mutex inside a lock. A process stands for its slot: after its death it comes again as
//! another agent. What the dead agent left in the slot is marked as such.

/// How many processes there are, and so how many slots.
pub(crate) const PROCESSES: usize = 3;

/// The mutex's word: its owner, and whether the owner is dead.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Gate {
    owner: Option<(u8, bool)>,
    died: bool,
}

impl Gate {
    /// Takes the mutex, also from a dead owner. Returns whether what it guards may be half-changed,
    /// or `None` if a live process holds it.
    pub(crate) fn lock(&mut self, me: u8) -> Option<bool> {
        if matches!(self.owner, Some((_, false))) {
            return None;
        }
        self.died |= self.owner.is_some();
        self.owner = Some((me, false));
        Some(self.died)
    }

    pub(crate) fn mark_consistent(&mut self) {
        self.died = false;
    }

    pub(crate) fn unlock(&mut self, me: u8) {
        self.owner = self.owner.filter(|(owner, _)| *owner != me);
    }

    /// Process `p` dies.
    pub(crate) fn bury(&mut self, p: u8) {
        if let Some((owner, dead)) = &mut self.owner {
            *dead |= *owner == p;
        }
    }

    /// Whether the mutex is free and what it guards is whole.
    pub(crate) fn is_clean(self) -> bool {
        self.owner.is_none() && !self.died
    }
}

/// What the agent in a slot has of a lock, or what a dead predecessor had.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Share {
    pub(crate) count: u8,
    pub(crate) dead: bool,
}

impl Share {
    /// The count of the live agent in the slot.
    pub(crate) fn mine(self) -> u8 {
        if self.dead { 0 } else { self.count }
    }
}
