//! A process is killed at every fail point of a whole life. The survivors go on, and nothing is
//! left behind.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::child::{Orders, assert_visited, every_step, live_until, run_until};
use common::{arenas, create, files, make, unique};
use crossmem_core::{
    Agent, ArrayGuard, Code, Kind, Looked, Object, Part, Segment, Spec, Wait, inspect, unlink_name,
};

const GUARD_AT: u64 = 4096;
/// The repeated contents of the array that persists.
const CONTENTS: &[u8] = b"whole!";
/// How many entries a new domain reserves.
const RESERVED: usize = 128;
const PATIENT: Duration = Duration::from_secs(60);

/// The fail points that a whole life must pass, so that no change elsewhere leaves one untested.
const STEPS: &[&str] = &[
    "domain.staged",
    "register.numbered",
    "register.alive",
    "register.choosing",
    "register.in-slot",
    "register.swept",
    "loop-bell.made",
    "registry.locked",
    "registry.unlocking",
    "registry.unlocked",
    "create.staged",
    "create.reserved",
    "create.entry-used",
    "create.written",
    "create.born",
    "index.taken",
    "index.next",
    "index.inserted",
    "index.removed",
    "index.given",
    "create.readers-linked",
    "create.arena-linked",
    "create.linked",
    "create.published",
    "create.live",
    "create.announced",
    "open.mapped",
    "open.attached",
    "close.detached",
    "erase.dying",
    "erase.segment-removed",
    "erase.readers-removed",
    "erase.removed",
    "erase.freed",
    "sweep.detached",
    "sweep.freeing",
    "sweep.freed",
    "update.locked",
    "update.entered",
    "update.left",
    "leave.detached",
    "leave.retired",
    "leave.removed",
];

fn array(name: &str) -> Spec<'_> {
    Spec { guard: Some(GUARD_AT), ..Spec::new(name, Kind::NDArray, 2 * GUARD_AT) }
}

/// Makes a queue with a large message in it, which is an object with two files.
fn queue(agent: &Agent, name: &str) -> Segment {
    const SPILL: u64 = 2;
    let made = make(agent, name, Kind::MpmcQueue, [2, 8, SPILL, 0, 0]);
    let object = Object::new(agent, &made);
    let mut member = object.join_queue().unwrap();
    object.push_message(&mut member, &[1; 100], Wait::Try).unwrap();
    made
}

/// Makes a map, which is an object with three files.
fn map(agent: &Agent, name: &str) -> Segment {
    make(agent, name, Kind::SharedMap, [0; 5])
}

fn update(agent: &Agent, segment: &Segment) {
    let guard = ArrayGuard::find(agent, segment.region(), GUARD_AT).unwrap().unwrap();
    assert!(matches!(guard.enter(agent, Wait::For(PATIENT)), Looked::Got(_)));
    guard.leave(agent).unwrap();
}

/// The victim's life: everything that an agent can do with segments and arrays.
fn whole_life(domain: &str, names: &str) {
    let agent = Agent::register(domain, 0).unwrap();
    let bell = agent.loop_bell().unwrap();
    let kept = match Segment::open(&agent, &format!("{names}.array"), Some(Kind::NDArray)) {
        Ok(kept) => kept,
        Err(e) if e.code == Code::NotFound => {
            Segment::create(&agent, &array(&format!("{names}.array"))).unwrap()
        }
        Err(e) => panic!("{e}"),
    };
    let made = create(&agent, &format!("{names}.made"), 10_000).unwrap();
    let again = Segment::open(&agent, &format!("{names}.made"), None).unwrap();
    update(&agent, &kept);
    again.close(&agent);
    made.close(&agent);
    let unlinked = queue(&agent, &format!("{names}.unlinked"));
    unlinked.unlink(&agent).unwrap();
    unlinked.close(&agent);
    let unlinked = map(&agent, &format!("{names}.map"));
    unlinked.unlink(&agent).unwrap();
    unlinked.close(&agent);
    let _left_open = [queue(&agent, &format!("{names}.left")), map(&agent, &format!("{names}.left-map"))];
    kept.close(&agent);
    drop(bell);
    agent.leave();
}

#[test]
fn child_program() {
    let Some(Orders { deed, domain, names }) = Orders::given() else { return };
    match deed.as_str() {
        "whole-life" => whole_life(&domain, &names),
        "persist" => {
            let agent = Agent::register(&domain, 0).unwrap();
            let parts = [Part { offset: 0, bytes: CONTENTS, len: GUARD_AT }];
            let kept = Spec { persist: true, parts: &parts, ..array(&names) };
            Segment::create(&agent, &kept).unwrap().close(&agent);
            agent.leave();
        }
        "crowd" => {
            let agent = Agent::register(&domain, 0).unwrap();
            let _all: Vec<Segment> =
                (0..=RESERVED).map(|n| create(&agent, &format!("{names}.{n}"), 1).unwrap()).collect();
            agent.leave();
        }
        "recover" => {
            let agent = Agent::register(&domain, 0).unwrap();
            agent.collect_garbage().unwrap();
            agent.leave();
        }
        other => panic!("no deed {other}"),
    }
}

/// Leaves two agents that are gone as if killed: their descriptors are closed, but the registry
/// still lists what they had. There are two, since a newcomer takes the slot of the first.
fn leave_orphans(domain: &str, names: &str) {
    let living = || inspect(domain).unwrap().agents.iter().filter(|agent| agent.alive).count();
    let before = living();
    let agents = [Agent::register(domain, 0).unwrap(), Agent::register(domain, 0).unwrap()];
    for (i, agent) in agents.iter().enumerate() {
        let name = format!("{names}.orphan{i}");
        let _orphan = if i == 0 { queue(agent, &name) } else { map(agent, &name) };
        let _plain = create(agent, &format!("{name}.plain"), 5_000).unwrap();
    }
    drop(agents);
    // A process that another test is spawning has this process's descriptors until it runs its own
    // program.
    while living() > before {
        std::thread::yield_now();
    }
}

/// Checks that everything works for the survivor, that one sweep cleans up, and that the last agent
/// leaves nothing.
fn survive(survivor: Agent, domain: &str, names: &str, at: &str) {
    for round in 0..5 {
        let name = format!("{names}.made");
        let made = create(&survivor, &name, 5_000 + round).unwrap_or_else(|e| panic!("after {at}: {e}"));
        let again = Segment::open(&survivor, &name, Some(Kind::SharedMemory)).unwrap();
        assert_eq!(again.region().len() as u64, 5_000 + round);
        made.close(&survivor);
        again.close(&survivor);
        assert_eq!(Segment::open(&survivor, &name, None).err().unwrap().code, Code::NotFound, "after {at}");
    }
    survivor.collect_garbage().unwrap();
    let info = inspect(domain).unwrap();
    assert!(info.control.is_some() && !info.agents.is_empty(), "the domain is not visible after {at}");
    assert!(info.agents.iter().all(|agent| agent.alive), "dead agents after {at}");
    assert!(
        info.objects.iter().all(|object| object.present && !object.doomed),
        "{:?} after {at}",
        info.objects
    );
    let mut listed: Vec<String> = info.objects.into_iter().map(|object| object.name).collect();
    listed.sort();
    assert_eq!(files(names), listed, "after {at}");
    assert_eq!(arenas(domain), Vec::<String>::new(), "after {at}");
    survivor.leave();
    assert_eq!(files(names), Vec::<String>::new(), "after {at}");
    assert_eq!(files(domain), Vec::<String>::new(), "control segments after {at}");
}

#[test]
fn a_name_is_found_although_its_creator_died_before_its_ring() {
    let steps = every_step(|step| {
        let (domain, names) = (unique("d"), unique("n"));
        let waiter = Agent::register(&domain, 0).unwrap();
        let name = format!("{names}.array");
        assert!(!waiter.await_name(&name).unwrap());
        let at = run_until("persist", &domain, &names, step);
        let is_found = waiter.await_name(&name).unwrap();
        match Segment::open(&waiter, &name, Some(Kind::NDArray)) {
            Ok(array) => {
                assert!(is_found, "after {at:?}");
                array.unlink(&waiter).unwrap();
                array.close(&waiter);
            }
            Err(e) => assert_eq!(e.code, Code::NotFound, "after {at:?}"),
        }
        waiter.leave();
        at
    });
    let before_the_ring = ["create.linked", "create.published", "create.live", "registry.unlocked"];
    assert_visited(&before_the_ring, &steps);
}

#[test]
fn killed_at_every_step_beside_a_survivor() {
    let visited = every_step(|step| {
        let (domain, names) = (unique("d"), unique("n"));
        let survivor = Agent::register(&domain, 0).unwrap();
        let array = Segment::create(&survivor, &array(&format!("{names}.array"))).unwrap();
        leave_orphans(&domain, &names);
        let at = run_until("whole-life", &domain, &names, step);
        let shown = at.clone().unwrap_or_else(|| "the end".to_owned());
        let guard = ArrayGuard::find(&survivor, array.region(), GUARD_AT).unwrap().unwrap();
        let mut copy = [0; 64];
        match guard.copy_to(&survivor, 0, &mut copy, PATIENT) {
            Ok(copied) => assert!(copied, "after {shown}"),
            Err(e) => assert_eq!((e.code, shown.as_str()), (Code::PeerDied, "update.entered")),
        }
        update(&survivor, &array);
        assert!(guard.copy_to(&survivor, 0, &mut copy, PATIENT).unwrap());
        array.close(&survivor);
        survive(survivor, &domain, &names, &shown);
        at
    });
    assert_visited(&["sweep.freed", "update.entered"], &visited);
}

#[test]
fn killed_at_every_step_alone_in_its_domain() {
    let mut visited = every_step(|step| {
        let (domain, names) = (unique("d"), unique("n"));
        let at = run_until("whole-life", &domain, &names, step);
        let shown = at.clone().unwrap_or_else(|| "the end".to_owned());
        survive(Agent::register(&domain, 0).unwrap(), &domain, &names, &shown);
        at
    });
    visited.extend(every_step(|step| {
        let (domain, names) = (unique("d"), unique("n"));
        leave_orphans(&domain, &names);
        let at = run_until("recover", &domain, &names, step);
        let shown = at.clone().unwrap_or_else(|| "the end".to_owned());
        survive(Agent::register(&domain, 0).unwrap(), &domain, &names, &shown);
        at
    }));
    assert_visited(STEPS, &visited);
}

/// A name leads to the whole contents even before any agent has repaired anything, so also for a
/// program that knows nothing of repairs.
#[test]
fn a_persistent_object_is_created_whole_or_not_at_all() {
    let visited = every_step(|step| {
        let (domain, name) = (unique("d"), unique("n"));
        let survivor = Agent::register(&domain, 0).unwrap();
        let at = run_until("persist", &domain, &name, step);
        let shown = at.clone().unwrap_or_else(|| "the end".to_owned());
        if let Ok(bytes) = std::fs::read(format!("/dev/shm/{name}")) {
            let (data, trailer) = bytes.split_at(GUARD_AT as usize);
            assert!(data.iter().eq(CONTENTS.iter().cycle().take(data.len())), "the data after {shown}");
            assert_ne!(trailer[0..8], [0; 8], "the trailer after {shown}");
        }
        survivor.collect_garbage().unwrap();
        let objects = inspect(&domain).unwrap().objects;
        assert!(objects.iter().all(|object| object.present), "an object without a file after {shown}");
        assert_eq!(objects.len(), files(&name).len(), "after {shown}");
        assert_eq!(unlink_name(&survivor, &name).unwrap(), !objects.is_empty());
        survivor.leave();
        assert_eq!((files(&name), files(&domain)), (vec![], vec![]), "after {shown}");
        at
    });
    assert_visited(&["create.born", "create.linked", "create.live"], &visited);
}

/// The survivor knows the control segment as it was before the dead process made it larger.
#[test]
fn killed_where_more_entries_are_reserved() {
    for label in ["create.reserved", "create.entry-used", "index.inserted", "create.live"] {
        let (domain, names) = (unique("d"), unique("n"));
        let survivor = Agent::register(&domain, 0).unwrap();
        let killed = live_until("crowd", &domain, &names, &format!("{label}:{}", RESERVED + 1));
        assert_eq!(killed.at.as_deref(), Some(label));
        let made: Vec<Segment> =
            (0..2 * RESERVED).map(|n| create(&survivor, &format!("{names}.{n}"), 1).unwrap()).collect();
        let newcomer = Agent::register(&domain, 0).unwrap();
        for n in 0..2 * RESERVED {
            Segment::open(&newcomer, &format!("{names}.{n}"), None).unwrap().close(&newcomer);
        }
        newcomer.leave();
        for segment in made {
            segment.close(&survivor);
        }
        survive(survivor, &domain, &names, label);
    }
}

/// A process dies, and the process that cleans up after it dies at every step. A third process goes
/// on.
#[test]
fn the_recoverer_is_killed_while_recovering() {
    let mut steps = BTreeSet::new();
    for label in [
        "create.entry-used",
        "index.taken",
        "index.inserted",
        "create.arena-linked",
        "create.linked",
        "create.live",
        "erase.dying",
        "erase.segment-removed",
        "erase.removed",
        "index.removed",
        "erase.freed",
        "close.detached",
    ] {
        let visited = every_step(|step| {
            let (domain, names) = (unique("d"), unique("n"));
            let first = live_until("whole-life", &domain, &names, label);
            assert_eq!(first.at.as_deref(), Some(label));
            let at = run_until("recover", &domain, &names, step);
            let shown = format!("{label} and then {}", at.as_deref().unwrap_or("the end"));
            survive(Agent::register(&domain, 0).unwrap(), &domain, &names, &shown);
            at
        });
        assert!(visited.contains("registry.repaired"), "{label}: {visited:?}");
        steps.extend(visited);
    }
    assert_visited(&["index.corrected", "repair.indexed", "sweep.begun"], &steps);
}
