//! The agents, objects and files of a domain. After a trial they must be the same as before it.

use crossmem_core::inspect;

use crate::stage::{Outcome, Stage, check};

/// The contents of a domain, and its files in /dev/shm.
#[derive(PartialEq, Eq, Debug)]
pub struct Found {
    agents: usize,
    objects: Vec<String>,
    files: Vec<String>,
}

impl Found {
    pub fn now(stage: &Stage) -> Outcome<Found> {
        let info = inspect(&stage.domain)?;
        // The size counts large messages, too.
        let shown = info.objects.into_iter().map(|object| format!("{}: {} bytes", object.name, object.size));
        let mut objects: Vec<String> = shown.collect();
        objects.sort();
        Ok(Found { agents: info.agents.len(), objects, files: files(&stage.domain)? })
    }

    /// Checks that the domain is as it was when the scene was made, plus the second survivor.
    pub fn check(&self, stage: &Stage) -> Outcome {
        let now = Found::now(stage)?;
        let expected = Found { agents: 2, objects: self.objects.clone(), files: self.files.clone() };
        check(now == expected, || format!("found {now:?}, expected {expected:?}"))
    }
}

/// The files in /dev/shm whose names contain that of the domain.
pub fn files(domain: &str) -> Outcome<Vec<String>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir("/dev/shm")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.contains(domain) {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}
