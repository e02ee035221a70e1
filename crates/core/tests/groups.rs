//! Domains of a group: their directory, their files, and who may use them.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;

use common::group::TestGroup;
use common::{code, make, spec, unique};
use crossmem_core::{
    Access, Agent, Code, DomainName, Kind, Looked, Object, Put, Segment, Spec, Wait, inspect, obstacle,
};

fn mode(path: impl AsRef<std::path::Path>) -> (u32, u32) {
    let meta = fs::symlink_metadata(path).unwrap();
    (meta.mode() & 0o7777, meta.gid())
}

fn with_access(agent: &Agent, name: &str, kind: Kind, mode: u32) -> crossmem_core::Result<Segment> {
    let params = (!kind.is_plain()).then_some([0; 5]);
    let size = if params.is_some() { 0 } else { 8192 };
    Segment::create(
        agent,
        &Spec { kind, params, size, access: Some(Access { mode, group: None }), ..spec(name, 1) },
    )
}

#[test]
fn files_of_a_group_have_its_mode_whatever_the_umask() {
    let group = TestGroup::new();
    // SAFETY: the tests of this program that make files run one at a time.
    let umask = unsafe { libc::umask(0o077) };
    let domain = unique("d");
    let agent = group.join(&domain);
    let object = common::create(&agent, "object", 100).unwrap();
    let secret = with_access(&agent, "secret", Kind::Mutex, 0o600).unwrap();
    // SAFETY: as above.
    unsafe { libc::umask(umask) };
    let directory = group.directory();
    assert_eq!(mode(&directory), (0o2770, group.id));
    let control = inspect(group.domain(&domain)).unwrap().control.unwrap();
    assert!(control.starts_with(&format!(".crossmem-g{0}/.crossmem-g{0}-v", group.id)), "{control}");
    assert_eq!(mode(PathBuf::from("/dev/shm").join(control)), (0o660, group.id));
    assert_eq!(mode(directory.join("object")), (0o660, group.id));
    assert_eq!(mode(directory.join("secret")), (0o600, group.id));
    object.close(&agent);
    secret.close(&agent);
    agent.leave();
    assert_eq!(group.files(), Vec::<String>::new());
}

#[test]
fn large_messages_are_for_those_who_may_use_their_queue() {
    let group = TestGroup::new();
    let agent = group.join("d");
    for wanted in [0o600, 0o660] {
        let params = Some([4, 64, 2, 0, 0]);
        let access = Some(Access { mode: wanted, group: None });
        let queue = Spec { kind: Kind::MpmcQueue, params, access, size: 0, ..spec("queue", 0) };
        let made = Segment::create(&agent, &queue).unwrap();
        let files = arenas(&group);
        assert_eq!(files.len(), 1);
        assert_eq!(mode(&files[0]), (wanted, group.id));
        let opened = Segment::open(&agent, "queue", None).unwrap();
        let size = || inspect(group.domain("d")).unwrap().objects[0].size;
        let empty = size();
        for handle in [&made, &opened] {
            let object = Object::new(&agent, handle);
            let mut member = object.join_queue().unwrap();
            let put = object.push_message(&mut member, &[7; 10_000], Wait::Try).unwrap();
            assert_eq!(put, Looked::Got(Put::Done(())));
            object.leave_queue(member).unwrap();
        }
        assert!(size() >= empty + 20_000, "the messages of the group's queue count");
        made.close(&agent);
        opened.close(&agent);
        assert_eq!(arenas(&group), Vec::<PathBuf>::new());
    }
    agent.leave();
}

#[test]
fn a_control_segment_that_grows_stays_the_groups() {
    let group = TestGroup::new();
    let (a, b) = (group.join("d"), group.join("d"));
    let control = || {
        let info = inspect(group.domain("d")).unwrap();
        (info.control_size, mode(PathBuf::from("/dev/shm").join(info.control.unwrap())))
    };
    let (small, before) = control();
    let made: Vec<_> =
        (0..200).map(|number| common::create(&a, &format!("object-{number}"), 1).unwrap()).collect();
    let (grown, after) = control();
    assert!(grown > small, "{grown} bytes");
    assert_eq!(before, (0o660, group.id));
    assert_eq!(after, before);
    let last = Segment::open(&b, "object-199", None).unwrap();
    last.close(&b);
    for object in made {
        object.close(&a);
    }
    a.leave();
    b.leave();
    assert_eq!(group.files(), Vec::<String>::new());
}

#[test]
fn the_fifo_of_an_event_loop_is_the_groups() {
    let group = TestGroup::new();
    let (sleeper, other) = (group.join("d"), group.join("d"));
    // SAFETY: the tests of this program that make files run one at a time.
    let umask = unsafe { libc::umask(0o077) };
    let bell = sleeper.loop_bell().unwrap();
    // SAFETY: as above.
    unsafe { libc::umask(umask) };
    let fifo = || {
        let files = fs::read_dir(group.directory()).unwrap().map(|entry| entry.unwrap().path());
        files.into_iter().find(|path| path.to_string_lossy().contains("~f"))
    };
    assert_eq!(mode(fifo().unwrap()), (0o660, group.id));
    let event = make(&sleeper, "event", Kind::Event, [0; 5]);
    let waiter = Object::new(&sleeper, &event);
    let armed = waiter.wait_event(waiter.event_times().unwrap(), Wait::Arm { again: false }).unwrap();
    assert!(matches!(armed, Looked::NotYet { .. }));
    assert!(bell.fall_asleep(bell.heard()));
    Object::new(&other, &event).set_event().unwrap();
    let mut poll = libc::pollfd { fd: bell.descriptor(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd, and no waiting.
    assert_eq!(unsafe { libc::poll(&raw mut poll, 1, 0) }, 1, "the other agent found the FIFO");
    drop(bell);
    assert_eq!(fifo(), None);
    event.close(&sleeper);
    sleeper.leave();
    other.leave();
    assert_eq!(group.files(), Vec::<String>::new());
}

/// The files of large messages in the group's directory.
fn arenas(group: &TestGroup) -> Vec<PathBuf> {
    let files = fs::read_dir(group.directory()).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_string_lossy().contains('+')).collect()
}

#[test]
fn the_same_name_can_be_an_object_of_a_user_and_one_of_a_group() {
    let group = TestGroup::new();
    let (name, domain) = (unique("n"), unique("d"));
    let (own, shared) = (Agent::register(&domain, 0).unwrap(), group.join(&domain));
    let (a, b) = (make(&own, &name, Kind::Mutex, [0; 5]), make(&shared, &name, Kind::Event, [0; 5]));
    assert_eq!(Segment::open(&own, &name, None).unwrap().kind, Kind::Mutex);
    assert_eq!(Segment::open(&shared, &name, None).unwrap().kind, Kind::Event);
    b.unlink(&shared).unwrap();
    assert_eq!(code(Segment::open(&shared, &name, None)), Code::NotFound);
    assert_eq!(Segment::open(&own, &name, None).unwrap().kind, Kind::Mutex);
    a.close(&own);
    b.close(&shared);
    own.leave();
    shared.leave();
}

#[test]
fn a_directory_that_is_not_as_a_member_makes_it_is_passed_over() {
    let group = TestGroup::new();
    let directory = group.directory();
    for (mode, id) in [(0o777, group.id), (0o2777, group.id), (0o770, group.id), (0o2770, group.id + 1)] {
        if fs::DirBuilder::new().mode(mode).create(&directory).is_err() {
            return; // Another program of this user shares the group's directory.
        }
        if chown(&directory, None, Some(id)).is_ok() {
            fs::set_permissions(&directory, fs::Permissions::from_mode(mode)).unwrap();
            let (first, second) = (group.join("d"), group.join("d"));
            let info = inspect(group.domain("d")).unwrap();
            assert_eq!(info.agents.len(), 2);
            assert!(info.control.unwrap().starts_with(&format!(".crossmem-g{}~1/", group.id)));
            assert_eq!(info.taken.len(), 1);
            first.leave();
            second.leave();
        }
        fs::remove_dir(&directory).unwrap();
        assert_eq!(group.files(), Vec::<String>::new());
    }
}

#[test]
fn the_last_one_out_removes_the_directory() {
    let group = TestGroup::new();
    let (a, b) = (group.join("a"), group.join("b"));
    let object = common::create(&a, "object", 100).unwrap();
    b.leave();
    assert!(group.directory().exists(), "another domain of the group is in it");
    object.close(&a);
    a.leave();
    assert_eq!(group.files(), Vec::<String>::new());
    assert!(inspect(group.domain("a")).unwrap().control.is_none());
    assert_eq!(group.files(), Vec::<String>::new(), "looking makes nothing");
}

/// The last agent removes the directory while others are about to use it.
#[test]
fn agents_that_come_and_go_at_the_same_time_all_find_their_domain() {
    let group = TestGroup::new();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let group = &group;
            scope.spawn(move || {
                for round in 0..200 {
                    let agent = group.join(["a", "b"][(number + round) % 2]);
                    let name = format!("object-{number}");
                    common::create(&agent, &name, 100).unwrap().close(&agent);
                    agent.leave();
                }
            });
        }
    });
    assert_eq!(group.files(), Vec::<String>::new());
}

#[test]
fn a_group_or_mode_that_cannot_be_is_refused() {
    let group = TestGroup::new();
    for (number, wanted) in [("no such group", Code::InvalidArg), ("4294967295", Code::InvalidArg)] {
        let domain = DomainName { name: "d", group: Some(number) };
        assert_eq!(code(Agent::register(domain, 0)), wanted);
        assert_eq!(code(inspect(domain)), wanted);
        assert_eq!(obstacle(domain).unwrap().code, wanted);
    }
    assert!(obstacle(group.domain("d")).is_none());
    assert_eq!(Access::wanted(None, Some("no such group")).err().unwrap().code, Code::InvalidArg);
    assert!(Access::wanted(None, None).unwrap().is_none());
    let domain = unique("d");
    let (own, shared) = (Agent::register(&domain, 0).unwrap(), group.join(&domain));
    let name = unique("n");
    for bad in [0o640, 0o644, 0o400, 0o700, 0o4660, 0] {
        assert_eq!(code(with_access(&own, &name, Kind::SharedMemory, bad)), Code::InvalidArg, "{bad:o}");
        assert_eq!(code(with_access(&shared, &name, Kind::Queue, bad)), Code::InvalidArg, "{bad:o}");
    }
    assert_eq!(code(with_access(&own, &name, Kind::Mutex, 0o660)), Code::InvalidArg, "of one user");
    assert_eq!(code(with_access(&shared, &name, Kind::Mutex, 0o666)), Code::InvalidArg, "of a group");
    for good in [0o600, 0o660, 0o666] {
        let made = with_access(&own, &name, Kind::NDArray, good).unwrap();
        assert_eq!(mode(format!("/dev/shm/{name}")).0, good);
        made.close(&own);
    }
    own.leave();
    shared.leave();
}
