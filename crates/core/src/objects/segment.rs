//! Memory behind a name: created, opened, unlinked, and removed by the last agent that closes it.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use super::access;
use super::header;
use super::spec::Spec;
use crate::domain::{
    Agent, Birth, Company, ObjectRef, Registry, arena_name, check_name, company_of, random_name,
    storage_error,
};
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{GuardWords, Kind, PAGE};
use crate::region::Region;
use crate::sync::Ordering::Relaxed;
use crate::sys::{Access, Arena, Mapping, Pages, Part, Staged};
use crate::wait::{Peers, Sleepers};

/// An open object. `close` detaches the agent; if the object is only dropped, the agent stays
/// attached until it leaves.
pub struct Segment {
    mapping: Arc<Mapping>,
    /// The object's name.
    pub name: String,
    /// Its kind. If another program made it: the kind that the caller asked for.
    pub kind: Kind,
    /// Whether it outlives all agents.
    pub persist: bool,
    file: u64,
    /// `None` if another program made it: then crossmem doesn't remove it.
    pub(super) object: Option<ObjectRef>,
    /// The file of a queue's large messages, or of a map's entries.
    arena: Option<Arena>,
}

impl Segment {
    /// Creates an object: other agents see it whole or not at all.
    ///
    /// # Errors
    /// `ERR_INVALID_NAME`, `ERR_INVALID_ARG` (no bytes, an `access` that can't be), `ERR_EXISTS`,
    /// `ERR_NO_SPACE`, `ERR_LIMIT` (65,536 objects, mappings, descriptors), `ERR_TIMEOUT`,
    /// `ERR_PERMISSION` (of the group, too), `ERR_UNSUPPORTED` (an `access` on macOS or Windows,
    /// huge pages where there are none), `ERR_OS`.
    pub fn create(agent: &Agent, spec: &Spec<'_>) -> Result<Segment> {
        let name = spec.name.map_or_else(random_name, |name| Ok(name.to_owned()))?;
        check_name(&name)?;
        match spec.params {
            None if spec.size == 0 => Err(Error::new(Code::InvalidArg, "a segment has at least 1 byte")),
            None => Self::create_named(agent, &name, spec, false),
            Some(params) => header::with_parts(agent, spec, &params, |with_header| {
                Self::create_named(agent, &name, with_header, header::has_arena(spec.kind, &params))
            }),
        }
    }

    fn create_named(agent: &Agent, name: &str, spec: &Spec<'_>, has_arena: bool) -> Result<Segment> {
        // Before any memory is reserved: it may be gigabytes.
        refuse_taken(&agent.registry()?, name)?;
        let access = access::of_new(agent, spec)?;
        let staged = stage(agent, spec, access)?;
        let arena = has_arena.then(|| match spec.kind {
            Kind::SharedMap => agent.place().stage_map(access),
            _ => agent.place().stage_arena(access),
        });
        let arena = arena.transpose().map_err(|e| refused(spec, &e))?;
        fail::point("create.staged");
        let file = staged.file().map_err(|e| Error::os("asking for the new file's identity", &e))?;
        let registry = agent.registry()?;
        refuse_taken(&registry, name)?;
        let Spec { kind, size, persist, .. } = *spec;
        let birth = Birth { name, kind, size, file, persist, arena: arena.as_ref() };
        let (object, arena, mapping) = registry.enter(&birth, || {
            staged.publish(name)?;
            fail::point("create.linked");
            if seeded(Fault::NameBeforeContents) {
                fill(agent, spec, &staged).map_err(std::io::Error::other)?;
            }
            Ok(agent.place().map(name)?.exactly(spec.size))
        })?;
        // The agents that it rings open the object, for which they need the registry.
        drop(registry);
        agent.announce(name);
        fail::point("create.announced");
        agent.attach(object);
        Ok(Segment {
            mapping: Arc::new(mapping),
            name: name.to_owned(),
            kind: spec.kind,
            persist: spec.persist,
            file,
            object: Some(object),
            arena,
        })
    }

    /// Opens an object of this domain, or any shared memory that another program made and that this
    /// user may use. `kind` `None` allows any kind; another program's memory is then a
    /// `SharedMemory`, but not what is seen to be an object of another domain.
    ///
    /// # Errors
    /// `ERR_INVALID_NAME`, `ERR_NOT_FOUND`, `ERR_WRONG_KIND`, `ERR_WRONG_DOMAIN`, `ERR_CORRUPT` (a
    /// foreign segment without bytes, an object whose header was overwritten), `ERR_LIMIT`,
    /// `ERR_TIMEOUT`, `ERR_PERMISSION`, `ERR_OS`.
    pub fn open(agent: &Agent, name: &str, kind: Option<Kind>) -> Result<Segment> {
        check_name(name)?;
        let segment = Self::open_any(agent, name, kind)?;
        if let Err(e) =
            header::check(agent.seat().domain(), name, segment.kind, segment.region(), segment.is_foreign())
        {
            if !seeded(Fault::RefusedStayAttached) {
                segment.close(agent);
            }
            return Err(e);
        }
        Ok(segment)
    }

    fn open_any(agent: &Agent, name: &str, kind: Option<Kind>) -> Result<Segment> {
        let registry = agent.registry()?;
        let Some(index) = registry.find(name)? else {
            // Still under the registry's lock, so no agent of this domain can create the name
            // meanwhile.
            return Self::open_foreign(agent, name, kind);
        };
        let entry = registry.entry(index);
        let kind = expect_kind(name, entry.kind.load(Relaxed), kind)?;
        let size = entry.size.load(Relaxed);
        let mapping = map(agent, name)?.exactly(size);
        fail::point("open.mapped");
        if mapping.region().len() as u64 != size && !seeded(Fault::SizeTrusted) {
            return Err(Error::new(
                Code::Corrupt,
                format!("\"{name}\" has {} bytes where it was made with {size}", mapping.region().len()),
            ));
        }
        let arena = registry.open_arena(entry)?;
        if seeded(Fault::OpenDetachesOthers) {
            entry.attached.clear();
        }
        if !seeded(Fault::OpenUnattached) {
            entry.attached.insert(usize::from(agent.seat().me().slot));
        }
        fail::point("open.attached");
        registry.tell_users(entry, Fault::ArrivalUntold);
        let object = ObjectRef { index, id: entry.id.load(Relaxed) };
        let persist = entry.persist.load(Relaxed) != 0;
        let file = entry.file.load(Relaxed);
        drop(registry);
        agent.attach(object);
        Ok(Segment {
            mapping: Arc::new(mapping),
            name: name.to_owned(),
            kind,
            persist,
            file,
            object: Some(object),
            arena,
        })
    }

    fn open_foreign(agent: &Agent, name: &str, kind: Option<Kind>) -> Result<Segment> {
        let found =
            agent.place().identify(name).map_err(|e| Error::os(&format!("opening \"{name}\""), &e))?;
        let found = found.ok_or_else(|| not_found(name))?;
        if found.size == 0 {
            return Err(Error::new(
                Code::Corrupt,
                format!("\"{name}\" has no bytes: the program that makes it has not sized it yet; try again"),
            ));
        }
        let mapping = Arc::new(map(agent, name)?);
        if kind.is_none() {
            header::refuse_other_domains(agent.seat().domain(), name, mapping.region())?;
        }
        let kind = kind.unwrap_or(Kind::SharedMemory);
        let (name, file) = (name.to_owned(), found.file);
        Ok(Segment { mapping, name, kind, persist: true, file, object: None, arena: None })
    }

    /// Removes the name now; the memory lives until the last handle is closed. Does nothing if the
    /// name is gone already or leads to another object.
    ///
    /// # Errors
    /// `ERR_TIMEOUT`, `ERR_PERMISSION`, `ERR_OS`.
    pub fn unlink(&self, agent: &Agent) -> Result<()> {
        let registry = agent.registry()?;
        match self.object {
            Some(object) if registry.entry_of(object).is_some() => registry.erase(object.index),
            Some(_) => Ok(()),
            None => remove_foreign(agent, &self.name, Some(self.file)).map(|_| ()),
        }
    }

    /// Closes the handle. The last agent that closes the object erases it, unless it persists. The
    /// bytes stay mapped while a `Mapped` of them is held.
    pub fn close(self, agent: &Agent) {
        if let Some(object) = self.object
            && !seeded(Fault::CloseStaysAttached)
        {
            agent.detach(object);
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn region(&self) -> Region<'_> {
        self.mapping.region()
    }

    /// Whether another program made it.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.object.is_none()
    }

    /// Where the file of a map's entries lies.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`: it has no such file. `ERR_OS`.
    pub fn arena_path(&self, agent: &Agent) -> Result<PathBuf> {
        self.arena_of_map()?;
        let name = arena_name(agent.seat().domain(), self.id());
        agent.place().path_of_arena(&name).map_err(|e| Error::os("looking for the file of a map", &e))
    }

    /// Takes the memory of a range of that file, so that writing there can't fail.
    ///
    /// # Errors
    /// `ERR_NO_SPACE`, `ERR_WRONG_KIND`, `ERR_OS`.
    pub fn reserve_arena(&self, from: u64, to: u64) -> Result<()> {
        let reserved = self.arena_of_map()?.reserve(from, to);
        reserved.map_err(|e| storage_error(&format!("\"{}\"", self.name), to.saturating_sub(from), &e))
    }

    fn arena_of_map(&self) -> Result<&Arena> {
        let arena = self.arena.as_ref().filter(|_| self.kind == Kind::SharedMap);
        arena.ok_or_else(|| Error::new(Code::WrongKind, format!("\"{}\" is no SharedMap", self.name)))
    }

    /// The file of a queue's large messages; `None` if the queue doesn't spill.
    pub(crate) fn arena(&self) -> Option<&Arena> {
        self.arena.as_ref()
    }

    /// Id of the object, never used again in its domain; 0 if another program made it.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.object.map_or(0, |object| object.id)
    }

    /// Whether the object still has its name, and whether another living agent has it open. Takes
    /// no lock.
    #[must_use]
    pub fn company(&self, agent: &Agent) -> Company {
        self.company_now_or(agent, false)
    }

    /// As `company`, but an agent that lived lately counts as living. For a caller that asks again
    /// later.
    #[must_use]
    pub fn company_lately(&self, agent: &Agent) -> Company {
        self.company_now_or(agent, true)
    }

    fn company_now_or(&self, agent: &Agent, lately: bool) -> Company {
        let foreign = Company { linked: true, others: true };
        self.object.map_or(foreign, |object| company_of(agent.seat(), object, lately))
    }

    /// Whether this is the only handle of the object, here and in living agents, and the object has
    /// its name: then no other code reads or writes the bytes.
    #[must_use]
    pub fn is_only_handle(&self, agent: &Agent) -> bool {
        let Company { linked, others } = self.company(agent);
        linked && !others && self.object.is_some_and(|object| agent.handles_of(object) == 1)
    }

    /// Writes over its first bytes.
    ///
    /// # Errors
    /// `ERR_OUT_OF_RANGE`: it has fewer.
    pub fn overwrite(&self, bytes: &[u8]) -> Result<()> {
        self.region().write(0, bytes)
    }

    /// Maps the bytes a second time: closing the handle leaves that mapping alone.
    ///
    /// # Errors
    /// `ERR_LIMIT` (mappings), `ERR_UNSUPPORTED` (not on Linux).
    pub fn map_again(&self) -> Result<Mapped> {
        let again = self.mapping.again().map_err(|e| match e.kind() {
            ErrorKind::Unsupported => {
                Error::new(Code::Unsupported, "only Linux maps the memory of an object a second time")
            }
            _ => Error::os(&format!("mapping \"{}\" a second time", self.name), &e),
        })?;
        Ok(Mapped(Arc::new(again)))
    }

    /// Keeps the bytes mapped after the handle is closed.
    #[must_use]
    pub fn keep_mapped(&self) -> Mapped {
        Mapped(Arc::clone(&self.mapping))
    }
}

/// Bytes that stay mapped as long as this lives.
pub struct Mapped(Arc<Mapping>);

impl Mapped {
    /// The bytes.
    #[must_use]
    pub fn region(&self) -> Region<'_> {
        self.0.region()
    }

    /// Gives the memory back now. The addresses stay valid and read zeros until this is dropped,
    /// since code outside this crate may still hold a pointer into them.
    pub fn release_pages(&self) {
        self.0.release_pages();
    }
}

/// Removes an object, or another program's shared memory, by name, and returns whether there was
/// one.
///
/// # Errors
/// `ERR_INVALID_NAME`, `ERR_TIMEOUT`, `ERR_PERMISSION`, `ERR_OS`.
pub fn unlink_name(agent: &Agent, name: &str) -> Result<bool> {
    check_name(name)?;
    let registry = agent.registry()?;
    match registry.entered_as(name) {
        // `erase` keeps the name if another program has it by now.
        Some(index) => registry.erase(index).map(|()| true),
        None => remove_foreign(agent, name, None),
    }
}

fn map(agent: &Agent, name: &str) -> Result<Mapping> {
    agent.place().map(name).map_err(|e| match e.kind() {
        ErrorKind::NotFound => not_found(name),
        _ => Error::os(&format!("mapping \"{name}\""), &e),
    })
}

pub(super) fn not_found(name: &str) -> Error {
    Error::new(
        Code::NotFound,
        format!(
            "nothing is called \"{name}\" (any more): create it first, or list the names with crossmem ls. A name is \
             removed with its last user; other programs can remove it too, as Python's resource tracker does"
        ),
    )
}

fn expect_kind(name: &str, stored: u32, wanted: Option<Kind>) -> Result<Kind> {
    match (Kind::from_stored(stored), wanted) {
        (Some(is), None) => Ok(is),
        (Some(is), Some(wanted)) if is == wanted => Ok(is),
        (is, _) => Err(Error::new(
            Code::WrongKind,
            format!(
                "\"{name}\" is a {}; open it as that, or with open()",
                is.map_or("newer object", Kind::as_str)
            ),
        )),
    }
}

fn remove_foreign(agent: &Agent, name: &str, only: Option<u64>) -> Result<bool> {
    let doing = format!("removing \"{name}\"");
    let found = agent.place().identify(name).map_err(|e| Error::os(&doing, &e))?;
    match found {
        Some(found)
            if only.is_none_or(|file| file == found.file || seeded(Fault::UnlinkWhateverHasTheName)) => {}
        _ => return Ok(false),
    }
    agent.place().remove(name).map_err(|e| Error::os(&doing, &e))?;
    Ok(true)
}

fn refuse_taken(registry: &Registry<'_>, name: &str) -> Result<()> {
    match registry.find(name)? {
        None => Ok(()),
        Some(_) => Err(Error::new(
            Code::Exists,
            format!("\"{name}\" exists; open it, use openOrCreate, or unlink it first"),
        )),
    }
}

/// Reserves and fills the bytes before they have a name.
fn stage(agent: &Agent, spec: &Spec<'_>, access: Access) -> Result<Staged> {
    let staged = agent.place().stage(spec.size, access, spec.pages).map_err(|e| match e.kind() {
        ErrorKind::Unsupported if spec.pages == Pages::Huge => Error::new(Code::Unsupported, e.to_string()),
        _ => refused(spec, &e),
    })?;
    if !seeded(Fault::NameBeforeContents) {
        fill(agent, spec, &staged)?;
    }
    Ok(staged)
}

/// Writes the first contents.
fn fill(agent: &Agent, spec: &Spec<'_>, staged: &Staged) -> Result<()> {
    let full = |e: std::io::Error| refused(spec, &e);
    for part in spec.parts {
        let inside = part.offset.checked_add(part.len).is_some_and(|end| end <= spec.size);
        if !inside || part.bytes.is_empty() && part.len > 0 {
            return Err(Error::new(Code::InvalidArg, "contents lie outside the segment"));
        }
        staged.write(part).map_err(full)?;
    }
    if let Some(offset) = spec.guard {
        if offset.checked_add(PAGE).is_none_or(|end| end > spec.size) {
            return Err(Error::new(Code::InvalidArg, "the trailer lies outside the segment"));
        }
        let words = GuardWords::initial(agent.seat().domain().id());
        staged.write(&Part { offset, bytes: &words, len: words.len() as u64 }).map_err(full)?;
    }
    Ok(())
}

fn refused(spec: &Spec<'_>, cause: &std::io::Error) -> Error {
    storage_error("reserving shared memory", spec.size, cause)
}
