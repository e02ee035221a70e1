//! Reads orders, and has each carried out by the queue that the arguments name.

use std::io::stdin;

use crate::ends::{order_of, pause_of};
use crate::processes::Pair;
use crate::{processes, threads};

pub fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        [queue, pause] => near(queue, pause),
        ["far", queue, pause, name] => processes::far(queue, pause_of(pause), name),
        _ => panic!("queue_peers QUEUE PAUSE"),
    }
}

fn near(queue: &str, pause: &str) {
    let mut pair = matches!(queue, "spsc" | "mpmc").then(|| Pair::start(queue, pause));
    println!(r#"{{"version":""}}"#);
    for line in stdin().lines() {
        let line = line.expect("orders are text");
        let (bytes, order) = order_of(&line, pause_of(pause));
        let figures = match (queue, bytes, &mut pair) {
            (_, _, Some(pair)) => pair.run(&line, bytes, &order),
            ("rtrb", 8, _) => threads::run(rtrb::RingBuffer::<[u64; 1]>::new, &order),
            ("rtrb", 64, _) => threads::run(rtrb::RingBuffer::<[u64; 8]>::new, &order),
            ("array-queue", 8, _) => threads::run(threads::array_queue::<[u64; 1]>, &order),
            ("array-queue", 64, _) => threads::run(threads::array_queue::<[u64; 8]>, &order),
            _ => panic!("{queue} with {bytes} bytes?"),
        };
        println!("{figures:?}");
    }
    if let Some(pair) = pair {
        pair.end();
    }
}
