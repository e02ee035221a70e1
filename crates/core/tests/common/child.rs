//! Children of a test: the same test program again. Its test `child_program` follows the orders in
//! the environment.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};

/// What a child does, the domain that it joins, and the name that its objects' names begin with.
pub struct Orders {
    pub deed: String,
    pub domain: String,
    pub names: String,
}

impl Orders {
    /// The orders of this process; `None` if it is no child of a test.
    pub fn given() -> Option<Orders> {
        let deed = std::env::var("CROSSMEM_TEST_DEED").ok()?;
        let of = |variable| std::env::var(variable).expect("a child has all its orders");
        Some(Orders { deed, domain: of("DOMAIN"), names: of("NAMES") })
    }
}

/// A child that has not been started.
pub fn child(deed: &str, domain: &str, names: &str) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["child_program", "--exact", "--nocapture", "--test-threads=1"]).stdin(Stdio::null());
    child.env("CROSSMEM_TEST_DEED", deed).env("DOMAIN", domain).env("NAMES", names);
    child
}

/// What became of a child: where it was killed, or `None` if it ended by itself; and what it had
/// said.
pub struct Life {
    pub at: Option<String>,
    pub said: Vec<String>,
}

/// Says something to the test that runs this child.
pub fn say(what: &str) {
    println!("! {what}");
}

/// Runs a child that is killed at a step: `label`, `label:n`, or `*:n`.
#[cfg(unix)]
pub fn live_until(deed: &str, domain: &str, names: &str, fail_at: &str) -> Life {
    use std::os::unix::process::ExitStatusExt;
    let output = child(deed, domain, names).env("CROSSMEM_FAIL_AT", fail_at).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let words = String::from_utf8_lossy(&output.stdout);
    let said = words.lines().filter_map(|line| Some(line.split_once("! ")?.1.to_owned())).collect();
    if output.status.success() {
        return Life { at: None, said };
    }
    assert_eq!(output.status.signal(), Some(9), "the child failed instead of being killed: {errors} {words}");
    let label = errors.lines().rev().find_map(|line| line.split_once("killed at "));
    Life { at: Some(label.expect("a killed child prints its step").1.to_owned()), said }
}

/// Runs a child that is killed at its n-th step. Returns that step, or `None` if the child ended
/// before.
#[cfg(unix)]
pub fn run_until(deed: &str, domain: &str, names: &str, step: u32) -> Option<String> {
    live_until(deed, domain, names, &format!("*:{step}")).at
}

/// A child that is stopped at a fail point.
#[cfg(unix)]
pub struct Stopped(Child);

#[cfg(unix)]
impl Stopped {
    pub fn at(label: &str, deed: &str, domain: &str, name: &str) -> Stopped {
        let mut child = child(deed, domain, name);
        child.env("CROSSMEM_FAIL_AT", label).env("CROSSMEM_FAIL_BY", "stop");
        let child = child.stdout(Stdio::null()).spawn().unwrap();
        let mut status = 0;
        // SAFETY: a child of ours, and a whole status.
        let waited = unsafe { libc::waitpid(child.id() as i32, &raw mut status, libc::WUNTRACED) };
        assert!(waited == child.id() as i32 && libc::WIFSTOPPED(status), "the child doesn't reach {label}");
        Stopped(child)
    }

    /// Lets the child go on to its end, which must be a success.
    pub fn go_on(mut self) {
        // SAFETY: a child of ours, not waited for yet.
        unsafe { libc::kill(self.0.id() as i32, libc::SIGCONT) };
        assert!(self.0.wait().unwrap().success());
    }
}

/// Ends the child also if the test fails.
#[cfg(unix)]
impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Calls `run` with the step at which a child is killed, until a child ends by itself. Returns all
/// steps.
pub fn every_step(run: impl Fn(u32) -> Option<String>) -> BTreeSet<String> {
    (1..10_000).map_while(run).collect()
}

/// Checks that a child was killed at each of these steps.
pub fn assert_visited(steps: &[&str], visited: &BTreeSet<String>) {
    let missed: Vec<_> = steps.iter().filter(|step| !visited.contains(**step)).collect();
    assert!(missed.is_empty(), "no process was killed at these steps: {missed:?}");
}
