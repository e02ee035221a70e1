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
    /// Requests a lock. `None`: the lock was wanted only if available at once, and it isn't.
    ///
    /// # Errors
    /// `ERR_TOO_LARGE` (the name), `ERR_LIMIT`, `ERR_CORRUPT`, `ERR_TIMEOUT` if a stopped process
    /// holds the table's mutex.
    pub fn request(&self, wanted: &Wanted<'_>) -> Result<Option<EnteredRequest>> {
        self.table(STUCK_TIMEOUT)?.request(wanted)
    }

    /// Ends a request, pending or granted. `untold`: the lock was granted, but the requester hasn't
    /// been told. Gives up after 100 ms, since the call can be repeated after `ERR_TIMEOUT`.
    ///
    /// # Errors
    /// As `request`.
    pub fn end_request(&self, request: RequestRef, untold: bool) -> Result<EndedRequest> {
        self.table(DEFERRABLE_TIMEOUT)?.end(request, untold)
    }

    /// News of the caller's requests since the last call, the oldest first. `sweep` first grants
    /// the locks of dead agents to waiting requests. Gives up after 100 ms, since the caller asks
    /// again.
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

    fn table(&self, timeout: Duration) -> Result<NamedLocks<'a, Seat>> {
        let words: &NamedLocksWords = self.words()?;
        let acquired = acquire_short(&words.mutex, self.peers(), timeout, "the table of named locks")?;
        words.inside(self.peers(), acquired)
    }
}

/// Opens the domain's table of named locks; creates it if there is none.
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
            // Another agent created the table first; it may have left and removed the table again.
            Err(e) if e.code == Code::Exists => {}
            created => return created,
        }
    }
}
