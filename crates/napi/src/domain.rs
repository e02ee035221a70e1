//! Inspecting domains, and sweeping them.

use crossmem_core::{
    Agent, AgentInfo, DomainInfo, DomainName, FoundDomain, GroupInfo, Headroom, HugePages, Kind,
    LAYOUT_VERSION, Limit, ObjectInfo, Swept, Taken, domains, inspect, obstacle,
};
use napi_derive::napi;

use crate::environment::with_agent;
use crate::error::{Result, js};

/// An agent, as the control segment has it.
#[napi(object)]
pub struct AgentRow {
    /// Its slot.
    pub slot: u32,
    /// Its process.
    pub pid: u32,
    /// Its worker thread, 0 for the main thread.
    pub thread: u32,
    /// Whether it is alive.
    pub alive: bool,
}

/// An object, as the registry has it.
#[napi(object)]
pub struct ObjectRow {
    /// Its name.
    pub name: String,
    /// Name of its class.
    pub kind: String,
    /// Bytes of its segment.
    pub byte_length: f64,
    /// It outlives all agents.
    pub persist: bool,
    /// Slots of the agents that have it open.
    pub attached: Vec<u32>,
    /// Whether its segment still has the object's name.
    pub present: bool,
    /// Whether the next sweep removes it.
    pub doomed: bool,
}

/// The memory that this process may still use.
#[napi(object)]
pub struct MemoryRow {
    /// The file that states the limit of a cgroup; none if the machine's memory is the limit.
    pub cgroup: Option<String>,
    /// Bytes in all.
    pub total_bytes: f64,
    /// Free bytes.
    pub free_bytes: f64,
}

/// Whether shared memory is made of huge pages.
#[napi(object)]
pub struct HugePagesRow {
    /// The option `huge=` of the mount of `/dev/shm`.
    pub mount: String,
    /// `shmem_enabled` of the system, if it tells.
    pub system: Option<String>,
}

/// A name of the control segment that another user has.
#[napi(object)]
pub struct TakenRow {
    /// The file.
    pub path: String,
    /// The id of the user.
    pub owner: u32,
}

/// A group of users.
#[napi(object)]
pub struct GroupRow {
    /// Its id.
    pub id: u32,
    /// Its name, if it has one on this system.
    pub name: Option<String>,
}

/// The state of a domain at about one instant.
#[napi(object)]
pub struct DomainState {
    /// The group whose members share it; none if it is of one user.
    pub group: Option<GroupRow>,
    /// Name of the control segment, if there is one.
    pub control: Option<String>,
    /// Names of the control segment that other users have.
    pub taken: Vec<TakenRow>,
    /// Its bytes.
    pub control_bytes: f64,
    /// Agents, dead ones included until they are swept.
    pub agents: Vec<AgentRow>,
    /// Objects.
    pub objects: Vec<ObjectRow>,
    /// Bytes of shared memory that the system allows.
    pub total_bytes: f64,
    /// Bytes of those that are free.
    pub free_bytes: f64,
    /// The memory behind it, if the system tells.
    pub memory: Option<MemoryRow>,
    /// Huge pages, if the system tells.
    pub huge_pages: Option<HugePagesRow>,
    /// The process that holds the registry's mutex.
    pub registry_held_by: Option<u32>,
}

/// A domain that has a control segment now.
#[napi(object)]
pub struct FoundDomainRow {
    /// Its name.
    pub name: String,
    /// The group whose members share it; none if it is of this user.
    pub group: Option<GroupRow>,
    /// The version of its layout.
    pub layout: u32,
    /// Whether that is this addon's, so that it can look into the domain.
    pub readable: bool,
}

/// What a sweep removed.
#[napi(object)]
pub struct SweptCounts {
    /// Dead agents.
    pub agents: u32,
    /// Objects.
    pub objects: u32,
    /// Their bytes.
    pub bytes: f64,
}

/// Reads the state of a domain without joining it. `group`, by name or number: the domain is that
/// group's, not this user's.
///
/// # Errors
/// As `inspect`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn inspect_domain(domain: String, group: Option<String>) -> Result<DomainState> {
    inspect(DomainName { name: &domain, group: group.as_deref() }).map(state).map_err(js)
}

/// Why no object can be made in that domain now: throws the error that making one would throw.
///
/// # Errors
/// As `Segment::create`, whatever the name.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn rehearse_create(domain: String, group: Option<String>) -> Result<()> {
    obstacle(DomainName { name: &domain, group: group.as_deref() }).map_or(Ok(()), |error| Err(js(error)))
}

/// The domains of this user and of the user's groups, sorted.
#[napi(catch_unwind)]
#[must_use]
pub fn find_domains() -> Vec<FoundDomainRow> {
    let row = |FoundDomain { name, group, layout }| FoundDomainRow {
        name,
        group: group.map(group_row),
        layout,
        readable: layout == LAYOUT_VERSION,
    };
    domains().into_iter().map(row).collect()
}

/// Sweeps a domain that this environment need not have joined: joins it as an agent of its own, and
/// leaves.
///
/// # Errors
/// As `Agent::register` and `Agent::collect_garbage`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn sweep_domain(domain: String, group: Option<String>) -> Result<SweptCounts> {
    let agent = Agent::register(DomainName { name: &domain, group: group.as_deref() }, 0).map_err(js)?;
    let swept = agent.collect_garbage().map_err(js);
    agent.leave();
    swept.map(swept_counts)
}

/// Sweeps: removes dead agents, and the objects that only dead agents had open.
///
/// # Errors
/// As `Agent::collect_garbage`.
#[napi(catch_unwind)]
pub fn collect_garbage() -> Result<SweptCounts> {
    with_agent(Agent::collect_garbage).map(swept_counts)
}

/// Makes this environment one of those that are rung when something of that name is created.
/// Returns whether the name leads to something already.
///
/// # Errors
/// As `Agent::await_name`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn await_name(name: String) -> Result<bool> {
    with_agent(|agent| agent.await_name(&name))
}

/// This environment waits for no name any more.
///
/// # Errors
/// `ERR_CLOSED`.
#[napi(catch_unwind)]
pub fn await_no_name() -> Result<()> {
    with_agent(|agent| {
        agent.await_no_name();
        Ok(())
    })
}

fn swept_counts(swept: Swept) -> SweptCounts {
    SweptCounts { agents: swept.agents, objects: swept.objects, bytes: swept.bytes as f64 }
}

fn group_row(GroupInfo { id, name }: GroupInfo) -> GroupRow {
    GroupRow { id, name }
}

fn state(info: DomainInfo) -> DomainState {
    DomainState {
        group: info.group.map(group_row),
        control: info.control,
        taken: info.taken.into_iter().map(taken_row).collect(),
        control_bytes: info.control_size as f64,
        agents: info.agents.into_iter().map(agent_row).collect(),
        objects: info.objects.into_iter().map(object_row).collect(),
        total_bytes: info.headroom.total as f64,
        free_bytes: info.headroom.free as f64,
        memory: info.memory.map(memory_row),
        huge_pages: info.huge_pages.map(|HugePages { mount, system }| HugePagesRow { mount, system }),
        registry_held_by: info.registry_held_by,
    }
}

#[allow(clippy::needless_pass_by_value)]
fn taken_row(taken: Taken) -> TakenRow {
    TakenRow { path: taken.path.to_string_lossy().into_owned(), owner: taken.owner }
}

fn memory_row(room: Headroom) -> MemoryRow {
    let cgroup = match room.limit {
        Limit::Cgroup(file) => Some(file.to_string_lossy().into_owned()),
        _ => None,
    };
    MemoryRow { cgroup, total_bytes: room.total as f64, free_bytes: room.free as f64 }
}

#[allow(clippy::needless_pass_by_value)]
fn agent_row(agent: AgentInfo) -> AgentRow {
    AgentRow { slot: agent.slot as u32, pid: agent.pid, thread: agent.thread, alive: agent.alive }
}

fn object_row(object: ObjectInfo) -> ObjectRow {
    ObjectRow {
        kind: object.kind.map_or("unknown", Kind::as_str).to_owned(),
        name: object.name,
        byte_length: object.size as f64,
        persist: object.persist,
        attached: object.attached.into_iter().map(|slot| slot as u32).collect(),
        present: object.present,
        doomed: object.doomed,
    }
}
