//! One operation, as the torture knows it.

use crate::scene::Thing;
use crate::setting::Setting;
use crate::stage::Stage;

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
