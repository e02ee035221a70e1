//! Threads that share one mapping: locks and queues keep plain memory to one thread at a time.
//! `ThreadSanitizer` can check this only here: it identifies memory by its address, and elsewhere
//! each agent has addresses of its own.
#![cfg(target_os = "linux")]

mod common;

use std::cell::UnsafeCell;
use std::thread::scope;
use std::time::Duration;

use common::{make, unique};
use crossmem_core::{
    Agent, Arrived, CONSUMER, Got, Kind, Looked, Object, PARAMS, PRODUCER, Put, Result, Wait,
};

const THREADS: u64 = 4;
/// How often each thread repeats its part.
const ROUNDS: u64 = 2_000;
/// Longer than any wait here.
const AGAIN: Wait = Wait::For(Duration::from_secs(10));

/// Memory without atomics or locks.
struct Plain([UnsafeCell<u64>; THREADS as usize]);

// SAFETY: in each test, a lock or queue lets one thread at a time write to a cell while no other
// reads it.
unsafe impl Sync for Plain {}

impl Plain {
    fn new() -> Plain {
        Plain(Default::default())
    }

    fn get(&self, at: u64) -> u64 {
        // SAFETY: no thread writes now, as the test ensures.
        unsafe { *self.0[at as usize].get() }
    }

    fn set(&self, at: u64, value: u64) {
        // SAFETY: no other thread reads or writes now, as the test ensures.
        unsafe { *self.0[at as usize].get() = value }
    }
}

/// Runs `act` on one object in several threads, each of which is an agent.
fn together(kind: Kind, params: [u64; PARAMS], act: impl Fn(Object<'_>, u64) + Sync) {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let segment = make(&agent, &name, kind, params);
    scope(|scope| {
        let start = |number: u64| {
            let (domain, segment, act) = (&domain, &segment, &act);
            scope.spawn(move || {
                let agent = Agent::register(domain, number as u32).unwrap();
                act(Object::new(&agent, segment), number);
                agent.leave();
            })
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        // `ThreadSanitizer` doesn't see that a scope waits for its threads at its end.
        for thread in threads {
            thread.join().unwrap();
        }
    });
    segment.close(&agent);
    agent.leave();
}

/// Repeats attempts until one succeeds.
fn got<T>(mut attempt: impl FnMut() -> Result<Looked<T>>) -> T {
    loop {
        if let Looked::Got(answer) = attempt().unwrap() {
            return answer;
        }
    }
}

#[test]
fn a_mutex_keeps_the_others_out() {
    let plain = Plain::new();
    together(Kind::Mutex, [0; PARAMS], |mutex, _| {
        for _ in 0..ROUNDS {
            got(|| mutex.lock(AGAIN));
            plain.set(0, plain.get(0) + 1);
            mutex.unlock(false).unwrap();
        }
    });
    assert_eq!(plain.get(0), THREADS * ROUNDS);
}

#[test]
fn readers_see_no_writer() {
    let plain = Plain::new();
    together(Kind::RwLock, [0; PARAMS], |lock, number| {
        for round in 0..ROUNDS {
            if (round + number) % 4 == 0 {
                got(|| lock.write(AGAIN));
                plain.set(0, plain.get(0) + 1);
                plain.set(1, plain.get(0));
                lock.end_write(false).unwrap();
            } else {
                got(|| lock.read(AGAIN));
                assert_eq!(plain.get(0), plain.get(1));
                lock.end_read().unwrap();
            }
        }
    });
    assert_eq!(plain.get(0), THREADS * ROUNDS / 4);
}

#[test]
fn a_semaphore_of_one_permit_is_a_mutex() {
    let plain = Plain::new();
    together(Kind::Semaphore, [1, 1, 0, 0, 0], |semaphore, _| {
        for _ in 0..ROUNDS / 4 {
            got(|| semaphore.acquire(AGAIN));
            plain.set(0, plain.get(0) + 1);
            semaphore.release(1, true).unwrap();
        }
    });
    assert_eq!(plain.get(0), THREADS * (ROUNDS / 4));
}

#[test]
fn a_party_sees_all_stores_made_before_the_meeting() {
    let plain = Plain::new();
    together(Kind::Barrier, [THREADS, 0, 0, 0, 0], |barrier, number| {
        let meet = || match got(|| barrier.arrive(AGAIN)) {
            Arrived::Waiting { generation, .. } => assert!(got(|| barrier.wait_meeting(generation, AGAIN))),
            Arrived::Leading { generation, .. } => assert!(barrier.complete_meeting(generation).unwrap()),
            Arrived::Broken => panic!("the barrier is broken"),
        };
        for round in 1..=ROUNDS / 8 {
            plain.set(number, round);
            meet();
            assert!((0..THREADS).all(|other| plain.get(other) == round));
            meet();
        }
    });
}

/// A message whose bytes all follow from its number.
fn message(number: u64) -> [u8; 24] {
    [number, number ^ u64::MAX, number.wrapping_mul(3)]
        .map(u64::to_le_bytes)
        .as_flattened()
        .try_into()
        .unwrap()
}

fn number_of(bytes: [u8; 24]) -> u64 {
    let number = u64::from_le_bytes(std::array::from_fn(|i| bytes[i]));
    assert_eq!(bytes, message(number), "a half-written message");
    number
}

#[test]
fn records_are_whole_and_in_order() {
    together(Kind::SpscQueue, [256, 0, 0, 0, 0], |ring, thread| match thread {
        0 => {
            let mut end = ring.take_end(PRODUCER).unwrap();
            for number in 0..ROUNDS {
                got(|| ring.push_record(&mut end, &message(number), false, AGAIN));
            }
            ring.release_end(end, false).unwrap();
        }
        1 => {
            let mut end = ring.take_end(CONSUMER).unwrap();
            for number in 0..ROUNDS {
                let mut bytes = [0; 24];
                let popped = got(|| {
                    ring.pop_record(&mut end, AGAIN, |region, record| {
                        region.copy_to(record.offset, &mut bytes).is_ok()
                    })
                });
                assert_eq!((popped, number_of(bytes)), (Got::Message(()), number));
            }
            ring.release_end(end, false).unwrap();
        }
        _ => {}
    });
}

#[test]
fn each_message_is_whole_and_received_once() {
    let sums = Plain::new();
    together(Kind::MpmcQueue, [4, 24, 0, 0, 0], |queue, thread| {
        let mut member = queue.join_queue().unwrap();
        for round in 0..ROUNDS {
            if thread % 2 == 0 {
                let number = round * THREADS + thread;
                let put = got(|| queue.push_message(&mut member, &message(number), AGAIN));
                assert_eq!(put, Put::Done(()));
                sums.set(thread, sums.get(thread) + number);
            } else {
                let Got::Message(chunk) = got(|| queue.take_message(&mut member, AGAIN)) else {
                    panic!("the queue has ended")
                };
                let mut bytes = [0; 24];
                queue.read_message(chunk, &mut bytes).unwrap();
                queue.free_message(&member, chunk.index).unwrap();
                sums.set(thread, sums.get(thread) + number_of(bytes));
            }
        }
        queue.leave_queue(member).unwrap();
    });
    assert_eq!(sums.get(0) + sums.get(2), sums.get(1) + sums.get(3));
}
