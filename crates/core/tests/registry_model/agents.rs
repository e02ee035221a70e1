//! Joining a domain, and leaving it (`sys::open_control`, `Agent::register`, `try_leave`,
//! `Registry::is_deserted`).

use crate::explore::Violation;
use crate::faults::Fault;
use crate::model::Model;
use crate::state::{After, CONTROLS, Control, Free, GONE, Lock, SLOTS, State, Step, Sweep};

impl Model {
    /// Takes a step of joining, leaving or sweeping. Returns false if `step` is another one.
    pub(crate) fn agent_step(self, s: &mut State, p: u8, step: Step) -> Result<bool, Violation> {
        let mapped = s.seen_by(p);
        let before = *s;
        let me = &mut s.processes[usize::from(p)];
        let control = &mut s.controls[mapped];
        me.step = match step {
            Step::Gone => Step::Open,
            Step::Open => {
                me.control = s.named;
                if s.named.is_some() { Step::Map } else { Step::Publish }
            }
            Step::Publish => {
                if s.named.is_none() {
                    let known = |control: u8| {
                        before.processes.iter().any(|q| [q.control, q.mapped].contains(&Some(control)))
                    };
                    s.named = (0..CONTROLS as u8).find(|control| !known(*control));
                    s.controls[usize::from(s.named.unwrap_or_default())] = Control::default();
                }
                Step::Open
            }
            Step::Map => {
                let same = me.control == s.named || self.has(Fault::MapWithoutSecondLook);
                // If another control segment has the name by now, it is unmapped at once.
                me.mapped = s.named.filter(|_| same);
                match s.named {
                    Some(_) if self.has(Fault::MapWithoutSecondLook) => Step::Claim,
                    Some(_) => Step::Identify,
                    None => {
                        *me = GONE;
                        Step::Open
                    }
                }
            }
            Step::Identify if me.control == s.named => Step::Claim,
            Step::Identify => {
                *me = GONE;
                Step::Open
            }
            Step::Claim => {
                me.alive = me.slot.is_some() || !self.has(Fault::SlotBeforeLife);
                if me.slot.is_some() {
                    me.lock = Lock::Look;
                    me.step = Step::Joined;
                    return Ok(true);
                }
                if me.control != me.mapped {
                    return Err("an agent locks bytes of a file that it has not mapped");
                }
                let living = |instance: &u8| before.processes.iter().any(|q| q.instance == *instance);
                let reused = (1..=u8::MAX).find(|instance| !living(instance)).unwrap_or_default();
                me.instance = if self.has(Fault::InstanceReused) { reused } else { before.new_instance() };
                Step::Scan { slot: 0 }
            }
            Step::Scan { slot } if usize::from(slot) == SLOTS => {
                *me = GONE;
                Step::Gone
            }
            Step::Scan { slot } => {
                let instance = control.slots[usize::from(slot)];
                if before.is_alive(p, instance) {
                    Step::Scan { slot: slot + 1 }
                } else {
                    Step::Enter { slot, before: instance }
                }
            }
            Step::Enter { slot, before } => {
                let instance = &mut control.slots[usize::from(slot)];
                if *instance == before || self.has(Fault::SlotTakenByStore) {
                    *instance = me.instance;
                    me.slot = Some(slot);
                    me.inherits = before != 0;
                    me.lock = Lock::Look;
                    if me.alive {
                        Step::Joined
                    } else {
                        me.lock = Lock::Settled;
                        Step::Claim
                    }
                } else {
                    Step::Scan { slot: slot + 1 }
                }
            }
            _ => return Ok(self.leaving_step(s, p, step) || self.sweep_step(s, p, step)),
        };
        Ok(true)
    }

    /// Takes a step under the mutex that joins or leaves the domain. Returns false if `step` is
    /// another one.
    fn leaving_step(self, s: &mut State, p: u8, step: Step) -> bool {
        let mapped = s.seen_by(p);
        let before = *s;
        let me = &mut s.processes[usize::from(p)];
        let control = &mut s.controls[mapped];
        let mine = usize::from(me.slot.unwrap_or_default());
        me.step = match step {
            Step::Joined if control.retired && !self.has(Fault::JoinRetired) => {
                Step::IdentifyControl { again: true }
            }
            Step::Joined => Step::SweepLook { why: Sweep::Joining },

            Step::Others => {
                let is_other = |(slot, instance): (usize, &u8)| slot != mine && before.is_alive(p, *instance);
                let alone =
                    !control.slots.iter().enumerate().any(is_other) || self.has(Fault::RetireDespiteOthers);
                if alone { Step::SweepLook { why: Sweep::Leaving } } else { Step::ClearSlot { again: false } }
            }
            Step::Deserted => {
                let empty = control.entries.iter().all(|entry| entry.phase == Free)
                    || self.has(Fault::RetireDespiteObjects);
                match empty {
                    true if self.has(Fault::RemoveBeforeRetired) => Step::IdentifyControl { again: false },
                    true => Step::Retire,
                    false => Step::ClearSlot { again: false },
                }
            }
            Step::Retire => {
                control.retired = true;
                if self.has(Fault::RemoveBeforeRetired) {
                    Step::ClearSlot { again: false }
                } else {
                    Step::IdentifyControl { again: false }
                }
            }
            Step::IdentifyControl { again } => {
                let ours = s.named == me.control || s.named.is_some() && self.has(Fault::RemoveControlByName);
                if ours { Step::RemoveControl { again } } else { self.removed(again) }
            }
            Step::RemoveControl { again } => {
                s.named = None;
                self.removed(again)
            }
            Step::ClearSlot { again } => {
                if !self.has(Fault::LeaveSlotFirst) {
                    control.slots[mine] = 0;
                }
                me.slot = None;
                Step::Unlock { to: After::Drop { again } }
            }
            Step::Drop { again } => {
                *me = GONE;
                if again { Step::Open } else { Step::Gone }
            }
            _ => return false,
        };
        true
    }

    /// The next step after the control segment has lost its name.
    fn removed(self, again: bool) -> Step {
        if self.has(Fault::RemoveBeforeRetired) && !again { Step::Retire } else { Step::ClearSlot { again } }
    }
}
