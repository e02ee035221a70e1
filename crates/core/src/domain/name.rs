//! Names of objects and domains.

use crate::error::{Code, Error, Result};

/// A domain: its name, and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct DomainName<'a> {
    /// 1 to 64 of `A-Z a-z 0-9 _ - .`
    pub name: &'a str,
    /// A group, by name or number: all its members share the domain. `None`: the domain is this
    /// user's own.
    pub group: Option<&'a str>,
}

impl<'a> From<&'a str> for DomainName<'a> {
    /// The domain of that name of this user.
    fn from(name: &'a str) -> DomainName<'a> {
        DomainName { name, group: None }
    }
}

impl<'a> From<&'a String> for DomainName<'a> {
    /// The domain of that name of this user.
    fn from(name: &'a String) -> DomainName<'a> {
        name.as_str().into()
    }
}

/// Longest name in bytes of UTF-8. glibc's `shm_open` takes 253; a name must suit Python as well.
pub const NAME_MAX: usize = 250;

/// Prefix of crossmem's own files.
pub(crate) const RESERVED_PREFIX: &str = ".crossmem-";

/// Refuses names that can't be those of a POSIX shared memory object, or would break a table on a
/// terminal.
///
/// # Errors
/// `ERR_INVALID_NAME` with the reason.
pub fn check_name(name: &str) -> Result<()> {
    let reason = if name.is_empty() {
        "is empty"
    } else if name == "." || name == ".." {
        "is a directory"
    } else if name.contains(['/', '\\']) {
        "contains a slash"
    } else if name.chars().any(char::is_control) {
        "contains a control character"
    } else if name.len() > NAME_MAX {
        "is too long"
    } else if name.starts_with(RESERVED_PREFIX) {
        "is reserved for crossmem itself"
    } else {
        return Ok(());
    };
    let shown: String = name.chars().take(40).flat_map(char::escape_default).collect();
    Err(Error::new(
        Code::InvalidName,
        format!(
            "the name \"{shown}\" {reason}; use 1 to {NAME_MAX} bytes without slashes or control \
             characters, not starting with {RESERVED_PREFIX}"
        ),
    ))
}

/// Checks the name of a domain (`CROSSMEM_DOMAIN`), which becomes part of a file's name.
///
/// # Errors
/// `ERR_INVALID_NAME`.
pub fn check_domain_name(domain: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if domain.is_empty() || domain.len() > 64 || !domain.chars().all(plain) {
        return Err(Error::new(
            Code::InvalidName,
            format!("the domain \"{}\" must be 1 to 64 of A-Z a-z 0-9 _ - .", domain.escape_default()),
        ));
    }
    Ok(())
}

/// A random name, for objects that are passed on by reference.
///
/// # Errors
/// `ERR_OS` if the system provides no random bytes.
pub fn random_name() -> Result<String> {
    Ok(format!("crossmem_{:016x}", random_u64()?))
}

pub(crate) fn random_u64() -> Result<u64> {
    getrandom::u64().map_err(|e| Error::new(Code::Os, format!("the system provides no random bytes: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_for_their_reason() {
        for (bad, reason) in [
            ("", "empty"),
            ("/", "slash"),
            ("..", "directory"),
            ("a/b", "slash"),
            ("a\0b", "control"),
            ("line\nbreak", "control"),
            (&"x".repeat(300), "too long"),
            (".crossmem-0-v1-default", "reserved"),
        ] {
            let error = check_name(bad).unwrap_err();
            assert_eq!(error.code, Code::InvalidName);
            assert!(error.message.contains(reason), "{bad:?}: {}", error.message);
        }
        for good in ["a", "psm_1234", "été", "冷蔵庫", ".hidden", &"x".repeat(NAME_MAX)] {
            check_name(good).unwrap();
        }
    }
}
