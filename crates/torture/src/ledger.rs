//! What the harness, the victims and the survivors know of each other: plain memory of theirs, no part of crossmem.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU8, AtomicU32};

use nix::libc;

/// Numbers of messages in a stream; a trial needs some hundreds.
const MESSAGES: usize = 1 << 12;
/// `put` of a message: its sender began, its sender is done, a reader may have put it out of the world.
const PUTTING: u8 = 1;
const PUT: u8 = 2;
const DISPOSING: u8 = 4;

/// The messages of one queue since it was settled last.
#[repr(C)]
pub struct Stream {
    next: AtomicU32,
    put: [AtomicU8; MESSAGES],
    got: [AtomicU8; MESSAGES],
    /// Messages that victims may have taken out and not counted.
    in_hand: AtomicU32,
}

#[repr(C)]
pub struct Ledger {
    pub main: Stream,
    pub tasks: Stream,
    pub ring: Stream,
    pub pipe: Stream,
    /// 1 while a victim uses a permit up and gives a new one: there may be one less.
    pub consuming: AtomicU32,
    /// 1 while a victim is inside what its operation may keep from others.
    pub victim_inside: AtomicU32,
    /// Permits that are acquired, as those say who have them.
    pub permits: AtomicU32,
    /// The process that is inside the mutex: nobody else gets in meanwhile.
    pub in_mutex: AtomicU32,
}

impl Ledger {
    /// Zeroes that this process and all its later children share.
    pub fn new() -> &'static Ledger {
        // SAFETY: anonymous memory of its own, zeroed, never unmapped; atomics of any value are valid.
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

    /// After a violation.
    pub fn clear(&self) {
        for (_, stream) in self.streams() {
            let _ = stream.settle();
        }
        for word in [&self.in_mutex, &self.consuming, &self.victim_inside, &self.permits] {
            word.store(0, SeqCst);
        }
    }

    pub fn streams(&self) -> [(&'static str, &Stream); 4] {
        [("main", &self.main), ("tasks", &self.tasks), ("ring", &self.ring), ("pipe", &self.pipe)]
    }
}

impl Stream {
    /// The number of a message that is about to be put.
    pub fn begin(&self) -> u32 {
        let number = self.next.fetch_add(1, SeqCst);
        self.put[number as usize % MESSAGES].store(PUTTING, SeqCst);
        number
    }

    /// It was put.
    pub fn done(&self, number: u32) {
        self.put[number as usize % MESSAGES].fetch_or(PUT, SeqCst);
    }

    /// It was put, or there was no room for it.
    pub fn done_or_refused(&self, number: u32, done: bool) {
        if done {
            self.done(number);
        } else {
            self.put[number as usize % MESSAGES].store(0, SeqCst);
        }
    }

    /// It was got, whole.
    pub fn got(&self, number: u32) {
        self.got[number as usize % MESSAGES].fetch_add(1, SeqCst);
    }

    /// Its reader is about to be done with it; if that one dies now, it comes again or not.
    pub fn disposing(&self, number: u32) {
        self.put[number as usize % MESSAGES].fetch_or(DISPOSING, SeqCst);
    }

    /// A victim is about to take so many, which die with it.
    pub fn may_lose(&self, count: u32) {
        self.in_hand.fetch_add(count, SeqCst);
    }

    /// It has counted them.
    pub fn is_safe(&self, count: u32) {
        self.in_hand.fetch_sub(count, SeqCst);
    }

    /// What the promise doesn't allow, now that the queue is empty; and begins anew.
    pub fn settle(&self) -> Result<(), String> {
        let (next, in_hand) = (self.next.swap(0, SeqCst), self.in_hand.swap(0, SeqCst));
        assert!((next as usize) < MESSAGES, "more messages than the ledger has lines");
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
