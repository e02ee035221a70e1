//! The floor that `bench/` measures queues against: the best known ones between two threads, and crossmem's own between two
//! processes, without any JavaScript.
//!
//! `cargo run --release -p crossmem-core --example queue_peers -- QUEUE PAUSE` takes orders, one on each line of its
//! standard input, and answers each by a line, as `bench/queues/near.ts` does:
//! `stream BYTES 1 COUNT 0` → `[ns, CPU ns]` of a message, `trips BYTES 1 COUNT 0 SHARE,…` → `[ns of each share, CPU ns]` of
//! a trip there and back.
//!
//! | QUEUE | what it is |
//! | --- | --- |
//! | `rtrb` | a ring of one sender and one receiver |
//! | `array-queue` | crossbeam's queue of many senders and receivers |
//! | `spsc`, `mpmc` | crossmem's own, between two processes |
//!
//! PAUSE is what an end does that must wait: `spin`, or `yield` its core.

#[cfg(unix)]
mod ends;
#[cfg(unix)]
mod processes;
#[cfg(unix)]
mod threads;
#[cfg(unix)]
mod unix;

#[cfg(unix)]
fn main() {
    unix::main();
}

#[cfg(not(unix))]
fn main() {
    eprintln!("queue_peers measures CPU time on Unix only");
    std::process::exit(2);
}
