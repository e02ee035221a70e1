//! Which states differ only in the numbers of agents and objects, and in the order of processes.

use crate::model::Model;
use crate::state::{Control, Lock, PROCESSES, State, Step};

const ORDERS: [[usize; PROCESSES]; 6] = [[0, 1, 2], [1, 0, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// Gives numbers new values, in the order in which they occur.
#[derive(Default)]
struct Renaming {
    new: [u8; 32],
    count: u8,
}

impl Renaming {
    fn rename(&mut self, number: &mut u8) {
        if *number == 0 {
            return;
        }
        let new = &mut self.new[usize::from(*number)];
        if *new == 0 {
            self.count += 1;
            *new = self.count;
        }
        *number = *new;
    }
}

impl State {
    fn each_instance(&mut self, mut f: impl FnMut(&mut u8)) {
        for control in &mut self.controls {
            f(&mut control.word.owner);
            control.slots.iter_mut().for_each(&mut f);
        }
        for process in &mut self.processes {
            f(&mut process.instance);
            process.dead.iter_mut().for_each(&mut f);
            if let Lock::Cas { seen } = &mut process.lock {
                f(&mut seen.owner);
            }
            if let Step::Enter { before, .. } = &mut process.step {
                f(before);
            }
        }
    }

    fn each_id(&mut self, mut f: impl FnMut(&mut u8)) {
        self.controls.iter_mut().flat_map(|control| &mut control.entries).for_each(|entry| f(&mut entry.id));
        self.files.iter_mut().for_each(|file| f(&mut file.id));
        for process in &mut self.processes {
            let handles = process.handles.iter_mut().chain(&mut process.leaving);
            handles.for_each(|handle| f(&mut handle.id));
            f(&mut process.staged.id);
        }
    }

    /// A number that no agent has, and that occurs in no word that names an agent.
    pub(crate) fn new_instance(&self) -> u8 {
        let mut used = 1_u32;
        { *self }.each_instance(|number| used |= 1 << *number);
        used.trailing_ones() as u8
    }

    /// A number that no object or file has.
    pub(crate) fn new_id(&self) -> u8 {
        let mut used = 1_u32;
        { *self }.each_id(|number| used |= 1 << *number);
        used.trailing_ones() as u8
    }

    /// Sorts control segments in the order in which processes can reach them, and forgets the
    /// others.
    fn sort_controls(&mut self) {
        let mut order = Vec::new();
        let seen = self.processes.iter().flat_map(|process| [process.control, process.mapped]);
        for control in std::iter::once(self.named).chain(seen).flatten() {
            if !order.contains(&control) {
                order.push(control);
            }
        }
        let rename = |control: &mut Option<u8>| {
            let place = order.iter().position(|old| Some(*old) == *control);
            *control = place.map(|place| place as u8);
        };
        let old = std::mem::replace(&mut self.controls, [Control::default(); _]);
        for (new, from) in self.controls.iter_mut().zip(&order) {
            *new = old[usize::from(*from)];
        }
        rename(&mut self.named);
        for process in &mut self.processes {
            rename(&mut process.control);
            rename(&mut process.mapped);
        }
    }
}

impl Model {
    /// The least of the states that differ from this one in the order of processes only, with all
    /// numbers in order.
    pub(crate) fn in_order(self, s: &State) -> State {
        let ordered = |order: &[usize; PROCESSES]| {
            let mut ordered = *s;
            ordered.processes = order.map(|p| s.processes[p]);
            ordered.sort_controls();
            let (mut instances, mut ids) = (Renaming::default(), Renaming::default());
            ordered.each_instance(|number| instances.rename(number));
            ordered.each_id(|number| ids.rename(number));
            ordered
        };
        let count = [1, 1, 2, 6][usize::from(self.processes)];
        ORDERS[..count].iter().map(ordered).min().unwrap_or(*s)
    }
}
