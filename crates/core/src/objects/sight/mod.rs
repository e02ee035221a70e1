//! An object as an onlooker sees it: its state, the agents that hold it, and those that wait at it.
//!
//! A sight takes no lock, enters no table and stores nothing, so it may be of an object that this
//! process hasn't opened, in a domain that it hasn't joined. Nothing there counts it as a user. All
//! words are read one after the other: of a change that is under way, a sight may show a part.

mod facts;
mod holders;
mod observe;
mod waiters;

use std::cell::RefCell;
use std::collections::HashMap;

pub use facts::{Fact, Worth};
pub use holders::{Hold, Holder};
pub use observe::{Observed, SeenNamedLock, Subject, observe};
pub use waiters::{Aim, Waiter};

use super::header::Words;
use super::object::Object;
use crate::domain::Domain;
use crate::error::{Code, Error, Result};
use crate::layout::{
    GUARD_MAGIC, GuardWords, Kind, LAYOUT_VERSION, ObjectHeader, Owner, PAGE, PARAMS, WORDS,
};
use crate::region::Region;
use crate::sync::Ordering::{Acquire, Relaxed};
use crate::wait::Peers;

/// An object in mapped memory, and the domain whose agents its owner words name.
pub(super) struct Sight<'a> {
    name: &'a str,
    kind: Kind,
    region: Region<'a>,
    domain: &'a Domain,
    /// The agent that looks, if one does.
    me: Option<Owner>,
    /// Which agents live: the kernel is asked once for each.
    lives: RefCell<HashMap<u32, bool>>,
}

impl<'a> Sight<'a> {
    fn new(name: &'a str, kind: Kind, region: Region<'a>, domain: &'a Domain) -> Sight<'a> {
        Sight { name, kind, region, domain, me: None, lives: RefCell::default() }
    }

    /// The object's fields. Its header was checked.
    fn words<T: Words>(&self) -> Result<&'a T> {
        debug_assert!(T::KINDS.contains(&self.kind));
        self.region.at(WORDS)
    }

    fn params(&self) -> Result<[u64; PARAMS]> {
        let header: &ObjectHeader = self.region.at(0)?;
        Ok(std::array::from_fn(|i| header.params[i].load(Relaxed)))
    }

    fn lives(&self, owner: Owner) -> bool {
        let ask = || self.domain.life.is_alive(owner.instance);
        self.me == Some(owner) || *self.lives.borrow_mut().entry(owner.instance).or_insert_with(ask)
    }

    /// The agent in that slot now.
    fn in_slot(&self, slot: usize) -> Option<Owner> {
        let instance = self.domain.control().agents.get(slot)?.instance.load(Acquire) as u32;
        (instance != 0).then_some(Owner { instance, slot: slot as u16 })
    }

    /// The slot of an agent, unless it lost it.
    fn seat_of(&self, owner: Owner) -> Option<usize> {
        let slot = usize::from(owner.slot);
        (self.in_slot(slot) == Some(owner)).then_some(slot)
    }

    /// The trailer of an array, if it has one of this domain.
    fn guard(&self) -> Option<&'a GuardWords> {
        let trailer = (self.region.len() as u64).checked_sub(PAGE)?;
        let words: &GuardWords = self.region.at(trailer).ok()?;
        let is_ours = words.magic.load(Relaxed) == GUARD_MAGIC
            && words.layout.load(Relaxed) == LAYOUT_VERSION
            && words.domain_id.load(Relaxed) == self.domain.id();
        is_ours.then_some(words)
    }

    fn corrupt(&self) -> Error {
        Error::new(Code::Corrupt, format!("\"{}\" was overwritten; unlink it and create it again", self.name))
    }
}

impl<'a> Object<'a> {
    /// The agents that hold the object, as any onlooker sees them.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn holders(&self) -> Result<Vec<Holder>> {
        self.sight().holders()
    }

    /// The state of the object, as any onlooker sees it.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn facts(&self) -> Result<Vec<Fact>> {
        self.sight().facts()
    }

    fn sight(&self) -> Sight<'a> {
        let (name, region) = (self.segment.name.as_str(), self.segment.region());
        let sight = Sight::new(name, self.kind(), region, self.agent.seat().domain());
        Sight { me: Some(self.peers().me()), ..sight }
    }
}
