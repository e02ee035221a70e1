//! Processes that start each other: what is on its way to a new one, and what it knows of its
//! parent.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use crossmem_core::{Agent, AgentId, DomainName, Handover, Kind, Watch, reap};
use napi_derive::napi;

use crate::environment::with_agent;
use crate::error::{Result, closed, invalid, js};

/// An agent, for other processes.
#[napi(object)]
pub struct AgentIdentity {
    /// Id of its domain, in hexadecimal digits.
    pub domain: String,
    /// Its instance.
    pub instance: u32,
}

/// An object that is handed over.
#[napi(object)]
pub struct HandedOver {
    /// Its name.
    pub name: String,
    /// Name of its class.
    pub kind: String,
    /// Of a pipe: the end.
    pub end: Option<u32>,
}

/// Objects on their way.
#[napi(object)]
pub struct HandoverState {
    /// Number in calls.
    pub handle: u32,
    /// What the new process inherits; none on Windows.
    pub descriptor: Option<i32>,
    /// From which agent the receiver takes the ends of pipes.
    pub instance: u32,
}

#[derive(Default)]
struct Handovers {
    open: HashMap<u32, Handover>,
    last_handle: u32,
}

thread_local! {
    /// Dropped when the thread ends: objects that no process inherited lose their agent.
    static HANDOVERS: RefCell<Handovers> = RefCell::default();
}

/// This environment's agent, as other processes know it.
///
/// # Errors
/// `ERR_CLOSED`.
#[napi(catch_unwind)]
pub fn agent_identity() -> Result<AgentIdentity> {
    let id = with_agent(|agent| Ok(Agent::id(agent)))?;
    Ok(AgentIdentity { domain: format!("{:016x}", id.domain), instance: id.instance })
}

/// Opens objects for a process that is about to be started. If one of them can't be opened, none
/// is.
///
/// # Errors
/// As `Handover::begin` and `Handover::add`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn begin_handover(
    domain: String,
    group: Option<String>,
    thread: u32,
    objects: Vec<HandedOver>,
) -> Result<HandoverState> {
    let mut handover = Handover::begin(name(&domain, group.as_deref()), thread).map_err(js)?;
    for HandedOver { name, kind, end } in objects {
        let added = handover.add(&name, Kind::parse(&kind), end.map(|end| end as usize));
        if let Err(error) = added {
            handover.cancel();
            return Err(js(error));
        }
    }
    let (descriptor, instance) = (handover.descriptor(), handover.instance());
    let inserted = HANDOVERS.try_with(|handovers| {
        let mut handovers = handovers.borrow_mut();
        handovers.last_handle = handovers.last_handle.wrapping_add(1);
        let handle = handovers.last_handle;
        handovers.open.insert(handle, handover);
        handle
    });
    Ok(HandoverState { handle: inserted.map_err(|_| closed())?, descriptor, instance })
}

/// Ends this process's part: the new process has the objects, or, if `cancelled`, it doesn't get
/// them. Ending it again does nothing.
#[napi(catch_unwind)]
pub fn end_handover(handle: u32, cancelled: bool) {
    let ended = HANDOVERS.try_with(|handovers| handovers.borrow_mut().open.remove(&handle));
    if let Ok(Some(handover)) = ended
        && cancelled
    {
        handover.cancel();
    }
}

/// Ends this process when that agent is gone. `is_process`: the agent's end is also that of the
/// process `pid`.
///
/// # Errors
/// As `end_with` of the core.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn end_with(
    domain: String,
    group: Option<String>,
    agent: AgentIdentity,
    pid: u32,
    is_process: bool,
) -> Result<()> {
    crossmem_core::end_with(name(&domain, group.as_deref()), id(&agent)?, pid, is_process).map_err(js)
}

/// Whether that agent lives.
///
/// # Errors
/// As `Watch::of`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn agent_lives(domain: String, group: Option<String>, agent: AgentIdentity) -> Result<bool> {
    let watch = Watch::of(name(&domain, group.as_deref()), id(&agent)?).map_err(js)?;
    Ok(watch.is_some_and(|watch| watch.is_alive()))
}

/// Children that this thread's event loop waits for. A worker's loop ends with the worker: then
/// nothing else would wait for them, and they would stay as zombies.
#[derive(Default)]
struct Children(HashSet<u32>);

impl Drop for Children {
    fn drop(&mut self) {
        self.0.drain().for_each(reap);
    }
}

thread_local! {
    static CHILDREN: RefCell<Children> = RefCell::default();
}

/// A worker thread has started that process.
#[napi(catch_unwind)]
pub fn child_started(pid: u32) {
    let _ = CHILDREN.try_with(|children| children.borrow_mut().0.insert(pid));
}

/// That process has ended, and the worker's event loop has taken note.
#[napi(catch_unwind)]
pub fn child_ended(pid: u32) {
    let _ = CHILDREN.try_with(|children| children.borrow_mut().0.remove(&pid));
}

static DESCRIPTION: OnceLock<String> = OnceLock::new();

/// Keeps what this process was told about itself when it was started, for all its threads and all
/// copies of the package.
#[napi(catch_unwind)]
pub fn describe_process(description: String) {
    let _ = DESCRIPTION.set(description);
}

/// What `describe_process` got.
#[napi(catch_unwind)]
pub fn process_description() -> Option<String> {
    DESCRIPTION.get().cloned()
}

fn name<'a>(domain: &'a str, group: Option<&'a str>) -> DomainName<'a> {
    DomainName { name: domain, group }
}

fn id(agent: &AgentIdentity) -> Result<AgentId> {
    let domain = u64::from_str_radix(&agent.domain, 16)
        .map_err(|_| invalid("the id of a domain is sixteen hexadecimal digits"))?;
    Ok(AgentId { domain, instance: agent.instance })
}
