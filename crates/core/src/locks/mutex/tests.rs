use std::sync::atomic::{AtomicU64 as Counter, Ordering::Relaxed};
use std::time::Duration;

use super::*;
use crate::layout::{AGENTS, Doorbell, SLOT_WORDS, SlotSet};
use crate::sync::{AtomicU32, AtomicU64};
use crate::sys::Bell;
use crate::wait::asleep;

const FOREVER: Wait = Wait::For(Duration::MAX);

/// Agents on threads of this test. Those with an instance above 100 are dead.
struct Peer<'a> {
    me: Owner,
    bells: &'a [Doorbell],
    rings: Counter,
}

impl Peers for Peer<'_> {
    fn me(&self) -> Owner {
        self.me
    }
    fn is_dead(&self, owner: Owner) -> bool {
        owner.instance > 100
    }
    fn in_slot(&self, slot: usize) -> Option<Owner> {
        Some(Owner { instance: slot as u32 + 1, slot: slot as u16 })
    }
    fn bell(&self, slot: usize) -> &Doorbell {
        &self.bells[slot]
    }
    fn park(&self, heard: u32, slice: Duration) {
        let bell = &self.bells[usize::from(self.me.slot)];
        bell.fall_asleep(asleep::PARKED);
        Bell::park(&bell.rings, heard, slice);
        bell.wake_up(asleep::PARKED);
    }
    fn rouse(&self, slot: usize, _: u32) {
        self.rings.fetch_add(1, Relaxed);
        Bell::ring(&self.bells[slot].rings);
    }
}

fn bell() -> Doorbell {
    Doorbell { rings: AtomicU32::new(0), asleep: AtomicU32::new(0), reactor: AtomicU32::new(0) }
}

fn bells() -> Vec<Doorbell> {
    (0..AGENTS).map(|_| bell()).collect()
}

fn peer(slot: u16, bells: &[Doorbell]) -> Peer<'_> {
    Peer { me: Owner { instance: u32::from(slot) + 1, slot }, bells, rings: Counter::new(0) }
}

fn mutex(word: u64) -> MutexWords {
    let sleepers = SlotSet([const { AtomicU64::new(0) }; SLOT_WORDS]);
    MutexWords { owner: AtomicU64::new(word), sleepers }
}

#[test]
fn one_agent_holds_it_and_only_that_agent_releases_it() {
    let bells = bells();
    let (a, b, mutex) = (peer(0, &bells), peer(1, &bells), mutex(0));
    assert_eq!(mutex.lock(&a, Wait::Try), Ok(Acquired::Clean));
    assert_eq!(mutex.lock(&a, Wait::Try), Err(Refused::Mine));
    assert_eq!(mutex.lock(&b, Wait::Try), Err(Refused::NotYet));
    assert!(!mutex.unlock(&b), "not b's to release");
    assert!(mutex.unlock(&a));
    assert!(!mutex.unlock(&a), "released once");
    assert_eq!(mutex.lock(&b, Wait::Try), Ok(Acquired::Clean));
}

#[test]
fn a_dead_holder_loses_it_and_each_owner_is_told_until_it_is_repaired() {
    let bells = bells();
    let dead = Owner { instance: 101, slot: 7 };
    let (a, b, mutex) = (peer(0, &bells), peer(1, &bells), mutex(dead.word()));
    assert!(!mutex.is_locked(&a), "no living agent holds it");
    assert_eq!(mutex.lock(&a, Wait::Try), Ok(Acquired::OwnerDied));
    assert!(mutex.is_locked(&a) && mutex.is_locked(&b));
    assert!(mutex.unlock(&a));
    assert_eq!(mutex.lock(&b, Wait::Try), Ok(Acquired::OwnerDied), "it is not repaired yet");
    mutex.mark_consistent();
    assert!(mutex.unlock(&b));
    assert_eq!(mutex.lock(&a, Wait::Try), Ok(Acquired::Clean));
}

#[test]
fn a_garbage_word_is_a_dead_owner() {
    let bells = bells();
    let (a, mutex) = (peer(0, &bells), mutex(u64::MAX));
    assert_eq!(mutex.lock(&a, Wait::Try), Ok(Acquired::OwnerDied));
    assert!(mutex.unlock(&a));
}

#[test]
fn abandoning_it_counts_as_the_death_of_its_holder() {
    let bells = bells();
    let (a, b, mutex) = (peer(0, &bells), peer(1, &bells), mutex(0));
    assert_eq!(mutex.lock(&a, Wait::Try), Ok(Acquired::Clean));
    assert!(mutex.abandon(&a));
    assert_eq!(mutex.lock(&b, Wait::Try), Ok(Acquired::OwnerDied));
}

#[test]
fn a_waiter_that_gave_up_no_longer_goes_first() {
    let bells = bells();
    let (a, b, c, mutex) = (peer(0, &bells), peer(1, &bells), peer(2, &bells), mutex(0));
    assert_eq!(mutex.lock(&a, Wait::Try), Ok(Acquired::Clean));
    for again in [false, true] {
        assert_eq!(mutex.lock(&b, Wait::Arm { again }), Err(Refused::NotYet));
    }
    assert!(mutex.unlock(&a));
    assert_eq!(mutex.lock(&c, Wait::InTurn), Err(Refused::NotYet), "b woke without success, and goes first");
    mutex.give_up(&b);
    assert_eq!(mutex.lock(&c, Wait::InTurn), Ok(Acquired::Clean));
}

#[test]
fn a_sleeper_that_did_not_need_its_wake_up_passes_it_on() {
    let bells = bells();
    let (a, mutex) = (peer(0, &bells), mutex(0));
    mutex.sleepers.insert(3);
    // Another agent chooses it for a wake-up in the moment in which its attempt succeeds.
    let chosen = |_| mutex.sleepers.remove(0).then_some(());
    assert!(mutex.sleepers.wait(&a, Wait::Arm { again: false }, chosen).is_some());
    assert_eq!(bells[3].rings.load(Relaxed), 1);
}

/// A holder that dies while this agent sleeps, and rings no doorbell.
struct Parking {
    holder_is_dead: std::cell::Cell<bool>,
    slept: std::cell::Cell<Duration>,
    bell: Doorbell,
}

impl Peers for Parking {
    fn me(&self) -> Owner {
        Owner { instance: 1, slot: 0 }
    }
    fn is_dead(&self, _: Owner) -> bool {
        self.holder_is_dead.get()
    }
    fn in_slot(&self, _: usize) -> Option<Owner> {
        None
    }
    fn bell(&self, _: usize) -> &Doorbell {
        &self.bell
    }
    fn park(&self, _: u32, slice: Duration) {
        self.slept.set(slice);
        self.holder_is_dead.set(true);
    }
    fn rouse(&self, _: usize, _: u32) {}
}

#[test]
fn a_sleeper_finds_a_death_that_rang_nobody() {
    let sleeper = Parking {
        holder_is_dead: std::cell::Cell::new(false),
        slept: std::cell::Cell::new(Duration::ZERO),
        bell: bell(),
    };
    let mutex = mutex(Owner { instance: 2, slot: 1 }.word());
    assert_eq!(mutex.lock(&sleeper, FOREVER), Ok(Acquired::OwnerDied));
    let slept = sleeper.slept.get();
    assert!(slept <= Duration::from_millis(100), "it would have slept for {slept:?}");
}

#[test]
fn one_sleeper_is_rung_and_none_if_none_sleeps() {
    let bells = bells();
    let (a, mutex) = (peer(0, &bells), mutex(0));
    bells[3].fall_asleep(asleep::PARKED);
    mutex.sleepers.insert(3);
    mutex.sleepers.notify_one(&a);
    assert_eq!((a.rings.load(Relaxed), bells[3].rings.load(Relaxed)), (1, 1));
    mutex.sleepers.notify_one(&a);
    assert_eq!(a.rings.load(Relaxed), 1, "no sleeper, no ring");
    bells[3].wake_up(asleep::PARKED);
    mutex.sleepers.insert(3);
    mutex.sleepers.notify_one(&a);
    assert_eq!((a.rings.load(Relaxed), bells[3].rings.load(Relaxed)), (1, 2), "it is awake");
}

#[test]
fn four_agents_are_never_inside_at_once() {
    const ROUNDS: u64 = 20_000;
    let (bells, mutex, plain) = (bells(), mutex(0), Counter::new(0));
    std::thread::scope(|scope| {
        for slot in 0..4 {
            let (bells, mutex, plain) = (&bells, &mutex, &plain);
            scope.spawn(move || {
                let me = peer(slot, bells);
                for _ in 0..ROUNDS {
                    assert_eq!(mutex.lock(&me, FOREVER), Ok(Acquired::Clean));
                    // Not an atomic addition: if two agents are inside at once, one addition is
                    // lost.
                    plain.store(plain.load(Relaxed) + 1, Relaxed);
                    assert!(mutex.unlock(&me));
                }
            });
        }
    });
    assert_eq!(plain.load(Relaxed), 4 * ROUNDS);
}
