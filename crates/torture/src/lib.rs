//! Kills, freezes and resumes a process at every instruction of everything it can do with shared memory, and looks whether
//! anybody else is the worse for it. Run by `npm run torture`; see `trial.rs` for what is done, `scene.rs` and
//! `survivor.rs` for what must hold.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod arguments;
mod child;
mod cores;
mod found;
mod harness;
mod ledger;
mod operations;
mod pairs;
mod report;
mod run;
mod scene;
mod setting;
mod stage;
mod survey;
mod survivor;
mod tally;
mod tracer;
mod trial;
mod turn;
mod user;

pub use harness::main;
