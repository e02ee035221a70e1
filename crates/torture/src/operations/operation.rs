//! What the torture knows of an operation.

use crate::scene::Thing;
use crate::setting::Setting;
use crate::stage::Stage;

/// An operation, and the circumstances of its trials.
#[derive(Clone, Copy)]
pub struct Operation {
    pub name: &'static str,
    /// What the victim does, marks included.
    pub life: fn(&Stage),
    pub setting: Setting,
    /// The object that other processes may have to wait for during the operation.
    pub blocks: Option<Thing>,
    /// What another process does before the operation; it dies at the end of this.
    pub before: Option<fn(&Stage)>,
    /// The name of the operation that repairs what a dead victim left of this one.
    pub recovery: &'static str,
}

pub const fn operation(name: &'static str, life: fn(&Stage)) -> Operation {
    Operation { name, life, setting: Setting::Plain, blocks: None, before: None, recovery: "register" }
}

impl Operation {
    pub const fn in_setting(self, setting: Setting) -> Operation {
        Operation { setting, ..self }
    }

    pub const fn blocking(self, thing: Thing) -> Operation {
        Operation { blocks: Some(thing), ..self }
    }

    pub const fn after_death_of(self, corpse: fn(&Stage)) -> Operation {
        Operation { before: Some(corpse), ..self }
    }

    pub const fn recovered_by(self, recovery: &'static str) -> Operation {
        Operation { recovery, ..self }
    }
}
