//! A process is killed at every fail point of a life in a domain of a group: the next agents go on,
//! and the last one leaves nothing behind. Or it is stopped while another user puts something in
//! the place of the group's directory.
#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use common::child::{Orders, Stopped, assert_visited, every_step, run_until};
use common::group::TestGroup;
use common::{create, make, unique};
use crossmem_core::{Agent, Code, DomainName, Got, Kind, Looked, Object, Put, Segment, Wait, inspect};

/// The fail points of the group's directory, and of the files in it.
const STEPS: &[&str] = &[
    "place.made",
    "place.given",
    "place.named",
    "domain.staged",
    "create.arena-linked",
    "create.linked",
    "arena.piece-written",
    "loop-bell.made",
    "spill.punched",
    "erase.segment-removed",
    "leave.retired",
    "place.emptied",
    "place.removed",
];

#[test]
fn child_program() {
    let Some(Orders { deed, domain, names: group }) = Orders::given() else { return };
    let name = DomainName { name: &domain, group: Some(&group) };
    let agent = Agent::register(name, 0).unwrap();
    if deed == "pass-over" {
        let control = inspect(name).unwrap().control.unwrap();
        assert!(control.starts_with(&format!(".crossmem-g{group}~1/")), "{control}");
    } else {
        assert_eq!(deed, "life");
    }
    let left_open = create(&agent, "left", 1000).unwrap();
    create(&agent, "closed", 1000).unwrap().close(&agent);
    let bell = agent.loop_bell().unwrap();
    send_large(&agent);
    drop(bell);
    drop(left_open);
    agent.leave();
}

/// Makes a queue, and puts and takes a message larger than its chunks.
fn send_large(agent: &Agent) {
    let queue = make(agent, "queue", Kind::MpmcQueue, [4, 24, 2, 0, 0]);
    let object = Object::new(agent, &queue);
    let mut member = object.join_queue().unwrap();
    let put = object.push_message(&mut member, &[7; 5000], Wait::Try).unwrap();
    assert_eq!(put, Looked::Got(Put::Done(())));
    let Looked::Got(Got::Message(chunk)) = object.take_message(&mut member, Wait::Try).unwrap() else {
        panic!("the message is there");
    };
    object.free_message(&member, chunk.index).unwrap();
    object.leave_queue(member).unwrap();
    queue.close(agent);
}

/// Checks that a domain works, and that its last agent leaves nothing.
fn survive(group: &TestGroup, domain: &str, at: &str) {
    let survivor = group.join(domain);
    survivor.collect_garbage().unwrap();
    for name in ["left", "closed", "queue"] {
        assert_eq!(Segment::open(&survivor, name, None).err().unwrap().code, Code::NotFound, "after {at}");
        create(&survivor, name, 5_000).unwrap_or_else(|e| panic!("after {at}: {e}")).close(&survivor);
    }
    send_large(&survivor);
    let info = inspect(group.domain(domain)).unwrap();
    assert!(info.agents.iter().all(|agent| agent.alive), "dead agents after {at}");
    survivor.leave();
    assert_eq!(group.files(), Vec::<String>::new(), "after {at}");
}

#[test]
fn killed_at_every_step_alone_in_its_group() {
    let group = TestGroup::new();
    let visited = every_step(|step| {
        let at = run_until("life", "d", &group.number, step);
        survive(&group, "d", at.as_deref().unwrap_or("the end"));
        at
    });
    assert_visited(STEPS, &visited);
}

#[test]
fn killed_at_every_step_beside_another_domain_of_its_group() {
    let group = TestGroup::new();
    every_step(|step| {
        let other = group.join("other");
        let kept = create(&other, "kept", 1000).unwrap();
        let at = run_until("life", "d", &group.number, step);
        let shown = at.clone().unwrap_or_else(|| "the end".to_owned());
        let again = Segment::open(&other, "kept", None).unwrap_or_else(|e| panic!("after {shown}: {e}"));
        again.close(&other);
        kept.close(&other);
        other.leave();
        survive(&group, "d", &shown);
        at
    });
}

#[test]
fn a_directory_that_takes_the_place_of_the_groups_is_not_used() {
    let group = TestGroup::new();
    let child = Stopped::at("domain.staged", "pass-over", "d", &group.number);
    fs::remove_dir(group.directory()).unwrap();
    fs::create_dir(group.directory()).unwrap();
    fs::set_permissions(group.directory(), Permissions::from_mode(0o777)).unwrap();
    child.go_on();
    fs::remove_dir_all(group.directory()).unwrap();
    assert_eq!(group.files(), Vec::<String>::new());
}

#[test]
fn a_link_that_takes_the_place_of_a_new_directory_gives_nothing_away() {
    let group = TestGroup::new();
    let private = std::env::temp_dir().join(unique("private"));
    fs::create_dir(&private).unwrap();
    let before = fs::metadata(&private).unwrap();
    let child = Stopped::at("place.made", "life", "d", &group.number);
    let staged = format!("/dev/shm/{}", group.files()[0]);
    fs::remove_dir(&staged).unwrap();
    symlink(&private, &staged).unwrap();
    child.go_on();
    let after = fs::metadata(&private).unwrap();
    assert_eq!((after.mode(), after.gid()), (before.mode(), before.gid()));
    fs::remove_dir(&private).unwrap();
    fs::remove_file(&staged).unwrap();
    assert_eq!(group.files(), Vec::<String>::new());
}
