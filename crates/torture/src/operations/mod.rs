//! Everything that a process can do with shared memory. Each is a victim's whole life, of which the part between its two
//! marks is watched.

mod channels;
mod locks;
mod queues;
mod registry;

use crate::scene::Thing;
use crate::stage::Stage;
use crate::survivor::Setting;

/// One thing to do.
#[derive(Clone, Copy)]
pub struct Operation {
    pub name: &'static str,
    /// The victim's life.
    pub life: fn(&Stage),
    pub setting: Setting,
    /// What others may have to wait for while it is done.
    pub blocks: Option<Thing>,
    /// Somebody who dies before, at the end of this.
    pub before: Option<fn(&Stage)>,
    /// How what is left of it is repaired: the life of another one, by name.
    pub recovery: &'static str,
}

const fn operation(name: &'static str, life: fn(&Stage)) -> Operation {
    Operation { name, life, setting: Setting::Plain, blocks: None, before: None, recovery: "register" }
}

impl Operation {
    const fn in_setting(self, setting: Setting) -> Operation {
        Operation { setting, ..self }
    }

    const fn blocking(self, thing: Thing) -> Operation {
        Operation { blocks: Some(thing), ..self }
    }

    const fn after_death_of(self, corpse: fn(&Stage)) -> Operation {
        Operation { before: Some(corpse), ..self }
    }

    const fn recovered_by(self, recovery: &'static str) -> Operation {
        Operation { recovery, ..self }
    }
}

pub fn all() -> Vec<Operation> {
    [registry::OPERATIONS, locks::OPERATIONS, queues::OPERATIONS, channels::OPERATIONS].concat()
}
