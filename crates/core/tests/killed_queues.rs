//! A process is killed at every step of everything that it can do with queues, and so is the
//! process that reaps it. The survivors get each message that was put, whole, once and in order,
//! except messages that a dead process had taken. All room of the queue returns, and all memory of
//! large messages.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;

use common::child::{Life, Orders, assert_visited, every_step, live_until, say};
use common::{arenas, files, spilled_bytes, unique};
use crossmem_core::{Agent, Chunk, Got, Kind, Looked, Member, Object, Put, Segment, Wait};

const CAPACITY: u32 = 4;
const MESSAGE_BYTES: u64 = 24;
/// A message's number is `{ producer: 16 | large: 1 | index: 15 }`. The index counts the producer's
/// messages. A large message lies in the queue's arena.
const LARGE: u32 = 1 << 15;

const REDELIVER: u64 = 1;
const SPILL: u64 = 2;
const QUEUES: &[(Kind, u64)] =
    &[(Kind::MpmcQueue, SPILL), (Kind::JoinableQueue, SPILL), (Kind::JoinableQueue, SPILL | REDELIVER)];

/// Every fail point of queues.
const STEPS: &[&str] = &[
    "queue.joining",
    "queue.claimed",
    "queue.written",
    "queue.queued",
    "queue.linked",
    "queue.tail-moved",
    "queue.taken",
    "queue.head-moved",
    "queue.freeing",
    "queue.freed",
    "queue.retired",
    "arena.piece-written",
    "spill.written",
    "spill.measured",
    "spill.punched",
    "reap.marked",
    "reap.requeued",
    "reap.failing",
    "reap.counted",
    "reap.punched",
    "reap.freed",
    "reap.done",
    "create.arena-linked",
    "create.live",
    "erase.segment-removed",
    "open.attached",
];
/// Every fail point of reaping.
const REAPING: &[&str] = &[
    "reap.locked",
    "reap.marked",
    "reap.requeued",
    "reap.failing",
    "reap.counted",
    "reap.punched",
    "reap.freed",
    "reap.done",
    "queue.linked",
    "queue.tail-moved",
    "queue.head-moved",
    "mutex.unlocked",
];
/// Fail points at which a message has been taken, but its reader doesn't know it yet.
const TAKING: &[&str] = &["queue.taken", "queue.head-moved"];

/// The number that all messages of one test begin with.
fn tag(names: &str) -> u32 {
    names.bytes().fold(7, |tag: u32, byte| tag.wrapping_mul(31).wrapping_add(byte.into()))
}

fn message(tag: u32, number: u32) -> Vec<u8> {
    let more = if number & LARGE == 0 { number % 17 } else { 100 + number % 100 };
    let filler = (0..more).map(|i| (i.wrapping_mul(31) ^ more.wrapping_mul(7) ^ number) as u8);
    [tag, number].into_iter().flat_map(u32::to_le_bytes).chain(filler).collect()
}

/// Checks that a message is whole, and returns its number.
fn number_of(tag: u32, bytes: &[u8]) -> u32 {
    let number = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
    assert_eq!(bytes, message(tag, number), "message {number:#x} is not what was put");
    number
}

fn make(agent: &Agent, name: &str, (kind, flags): (Kind, u64)) -> Segment {
    common::make(agent, name, kind, [CAPACITY.into(), MESSAGE_BYTES, flags, 0, 0])
}

/// Writes to a chunk that the caller has reserved.
fn write(queue: &Segment, chunk: Chunk, bytes: &[u8]) {
    assert!(bytes.len() as u64 <= chunk.len);
    common::write(queue, chunk.offset, bytes);
}

/// A participant of a queue.
struct User<'a> {
    object: Object<'a>,
    member: Member,
    tag: u32,
    who: u32,
    count: u32,
    /// The name that it gives the queue when it says what it does; `None` to say nothing.
    says: Option<&'a str>,
}

#[derive(Clone, Copy)]
struct Taken {
    index: u32,
    number: u32,
    redelivered: bool,
}

impl<'a> User<'a> {
    fn join(agent: &'a Agent, queue: &'a Segment, names: &str, who: u32) -> User<'a> {
        let object = Object::new(agent, queue);
        let member = object.join_queue().unwrap();
        User::join_as(object, member, names, who)
    }

    fn join_as(object: Object<'a>, member: Member, names: &str, who: u32) -> User<'a> {
        User { object, member, tag: tag(names), who, count: 0, says: None }
    }

    fn say(&self, what: &str, number: u32) {
        if let Some(queue) = self.says {
            say(&format!("{queue} {what} {number}"));
        }
    }

    fn next(&mut self, large: u32) -> u32 {
        self.count += 1;
        self.who << 16 | large | (self.count - 1)
    }

    /// Puts a message. Returns its number, or `None` if there was no room.
    fn push(&mut self, large: u32) -> Option<u32> {
        let number = self.next(large);
        self.say("puts", number);
        let put = self.object.push_message(&mut self.member, &message(self.tag, number), Wait::Try).unwrap();
        let done = put == Looked::Got(Put::Done(()));
        self.say(if done { "put" } else { "refused" }, number);
        done.then_some(number)
    }

    fn push_many(&mut self, count: usize) {
        let numbers: Vec<u32> = (0..count).map(|_| self.next(0)).collect();
        let messages: Vec<_> = numbers.iter().map(|&number| message(self.tag, number)).collect();
        for &number in &numbers {
            self.say("puts", number);
        }
        let put = self.object.push_messages(&mut self.member, messages.iter().map(Vec::as_slice)).unwrap();
        let Put::Done(done) = put else { panic!("the queue has ended") };
        for (i, &number) in numbers.iter().enumerate() {
            self.say(if i < done { "put" } else { "refused" }, number);
        }
    }

    fn reserve(&mut self) -> Chunk {
        let reserved = self.object.reserve_message(&mut self.member, Wait::Try).unwrap();
        let Looked::Got(Put::Done(chunk)) = reserved else { panic!("{reserved:?}") };
        chunk
    }

    fn write_and_commit(&mut self, queue: &Segment) {
        let (chunk, number) = (self.reserve(), self.next(0));
        let bytes = message(self.tag, number);
        write(queue, chunk, &bytes);
        self.say("puts", number);
        self.object.commit_message(&self.member, chunk.index, bytes.len() as u32).unwrap();
        self.say("put", number);
    }

    /// Takes a message. Returns `None` if there is none, or if the queue has ended.
    fn take(&mut self) -> Option<Taken> {
        self.say("takes", 0);
        let taken = self.object.take_message(&mut self.member, Wait::Try).unwrap();
        let Looked::Got(Got::Message(chunk)) = taken else { return None };
        let mut bytes = vec![0; chunk.len as usize];
        self.object.read_message(chunk, &mut bytes).unwrap();
        let number = number_of(self.tag, &bytes);
        self.say("has", number);
        Some(Taken { index: chunk.index, number, redelivered: chunk.redelivered })
    }

    fn free(&self, taken: Taken) {
        self.say("read", taken.number);
        self.object.free_message(&self.member, taken.index).unwrap();
    }

    fn put_back(&self, taken: Taken) {
        self.say("puts-back", taken.number);
        self.object.put_message_back(&self.member, taken.index).unwrap();
        self.say("put-back", taken.number);
    }

    /// Takes and frees up to `most` small messages, or one large one.
    fn pop_many(&mut self, most: usize) {
        let (tag, says) = (self.tag, self.says.unwrap());
        let mut large = None;
        let popped = self.object.pop_messages(&mut self.member, most, |region, chunk| {
            if chunk.spilled {
                large = Some(chunk);
                say(&format!("{says} takes 0"));
                return false;
            }
            let mut bytes = vec![0; chunk.len as usize];
            region.copy_to(chunk.offset, &mut bytes).unwrap();
            let number = number_of(tag, &bytes);
            say(&format!("{says} has {number}"));
            say(&format!("{says} read {number}"));
            true
        });
        assert!(matches!(popped, Ok(Got::Message(1..))));
        if let Some(chunk) = large {
            let mut bytes = vec![0; chunk.len as usize];
            self.object.read_message(chunk, &mut bytes).unwrap();
            let number = number_of(tag, &bytes);
            self.say("has", number);
            self.free(Taken { index: chunk.index, number, redelivered: chunk.redelivered });
        }
    }

    /// Takes and frees all messages. The first attempt that finds none reaps dead participants.
    fn drain(&mut self) -> Vec<Taken> {
        std::iter::from_fn(|| {
            let taken = self.take()?;
            self.free(taken);
            Some(taken)
        })
        .collect()
    }

    /// Leaves the queue, which returns what the participant still has.
    fn leave(self) {
        self.object.leave_queue(self.member).unwrap();
    }
}

/// Everything that a process can do with queues. Another process has put a small and a large
/// message into the first.
fn use_queues(agent: &Agent, names: &str, who: u32) {
    let main = Segment::open(agent, &format!("{names}.main"), None).unwrap();
    let mut user = User { says: Some("main"), ..User::join(agent, &main, names, who) };
    user.push(0);
    user.push_many(2); // There is room for one.
    let taken = user.take().unwrap();
    user.free(taken);
    user.push(LARGE);
    user.pop_many(2);
    user.pop_many(2);
    let reserved = user.reserve();
    user.say("cancels", 0);
    user.object.cancel_message(&user.member, reserved.index).unwrap();
    user.write_and_commit(&main);
    let taken = user.take().unwrap();
    user.put_back(taken);
    user.push(0);
    user.take().unwrap();
    user.take().unwrap();
    user.leave();

    let ending = Segment::open(agent, &format!("{names}.ending"), None).unwrap();
    let mut user = User { says: Some("ending"), ..User::join(agent, &ending, names, who) };
    user.push(0);
    user.push(LARGE);
    user.object.end_queue().unwrap();
    assert_eq!(user.push(0), None);
    assert_eq!(user.drain().len(), 2);
    user.leave();

    let own = make(agent, &format!("{names}.own"), (main.kind, SPILL));
    User::join(agent, &own, names, who).push(LARGE);
    own.close(agent);
}

/// Takes a message and keeps it, and reaps dead participants.
fn recover(agent: &Agent, names: &str, who: u32) {
    let main = Segment::open(agent, &format!("{names}.main"), None).unwrap();
    let mut user = User { says: Some("main"), ..User::join(agent, &main, names, who) };
    user.take().unwrap();
    user.drain();
    user.push(LARGE);
    user.leave();
}

/// Joins as often as the queue allows, and puts a message.
fn join_often(agent: &Agent, names: &str) {
    let main = Segment::open(agent, &format!("{names}.main"), None).unwrap();
    let object = Object::new(agent, &main);
    let mut members: Vec<Member> = std::iter::from_fn(|| object.join_queue().ok()).collect();
    User { says: Some("main"), ..User::join_as(object, members.remove(0), names, 1) }.push(0);
}

/// Puts a message of several pieces.
fn put_pieces(agent: &Agent, names: &str) {
    let main = Segment::open(agent, &format!("{names}.main"), None).unwrap();
    let object = Object::new(agent, &main);
    object.push_message(&mut object.join_queue().unwrap(), &vec![1; 5 << 20], Wait::Try).unwrap();
}

/// Takes all messages and gives them up, the last one first.
fn abandon(agent: &Agent, names: &str) {
    let main = Segment::open(agent, &format!("{names}.main"), None).unwrap();
    let mut user = User::join(agent, &main, names, 1);
    let taken: Vec<Taken> = std::iter::from_fn(|| user.take()).collect();
    for taken in taken.iter().rev() {
        user.object.abandon_message(&user.member, taken.index).unwrap();
    }
}

#[test]
fn child_program() {
    let Some(Orders { deed, domain, names }) = Orders::given() else { return };
    let agent = Agent::register(&domain, 0).unwrap();
    match deed.as_str() {
        "use" => use_queues(&agent, &names, 1),
        "recover" => recover(&agent, &names, 2),
        "join-often" => join_often(&agent, &names),
        "join" => {
            let main = Segment::open(&agent, &format!("{names}.main"), None).unwrap();
            User::join(&agent, &main, &names, 2).leave();
        }
        "put-pieces" => put_pieces(&agent, &names),
        "abandon" => abandon(&agent, &names),
        other => panic!("no deed {other}"),
    }
    agent.leave();
}

/// What dead processes said that they did with a queue.
#[derive(Default)]
struct Story {
    /// Messages that they began to put, and that they put, without refused ones.
    puts: BTreeSet<u32>,
    put: BTreeSet<u32>,
    /// Messages that they had taken, and those of them that they still held.
    had: BTreeSet<u32>,
    held: BTreeSet<u32>,
    read: BTreeSet<u32>,
    began_to_put_back: BTreeSet<u32>,
    /// How many died while they took a message.
    taking: usize,
}

impl Story {
    fn of(lives: &[Life], queue: &str) -> Story {
        let mut story = Story::default();
        for life in lives {
            let at = life.at.as_deref().unwrap_or_default();
            let mut last = None;
            for words in &life.said {
                let words: Vec<&str> = words.split(' ').collect();
                last = None;
                if let [of, what, number] = words[..]
                    && of == queue
                {
                    last = Some((what, number.parse().unwrap()));
                    story.hear(what, number.parse().unwrap());
                }
            }
            let is_taking = TAKING.contains(&at) || matches!(last, Some(("takes", _)));
            story.taking += usize::from(is_taking);
            if let Some(("read", number)) = last
                && at == "queue.freeing"
                && number & LARGE == 0
            {
                story.read.remove(&number);
                story.held.insert(number);
            }
        }
        story
    }

    fn hear(&mut self, what: &str, number: u32) {
        match what {
            "takes" | "cancels" => false,
            "puts" => self.puts.insert(number),
            "put" => self.put.insert(number),
            "refused" => self.puts.remove(&number),
            "has" => self.had.insert(number) | self.held.insert(number),
            "read" => self.held.remove(&number) | self.read.insert(number),
            "puts-back" => self.began_to_put_back.insert(number),
            "put-back" => self.held.remove(&number),
            other => panic!("it said {other}"),
        };
    }

    /// Checks that the survivors got each message that is due: from those that they had put
    /// themselves, and from dead processes. Returns how many messages are lost with dead readers,
    /// at least and at most: one process may have died before it said that it put a message, and
    /// another before it said that it took it.
    fn judge(&self, survivors: &[u32], got: &[Taken], redeliver: bool, at: &str) -> [usize; 2] {
        let numbers: BTreeSet<u32> = got.iter().map(|taken| taken.number).collect();
        assert_eq!(numbers.len(), got.len(), "a message came twice after {at}");
        for taken in got {
            let number = taken.number;
            let was_put = survivors.contains(&number) || self.puts.contains(&number);
            assert!(was_put, "{number:#x} was never put, after {at}");
            assert!(!self.read.contains(&number), "{number:#x} came again after {at}");
            let may_come_again = redeliver || self.began_to_put_back.contains(&number);
            let had = self.had.contains(&number);
            assert!(
                !had || may_come_again && taken.redelivered,
                "{number:#x} came again without being marked, after {at}"
            );
        }
        let surprises = got.iter().filter(|taken| taken.redelivered && !self.had.contains(&taken.number));
        let allowed = if redeliver { self.taking } else { 0 };
        assert!(
            surprises.count() <= allowed,
            "too many are marked as redelivered, of {numbers:x?}, after {at}"
        );

        let new = got.iter().filter(|taken| !taken.redelivered).map(|taken| taken.number);
        let orders: Vec<(u32, u32)> = new.map(|number| (number >> 16, number & !LARGE)).collect();
        for (i, (who, number)) in orders.iter().enumerate() {
            let overtaken = orders[..i].iter().any(|(other, before)| other == who && before > number);
            assert!(!overtaken, "{number:#x} is out of order after {at}");
        }

        let due: BTreeSet<u32> = survivors.iter().chain(&self.put).chain(&self.had).copied().collect();
        let missing: BTreeSet<u32> = &(&due - &numbers) - &self.read;
        let unexplained = (&missing - &self.held).len();
        let allowed = if redeliver { 0 } else { self.taking };
        assert!(unexplained <= allowed, "{missing:x?} are missing after {at}");
        assert!(!redeliver || missing.is_empty(), "{missing:x?} are missing after {at}");
        let unsure = (&(&self.puts - &due) - &numbers).len();
        [missing.len(), missing.len() + unsure.min(self.taking)]
    }
}

/// What a child's death leaves to this process.
struct World {
    domain: String,
    names: String,
    agents: [Agent; 2],
    queues: [Segment; 2],
    what: (Kind, u64),
}

impl World {
    fn new(what: (Kind, u64)) -> World {
        let (domain, names) = (unique("d"), unique("n"));
        let agents = [Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap()];
        let queues = ["main", "ending"].map(|queue| make(&agents[0], &format!("{names}.{queue}"), what));
        World { domain, names, agents, queues, what }
    }

    fn user(&self, agent: usize, queue: usize) -> User<'_> {
        User::join(&self.agents[agent], &self.queues[queue], &self.names, 10 + agent as u32)
    }

    fn live_until(&self, deed: &str, fail_at: &str) -> Life {
        live_until(deed, &self.domain, &self.names, fail_at)
    }

    /// Checks that the survivors lose only what dead processes had, and that the queue works and
    /// has all its room.
    fn go_on(
        &self,
        mut producer: User<'_>,
        mut consumer: User<'_>,
        before: &[u32],
        lives: &[Life],
        at: &str,
    ) {
        let redeliver = self.what.1 & REDELIVER != 0;
        let got = consumer.drain();
        let [least, most] = Story::of(lives, "main").judge(before, &got, redeliver, at);
        let (object, member) = (consumer.object, &mut consumer.member);
        if self.what.0 == Kind::JoinableQueue {
            let (unfinished, failed) = object.unfinished_messages(member).unwrap();
            assert_eq!(unfinished, 0, "after {at}");
            let failed = failed as usize;
            assert!((least..=most).contains(&failed), "{failed} failures, not {least} to {most}, after {at}");
            assert_eq!(object.join_messages(member, Wait::Try).unwrap(), Looked::Got(()), "after {at}");
        }
        assert_eq!(object.queue_size(member).unwrap(), 0, "after {at}");

        let all: Vec<u32> =
            (0..CAPACITY).filter_map(|i| producer.push(if i == 1 { LARGE } else { 0 })).collect();
        assert_eq!(all.len(), CAPACITY as usize, "room after {at}");
        assert_eq!(producer.push(0), None, "more room than there was, after {at}");
        let exact = |got: Vec<Taken>| got.iter().map(|taken| (taken.number, taken.redelivered)).collect();
        let got: Vec<(u32, bool)> = exact(consumer.drain());
        assert_eq!(got, all.iter().map(|&number| (number, false)).collect::<Vec<_>>(), "after {at}");
        for _ in 0..100 {
            let number = producer.push(0).unwrap_or_else(|| panic!("no room after {at}"));
            assert_eq!(exact(consumer.drain()), [(number, false)], "after {at}");
        }

        let mut late = self.user(1, 1);
        let got = late.drain();
        Story::of(lives, "ending").judge(&[], &got, redeliver, at);
        let end = late.object.take_message(&mut late.member, Wait::Try).unwrap();
        let put =
            late.object.push_message(&mut late.member, &message(tag(&self.names), 0), Wait::Try).unwrap();
        let expected = if late.object.queue_has_ended().unwrap() {
            (Looked::Got(Got::Ended), Looked::Got(Put::Ended))
        } else {
            let sleepers = if let Looked::NotYet { sleepers } = end { sleepers } else { 0 };
            (Looked::NotYet { sleepers }, Looked::Got(Put::Done(())))
        };
        assert_eq!((end, put), expected, "the end after {at}");

        self.agents[0].collect_garbage().unwrap();
        assert_eq!(spilled_bytes(&self.domain), 0, "memory of large messages after {at}");
        assert_eq!(arenas(&self.domain).len(), self.queues.len(), "arenas after {at}");
    }

    fn end(self, at: &str) {
        let (names, domain) = (self.names, self.domain);
        self.agents.into_iter().for_each(Agent::leave);
        assert_eq!((files(&names), files(&domain)), (vec![], vec![]), "after {at}");
    }
}

#[test]
fn killed_at_every_step() {
    let mut visited = BTreeSet::new();
    for &what in QUEUES {
        visited.extend(every_step(|step| {
            let world = World::new(what);
            let (mut producer, consumer) = (world.user(0, 0), world.user(1, 0));
            let before = [producer.push(0).unwrap(), producer.push(LARGE).unwrap()];
            let life = world.live_until("use", &format!("*:{step}"));
            let at = life.at.clone();
            let shown = format!("{} in {what:?}", at.as_deref().unwrap_or("the end"));
            world.go_on(producer, consumer, &before, &[life], &shown);
            world.end(&shown);
            at
        }));
    }
    assert_visited(STEPS, &visited);
}

/// A process dies, and the process that reaps it dies at every step. A third process goes on.
#[test]
fn the_reaper_is_killed_while_reaping() {
    let mut visited = BTreeSet::new();
    for &what in QUEUES {
        for first in [
            "queue.claimed",
            "queue.queued",
            "queue.taken",
            "queue.taken:2",
            "queue.freeing:1",
            "spill.written",
            "spill.punched",
            "queue.retired",
        ] {
            for label in REAPING {
                for turn in 1.. {
                    let world = World::new(what);
                    let (mut producer, consumer) = (world.user(0, 0), world.user(1, 0));
                    let before = [producer.push(0).unwrap(), producer.push(LARGE).unwrap()];
                    // The reaper takes this place, which is before the dead process's in the table
                    // of participants.
                    let place = world.user(0, 0);
                    let dead = world.live_until("use", first);
                    assert!(dead.at.is_some(), "no process was killed at {first}");
                    place.leave();
                    let reaper = world.live_until("recover", &format!("{label}:{turn}"));
                    let ended = reaper.at.is_none();
                    let shown = format!("{first} and then {label}:{turn} in {what:?}");
                    world.go_on(producer, consumer, &before, &[dead, reaper], &shown);
                    world.end(&shown);
                    if ended {
                        break;
                    }
                    visited.insert((*label).to_owned());
                }
            }
        }
    }
    assert_visited(REAPING, &visited);
}

/// A newcomer must reap before it can join. It dies while it reaps, before it has a place in the
/// table of participants.
#[test]
fn a_newcomer_is_killed_while_it_makes_room_for_itself() {
    for &what in QUEUES {
        let world = World::new(what);
        let producer = world.user(0, 0);
        let dead = world.live_until("join-often", "queue.queued");
        let newcomer = world.live_until("join", "reap.requeued");
        assert_eq!(
            (dead.at.as_deref(), newcomer.at.as_deref()),
            (Some("queue.queued"), Some("reap.requeued"))
        );
        let mut consumer = world.user(1, 0);
        let got = consumer.take().expect("a message that no process had linked");
        consumer.free(got);
        let lives = [dead, newcomer];
        world.go_on(producer, consumer, &[], &lives, "a newcomer's death");
        world.end("a newcomer's death");
    }
}

/// A writer dies between two pieces of a message.
#[test]
fn pieces_of_a_message_are_no_message() {
    let world = World::new((Kind::MpmcQueue, SPILL));
    let (producer, mut consumer) = (world.user(0, 0), world.user(1, 0));
    let dead = world.live_until("put-pieces", "arena.piece-written:3");
    assert_eq!(dead.at.as_deref(), Some("arena.piece-written"));
    assert_eq!(spilled_bytes(&world.domain), 3 << 20);
    assert_eq!(consumer.drain().len(), 0);
    assert_eq!(spilled_bytes(&world.domain), 0);
    world.go_on(producer, consumer, &[], &[], "its death");
    world.end("its death");
}

/// A process dies after it counted that it failed at a message. Its other messages are reaped
/// first.
#[test]
fn a_failure_that_was_counted_keeps_no_memory() {
    let world = World::new((Kind::JoinableQueue, SPILL));
    let mut producer = world.user(0, 0);
    for _ in 0..2 {
        producer.push(LARGE).unwrap();
    }
    let dead = world.live_until("abandon", "reap.counted");
    assert_eq!(dead.at.as_deref(), Some("reap.counted"));
    let mut consumer = world.user(1, 0);
    assert_eq!(consumer.drain().len(), 0);
    assert_eq!(consumer.object.unfinished_messages(&mut consumer.member).unwrap(), (0, 2));
    assert_eq!(spilled_bytes(&world.domain), 0);
    world.end("its death");
}

/// A producer gets back the room of a dead reader even if no reader is left, and even if the reader
/// died while it took the message.
#[test]
fn room_is_found_by_producers_alone() {
    for step in ["queue.taken", "queue.head-moved"] {
        let world = World::new((Kind::JoinableQueue, SPILL));
        let mut producer = world.user(0, 0);
        let all: Vec<u32> = (0..CAPACITY).filter_map(|_| producer.push(0)).collect();
        let dead = world.live_until("recover", step);
        let after = producer.push(0).unwrap_or_else(|| panic!("no room after {step}"));
        let consumer = world.user(1, 0);
        let before: Vec<u32> = all.iter().copied().chain([after]).collect();
        world.go_on(producer, consumer, &before, &[dead], step);
        world.end(step);
    }
}
