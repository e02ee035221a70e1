//! The domains that a process may join: each has a file for its control segment.

use super::control::{Domain, party_prefix};
use super::inspect::GroupInfo;
use super::name::{DomainName, check_domain_name};
use crate::layout::LAYOUT_VERSION;
use crate::sys::{self, Party};

/// A domain that has a control segment now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundDomain {
    /// The group whose members share it; `None`: it is of this user.
    pub group: Option<GroupInfo>,
    /// Its name.
    pub name: String,
    /// The version of its layout. Processes with another one can't look into it.
    pub layout: u32,
}

/// This user's domains, and those of the user's groups, sorted. On Windows those are missing whose
/// names have capital letters or more than some eighty: a hash stands for them there.
#[must_use]
pub fn domains() -> Vec<FoundDomain> {
    let groups = sys::own_groups().into_iter().map(Party::Group);
    let mut found: Vec<FoundDomain> =
        std::iter::once(Party::User).chain(groups).flat_map(domains_of).collect();
    found.sort();
    found.dedup();
    found
}

/// The domain of that id, if it is this user's or of one of the user's groups.
pub(crate) fn domain_of(id: u64) -> Option<FoundDomain> {
    domains().into_iter().filter(|found| found.layout == LAYOUT_VERSION).find(|found| {
        let group = found.group.as_ref().map(|group| group.id.to_string());
        let name = DomainName { name: &found.name, group: group.as_deref() };
        matches!(Domain::open_existing(name), Ok(Some(domain)) if domain.id() == id)
    })
}

fn domains_of(party: Party) -> Vec<FoundDomain> {
    let prefix = party_prefix(party);
    let group = party.group().map(|id| GroupInfo { id, name: sys::group_name(id) });
    let files = sys::files_beside_control(party).into_iter();
    let found = files.filter_map(|file| domain_in(file.strip_prefix(&prefix)?));
    found.map(|(layout, name)| FoundDomain { group: group.clone(), name, layout }).collect()
}

/// `v5-default` and `v5-default~1`: layout 5, `default`. Files that belong to a control segment
/// have another suffix.
fn domain_in(rest: &str) -> Option<(u32, String)> {
    let (layout, name) = rest.strip_prefix("v")?.split_once('-')?;
    let (name, number) = name.split_once('~').unwrap_or((name, "0"));
    number.parse::<u64>().ok()?;
    check_domain_name(name).ok()?;
    Some((layout.parse().ok()?, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::domain_in;

    #[test]
    fn only_control_segments_name_domains() {
        assert_eq!(domain_in("v5-default"), Some((5, "default".to_owned())));
        assert_eq!(domain_in("v12-a-b.c~3"), Some((12, "a-b.c".to_owned())));
        for other in ["v5-default~f17", "v5-default~a3", "v5-", "v-x", "5-x", "v5", "v5-a b"] {
            assert_eq!(domain_in(other), None, "{other}");
        }
    }
}
