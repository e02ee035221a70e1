//! A process is killed at every step of everything that it can do with channels. The process that
//! takes over its end of a queue loses nothing. The other owner of its pipe gets what it sent, and
//! is told that it died.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;

use common::child::{Life, Orders, assert_visited, every_step, live_until, say};
use common::{files, make, unique, write};
use crossmem_core::{Agent, CONSUMER, Code, End, Got, Kind, Looked, Object, PRODUCER, Put, Segment, Wait};

const STEPS: &[&str] = &[
    "channel.taking",
    "channel.taken",
    "channel.closed",
    "channel.released",
    "ring.written",
    "ring.pushed",
    "ring.read",
    "ring.popped",
];
const RING: u64 = 256;

/// The n-th record, and whether its message goes on in the next one. Records have all lengths.
fn record(n: u32) -> (Vec<u8>, bool) {
    let len = n * 11 % 60;
    ((0..len).map(|i| (i * 7 + len + n * 13) as u8).collect(), n.is_multiple_of(4))
}

/// An end of a channel, and how many records went through it.
struct User<'a> {
    object: Object<'a>,
    channel: &'a Segment,
    end: End,
    pushed: u32,
    popped: u32,
}

impl<'a> User<'a> {
    fn take(agent: &'a Agent, channel: &'a Segment, end: usize) -> User<'a> {
        let object = Object::new(agent, channel);
        let end = object.take_end(end).unwrap();
        User { object, channel, end, pushed: 0, popped: 0 }
    }

    fn push(&mut self) -> crossmem_core::Result<Looked<Put<()>>> {
        let (bytes, more) = record(self.pushed);
        let pushed = self.object.push_record(&mut self.end, &bytes, more, Wait::Try);
        self.pushed += u32::from(matches!(pushed, Ok(Looked::Got(Put::Done(())))));
        pushed
    }

    /// Pops a record, which must be the next one.
    fn pop(&mut self) -> crossmem_core::Result<Looked<Got<()>>> {
        let found = match self.object.peek_record(&mut self.end, Wait::Try)? {
            Looked::Got(Got::Message(found)) => found,
            Looked::Got(Got::Ended) => return Ok(Looked::Got(Got::Ended)),
            Looked::NotYet { sleepers } => return Ok(Looked::NotYet { sleepers }),
            Looked::Mine => return Ok(Looked::Mine),
        };
        let mut bytes = vec![0; found.len as usize];
        self.object.read_record(found, &mut bytes).unwrap();
        assert_eq!((bytes, found.more), record(self.popped), "record {}", self.popped);
        self.object.release_record(&mut self.end).unwrap();
        self.popped += 1;
        Ok(Looked::Got(Got::Message(())))
    }

    /// Pops all records. Returns how that ended.
    fn drain(&mut self) -> crossmem_core::Result<Looked<Got<()>>> {
        loop {
            let popped = self.pop();
            if !matches!(popped, Ok(Looked::Got(Got::Message(())))) {
                return popped;
            }
        }
    }

    /// Everything that a producer can do, in a ring with enough room. It says what it pushes before
    /// and after each push.
    fn push_all(&mut self) {
        for _ in 0..2 {
            say(&format!("pushes {}", self.pushed));
            self.push().unwrap();
            say(&format!("pushed {}", self.pushed));
        }
        // A reservation that is given up, and one that is longer than the committed record.
        let (bytes, more) = record(self.pushed);
        for len in [100, bytes.len() as u64 + 8] {
            let reserved = self.object.reserve_record(&mut self.end, len, Wait::Try).unwrap();
            let Looked::Got(Put::Done(place)) = reserved else { panic!("{reserved:?}") };
            write(self.channel, place.offset, &bytes);
        }
        self.object.commit_record(&mut self.end, bytes.len() as u32, more).unwrap();
        self.pushed += 1;
        say(&format!("pushed {}", self.pushed));
        // The message of a record in a batch can't go on in the next record. This one's doesn't.
        let batch = [record(self.pushed).0];
        let pushed = self.object.push_records(&mut self.end, batch.iter().map(Vec::as_slice)).unwrap();
        assert_eq!(pushed, Put::Done(1));
        self.pushed += 1;
        say(&format!("pushed {}", self.pushed));
    }

    /// Everything that a consumer can do.
    fn pop_all(&mut self) {
        self.pop().unwrap();
        say(&format!("popped {}", self.popped));
        // Peeks at a record, pops two in batches of one, and refuses the next.
        self.object.peek_record(&mut self.end, Wait::Try).unwrap();
        for _ in 0..2 {
            let expected = record(self.popped);
            let popped = self.object.pop_records(&mut self.end, 1, |region, found| {
                let mut bytes = vec![0; found.len as usize];
                region.copy_to(found.offset, &mut bytes).unwrap();
                assert_eq!((bytes, found.more), expected);
                true
            });
            assert_eq!(popped.unwrap(), Got::Message(1));
            self.popped += 1;
            say(&format!("popped {}", self.popped));
        }
        let refused = self.object.pop_records(&mut self.end, 1, |_, _| false).unwrap();
        assert_eq!(refused, Got::Message(0));
    }
}

fn open(agent: &Agent, names: &str) -> Segment {
    Segment::open(agent, names, None).unwrap()
}

#[test]
fn child_program() {
    let Some(Orders { deed, domain, names }) = Orders::given() else { return };
    let agent = Agent::register(&domain, 0).unwrap();
    let channel = open(&agent, &names);
    let mut user =
        User::take(&agent, &channel, if deed.starts_with("consume") { CONSUMER } else { PRODUCER });
    say("taken 0");
    if deed == "talk" || deed.starts_with("consume") {
        user.pop_all();
    }
    if deed == "talk" || deed.starts_with("produce") {
        user.push_all();
    }
    user.object.release_end(user.end, deed == "talk" || deed.ends_with("close")).unwrap();
    channel.close(&agent);
    agent.leave();
}

/// The number that a child said last with that word.
fn last(life: &Life, word: &str) -> u32 {
    let mut numbers = life.said.iter().rev().filter_map(|said| said.strip_prefix(word)?.trim().parse().ok());
    numbers.next().unwrap_or(0)
}

/// What a child's death leaves to this process.
struct World {
    domain: String,
    name: String,
    agent: Agent,
    channel: Segment,
}

impl World {
    fn new(kind: Kind, back: u64) -> World {
        let (domain, name) = (unique("d"), unique("n"));
        let agent = Agent::register(&domain, 0).unwrap();
        let channel = make(&agent, &name, kind, [RING, back, 0, 0, 0]);
        World { domain, name, agent, channel }
    }

    fn take(&self, end: usize) -> User<'_> {
        User::take(&self.agent, &self.channel, end)
    }

    /// Both ends of a queue, at positions from which the next records soon need padding.
    fn ends(&self) -> (User<'_>, User<'_>) {
        let (mut producer, mut consumer) = (self.take(PRODUCER), self.take(CONSUMER));
        for _ in 0..27 {
            producer.object.push_record(&mut producer.end, &[], true, Wait::Try).unwrap();
            consumer.pop().unwrap();
            consumer.popped = 0;
        }
        (producer, consumer)
    }

    fn live_until(&self, deed: &str, step: u32) -> (Life, String) {
        let life = live_until(deed, &self.domain, &self.name, &format!("*:{step}"));
        let at = life.at.clone().unwrap_or_else(|| "the end".to_owned());
        (life, at)
    }

    fn end(self, at: &str) {
        self.channel.close(&self.agent);
        self.agent.leave();
        assert_eq!((files(&self.name), files(&self.domain)), (vec![], vec![]), "after {at}");
    }
}

/// Checks that a queue works, or that it has ended if it was closed.
fn go_on(producer: &mut User<'_>, consumer: &mut User<'_>, closed: bool, at: &str) {
    let end = consumer.drain().unwrap();
    assert_eq!(producer.pushed, consumer.popped, "after {at}");
    assert_eq!(end == Looked::Got(Got::Ended), closed, "the end after {at}");
    for _ in 0..100 {
        let pushed = producer.push().unwrap();
        let ended = pushed == Looked::Got(Put::Ended);
        assert_eq!((pushed == Looked::Got(Put::Done(())), ended), (!closed, closed), "after {at}");
        assert_eq!(consumer.pop().unwrap() == Looked::Got(Got::Message(())), !closed, "after {at}");
    }
}

fn producers(deed: &str) -> BTreeSet<String> {
    every_step(|step| {
        let world = World::new(Kind::SpscQueue, 0);
        let (producer, mut consumer) = world.ends();
        producer.object.release_end(producer.end, false).unwrap();
        let (life, at) = world.live_until(deed, step);
        let closed = consumer.object.end_is_closed(PRODUCER).unwrap();
        let mut successor = world.take(PRODUCER);
        consumer.drain().unwrap();
        let said = last(&life, "pushed");
        assert!((said..=said + 1).contains(&consumer.popped), "{} of {said} after {at}", consumer.popped);
        successor.pushed = consumer.popped;
        go_on(&mut successor, &mut consumer, closed, &at);
        world.end(&at);
        life.at
    })
}

fn consumers(deed: &str) -> BTreeSet<String> {
    every_step(|step| {
        let world = World::new(Kind::SpscQueue, 0);
        let (mut producer, consumer) = world.ends();
        consumer.object.release_end(consumer.end, false).unwrap();
        while producer.push().unwrap() == Looked::Got(Put::Done(())) {}
        assert!(producer.pushed > 3);
        let (life, at) = world.live_until(deed, step);
        let mut successor = world.take(CONSUMER);
        let found = successor.object.peek_record(&mut successor.end, Wait::Try).unwrap();
        let Looked::Got(Got::Message(first)) = found else { panic!("{found:?} after {at}") };
        let said = last(&life, "popped");
        successor.popped = said + u32::from(first.len as usize != record(said).0.len());
        // A consumer that takes the end over goes on, even if the dead one had closed it.
        go_on(&mut producer, &mut successor, false, &at);
        world.end(&at);
        life.at
    })
}

fn talkers() -> BTreeSet<String> {
    every_step(|step| {
        let world = World::new(Kind::Pipe, RING);
        let mut other = world.take(0);
        for _ in 0..4 {
            other.push().unwrap();
        }
        let (life, at) = world.live_until("talk", step);
        let closed = other.object.end_is_closed(1).unwrap();
        let taken = at == "channel.taken" || life.said.iter().any(|said| said == "taken 0");
        let code = |refused: crossmem_core::Error| refused.code;
        for _ in 0..2 {
            let (end, refused) =
                (other.drain().map_err(code), other.object.take_end(1).map(drop).map_err(code));
            match (closed, taken) {
                (true, _) => assert_eq!((end, refused), (Ok(Looked::Got(Got::Ended)), Err(Code::Ended))),
                (_, true) => assert_eq!((end, refused), (Err(Code::PeerDied), Err(Code::PeerDied))),
                _ => {
                    assert!(matches!(end, Ok(Looked::NotYet { .. })), "{end:?} after {at}");
                    break;
                }
            }
        }
        let said = last(&life, "pushed");
        assert!((said..=said + 1).contains(&other.popped), "{} of {said} after {at}", other.popped);
        if closed {
            assert_eq!(other.push().unwrap(), Looked::Got(Put::Ended), "after {at}");
        } else if taken {
            let refused = (0..RING).find_map(|_| other.push().err()).map(code);
            assert_eq!(refused, Some(Code::PeerDied), "after {at}");
        }
        world.end(&at);
        life.at
    })
}

#[test]
fn killed_at_every_step() {
    let mut visited = BTreeSet::new();
    for deed in ["produce", "produce-and-close"] {
        visited.extend(producers(deed));
    }
    for deed in ["consume", "consume-and-close"] {
        visited.extend(consumers(deed));
    }
    visited.extend(talkers());
    assert_visited(STEPS, &visited);
}
