//! Kills, freezes and resumes a process at every instruction of what it can do with shared memory,
//! and checks that no other process suffers. `npm run torture` runs it.
//!
//! | term | meaning |
//! | --- | --- |
//! | operation | a function in `operations/`, which is tortured between its two marks |
//! | victim | a process that runs an operation under ptrace; it is killed, or frozen and resumed |
//! | survivors | two processes that use all objects in turns, and check what they find |
//! | scene | the objects that victims and survivors share |
//! | theatre | a domain with a scene and its two survivors |
//! | trial | one victim, led to one instruction, with one fate |
//! | recoverer | a second victim, which repairs what the first one left |
//! | ledger | memory of the harness: which messages were put and got, and which locks are held |
//!
//! `trial.rs` says what is done to a victim. `turn.rs`, `found.rs` and `ledger.rs` say what must
//! hold.
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
