//! What to create.

use crate::domain::ObjectRef;
use crate::layout::{Kind, PARAMS};
use crate::sys::Part;

/// What to create.
pub struct Spec<'a> {
    /// `None`: a random name.
    pub name: Option<&'a str>,
    /// What it is.
    pub kind: Kind,
    /// Bytes, at least 1.
    pub size: u64,
    /// Outlives all agents, until it is unlinked.
    pub persist: bool,
    /// Its first contents; the rest is zero.
    pub parts: &'a [Part<'a>],
    /// Where an ndarray's trailer goes.
    pub guard: Option<u64>,
    /// What an object that is more than bytes is made with; then `size` is that of the bytes behind its words.
    pub params: Option<[u64; PARAMS]>,
    /// The object that it goes with, besides those who have it open.
    pub parent: Option<ObjectRef>,
}

impl<'a> Spec<'a> {
    /// An object of that name and size without contents, that goes with the last agent that has it open.
    #[must_use]
    pub fn new(name: &'a str, kind: Kind, size: u64) -> Spec<'a> {
        Spec {
            name: Some(name),
            kind,
            size,
            persist: false,
            parts: &[],
            guard: None,
            params: None,
            parent: None,
        }
    }
}
