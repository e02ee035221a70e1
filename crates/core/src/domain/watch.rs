//! Another agent's life, as a process sees it that need not be an agent itself.

use std::time::Duration;

use super::control::Domain;
use super::name::DomainName;
use crate::error::Result;
use crate::faults::{Fault, seeded};
use crate::sys::{self, Life};

/// An agent, for other processes: its domain's id, and its instance. Neither number is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentId {
    /// Id of the domain.
    pub domain: u64,
    /// The agent's instance in that domain.
    pub instance: u32,
}

/// Tells whether an agent lives.
pub struct Watch {
    life: Life,
    instance: u32,
}

impl Watch {
    /// `None` if the agent's domain is gone, and the agent with it. A domain of the same name may
    /// have followed.
    ///
    /// # Errors
    /// `ERR_INVALID_NAME`, `ERR_INVALID_ARG`, `ERR_UNSUPPORTED`, `ERR_CORRUPT`, `ERR_PERMISSION`,
    /// `ERR_LIMIT`, `ERR_OS`.
    pub fn of<'a>(domain: impl Into<DomainName<'a>>, agent: AgentId) -> Result<Option<Watch>> {
        let Some(domain) = Domain::open_existing(domain.into())? else { return Ok(None) };
        if domain.id() != agent.domain && !seeded(Fault::NamesakeWatched) {
            return Ok(None);
        }
        Ok(Some(Watch { life: domain.life, instance: agent.instance }))
    }

    /// Whether the agent lives: the kernel's word.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.life.is_alive(self.instance)
    }

    /// Blocks this thread until the agent is gone.
    pub fn wait(&self) {
        while self.life.outlive(self.instance).is_err() && self.is_alive() {
            // The system has no more room for waits.
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Ends this process when that agent is gone, however it went, and whatever this process does then.
/// If `is_process`, the agent's end is also the end of the process `pid`, which is this one's
/// parent: the kernel then ends this process while it is stopped, too.
///
/// # Errors
/// As `Watch::of`; `ERR_OS` if the system gives no thread.
pub fn end_with<'a>(
    domain: impl Into<DomainName<'a>>,
    agent: AgentId,
    pid: u32,
    is_process: bool,
) -> Result<()> {
    if is_process {
        sys::end_with_parent(pid);
    }
    let Some(watch) = Watch::of(domain, agent)? else { sys::end_now() };
    let watched = std::thread::Builder::new().name("crossmem-watch".into()).spawn(move || {
        watch.wait();
        sys::end_now()
    });
    watched.map(|_| ()).map_err(|e| crate::error::Error::os("starting a thread", &e))
}
