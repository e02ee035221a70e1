//! Queues of records: their order, their ends, and whom a call wakes.
#![cfg(target_os = "linux")]

mod common;

use common::{code, make, rung, unique, write};
use crossmem_core::{
    Agent, Code, DESCRIPTION_OFFSET, Got, Kind, Looked, Object, Put, RecordsAt, Segment, Side, Slots, Spins,
    Wait,
};

const ARMED: Wait = Wait::Arm { again: false };
const AGAIN: Wait = Wait::Arm { again: true };
const RECORD_BYTES: u64 = 12;
/// In a segment: the consumers' position, and the producers'.
const HEAD: u64 = 64;
const TAIL: u64 = 64 + 192;

/// Two agents of a domain, and a queue.
struct World {
    agents: [Agent; 2],
    queue: Segment,
}

impl World {
    fn new(capacity: u64) -> World {
        let (domain, name) = (unique("d"), unique("n"));
        let agents = [0, 1].map(|_| Agent::register(&domain, 0).unwrap());
        let queue = make(&agents[0], &name, Kind::RecordQueue, [capacity, RECORD_BYTES, 64, 0, 0]);
        World { agents, queue }
    }

    fn objects(&self) -> [Object<'_>; 2] {
        [0, 1].map(|agent| Object::new(&self.agents[agent], &self.queue))
    }

    /// A queue all of whose records were taken, at that position.
    fn at(self, position: u32) -> World {
        for end in [HEAD, TAIL] {
            write(&self.queue, end, &position.to_le_bytes());
        }
        self
    }

    fn end(self) {
        self.agents.into_iter().for_each(Agent::leave);
    }
}

fn record(number: u32) -> [u8; 12] {
    let mut bytes = [number as u8; 12];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn put(object: Object<'_>, numbers: std::ops::Range<u32>) -> Looked<Put<u32>> {
    let bytes: Vec<u8> = numbers.flat_map(record).collect();
    object.put_records(&bytes, Wait::Try).unwrap()
}

/// Takes at most `most` records, and returns their numbers.
fn get(object: Object<'_>, most: usize) -> Vec<u32> {
    let mut bytes = vec![0; most * 12];
    let got = object.get_records(&mut bytes, Wait::Try).unwrap();
    let Looked::Got(Got::Message(count)) = got else { return vec![] };
    let number = |bytes: &[u8]| {
        let number = u32::from_le_bytes(bytes[..4].try_into().unwrap());
        assert_eq!(bytes, record(number));
        number
    };
    bytes[..count as usize * 12].chunks_exact(12).map(number).collect()
}

fn enter(object: Object<'_>, side: Side, wait: Wait) -> Looked<RecordsAt> {
    object.enter_records(side, wait, &mut Spins::default()).unwrap()
}

fn slots(looked: Looked<RecordsAt>) -> Slots {
    let Looked::Got(RecordsAt::Slots(slots)) = looked else { panic!("{looked:?}") };
    slots
}

#[test]
fn records_come_in_order_at_every_position() {
    for capacity in [1, 2, 3, 5, 64] {
        let cycle = (1_u64 << 32) / capacity * capacity;
        for position in [0, capacity - 1, cycle - 1, cycle - capacity] {
            let world = World::new(capacity).at(position as u32);
            let [a, b] = world.objects();
            let capacity = capacity as u32;
            let mut next = 0;
            for round in 1..=2 * capacity {
                let most = round % (capacity + 2) + 1;
                let Looked::Got(Put::Done(done)) = put(a, next..next + most) else { panic!() };
                assert_eq!(done, most.min(capacity));
                assert_eq!(b.count_records().unwrap(), done);
                let (first, rest) = (get(b, 2), get(b, 99));
                assert_eq!([first, rest].concat(), (next..next + done).collect::<Vec<_>>());
                next += done;
            }
            assert!(matches!(put(a, 0..capacity), Looked::Got(Put::Done(_))));
            assert!(matches!(put(a, 0..1), Looked::NotYet { .. }), "it is full");
            world.end();
        }
    }
}

#[test]
fn records_that_are_held_end_at_the_rings_end() {
    let world = World::new(4).at(2);
    let [a, b] = world.objects();
    assert_eq!(put(a, 0..4), Looked::Got(Put::Done(4)));
    let held = slots(enter(b, Side::Consumers, Wait::Try));
    assert_eq!((held.here, held.count), (2, 4));
    assert_eq!(held.offset, DESCRIPTION_OFFSET + 64 + 2 * RECORD_BYTES);
    assert_eq!(code(b.advance_records(Side::Consumers, 5)), Code::OutOfRange);
    b.advance_records(Side::Consumers, held.here).unwrap();
    let held = slots(enter(b, Side::Consumers, Wait::Try));
    assert_eq!((held.offset, held.here, held.count), (DESCRIPTION_OFFSET + 64, 2, 2));
    b.leave_records(Side::Consumers).unwrap();
    assert_eq!(get(a, 9), [2, 3], "what was only held is there again");
    world.end();
}

#[test]
fn an_end_is_its_holders_alone() {
    let world = World::new(4);
    let [a, b] = world.objects();
    put(a, 0..3);
    slots(enter(a, Side::Consumers, Wait::Try));
    assert_eq!(enter(a, Side::Consumers, Wait::Try), Looked::Mine);
    assert!(matches!(enter(b, Side::Consumers, Wait::Try), Looked::NotYet { .. }));
    assert_eq!(code(b.leave_records(Side::Consumers)), Code::LostOwnership);
    assert_eq!(code(b.advance_records(Side::Consumers, 1)), Code::LostOwnership);
    assert_eq!(put(b, 3..4), Looked::Got(Put::Done(1)), "the producers' end is free");
    a.advance_records(Side::Consumers, 1).unwrap();
    assert_eq!(get(b, 9), [1, 2, 3]);
    world.end();
}

#[test]
fn a_waiter_is_woken() {
    let world = World::new(2);
    let [a, b] = world.objects();
    // A record, and room.
    rung(b, b.get_records(&mut [0; 12], ARMED), || assert_eq!(put(a, 0..2), Looked::Got(Put::Done(2))));
    rung(a, a.put_records(&record(2), ARMED), || assert_eq!(get(b, 1), [0]));
    // An end that another agent had, and left.
    slots(enter(a, Side::Consumers, Wait::Try));
    rung(b, b.get_records(&mut [0; 12], AGAIN), || a.leave_records(Side::Consumers).unwrap());
    slots(enter(b, Side::Producers, Wait::Try));
    rung(a, a.put_records(&record(2), AGAIN), || b.leave_records(Side::Producers).unwrap());
    world.end();
}

/// JavaScript moves the positions and leaves the ends itself while no agent sleeps there.
#[test]
fn an_agent_that_used_the_ring_without_a_call_wakes_a_waiter() {
    let world = World::new(2);
    let [a, b] = world.objects();
    rung(b, b.get_records(&mut [0; 12], ARMED), || {
        write(&world.queue, TAIL, &1_u32.to_le_bytes());
        a.wake_records(Side::Consumers).unwrap();
    });
    world.end();
}

#[test]
fn a_waiter_that_gives_up_passes_its_wake_up_on() {
    let world = World::new(2);
    let [a, b] = world.objects();
    let Looked::NotYet { sleepers } = b.get_records(&mut [0; 12], ARMED).unwrap() else { panic!() };
    b.give_up_records(Side::Consumers).unwrap();
    assert!(!b.sleeps(sleepers).unwrap());
    put(a, 0..1);
    assert_eq!(get(a, 1), [0]);
    world.end();
}

#[test]
fn nothing_is_put_after_the_end() {
    let world = World::new(4);
    let [a, b] = world.objects();
    put(a, 0..2);
    assert!(!b.records_have_ended().unwrap());
    b.end_records().unwrap();
    b.end_records().unwrap();
    assert!(a.records_have_ended().unwrap());
    assert_eq!(put(a, 2..3), Looked::Got(Put::Ended));
    assert_eq!(get(b, 9), [0, 1]);
    for object in [a, b] {
        assert_eq!(object.get_records(&mut [0; 12], Wait::Try).unwrap(), Looked::Got(Got::Ended));
    }
    world.end();
}

#[test]
fn waiters_are_told_the_end() {
    let world = World::new(1);
    let [a, b] = world.objects();
    rung(b, b.get_records(&mut [0; 12], ARMED), || a.end_records().unwrap());
    assert_eq!(b.get_records(&mut [0; 12], AGAIN).unwrap(), Looked::Got(Got::Ended));
    let world = World::new(1);
    let [a, b] = world.objects();
    put(a, 0..1);
    rung(b, b.put_records(&record(1), ARMED), || a.end_records().unwrap());
    assert_eq!(b.put_records(&record(1), AGAIN).unwrap(), Looked::Got(Put::Ended));
    world.end();
}

/// An agent that dies with records leaves them to the next one.
#[test]
fn a_dead_holder_loses_its_end() {
    let world = World::new(4);
    let domain = unique("d");
    let [dead, heir] = [0, 1].map(|_| Agent::register(&domain, 0).unwrap());
    let queue = make(&dead, &unique("n"), Kind::RecordQueue, [4, RECORD_BYTES, 64, 0, 0]);
    put(Object::new(&dead, &queue), 0..2);
    for side in [Side::Consumers, Side::Producers] {
        slots(enter(Object::new(&dead, &queue), side, Wait::Try));
    }
    drop(dead);
    assert_eq!(get(Object::new(&heir, &queue), 1), [0]);
    assert_eq!(put(Object::new(&heir, &queue), 2..3), Looked::Got(Put::Done(1)));
    assert_eq!(get(Object::new(&heir, &queue), 9), [1, 2]);
    queue.close(&heir);
    heir.leave();
    world.end();
}

#[test]
fn impossible_positions_are_refused() {
    let world = World::new(3);
    let [a, b] = world.objects();
    let cycle = u32::MAX; // 2^32 - 1 is a multiple of 3.
    for (head, tail) in [(0, 4), (4, 0), (1, 0), (0, cycle), (cycle, 0), (cycle, cycle), (7, 3)] {
        write(&world.queue, HEAD, &head.to_le_bytes());
        write(&world.queue, TAIL, &tail.to_le_bytes());
        for object in [a, b] {
            assert_eq!(code(object.get_records(&mut [0; 12], Wait::Try)), Code::Corrupt, "{head} {tail}");
            assert_eq!(code(object.put_records(&record(1), ARMED)), Code::Corrupt, "{head} {tail}");
        }
        assert!(b.count_records().unwrap() <= 3);
    }
    write(&world.queue, HEAD, &0_u32.to_le_bytes());
    write(&world.queue, TAIL, &0_u32.to_le_bytes());
    assert_eq!(put(b, 0..3), Looked::Got(Put::Done(3)), "no agent kept an end");
    assert_eq!(get(a, 9), [0, 1, 2]);
    world.end();
}

#[test]
fn impossible_sizes_are_refused() {
    let agent = Agent::register(&unique("d"), 0).unwrap();
    for params in [[0, 8, 64], [1, 0, 64], [1 << 31, 8, 64], [1, 8, 63], [1, 1 << 31, 0]] {
        let [capacity, bytes, description] = params;
        let spec = crossmem_core::Spec {
            params: Some([capacity, bytes, description, 0, 0]),
            ..crossmem_core::Spec::new("n", Kind::RecordQueue, 0)
        };
        assert_eq!(code(Segment::create(&agent, &spec).map(drop)), Code::InvalidArg, "{params:?}");
    }
    agent.leave();
}
