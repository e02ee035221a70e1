//! Who may use a file of shared memory, and whose domain it is.

/// Who may use a file: its permission bits and its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The permission bits, as `chmod` takes them.
    pub mode: u32,
    /// The id of the group; `None`: that of the process that makes the file, or of its domain.
    pub group: Option<u32>,
}

impl Access {
    /// Only processes of the user that makes the file.
    pub(crate) const OWNER: Access = Access { mode: 0o600, group: None };
}

/// The users whose domain it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// The user of this process.
    User,
    /// All users of the group with this id.
    Group(u32),
}

impl Party {
    /// The id of the group.
    pub(crate) fn group(self) -> Option<u32> {
        match self {
            Party::User => None,
            Party::Group(group) => Some(group),
        }
    }
}
