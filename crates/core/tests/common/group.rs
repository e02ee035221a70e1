//! A group for the tests of domains that users share.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossmem_core::{Agent, DomainName};

use super::files;

/// Tests run one at a time: if this process isn't root, they share the one group that it surely
/// has.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A group that this process may act for. Root may act for any, so it takes one that no user has.
pub struct TestGroup {
    pub id: u32,
    pub number: String,
    _alone: MutexGuard<'static, ()>,
}

impl TestGroup {
    pub fn new() -> TestGroup {
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let me = fs::metadata("/proc/self").unwrap();
        let id = if me.uid() == 0 { 1_000_000_000 + std::process::id() } else { me.gid() };
        TestGroup { id, number: id.to_string(), _alone: alone }
    }

    pub fn domain<'a>(&'a self, name: &'a str) -> DomainName<'a> {
        DomainName { name, group: Some(&self.number) }
    }

    pub fn join(&self, name: &str) -> Agent {
        Agent::register(self.domain(name), 0).unwrap()
    }

    pub fn directory(&self) -> PathBuf {
        PathBuf::from(format!("/dev/shm/.crossmem-g{}", self.id))
    }

    /// What it has in /dev/shm: its directory, and what was to become one.
    pub fn files(&self) -> Vec<String> {
        files(&format!(".crossmem-g{}", self.id))
    }
}
