//! What the fuzzers and `tests/fuzz_corpus.rs` do with an input: read it as a little program that uses crossmem and writes
//! over what others share with it. Whatever that is, each call comes back with an answer or an error, touches nothing outside
//! its segments, and in the end nothing is left in /dev/shm.

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

/// What a fuzzer is called, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them. Each has inputs in `corpus/`.
pub const TARGETS: [Target; 5] = [
    ("control_segment", control_segment::run),
    ("registry_entries", registry_entries::run),
    ("object_headers", object_headers::run),
    ("ring_words", ring_words::run),
    ("queue_records", queue_records::run),
];

/// An input may be long; its program isn't.
const STEPS: usize = 64;
