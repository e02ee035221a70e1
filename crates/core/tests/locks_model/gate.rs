//! The short mutex inside a lock. A process is its slot: when it comes again after a death it is another agent, and what
//! its predecessor left says so.

/// Processes, and slots.
pub(crate) const PROCESSES: usize = 3;

/// The mutex's word: who holds it, and whether that one is dead.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Gate {
    owner: Option<(u8, bool)>,
    died: bool,
}

impl Gate {
    /// Takes it, also from the dead; whether what it guards may be half-changed. `None`: a living process holds it.
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

    /// Nobody holds it, and what it guards is whole.
    pub(crate) fn is_clean(self) -> bool {
        self.owner.is_none() && !self.died
    }
}

/// What a slot has of a lock: of the agent that lives there, or of a dead predecessor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Share {
    pub(crate) count: u8,
    pub(crate) dead: bool,
}

impl Share {
    /// The count of who lives in its slot.
    pub(crate) fn mine(self) -> u8 {
        if self.dead { 0 } else { self.count }
    }
}
