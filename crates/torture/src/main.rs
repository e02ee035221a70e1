//! Kills, freezes and resumes a process at every instruction of everything it can do with shared memory, and looks whether
//! anybody else is the worse for it. Run by `npm run torture`; see `trial.rs` for what is done, `scene.rs` and
//! `survivor.rs` for what must hold.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod arguments;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod harness;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod ledger;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod operations;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod pairs;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod report;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod scene;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod stage;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod survey;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod survivor;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod tracer;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod trial;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod user;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> std::process::ExitCode {
    harness::main()
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() {
    eprintln!("this needs Linux on x86-64: it sets that processor's debug registers");
    std::process::exit(2);
}
