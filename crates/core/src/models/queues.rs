//! Models of the queue of any number of producers and consumers.

use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::sync::Arc;

use super::{DEAD, FOREVER, World, models, owner, together};
use crate::layout::{ChunkWords, MpmcWords};
use crate::queues::{Chunks, Claim, IndexRing, Mpmc, Phase, REDELIVERED, Reaped, Terms, Then};
use crate::sync::{AtomicU64, Ordering};
use crate::wait::{Sleepers, Wait};

type Agent = super::Agent<Queue>;

#[derive(Default)]
struct Chunk {
    words: ChunkWords,
    /// Loom fails the model if a thread writes it while another reads it, or reads it without
    /// seeing the write.
    message: UnsafeCell<u32>,
}

struct Queue {
    words: MpmcWords,
    slots: Vec<AtomicU64>,
    chunks: Vec<Chunk>,
    redeliver: bool,
}

impl Queue {
    /// Agent `i` is participant `i`.
    fn of(chunks: usize, slots: usize) -> Queue {
        let words = MpmcWords::default();
        for (slot, participant) in (0..).zip(&words.participants) {
            participant.store(owner(slot).word(), Ordering::Relaxed);
        }
        Queue {
            words,
            slots: (0..slots).map(|_| AtomicU64::default()).collect(),
            chunks: (0..chunks).map(|_| Chunk::default()).collect(),
            redeliver: false,
        }
    }
}

impl Chunks for &Queue {
    fn count(&self) -> u32 {
        self.chunks.len() as u32
    }

    fn chunk(&self, index: u32) -> Option<&ChunkWords> {
        Some(&self.chunks.get(index as usize)?.words)
    }
}

const SOUND: &str = "the state is sound";

impl Agent {
    fn queue(&self) -> &Queue {
        &self.world.shared
    }

    fn mpmc(&self) -> Mpmc<'_, &Queue> {
        let words = &self.queue().words;
        let ring = IndexRing { head: &words.head, tail: &words.tail, slots: &self.queue().slots };
        Mpmc { words, ring, chunks: self.queue() }
    }

    fn write(&self, index: u32, message: u32) {
        // SAFETY: this agent has claimed the chunk; loom checks that no other thread is here.
        self.queue().chunks[index as usize].message.with_mut(|at| unsafe { *at = message });
        self.mpmc().chunk(index).unwrap().flags.store(0, Ordering::Relaxed);
        assert!(self.mpmc().publish(index, Phase::Writing, self.me.slot).expect(SOUND));
    }

    /// The message; one more if it had a reader before.
    fn read(&self, index: u32) -> u32 {
        // SAFETY: this agent has claimed the chunk; loom checks that no other thread writes it.
        let message = self.queue().chunks[index as usize].message.with(|at| unsafe { *at });
        let redelivered = self.mpmc().chunk(index).unwrap().flags.load(Ordering::Relaxed) == REDELIVERED;
        assert!(self.mpmc().free(index, Phase::Reading, self.me.slot, Then::Notify).expect(SOUND));
        message + u32::from(redelivered)
    }

    /// Whether there was room.
    fn try_put(&self, message: u32) -> bool {
        let claimed = self.mpmc().claim(self.me.slot).expect(SOUND);
        claimed.map(|index| self.write(index, message)).is_some()
    }

    fn try_get(&self) -> Option<u32> {
        let taken = self.mpmc().take(self.me.slot).expect(SOUND);
        taken.map(|index| self.read(index))
    }

    fn put(&self, message: u32) {
        let words = &self.queue().words;
        let claim = |_| self.mpmc().claim(self.me.slot).expect(SOUND);
        self.write(words.writers.wait(self, FOREVER, claim).unwrap(), message);
        words.readers.notify_ordered(self, 1);
    }

    fn get(&self, wait: Wait) -> u32 {
        let words = &self.queue().words;
        let take = |_| self.mpmc().take(self.me.slot).expect(SOUND);
        let message = self.read(words.readers.wait(self, wait, take).unwrap());
        words.writers.notify_ordered(self, 1);
        message
    }

    /// Reaps as a member of a queue does.
    fn reap(&self) {
        let mpmc = self.mpmc();
        if mpmc.dead(self).next().is_none() {
            return;
        }
        assert!(mpmc.words.reaper.lock(self, FOREVER).is_ok());
        mpmc.words.reaper.mark_consistent();
        let terms = Terms { redeliver: self.queue().redeliver, count_failures: false };
        let reap = |dead| mpmc.reap(dead, terms, |_| ()).expect(SOUND);
        let reaped: Vec<Reaped> = mpmc.dead(self).map(reap).collect();
        mpmc.words.reaper.unlock(self);
        for reaped in reaped {
            mpmc.words.readers.notify_ordered(self, reaped.queued as usize);
            mpmc.words.writers.notify_ordered(self, reaped.freed as usize);
        }
    }
}

/// The messages that are left when all threads have ended. The ring has each queued chunk where its
/// claim says, and no other one. When all are taken out, all chunks are free.
fn rest(world: &Arc<World<Queue>>) -> Vec<u32> {
    let agent = Agent::new(world, 0);
    let mpmc = agent.mpmc();
    let in_phase = |phase| {
        let claim = |index: &u32| Claim::of(mpmc.chunk(*index).unwrap().claim.load(Ordering::Relaxed));
        (0..mpmc.chunks.count()).filter(move |index| claim(index).phase == phase).collect::<Vec<_>>()
    };
    let queued = in_phase(Phase::Queued);
    assert_eq!(mpmc.len().expect(SOUND), queued.len() as u64);
    for index in queued {
        let claim = Claim::of(mpmc.chunk(index).unwrap().claim.load(Ordering::Relaxed));
        assert!(mpmc.ring.has(claim.position, index));
    }
    let rest = std::iter::from_fn(|| agent.try_get()).collect();
    assert_eq!(mpmc.len().expect(SOUND), 0);
    assert_eq!(in_phase(Phase::Free).len(), world.shared.chunks.len());
    rest
}

/// Each message was got once, and each consumer got those of one producer in order. The tens of a
/// message are its producer.
fn check(world: &Arc<World<Queue>>, got: &[Vec<u32>], put: &[u32]) {
    let rest = rest(world);
    for got in got {
        let got = [&got[..], &rest].concat();
        for producer in 0..10 {
            assert!(got.iter().filter(|message| **message / 10 == producer).is_sorted(), "{got:?}");
        }
    }
    let mut got = [&got.concat()[..], &rest].concat();
    got.sort_unstable();
    assert_eq!(got, put);
}

/// Each agent puts a message and then gets one: there is room for both.
fn both(chunks: usize, slots: usize) {
    let world = World::new(Queue::of(chunks, slots));
    let got = together(&world, 2, |agent| {
        assert!(agent.try_put(10 * u32::from(agent.me.slot)));
        vec![agent.try_get().expect("it is not empty")]
    });
    check(&world, &got, &[0, 10]);
}

/// There is room for one message at a time.
fn one_chunk() {
    let world = World::new(Queue::of(1, 1));
    let ends = together(&world, 2, |agent| {
        let me = 10 * u32::from(agent.me.slot);
        let put = agent.try_put(me).then_some(me).into_iter().collect();
        (put, agent.try_get().into_iter().collect())
    });
    let (put, got): (Vec<Vec<u32>>, Vec<_>) = ends.into_iter().unzip();
    check(&world, &got, &put.concat());
}

/// One agent gets a message and puts one, so that the chunk begins its next life while another
/// agent loads its claim.
fn next_life(slots: usize) {
    let world = World::new(Queue::of(1, slots));
    assert!(Agent::new(&world, 2).try_put(20));
    let ends = together(&world, 2, |agent| {
        let got = agent.try_get().into_iter().collect();
        let put = agent.me.slot == 0 && agent.try_put(0);
        (put, got)
    });
    let (put, got): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
    check(&world, &got, if put[0] { &[0, 20] } else { &[20] });
}

/// One agent gets the first of two messages and puts a third one into the same chunk, while another
/// agent gets one.
fn next_life_behind_another() {
    let world = World::new(Queue::of(2, 2));
    let before = Agent::new(&world, 2);
    assert!(before.try_put(0) && before.try_put(1));
    let got = together(&world, 2, |agent| {
        let got = agent.try_get().into_iter().collect();
        assert!(agent.me.slot != 0 || agent.try_put(2));
        got
    });
    check(&world, &got, &[0, 1, 2]);
}

/// Two agents get, and one puts twice.
fn three() {
    let world = World::new(Queue::of(2, 2));
    let got = together(&world, 3, |agent| match agent.me.slot {
        0 => {
            assert!(agent.try_put(0) && agent.try_put(1));
            vec![]
        }
        _ => agent.try_get().into_iter().collect(),
    });
    check(&world, &got, &[0, 1]);
}

/// An agent died at that step of a put or a get. Another reaps it and gets, while a third one puts
/// and gets.
fn dead(chunks: usize, redeliver: bool, step: &'static str, act: fn(&Agent), left: &[u32]) {
    let world = World::new(Queue { redeliver, ..Queue::of(chunks, chunks) });
    let dead = Agent::new(&world, DEAD.slot);
    dead.killed_at(step, act);
    let ends = together(&world, 2, |agent| match agent.me.slot {
        0 => {
            agent.reap();
            (false, agent.try_get().into_iter().collect())
        }
        _ => (agent.try_put(10), agent.try_get().into_iter().collect()),
    });
    let (put, got): (Vec<_>, Vec<Vec<_>>) = ends.into_iter().unzip();
    check(&world, &got, &[if put[1] { &[10] } else { &[][..] }, left].concat());
}

/// An agent dies at that step of a put, while another one gets and then reaps it.
fn dying(step: &'static str, left: &[u32]) {
    let world = World::new(Queue::of(2, 2));
    let got = together(&world, 2, move |agent| {
        if agent.me.slot == 1 {
            agent.killed_at(step, put);
            return vec![];
        }
        let got = agent.try_get();
        agent.reap();
        got.into_iter().collect()
    });
    Agent::new(&world, 0).reap();
    check(&world, &got, left);
}

/// An agent died at one step, and its reaper dies at another, while a third agent puts and then
/// gets.
fn dead_reaper(redeliver: bool, step: &'static str, act: fn(&Agent), reaping: &'static str, left: &[u32]) {
    let world = World::new(Queue { redeliver, ..Queue::of(2, 2) });
    Agent::new(&world, DEAD.slot).killed_at(step, act);
    let got = together(&world, 2, move |agent| match agent.me.slot {
        1 => {
            agent.killed_at(reaping, Agent::reap);
            vec![]
        }
        _ => {
            assert!(agent.try_put(10));
            agent.try_get().into_iter().collect()
        }
    });
    Agent::new(&world, 0).reap();
    check(&world, &got, &[&[10], left].concat());
}

/// Two agents get the messages that one puts. If the queue is empty, a getter sleeps.
fn sleeping_getters() {
    let world = World::new(Queue::of(2, 2));
    let got = together(&world, 3, |agent| match agent.me.slot {
        0 => {
            assert!(agent.try_put(0) && agent.try_put(1));
            agent.queue().words.readers.notify_ordered(agent, 2);
            vec![]
        }
        _ => vec![agent.get(Wait::Again(Duration::MAX))],
    });
    check(&world, &got, &[0, 1]);
}

/// There is room for one message, and two are put and got. If there is none, or no room, the agent
/// sleeps.
fn sleeping_on_both_sides() {
    let world = World::new(Queue::of(1, 1));
    let got = together(&world, 2, |agent| match agent.me.slot {
        0 => {
            agent.put(0);
            agent.put(1);
            vec![]
        }
        _ => vec![agent.get(FOREVER), agent.get(FOREVER)],
    });
    check(&world, &got, &[0, 1]);
}

/// An agent sleeps until another one reaps and links the message that a dead one had queued.
fn reaped_message() {
    let world = World::new(Queue::of(1, 1));
    Agent::new(&world, DEAD.slot).killed_at("queue.queued", put);
    let got = together(&world, 2, |agent| match agent.me.slot {
        0 => {
            agent.reap();
            vec![]
        }
        _ => vec![agent.get(FOREVER)],
    });
    check(&world, &got, &[20]);
}

/// An agent sleeps until another one reaps and frees the chunk that a dead one had claimed.
fn reaped_room() {
    let world = World::new(Queue::of(1, 1));
    Agent::new(&world, DEAD.slot).killed_at("queue.claimed", put);
    together(&world, 2, |agent| match agent.me.slot {
        0 => agent.reap(),
        _ => agent.put(10),
    });
    check(&world, &[], &[10]);
}

fn put(agent: &Agent) {
    assert!(agent.try_put(LOST));
}

fn put_and_get(agent: &Agent) {
    put(agent);
    agent.try_get();
}

/// The message of the dead agent. If it is redelivered, it is got as one more.
const LOST: u32 = 20;

models! {
    preemptions: 2;
    each_message_is_got_once: || both(2, 2);
    one_chunk_is_used_by_both: one_chunk;
    a_chunk_begins_a_next_life: || next_life(1);
    a_chunk_begins_a_next_life_elsewhere: || next_life(2);
    a_chunk_begins_a_next_life_behind_another: next_life_behind_another;
    two_get_and_one_puts: three;
    getters_sleep_until_there_is_a_message: sleeping_getters;
    neither_side_sleeps_for_ever: sleeping_on_both_sides;
    a_reaper_wakes_a_sleeper_for_a_message: reaped_message;
    a_reaper_wakes_a_sleeper_for_room: reaped_room;
    dead_with_a_claim: || dead(1, false, "queue.claimed", put, &[]);
    dead_with_a_message_that_is_not_linked: || dead(2, false, "queue.queued", put, &[20]);
    dead_with_the_tail_behind: || dead(1, false, "queue.linked", put, &[20]);
    dead_with_the_tail_behind_in_a_larger_queue: || dead(2, false, "queue.linked", put, &[20]);
    dead_with_its_message_put: || dead(1, false, "queue.tail-moved", put, &[20]);
    dead_with_the_head_behind: || dead(1, false, "queue.taken", put_and_get, &[]);
    dead_with_a_message: || dead(2, false, "queue.head-moved", put_and_get, &[]);
    redelivered_with_the_head_behind: || dead(1, true, "queue.taken", put_and_get, &[21]);
    redelivered: || dead(1, true, "queue.head-moved", put_and_get, &[21]);
    dying_with_a_claim: || dying("queue.written", &[]);
    dying_with_a_message_that_is_not_linked: || dying("queue.queued", &[20]);
    dying_with_the_tail_behind: || dying("queue.linked", &[20]);
    a_reaper_dies_before_it_links: || dead_reaper(false, "queue.queued", put, "reap.requeued", &[20]);
    a_reaper_dies_before_it_redelivers: || dead_reaper(true, "queue.taken", put_and_get, "reap.marked", &[21]);
    a_reaper_dies_with_its_work_done: || dead_reaper(false, "queue.taken", put_and_get, "reap.done", &[]);
}
