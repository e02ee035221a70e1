//! A process is killed at every step of everything that it can do with a queue of records, and so
//! is the process that goes on after it. Each call's records are put, or none of them; records that
//! a dead process held are there again; and the next process goes on.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::child::{Life, Orders, assert_visited, every_step, live_until, say};
use common::{files, make, unique};
use crossmem_core::{Agent, Got, Kind, Looked, Object, Put, RecordsAt, Segment, Side, Spins, Wait};

/// Every fail point of queues of records.
const STEPS: &[&str] = &[
    "records.entered",
    "records.copied",
    "records.moved",
    "records.left",
    "records.remembered",
    "records.ended",
];
const CAPACITY: u32 = 6;
const BYTES: usize = 20;
const ARMED: Wait = Wait::Arm { again: false };

fn record(number: u32) -> [u8; BYTES] {
    std::array::from_fn(|i| if i < 4 { number.to_le_bytes()[i] } else { (number * 7 + i as u32) as u8 })
}

fn number_of(bytes: &[u8]) -> u32 {
    let number = u32::from_le_bytes(bytes[..4].try_into().unwrap());
    assert_eq!(bytes, record(number), "record {number} is not what was put");
    number
}

/// A user of a queue: the records that it puts and gets are numbered.
struct User<'a> {
    object: Object<'a>,
    next: u32,
}

impl User<'_> {
    /// Puts `count` records, all or none. It says before and after which comes next.
    fn put(&mut self, count: u32, wait: Wait) -> Looked<Put<u32>> {
        let bytes: Vec<u8> = (self.next..self.next + count).flat_map(record).collect();
        say(&format!("puts {}", self.next + count));
        let put = self.object.put_records(&bytes, wait).unwrap();
        if let Looked::Got(Put::Done(done)) = put {
            assert_eq!(done, count);
            self.next += done;
        }
        say(&format!("next {}", self.next));
        put
    }

    /// Takes `count` records, which must be the next ones.
    fn get(&mut self, count: u32, wait: Wait) -> Looked<Got<u32>> {
        let mut bytes = vec![0; count as usize * BYTES];
        say(&format!("gets {}", self.next + count));
        let got = self.object.get_records(&mut bytes, wait).unwrap();
        if let Looked::Got(Got::Message(done)) = got {
            for bytes in bytes.chunks_exact(BYTES).take(done as usize) {
                assert_eq!(number_of(bytes), self.next);
                self.next += 1;
            }
        }
        say(&format!("next {}", self.next));
        got
    }

    /// Holds records, and takes one of them.
    fn hold(&mut self) {
        let held = self.object.enter_records(Side::Consumers, Wait::Try, &mut Spins::default()).unwrap();
        assert!(matches!(held, Looked::Got(RecordsAt::Slots(_))), "{held:?}");
        say(&format!("gets {}", self.next + 1));
        self.object.advance_records(Side::Consumers, 1).unwrap();
        self.next += 1;
        say(&format!("next {}", self.next));
    }

    /// All that is left.
    fn drain(&mut self) -> u32 {
        let from = self.next;
        while matches!(self.get(1, Wait::Try), Looked::Got(Got::Message(1))) {}
        self.next - from
    }
}

/// Everything that a producer can do: single records, some around the end of the ring, a wait
/// in vain, a release without a record.
fn produce(user: &mut User<'_>) {
    user.put(1, Wait::Try);
    user.put(3, Wait::Try);
    user.put(2, ARMED);
    user.put(1, Wait::For(Duration::from_millis(1)));
    assert!(matches!(user.put(1, ARMED), Looked::NotYet { .. }));
    user.object.give_up_records(Side::Producers).unwrap();
}

/// Everything that a consumer can do.
fn consume(user: &mut User<'_>) {
    user.get(1, Wait::Try);
    let held = user.object.enter_records(Side::Consumers, Wait::Try, &mut Spins::default()).unwrap();
    assert!(matches!(held, Looked::Got(RecordsAt::Slots(_))), "{held:?}");
    user.object.leave_records(Side::Consumers).unwrap();
    user.hold();
    user.get(2, ARMED);
    user.get(2, Wait::For(Duration::from_millis(1)));
    user.get(1, Wait::For(Duration::from_millis(1)));
}

#[test]
fn child_program() {
    let Some(Orders { deed, domain, names }) = Orders::given() else { return };
    let agent = Agent::register(&domain, 0).unwrap();
    let queue = Segment::open(&agent, &names, None).unwrap();
    let mut user = User { object: Object::new(&agent, &queue), next: 0 };
    match deed.as_str() {
        "produce" => produce(&mut user),
        "consume" => consume(&mut user),
        _ => user.object.end_records().unwrap(),
    }
    queue.close(&agent);
    agent.leave();
}

/// The number that a child said last with that word.
fn last(life: &Life, word: &str) -> u32 {
    let mut numbers = life.said.iter().rev().filter_map(|said| said.strip_prefix(word)?.trim().parse().ok());
    numbers.next().unwrap_or(0)
}

/// The state in which a child begins.
#[derive(Clone, Copy, Debug)]
struct Setting {
    /// Records that went through before: where in the ring it begins.
    before: u32,
    /// This process waits at the end that the child uses.
    waits: bool,
    /// An agent died with that end.
    heir: bool,
}

struct World {
    domain: String,
    name: String,
    agent: Agent,
    queue: Segment,
}

impl World {
    fn new(Setting { before, heir, .. }: Setting, side: Side, records: u32) -> World {
        let (domain, name) = (unique("d"), unique("n"));
        let agent = Agent::register(&domain, 0).unwrap();
        let queue = make(&agent, &name, Kind::RecordQueue, [CAPACITY.into(), BYTES as u64, 64, 0, 0]);
        let world = World { domain, name, agent, queue };
        for _ in 0..before {
            world.user(0).put(1, Wait::Try);
            world.user(0).get(1, Wait::Try);
        }
        if records > 0 {
            world.user(0).put(records, Wait::Try);
        }
        if heir {
            let dead = Agent::register(&world.domain, 0).unwrap();
            let object = Object::new(&dead, &world.queue);
            object.enter_records(side, Wait::Try, &mut Spins::default()).unwrap();
            drop(dead);
        }
        world
    }

    fn user(&self, next: u32) -> User<'_> {
        User { object: Object::new(&self.agent, &self.queue), next }
    }

    fn live_until(&self, deed: &str, step: u32) -> (Life, String) {
        let life = live_until(deed, &self.domain, &self.name, &format!("*:{step}"));
        let at = life.at.clone().unwrap_or_else(|| "the end".to_owned());
        (life, at)
    }

    /// Checks that both ends work, or that the queue has ended.
    fn end(self, at: &str) {
        let ended = self.user(0).object.records_have_ended().unwrap();
        for number in 0..2 * CAPACITY {
            let (mut producer, mut consumer) = (self.user(number), self.user(number));
            let (put, got) = (producer.put(1, Wait::Try), consumer.get(1, Wait::Try));
            let expected = if ended {
                (Looked::Got(Put::Ended), Looked::Got(Got::Ended))
            } else {
                (Looked::Got(Put::Done(1)), Looked::Got(Got::Message(1)))
            };
            assert_eq!((put, got), expected, "after {at}");
        }
        self.queue.close(&self.agent);
        self.agent.leave();
        assert_eq!((files(&self.name), files(&self.domain)), (vec![], vec![]), "after {at}");
    }
}

fn settings() -> impl Iterator<Item = Setting> {
    (0..8).map(|bits| Setting {
        before: if bits & 1 == 0 { 0 } else { 4 },
        waits: bits & 2 != 0,
        heir: bits & 4 != 0,
    })
}

/// Whether a call was done or not, by what is left of it: never a part of it.
fn is_whole(life: &Life, found: u32, at: &str) {
    let (before, after) =
        (last(life, "next"), last(life, "puts").max(last(life, "gets")).max(last(life, "next")));
    assert!(found == before || found == after, "{found}, not {before} or {after}, after {at}");
}

fn producers(setting: Setting) -> BTreeSet<String> {
    every_step(|step| {
        let world = World::new(setting, Side::Producers, 0);
        if setting.waits {
            // It waits for a record; and it would wait for room, if it had any to put.
            assert!(matches!(world.user(0).get(1, ARMED), Looked::NotYet { .. }));
        }
        let (life, at) = world.live_until("produce", step);
        let mut user = world.user(0);
        let found = user.drain();
        is_whole(&life, found, &at);
        world.end(&at);
        life.at
    })
}

fn consumers(setting: Setting) -> BTreeSet<String> {
    every_step(|step| {
        let world = World::new(setting, Side::Consumers, CAPACITY);
        if setting.waits {
            // A held end lets this process go to sleep there, and be forgotten or not.
            let other = Agent::register(&world.domain, 0).unwrap();
            let object = Object::new(&other, &world.queue);
            object.enter_records(Side::Consumers, Wait::Try, &mut Spins::default()).unwrap();
            assert!(matches!(world.user(0).get(1, ARMED), Looked::NotYet { .. }));
            drop(other);
        }
        let (life, at) = world.live_until("consume", step);
        let mut user = world.user(0);
        let mut bytes = [0; BYTES];
        let got = user.object.get_records(&mut bytes, Wait::Try).unwrap();
        let first = if got == Looked::Got(Got::Message(1)) { number_of(&bytes) } else { CAPACITY };
        is_whole(&life, first, &at);
        user.next = first + 1;
        user.drain();
        assert_eq!(user.next.min(CAPACITY), CAPACITY, "all that was not taken is there after {at}");
        world.end(&at);
        life.at
    })
}

fn enders(setting: Setting) -> BTreeSet<String> {
    every_step(|step| {
        let world = World::new(setting, Side::Producers, 2);
        let (life, at) = world.live_until("end", step);
        assert_eq!(world.user(0).drain(), 2);
        world.end(&at);
        life.at
    })
}

#[test]
fn killed_at_every_step() {
    let mut visited = BTreeSet::new();
    for setting in settings() {
        visited.extend(producers(setting));
        visited.extend(consumers(setting));
        visited.extend(enders(setting));
    }
    assert_visited(STEPS, &visited);
}
