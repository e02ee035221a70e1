//! The control segment on Windows.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;

use super::access::Party;
use super::bell_windows;
use super::control::OpenControl;
use super::file::{Part, Taken};
use super::life_windows::Life;
use super::mapping::Mapping;
use super::place_elsewhere::Place;
use super::publish_control::publish_control;
use super::windows::{found, identify, names, path, remove, tidy};

/// Opens the control segment. If there is none, makes it from the parts `create`, if given. It has
/// the largest of `sizes`: a file that is mapped doesn't grow. Its locks are on the file itself:
/// they are far behind its end, and don't concern mappings.
pub(crate) fn open_control(
    _party: Party,
    name: &str,
    sizes: &RangeInclusive<u64>,
    create: Option<&[Part<'_>]>,
) -> io::Result<Option<OpenControl>> {
    let size = *sizes.end();
    loop {
        let file = match (OpenOptions::new().read(true).write(true).open(path(name)?), create) {
            (Ok(file), _) => file,
            (Err(e), None) if e.kind() == ErrorKind::NotFound => return Ok(None),
            (Err(e), Some(parts)) if e.kind() == ErrorKind::NotFound => {
                tidy()?;
                publish_control(&Place, name, size, parts)?;
                continue;
            }
            (Err(e), _) => return Err(e),
        };
        let ours = found(&file)?;
        if ours.size != size {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                format!("it has {} bytes, not {size}", ours.size),
            ));
        }
        let mapping = Mapping::open(name);
        // An identity is never used again. So if the name leads to this file now, it did when the
        // file was mapped.
        if identify(name)? == Some(ours) {
            let mapping = mapping?;
            bell_windows::mapped(mapping.region());
            let name = name.to_owned();
            return Ok(Some(OpenControl { place: Place, name, mapping, life: Life::new(file) }));
        }
    }
}

/// The names of the files that lie where control segments do, as far as the files have them.
pub(crate) fn files_beside_control(_party: Party) -> Vec<String> {
    names()
}

/// The names of the control segment that other users have: none, since the folder is the user's
/// own.
pub(crate) fn control_taken(_party: Party, _name: &str, _sizes: &RangeInclusive<u64>) -> Vec<Taken> {
    Vec::new()
}

/// Removes the control segment's name if it still leads to the file that `life` locks.
pub(crate) fn remove_control(_place: &Place, name: &str, life: &Life) -> io::Result<()> {
    if identify(name)? == Some(found(life.file())?) { remove(name) } else { Ok(()) }
}

/// The user whose control segments these are: the temp folder is the user's own.
pub(crate) fn user() -> String {
    "me".to_owned()
}

/// Bytes of the control segment that may be used: all of it from the beginning.
pub(crate) fn control_len(_: &Life) -> io::Result<u64> {
    Ok(u64::MAX)
}

/// It has all its bytes already.
pub(crate) fn grow_control(_: &Life, _len: u64) -> io::Result<()> {
    Ok(())
}

/// Here no system service removes control segments.
pub(crate) fn control_is_gone(_: &Life) -> bool {
    false
}
