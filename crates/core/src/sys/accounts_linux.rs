//! Users and groups of the system: ids from names, and words for errors.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Gid, Group, Uid, User};

/// The id of a group, given by name or by number.
pub(crate) fn group_id(group: &str) -> io::Result<u32> {
    let unknown = |why: String| Err(io::Error::new(ErrorKind::InvalidInput, why));
    let is_number = !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    let id = if is_number {
        // chown(2) takes the highest number for "no change".
        match group.parse::<u32>() {
            Ok(id) if id != u32::MAX => id,
            _ => return unknown(format!("{group} is no group id: these are 0 to {}", u32::MAX - 1)),
        }
    } else {
        match Group::from_name(group) {
            Ok(Some(found)) => found.gid.as_raw(),
            Ok(None) => {
                let shown = group.escape_default();
                return unknown(format!(
                    "there is no group \"{shown}\" on this system (in this container): give the name of one (getent group) \
                     or its number"
                ));
            }
            Err(e) => return Err(io::Error::other(format!("looking for the group \"{group}\": {e}"))),
        }
    };
    if is_mapped(id) {
        return Ok(id);
    }
    unknown(format!(
        "the group id {id} stands for no group outside this user namespace (/proc/self/gid_map), so no file can have it: \
         map it into the container, or choose another group"
    ))
}

/// Whether the user namespace of this process has that group id (`user_namespaces(7)`). Files of
/// groups that it doesn't have show a group that stands for all of them, usually 65534.
fn is_mapped(group: u32) -> bool {
    // Without /proc, the system refuses to give a file such a group.
    fs::read_to_string("/proc/self/gid_map").map_or(true, |map| maps(&map, group))
}

fn maps(map: &str, id: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse::<u64>);
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(first)), Some(Ok(_)), Some(Ok(count))) => {
                (first..first.saturating_add(count)).contains(&u64::from(id))
            }
            _ => false,
        }
    })
}

/// The groups of this process.
pub(crate) fn own_groups() -> Vec<u32> {
    let mut groups = nix::unistd::getgroups().unwrap_or_default();
    groups.push(Gid::effective());
    groups.sort_unstable_by_key(|group| group.as_raw());
    groups.dedup();
    groups.into_iter().map(Gid::as_raw).collect()
}

/// The name of a group, if it has one here.
pub(crate) fn group_name(group: u32) -> Option<String> {
    Group::from_gid(Gid::from_raw(group)).ok().flatten().map(|group| group.name)
}

/// "staff (50)", or the number alone.
pub(super) fn group_in_words(group: u32) -> String {
    named(group_name(group), group)
}

fn user_in_words(user: u32) -> String {
    named(User::from_uid(Uid::from_raw(user)).ok().flatten().map(|user| user.name), user)
}

fn named(name: Option<String>, id: u32) -> String {
    name.map_or_else(|| id.to_string(), |name| format!("{name} ({id})"))
}

/// Whose file it is, and whose process this is; `None` if the file can't be seen.
pub(super) fn ownership(path: &Path) -> Option<String> {
    let meta = fs::symlink_metadata(path).ok()?;
    Some(format!(
        "{} belongs to user {} and group {} with mode {:04o}, and this process runs as user {}",
        path.display(),
        user_in_words(meta.uid()),
        group_in_words(meta.gid()),
        meta.mode() & 0o7777,
        user_in_words(Uid::effective().as_raw()),
    ))
}

/// This process may not act for that group.
pub(super) fn not_a_member(group: u32) -> io::Error {
    let user = User::from_uid(Uid::effective()).ok().flatten().map(|user| user.name);
    let (shown, words) = (user_in_words(Uid::effective().as_raw()), group_in_words(group));
    let name = group_name(group).unwrap_or_else(|| group.to_string());
    let user = user.unwrap_or_else(|| "USER".to_owned());
    io::Error::new(
        ErrorKind::PermissionDenied,
        format!(
            "this process runs as user {shown} and is not in the group {words}: add the user to it (usermod -aG {name} \
             {user}) and log in again, or start the process with it (sg {name}, newgrp {name}; SupplementaryGroups= of a \
             systemd service; --group-add of a container)"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_given_by_name_or_number() {
        assert_eq!(group_id("root").unwrap(), 0);
        assert_eq!(group_id("0").unwrap(), 0);
        for (bad, why) in [
            ("no such group", "there is no group"),
            ("", "there is no group"),
            ("-1", "there is no group"),
            ("4294967295", "no group id"),
            ("99999999999", "no group id"),
        ] {
            let error = group_id(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{bad:?}");
            assert!(error.to_string().contains(why), "{bad:?}: {error}");
        }
    }

    #[test]
    fn the_map_of_a_user_namespace_says_which_groups_there_are() {
        let rootless = "         0       1001          1\n         1     100000      65536\n";
        for (id, is_there) in [(0, true), (1, true), (65_536, true), (65_537, false), (u32::MAX - 1, false)] {
            assert_eq!(maps(rootless, id), is_there, "{id}");
        }
        assert!(maps("0 0 4294967295", 65_534));
        assert!(!maps("", 0) && !maps("0 0\nx y z\n", 0));
    }
}
