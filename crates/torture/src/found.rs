//! What there is in a domain, and in /dev/shm: after a trial the same as before.

use crossmem_core::inspect;

use crate::stage::{Outcome, Stage, check};

/// What there is in the domain, and in /dev/shm.
#[derive(PartialEq, Eq, Debug)]
pub struct Found {
    agents: usize,
    objects: Vec<String>,
    files: Vec<String>,
}

impl Found {
    pub fn now(stage: &Stage) -> Outcome<Found> {
        let info = inspect(&stage.domain)?;
        let mut objects: Vec<String> = info.objects.into_iter().map(|object| object.name).collect();
        objects.sort();
        Ok(Found { agents: info.agents.len(), objects, files: files(&stage.domain)? })
    }

    /// The same as when the scene was made; the second survivor came later.
    pub fn check(&self, stage: &Stage) -> Outcome {
        let now = Found::now(stage)?;
        let expected = Found { agents: 2, objects: self.objects.clone(), files: self.files.clone() };
        check(now == expected, || format!("there is {now:?}, and should be {expected:?}"))
    }
}

/// Files in /dev/shm that belong to a domain.
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
