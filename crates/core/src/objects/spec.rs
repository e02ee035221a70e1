//! What a new object is made of.

use crate::layout::{Kind, PARAMS};
use crate::sys::{Access, Pages, Part};

/// What a new object is made of.
pub struct Spec<'a> {
    /// `None`: a random name.
    pub name: Option<&'a str>,
    /// Its kind.
    pub kind: Kind,
    /// Size in bytes, at least 1. With `params`: of the data behind the object's fields, which may
    /// be 0.
    pub size: u64,
    /// The object outlives all agents, until it is unlinked.
    pub persist: bool,
    /// First contents; the rest is zero.
    pub parts: &'a [Part<'a>],
    /// Offset of an ndarray's trailer.
    pub guard: Option<u64>,
    /// Parameters of an object that is more than bytes.
    pub params: Option<[u64; PARAMS]>,
    /// Who may use the object; `None`: as the domain has it. In a domain of one user that is 0600,
    /// in a domain of a group 0660 and the group.
    pub access: Option<Access>,
    /// What its memory is made of; `Huge` is refused where the system has none.
    pub pages: Pages,
}

impl<'a> Spec<'a> {
    /// An object of that name, kind and size, all zero. It is removed when the last agent that has
    /// it open closes it.
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
            access: None,
            pages: Pages::Usual,
        }
    }
}
