//! The structures of a queue: processes agree on their numbers, and a process that is killed while
//! it adds one leaves the list as it was, or with the whole entry.
#![cfg(target_os = "linux")]

mod common;

use common::child::{Orders, Stopped, assert_visited, every_step, run_until};
use common::{code, make, unique};
use crossmem_core::{Added, Agent, Code, Kind, Object, Segment};

const STRUCTURES: u64 = 4;
/// Where the list is in a queue of one message of 8 bytes, in bytes from the end of its segment.
const LIST: usize = 8192;
const USED: usize = LIST - 136;
const ENTRIES: usize = LIST - 192;

const STEPS: &[&str] =
    &["structures.locked", "structures.measured", "structures.written", "structures.added", "mutex.unlocked"];

fn queue(agent: &Agent, name: &str, flags: u64) -> Segment {
    make(agent, name, Kind::Queue, [1, 8, flags, 0, 0])
}

fn add(agent: &Agent, queue: &Segment, bytes: &[u8]) -> Added {
    let object = Object::new(agent, queue);
    let member = object.join_queue().unwrap();
    let added = object.add_structure(&member, bytes).unwrap();
    object.leave_queue(member).unwrap();
    added
}

fn entries(agent: &Agent, queue: &Segment) -> Vec<Vec<u8>> {
    let object = Object::new(agent, queue);
    let member = object.join_queue().unwrap();
    let entries = object.structures(&member).unwrap();
    object.leave_queue(member).unwrap();
    entries
}

#[test]
fn child_program() {
    let Some(Orders { deed, domain, names }) = Orders::given() else { return };
    let agent = Agent::register(&domain, 0).unwrap();
    let queue = Segment::open(&agent, &names, None).unwrap();
    match deed.as_str() {
        "add" => {
            assert_eq!(add(&agent, &queue, b"a long name of the child"), Added::At(1));
            assert_eq!(add(&agent, &queue, b"second"), Added::At(2));
        }
        other => panic!("no deed {other}"),
    }
    agent.leave();
}

#[test]
fn processes_agree_on_numbers() {
    let domain = unique("d");
    let [one, other] = [(); 2].map(|()| Agent::register(&domain, 0).unwrap());
    let name = unique("n");
    let ours = queue(&one, &name, STRUCTURES);
    let theirs = Segment::open(&other, &name, None).unwrap();
    assert_eq!(add(&one, &ours, b"ab"), Added::At(0));
    assert_eq!(add(&other, &theirs, b"c"), Added::At(1));
    assert_eq!(add(&other, &theirs, b"ab"), Added::At(0));
    assert_eq!(add(&one, &ours, b""), Added::At(2));
    assert_eq!(entries(&other, &theirs), [b"ab".to_vec(), b"c".to_vec(), vec![]]);
}

#[test]
fn a_list_has_an_end() {
    let agent = Agent::register(&unique("d"), 0).unwrap();
    let many = queue(&agent, &unique("n"), STRUCTURES);
    for number in 0..64 {
        assert_eq!(add(&agent, &many, &[number]), Added::At(number.into()));
    }
    assert_eq!(add(&agent, &many, b"another"), Added::NoRoom);
    assert_eq!(add(&agent, &many, &[5]), Added::At(5));

    let large = queue(&agent, &unique("n"), STRUCTURES);
    assert_eq!(add(&agent, &large, &vec![1; 8001]), Added::NoRoom);
    assert_eq!(add(&agent, &large, &vec![1; ENTRIES - 4]), Added::At(0));
    assert_eq!(add(&agent, &large, b""), Added::NoRoom);
    assert_eq!(entries(&agent, &large), [vec![1; ENTRIES - 4]]);

    let none = queue(&agent, &unique("n"), 0);
    assert_eq!(add(&agent, &none, b"a"), Added::NoRoom);
    assert!(entries(&agent, &none).is_empty());
}

#[test]
fn killed_at_every_step() {
    let visited = every_step(|step| {
        let (domain, name) = (unique("d"), unique("n"));
        let agent = Agent::register(&domain, 0).unwrap();
        let queue = queue(&agent, &name, STRUCTURES);
        assert_eq!(add(&agent, &queue, b"first"), Added::At(0));
        let at = run_until("add", &domain, &name, step);
        // A reader takes no mutex.
        let found = entries(&agent, &queue);
        let all = [b"first".to_vec(), b"a long name of the child".to_vec(), b"second".to_vec()];
        assert_eq!(found, all[..found.len()], "after {at:?}");
        // The survivor writes over what the dead process left unfinished.
        assert_eq!(add(&agent, &queue, b"of the survivor"), Added::At(found.len()), "after {at:?}");
        assert_eq!(add(&agent, &queue, b"first"), Added::At(0), "after {at:?}");
        let mut expected = found;
        expected.push(b"of the survivor".to_vec());
        assert_eq!(entries(&agent, &queue), expected, "after {at:?}");
        at
    });
    assert_visited(STEPS, &visited);
}

#[test]
fn a_stopped_process_holds_up_no_one() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let queue = queue(&agent, &name, STRUCTURES);
    assert_eq!(add(&agent, &queue, b"first"), Added::At(0));
    let stopped = Stopped::at("structures.written", "add", &domain, &name);
    assert_eq!(add(&agent, &queue, b"of the survivor"), Added::NotNow);
    assert_eq!(entries(&agent, &queue), [b"first".to_vec()]);
    stopped.go_on();
    assert_eq!(add(&agent, &queue, b"of the survivor"), Added::At(3));
}

#[test]
fn an_overwritten_list_is_refused() {
    let agent = Agent::register(&unique("d"), 0).unwrap();
    let queue = queue(&agent, &unique("n"), STRUCTURES);
    let object = Object::new(&agent, &queue);
    let member = object.join_queue().unwrap();
    assert_eq!(object.add_structure(&member, b"first").unwrap(), Added::At(0));
    let end = queue.region().len();
    let sound = object.structures(&member).unwrap();
    for (offset, word) in [
        (USED, u32::MAX),
        (USED, 8001),
        (USED, 8),
        (USED, 10),
        (ENTRIES, u32::MAX),
        (ENTRIES, 6),
        (ENTRIES, 4),
    ] {
        let at = (end - offset) as u64;
        let mut before = [0; 4];
        queue.region().copy_to(at, &mut before).unwrap();
        common::write(&queue, at, &word.to_le_bytes());
        assert_eq!(code(object.structures(&member)), Code::Corrupt, "{word} at {offset} from the end");
        assert_eq!(code(object.add_structure(&member, b"x")), Code::Corrupt, "{word} at {offset}");
        common::write(&queue, at, &before);
        assert_eq!(object.structures(&member).unwrap(), sound);
    }
}
