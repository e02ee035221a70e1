//! Who may use a new object.
//!
//! Opening needs the permission to read and to write: a lock changes the object, and an
//! `ArrayBuffer` can't be read-only, so a program that wrote to it would be ended by the system.

use super::spec::Spec;
use crate::domain::{Agent, group_id};
use crate::error::{Code, Error, Result};
use crate::layout::Kind;
use crate::sys::Access;

impl Access {
    /// What a caller wants for a new object; `None` if nothing: then it is as the domain has it.
    /// `group` by name or number; with a group, the mode is 0660 unless it is given.
    ///
    /// # Errors
    /// `ERR_INVALID_ARG` if there is no such group, `ERR_UNSUPPORTED` on macOS and Windows,
    /// `ERR_OS`.
    pub fn wanted(mode: Option<u32>, group: Option<&str>) -> Result<Option<Access>> {
        if mode.is_none() && group.is_none() {
            return Ok(None);
        }
        let group = group.map(group_id).transpose()?;
        Ok(Some(Access { mode: mode.unwrap_or(0o660), group }))
    }
}

/// Who may use the new object.
pub(crate) fn of_new(agent: &Agent, spec: &Spec<'_>) -> Result<Access> {
    let default = agent.place().access();
    let Some(wanted) = spec.access else { return Ok(default) };
    check(wanted.mode, spec.kind, agent.place().group().is_some(), wanted.group.is_some())?;
    Ok(Access { mode: wanted.mode, group: wanted.group.or(default.group) })
}

fn check(mode: u32, kind: Kind, is_groups: bool, has_group: bool) -> Result<()> {
    let refuse = |why: String| Err(Error::new(Code::InvalidArg, why));
    if !matches!(mode, 0o600 | 0o660 | 0o666) {
        return refuse(format!(
            "the mode {mode:04o} can't work: a process that opens an object reads and writes it; use 0600 (one user), 0660 (its \
             group) or 0666 (all users)"
        ));
    }
    if is_groups && mode == 0o666 {
        return refuse(
            "the mode 0666 can't work in a domain of a group: other users can't enter the group's directory; use 0660, \
             or make it in a domain of one user"
                .to_owned(),
        );
    }
    let is_shared = mode != 0o600 || has_group;
    if !is_groups && is_shared && !kind.is_plain() {
        return refuse(format!(
            "this domain is of one user, and a {} works among processes of its domain only, so no mode or group lets other \
             users use it; set CROSSMEM_GROUP in all processes to share a domain",
            kind.as_str()
        ));
    }
    Ok(())
}
