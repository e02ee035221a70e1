//! Sweeping what dead agents left (`Registry::sweep`, `sweep_on_arrival`).

use crate::faults::Fault;
use crate::model::Model;
use crate::state::{After, ENTRIES, Live, SLOTS, State, Step, Sweep};

impl Model {
    /// Takes a step of a sweep. Returns false if `step` is another one.
    pub(crate) fn sweep_step(self, s: &mut State, p: u8, step: Step) -> bool {
        let mapped = s.seen_by(p);
        let me = *s.process(p);
        match step {
            Step::SweepLook { why } => {
                let is_dead = |slot: usize, instance| {
                    Some(slot as u8) != me.slot && instance != 0 && !s.is_alive(p, instance)
                };
                let slots = s.controls[mapped].slots;
                let dead =
                    std::array::from_fn(|slot| if is_dead(slot, slots[slot]) { slots[slot] } else { 0 });
                s.processes[usize::from(p)].dead = dead;
                if why == Sweep::Joining && !me.inherits && dead == [0; SLOTS] {
                    s.sweep_slots(p, why);
                } else {
                    self.sweep_from(s, p, why, 0, 0);
                }
            }
            Step::SweepBit { why, index, slot } => {
                s.controls[mapped].entries[usize::from(index)].attached &= !(1 << slot);
                self.sweep_from(s, p, why, index, slot + 1);
            }
            Step::SweepEntry { why, index } => {
                self.sweep_from(s, p, why, index + 1, 0);
                if self.has(Fault::SweepErases) || !self.is_wanted(s, p, index) {
                    self.erase(s, p, index, false);
                }
            }
            Step::SweepFree { why, slot } => {
                let instance = &mut s.controls[mapped].slots[usize::from(slot)];
                if *instance == me.dead[usize::from(slot)] || self.has(Fault::SweepClearsSlotsByStore) {
                    *instance = 0;
                }
                s.processes[usize::from(p)].dead[usize::from(slot)] = 0;
                s.sweep_slots(p, why);
            }
            _ => return false,
        }
        true
    }

    /// Goes on with the sweep from an entry and the bit of a slot.
    fn sweep_from(self, s: &mut State, p: u8, why: Sweep, index: u8, slot: u8) {
        let me = *s.process(p);
        let exists = |index: &u8| s.entry(p, *index).phase == Live;
        let Some(found) = (index..ENTRIES as u8).find(exists) else { return s.sweep_slots(p, why) };
        let inherits = me.inherits && !self.has(Fault::KeepPredecessorsBits);
        let is_dead = |slot: &u8| me.dead[usize::from(*slot)] != 0 || inherits && Some(*slot) == me.slot;
        let first = if found == index { slot } else { 0 };
        s.processes[usize::from(p)].step = match (first..SLOTS as u8).find(is_dead) {
            Some(slot) => Step::SweepBit { why, index: found, slot },
            None => Step::SweepEntry { why, index: found },
        };
    }
}

impl State {
    /// Frees the next slot of a dead agent, or ends the sweep.
    fn sweep_slots(&mut self, p: u8, why: Sweep) {
        let me = &mut self.processes[usize::from(p)];
        me.step = match (me.dead.iter().position(|instance| *instance != 0), why) {
            (Some(slot), _) => Step::SweepFree { why, slot: slot as u8 },
            (None, Sweep::Joining) => Step::Unlock { to: After::Member },
            (None, Sweep::Collecting) => Step::Unlock { to: After::Idle },
            (None, Sweep::Leaving) => Step::Deserted,
        };
    }
}
