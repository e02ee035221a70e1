//! What the harness, the victims and the survivors tell each other: plain shared memory, no part of
//! crossmem.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU8, AtomicU32};

use nix::libc;

/// How many messages a stream can number; a trial needs some hundreds.
const MESSAGES: usize = 1 << 12;
/// Bits of `put`: the sender began to put the message; it was put; a reader began to dispose of it.
const PUTTING: u8 = 1;
const PUT: u8 = 2;
const DISPOSING: u8 = 4;

/// The messages of one queue since the stream was last settled.
#[repr(C)]
pub struct Stream {
    next: AtomicU32,
    put: [AtomicU8; MESSAGES],
    got: [AtomicU8; MESSAGES],
    /// How many messages victims may have taken and not yet counted as got.
    in_hand: AtomicU32,
}

#[repr(C)]
pub struct Ledger {
    pub main: Stream,
    pub tasks: Stream,
    pub ring: Stream,
    pub pipe: Stream,
    pub records: Stream,
    /// 1 while a victim consumes a permit and adds a new one: one permit may be missing.
    pub consuming: AtomicU32,
    /// 1 while a victim holds the object that its operation may keep from other processes.
    pub victim_inside: AtomicU32,
    /// Permits that survivors hold.
    pub permits: AtomicU32,
    /// The process that holds the mutex, or 0.
    pub in_mutex: AtomicU32,
}

impl Ledger {
    /// A ledger of zeroes, shared by this process and all children that it forks later.
    pub fn new() -> &'static Ledger {
        // SAFETY: anonymous memory of its own, zeroed, never unmapped; atomics of any value are
        // valid.
        unsafe {
            let at = libc::mmap(
                std::ptr::null_mut(),
                size_of::<Ledger>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(at, libc::MAP_FAILED, "no memory for the ledger");
            &*at.cast::<Ledger>()
        }
    }

    /// Forgets everything, after a violation.
    pub fn clear(&self) {
        for (_, stream) in self.streams() {
            let _ = stream.settle();
        }
        for word in [&self.in_mutex, &self.consuming, &self.victim_inside, &self.permits] {
            word.store(0, SeqCst);
        }
    }

    pub fn streams(&self) -> [(&'static str, &Stream); 5] {
        [
            ("main", &self.main),
            ("tasks", &self.tasks),
            ("ring", &self.ring),
            ("pipe", &self.pipe),
            ("records", &self.records),
        ]
    }
}

impl Stream {
    /// Numbers a message that is about to be put.
    pub fn begin(&self) -> u32 {
        let number = self.next.fetch_add(1, SeqCst);
        self.put[number as usize % MESSAGES].store(PUTTING, SeqCst);
        number
    }

    /// Notes that the message was put.
    pub fn done(&self, number: u32) {
        self.put[number as usize % MESSAGES].fetch_or(PUT, SeqCst);
    }

    /// Notes that the message was put, or that there was no room for it.
    pub fn done_or_refused(&self, number: u32, done: bool) {
        if done {
            self.done(number);
        } else {
            self.put[number as usize % MESSAGES].store(0, SeqCst);
        }
    }

    /// Notes that the message was got, whole.
    pub fn got(&self, number: u32) {
        self.got[number as usize % MESSAGES].fetch_add(1, SeqCst);
    }

    /// Notes that a reader is about to dispose of the message. If the reader dies now, the message
    /// may or may not come again.
    pub fn disposing(&self, number: u32) {
        self.put[number as usize % MESSAGES].fetch_or(DISPOSING, SeqCst);
    }

    /// Notes that a victim is about to take `count` messages, which are lost if it dies.
    pub fn may_lose(&self, count: u32) {
        self.in_hand.fetch_add(count, SeqCst);
    }

    /// Notes that the victim has counted `count` messages that it took.
    pub fn is_safe(&self, count: u32) {
        self.in_hand.fetch_sub(count, SeqCst);
    }

    /// Checks the messages of a queue that is empty now against the promise, and clears the stream.
    pub fn settle(&self) -> Result<(), String> {
        let (next, in_hand) = (self.next.swap(0, SeqCst), self.in_hand.swap(0, SeqCst));
        assert!((next as usize) < MESSAGES, "more messages than the ledger can number");
        let mut lost = Vec::new();
        let mut wrong = Vec::new();
        for number in 0..next as usize {
            let (put, got) = (self.put[number].swap(0, SeqCst), self.got[number].swap(0, SeqCst));
            match (put, got) {
                (0 | PUTTING, 0) | (PUTTING.., 1) => {}
                (_, 0) if put & DISPOSING != 0 => {}
                (_, 0) => lost.push(number),
                _ => wrong.push(format!("{number} was got {got} times (put: {put})")),
            }
        }
        if lost.len() > in_hand as usize {
            wrong.push(format!("{lost:?} are lost, {in_hand} may be"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join(", ")) }
    }
}
