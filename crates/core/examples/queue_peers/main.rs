//! The floor that `bench/` compares queues with, without any JavaScript: the fastest known queues
//! between two threads, and crossmem's own between two processes.
//!
//! `cargo run --release -p crossmem-core --example queue_peers -- QUEUE PAUSE` reads orders, one a
//! line, from its standard input. It answers each with a line, as the near end in `bench/` does:
//!
//! | order | answer |
//! | --- | --- |
//! | `stream BYTES 1 COUNT 0` | `[ns, CPU ns]` per message |
//! | `trips BYTES 1 COUNT 0 SHARE,…` | `[ns of each quantile, CPU ns]` per trip there and back |
//!
//! | QUEUE | what it is |
//! | --- | --- |
//! | `rtrb` | a ring with one sender and one receiver |
//! | `array-queue` | crossbeam's queue with many senders and receivers |
//! | `spsc`, `mpmc` | crossmem's own, between two processes |
//!
//! PAUSE is what an end does while it waits: `spin`, or `yield` its core.

#[cfg(unix)]
mod clock;
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
