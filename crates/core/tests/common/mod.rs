//! What the tests share: a domain of their own, and children that are this very test program.
#![allow(dead_code, reason = "each test program uses a part")]

use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use crossmem_core::{Agent, Kind, Segment, Spec};

/// A name for a domain or an object that no other test has.
pub fn unique(what: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    format!("{what}.{}.{}.{now:x}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Creates a segment without contents.
pub fn create(agent: &Agent, name: &str, size: u64) -> crossmem_core::Result<Segment> {
    Segment::create(agent, &spec(name, size))
}

pub fn spec(name: &str, size: u64) -> Spec<'_> {
    Spec::new(name, Kind::SharedMemory, size)
}

/// Runs the function `child_program` of this test program as another process, with these variables.
pub fn child(variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child_program", "--exact", "--nocapture", "--test-threads=1"]);
    command.envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap()
}

/// A child's life: where it was killed, or `None` if it came to its end, and what it said before.
pub struct Life {
    pub at: Option<String>,
    pub said: Vec<String>,
}

/// Says something to who runs this child.
pub fn say(what: &str) {
    println!("! {what}");
}

/// Runs a child that is killed at that step: `label`, `label:n`, or `*:n`.
#[cfg(unix)]
pub fn live_until(deed: &str, domain: &str, names: &str, fail_at: &str) -> Life {
    use std::os::unix::process::ExitStatusExt;
    let output = child(&[
        ("CROSSMEM_TEST_DEED", deed),
        ("DOMAIN", domain),
        ("NAMES", names),
        ("CROSSMEM_FAIL_AT", fail_at),
    ]);
    let errors = String::from_utf8_lossy(&output.stderr);
    let words = String::from_utf8_lossy(&output.stdout);
    let said = words.lines().filter_map(|line| Some(line.split_once("! ")?.1.to_owned())).collect();
    if output.status.success() {
        return Life { at: None, said };
    }
    assert_eq!(output.status.signal(), Some(9), "the child failed instead of being killed: {errors} {words}");
    let label = errors.lines().rev().find_map(|line| line.split_once("killed at "));
    Life { at: Some(label.expect("a killed child says where").1.to_owned()), said }
}

/// Runs a child that is killed at its n-th step. Where that was, or `None` if it came to its end before.
#[cfg(unix)]
pub fn run_until(deed: &str, domain: &str, names: &str, step: u32) -> Option<String> {
    live_until(deed, domain, names, &format!("*:{step}")).at
}

/// Names in /dev/shm that contain `part`.
#[cfg(target_os = "linux")]
pub fn files(part: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/dev/shm").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap_or_default());
    let mut found: Vec<String> = names.filter(|name| name.contains(part)).collect();
    found.sort();
    found
}
