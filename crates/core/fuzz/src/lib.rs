//! What the fuzzers and `tests/fuzz_corpus.rs` do with an input. They read it as a small program
//! that uses crossmem and overwrites shared memory. Whatever it writes, each call returns an answer
//! or an error and touches nothing outside its segments. At the end, nothing is left in /dev/shm.

mod agents;
mod behind;
pub mod control_segment;
pub mod object_headers;
pub mod queue_records;
pub mod registry_entries;
pub mod ring_words;
pub mod scribble;
mod user;
pub mod world;

/// A fuzzer's name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All fuzzers. Each has inputs in `corpus/`.
pub const TARGETS: [Target; 5] = [
    ("control_segment", control_segment::run),
    ("registry_entries", registry_entries::run),
    ("object_headers", object_headers::run),
    ("ring_words", ring_words::run),
    ("queue_records", queue_records::run),
];

/// The most steps of a program. An input may be longer.
const STEPS: usize = 64;
