use std::time::Duration;

use crate::domain::{Agent, Seat};
use crate::error::{Code, Result};
use crate::layout::{Kind, NamedLocksWords, PARAMS};
use crate::locks::{
    DEFERRABLE_TIMEOUT, EndedRequest, EnteredRequest, NamedLocks, News, RequestInfo, RequestRef,
    STUCK_TIMEOUT, Wanted, acquire_short,
};
use crate::objects::object::Object;
use crate::objects::segment::Segment;
use crate::objects::spec::Spec;

/// Named locks.
impl<'a> Object<'a> {
    /// Asks for a lock; `None`: it was to be had at once or not at all.
    ///
    /// # Errors
    /// `ERR_TOO_LARGE` (the name), `ERR_LIMIT`, `ERR_CORRUPT`, `ERR_TIMEOUT` when a stopped process is inside.
    pub fn request(&self, wanted: &Wanted<'_>) -> Result<Option<EnteredRequest>> {
        self.table(STUCK_TIMEOUT)?.request(wanted)
    }

    /// Ends a request, pending or held. `untold`: the lock came to it, but whom it was for has not heard of it. Patient only
    /// for a moment, since after `ERR_TIMEOUT` it can be done later.
    ///
    /// # Errors
    /// As `request`.
    pub fn end_request(&self, request: RequestRef, untold: bool) -> Result<EndedRequest> {
        self.table(DEFERRABLE_TIMEOUT)?.end(request, untold)
    }

    /// What became of the caller's requests since it asked last, the oldest first; `sweep`: after granting what the dead
    /// keep from others. Patient only for a moment, since it will be asked again.
    ///
    /// # Errors
    /// As `request`.
    pub fn request_news(&self, sweep: bool) -> Result<Vec<News>> {
        let table = self.table(DEFERRABLE_TIMEOUT)?;
        if sweep {
            table.sweep()?;
        }
        table.news()
    }

    /// All requests of living agents, the oldest first.
    ///
    /// # Errors
    /// As `request`.
    pub fn query_requests(&self) -> Result<Vec<RequestInfo>> {
        self.table(STUCK_TIMEOUT)?.query()
    }

    fn table(&self, patience: Duration) -> Result<NamedLocks<'a, Seat>> {
        let words: &NamedLocksWords = self.words()?;
        let acquired = acquire_short(&words.mutex, self.peers(), patience, "the table of named locks")?;
        words.inside(self.peers(), acquired)
    }
}

/// Opens the domain's table of named locks, making it if need be.
///
/// # Errors
/// As `Segment::create` and `Segment::open`.
pub fn open_lock_manager(agent: &Agent) -> Result<Segment> {
    let name = format!("crossmem-locks-{:016x}", agent.seat().domain().id());
    let spec = Spec { params: Some([0; PARAMS]), ..Spec::new(&name, Kind::LockManager, 0) };
    loop {
        match Segment::open(agent, &name, Some(spec.kind)) {
            Err(e) if e.code == Code::NotFound => {}
            opened => return opened,
        }
        match Segment::create(agent, &spec) {
            // Another agent was faster, and may be gone again.
            Err(e) if e.code == Code::Exists => {}
            created => return created,
        }
    }
}
