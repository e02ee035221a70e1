//! The control segment: the file that holds a domain's agents and registry.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::limits::storage_error;
use super::name::{self, DomainName};
use super::neighbours::LatelyAlive;
use crate::error::{Code, Error, Result};
use crate::faults::{Fault, seeded};
use crate::layout::{
    BLOCK, CONTROL_MAGIC, Control, ENTRIES_AT, Entry, LAYOUT_VERSION, OBJECTS, control_size,
};
use crate::sync::Ordering;
use crate::sys::{self, Life, Mapping, OpenControl, Part, Party, Place, Taken};

/// Bytes of a control segment: a new one, and one with all entries.
const SIZES: RangeInclusive<u64> = control_size(BLOCK)..=control_size(OBJECTS);

/// The control segment, mapped, with a descriptor of its own that tells which agents live.
///
/// The address space is that of all entries, but only what is reserved may be touched: beyond, the
/// kernel kills the process (SIGBUS). So the mapping lends no more bytes than the file had when
/// this process last asked. The file never shrinks, so what was there stays there, whatever
/// `entries_used` says. The process asks again when `entries_used` goes beyond what it knows.
pub(crate) struct Domain {
    /// Points into `mapping`; checked when it was opened.
    control: *const Control,
    mapping: Arc<Mapping>,
    pub life: Life,
    lately_alive: LatelyAlive,
    /// Where the files of the domain lie.
    pub place: Place,
    /// Name of the control segment in that place.
    pub(super) file_name: String,
}

impl Domain {
    /// Opens the control segment of the domain; creates it if there is none.
    ///
    /// # Errors
    /// `ERR_INVALID_NAME`, `ERR_INVALID_ARG` (no such group), `ERR_UNSUPPORTED` (a group on macOS
    /// or Windows), `ERR_CORRUPT`, `ERR_NO_SPACE`, `ERR_PERMISSION`, `ERR_LIMIT`, `ERR_OS`.
    pub(crate) fn open_or_create(domain: DomainName<'_>) -> Result<Domain> {
        let mut header = [0_u8; 40];
        header[0..8].copy_from_slice(&CONTROL_MAGIC.to_le_bytes());
        header[8..12].copy_from_slice(&LAYOUT_VERSION.to_le_bytes());
        header[16..24].copy_from_slice(&SIZES.end().to_le_bytes());
        header[24..32].copy_from_slice(&(name::random_u64()? | 1).to_le_bytes());
        header[32..40].copy_from_slice(&1_u64.to_le_bytes());
        let parts = [Part { offset: 0, bytes: &header, len: 40 }];
        let opened = Self::open(domain, Some(&parts))?;
        opened.ok_or_else(|| Error::new(Code::Os, "the control segment vanished while it was made"))
    }

    /// The domain, for a caller that doesn't join it; `None` if it has neither agents nor objects.
    pub(crate) fn open_existing(domain: DomainName<'_>) -> Result<Option<Domain>> {
        Self::open(domain, None)
    }

    fn open(domain: DomainName<'_>, create: Option<&[Part<'_>]>) -> Result<Option<Domain>> {
        name::check_domain_name(domain.name)?;
        let party = party(domain)?;
        let file_name = file_name(domain.name, party);
        let opened = sys::open_control(party, &file_name, &SIZES, create).map_err(|e| match e.kind() {
            std::io::ErrorKind::InvalidData => Error::new(
                Code::Corrupt,
                format!("{file_name} is not a control segment: {e}; stop its processes and remove it"),
            ),
            _ => storage_error(&format!("opening the control segment {file_name}"), *SIZES.start(), &e),
        })?;
        let Some(OpenControl { place, name: file_name, mapping, life }) = opened else { return Ok(None) };
        let control: *const Control = mapping.region().at(0)?;
        let (mapping, lately_alive) = (Arc::new(mapping), LatelyAlive::new());
        let opened = Domain { control, mapping, life, lately_alive, place, file_name };
        let header = &opened.control().header;
        let sound = header.magic.load(Ordering::Relaxed) == CONTROL_MAGIC
            && header.layout.load(Ordering::Relaxed) == LAYOUT_VERSION
            && header.size.load(Ordering::Relaxed) == *SIZES.end();
        if !sound {
            return Err(Error::new(
                Code::Corrupt,
                format!(
                    "the control segment {} has a header of another layout; stop its processes and remove it",
                    opened.shown_name()
                ),
            ));
        }
        Ok(Some(opened))
    }

    /// The names of the domain's control segment that other users have.
    pub(crate) fn taken(domain: DomainName<'_>) -> Result<Vec<Taken>> {
        let party = party(domain)?;
        Ok(sys::control_taken(party, &file_name(domain.name, party), &SIZES))
    }

    /// The path of the control segment below the directory of shared memory.
    pub(crate) fn shown_name(&self) -> String {
        self.place.shown(&self.file_name)
    }

    pub(crate) fn control(&self) -> &Control {
        // SAFETY: inside `mapping` and aligned, as `at` checked; mapped as long as `self`, never
        // moved.
        unsafe { &*self.control }
    }

    /// Bytes of the control segment that are reserved, as far as this process knows.
    pub(crate) fn size(&self) -> u64 {
        self.mapping.region().len() as u64
    }

    /// All entries that are reserved, as far as this process knows.
    pub(crate) fn entries(&self) -> &[Entry] {
        let count = self.size().saturating_sub(ENTRIES_AT) as usize / size_of::<Entry>();
        self.mapping.region().many_at(ENTRIES_AT, count.min(OBJECTS)).unwrap_or(&[])
    }

    /// All entries that were ever used.
    pub(crate) fn used_entries(&self) -> &[Entry] {
        // Acquire: pairs with the Release in `Registry::claim_unused`.
        let used = self.control().header.entries_used.load(Ordering::Acquire) as usize;
        if used > self.entries().len() {
            self.see_growth();
        }
        let reserved = self.entries();
        &reserved[..used.min(reserved.len())]
    }

    /// Reserves the entries of that index and before it, if they aren't. The caller holds the
    /// registry's mutex. If it dies, the next owner finds more reserved than is used.
    ///
    /// # Errors
    /// `ERR_NO_SPACE`, `ERR_OS`. Nothing is changed then.
    pub(super) fn reserve_entry(&self, index: usize) -> Result<()> {
        if index >= self.entries().len() {
            self.see_growth();
        }
        if index < self.entries().len() {
            return Ok(());
        }
        let before = self.size();
        let size = control_size((index + 1).next_multiple_of(BLOCK));
        if !seeded(Fault::EntriesUnreserved) {
            sys::grow_control(&self.life, size)
                .map_err(|e| storage_error("reserving room for more objects", size - before, &e))?;
        }
        self.mapping.grown_to(size);
        Ok(())
    }

    /// Another process may have reserved more.
    fn see_growth(&self) {
        // If the system doesn't tell, what is known stays true.
        if let Ok(size) = sys::control_len(&self.life) {
            self.mapping.grown_to(size);
        }
    }

    /// Keeps the control segment mapped, but no agent alive.
    pub(crate) fn keep_mapped(&self) -> Arc<Mapping> {
        Arc::clone(&self.mapping)
    }

    /// Whether the agent in that slot lives.
    pub(crate) fn is_alive_in(&self, slot: usize) -> bool {
        self.instance_in(slot).is_some_and(|instance| self.life.is_alive(instance))
    }

    /// The instance of the agent in that slot, if it is taken.
    fn instance_in(&self, slot: usize) -> Option<u32> {
        let instance = self.control().agents.get(slot)?.instance.load(Ordering::Acquire);
        (instance != 0).then_some(instance as u32)
    }

    /// Whether that agent lives, or did lately.
    pub(crate) fn seems_alive(&self, instance: u32) -> bool {
        self.lately_alive.has(instance, || self.life.is_alive(instance))
    }

    /// As `is_alive_in`, for an agent that lives or did lately.
    pub(crate) fn seems_alive_in(&self, slot: usize) -> bool {
        self.instance_in(slot).is_some_and(|instance| self.seems_alive(instance))
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.control().header.retired.load(Ordering::Acquire) != 0
    }

    pub(crate) fn id(&self) -> u64 {
        self.control().header.domain_id.load(Ordering::Relaxed)
    }

    /// Name of the FIFO that the event loop of that agent polls. No domain's name contains `~`.
    pub(crate) fn fifo_name(&self, instance: u32) -> String {
        format!("{}~f{instance}", self.file_name)
    }

    /// Removes what a dead agent left beside the control segment.
    pub(crate) fn remove_fifo(&self, instance: u32) {
        // If the system refuses, the file stays: it holds no memory.
        let _ = self.place.remove_fifo(&self.fifo_name(instance));
    }

    pub(crate) fn remove_control(&self) -> Result<()> {
        sys::remove_control(&self.place, &self.file_name, &self.life)
            .map_err(|e| Error::os("removing the control segment", &e))
    }
}

/// `.crossmem-<user>-v<layout>-<domain>`, or with `g<group>` in place of the user: the first name
/// that is tried.
fn file_name(domain: &str, party: Party) -> String {
    format!("{}v{LAYOUT_VERSION}-{domain}", party_prefix(party))
}

/// `.crossmem-<user>-`, or with `g<group>` in place of the user.
pub(super) fn party_prefix(party: Party) -> String {
    let whose = party.group().map_or_else(sys::user, |group| format!("g{group}"));
    format!("{}{whose}-", name::RESERVED_PREFIX)
}

/// The users whose domain it is.
///
/// # Errors
/// As `group_id`; the same codes and `ERR_PERMISSION` for an unfit `CROSSMEM_DIR`.
pub(super) fn party(domain: DomainName<'_>) -> Result<Party> {
    let party = domain.group.map_or(Ok(Party::User), |group| group_id(group).map(Party::Group))?;
    sys::check_directory(party).map_err(|e| setting("using CROSSMEM_DIR", &e))?;
    Ok(party)
}

/// For a setting that the system refused.
fn setting(doing: &str, cause: &std::io::Error) -> Error {
    match cause.kind() {
        std::io::ErrorKind::InvalidInput => Error::new(Code::InvalidArg, cause.to_string()),
        std::io::ErrorKind::Unsupported => Error::new(Code::Unsupported, cause.to_string()),
        _ => Error::os(doing, cause),
    }
}

/// The id of a group, given by name or by number.
///
/// # Errors
/// `ERR_INVALID_ARG` if there is none, `ERR_UNSUPPORTED` on macOS and Windows, `ERR_OS`.
pub(crate) fn group_id(group: &str) -> Result<u32> {
    sys::group_id(group).map_err(|e| setting("looking for a group", &e))
}
