//! The registry, used by live agents: races, refusals, lifetimes.
#![cfg(target_os = "linux")]

mod common;

use std::collections::HashSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use common::random::Random;
use common::{code, create, files, make, spec, unique};
use crossmem_core::{Agent, Code, Kind, OBJECTS, Part, Segment, Spec, inspect, list_of, unlink_name};

#[test]
fn exactly_one_creator_and_never_a_half_made_segment() {
    const AGENTS: usize = 4;
    const ROUNDS: u64 = 250;
    let (domain, name) = (unique("d"), unique("n"));
    let (barrier, creators) = (Barrier::new(AGENTS), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AGENTS {
            scope.spawn(|| {
                let agent = Agent::register(&domain, 0).unwrap();
                for round in 0..ROUNDS {
                    let size = 3 * 4096 + round;
                    let mark = [round as u8 | 1];
                    let parts = [Part { offset: 0, bytes: &mark, len: size }];
                    barrier.wait();
                    let made = Segment::create(&agent, &Spec { parts: &parts, ..spec(&name, size) });
                    creators.fetch_add(u32::from(made.is_ok()), Ordering::Relaxed);
                    let mine = made.or_else(|e| {
                        assert_eq!(e.code, Code::Exists);
                        Segment::open(&agent, &name, Some(Kind::SharedMemory))
                    });
                    let mine = mine.unwrap();
                    let mut bytes = vec![0; size as usize];
                    mine.region().copy_to(0, &mut bytes).unwrap();
                    assert!(
                        bytes.iter().all(|byte| *byte == mark[0]),
                        "a half-made segment in round {round}"
                    );
                    barrier.wait();
                    mine.close(&agent);
                    barrier.wait();
                    assert_eq!(creators.load(Ordering::Relaxed), round as u32 + 1);
                }
                agent.leave();
            });
        }
    });
    assert!(files(&name).is_empty() && files(&domain).is_empty());
}

#[test]
fn the_last_one_out_removes_it_unless_it_persists() {
    let (domain, name) = (unique("d"), unique("n"));
    let (a, b) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 1).unwrap());
    let first = create(&a, &name, 10).unwrap();
    let second = Segment::open(&b, &name, None).unwrap();
    first.close(&a);
    assert_eq!(files(&name), std::slice::from_ref(&name));
    second.close(&b);
    assert!(files(&name).is_empty());

    let lasting = Segment::create(&a, &Spec { persist: true, ..spec(&name, 10) }).unwrap();
    lasting.close(&a);
    a.leave();
    b.leave();
    assert_eq!(files(&name), std::slice::from_ref(&name), "the object outlives all agents");
    let info = inspect(&domain).unwrap();
    assert_eq!((info.agents.len(), info.objects.len(), info.objects[0].doomed), (0, 1, false));
    let later = Agent::register(&domain, 0).unwrap();
    assert_eq!(Segment::open(&later, &name, None).unwrap().region().len(), 10);
    assert!(unlink_name(&later, &name).unwrap());
    assert!(!unlink_name(&later, &name).unwrap());
    later.leave();
    assert!(files(&name).is_empty() && files(&domain).is_empty());
}

#[test]
fn an_agent_that_vanished_is_swept_with_objects_that_only_it_had_open() {
    let (domain, name) = (unique("d"), unique("n"));
    let survivor = Agent::register(&domain, 0).unwrap();
    let gone = Agent::register(&domain, 0).unwrap();
    let _shared = create(&gone, &name, 10).unwrap();
    let mine = Segment::open(&survivor, &name, None).unwrap();
    let _its_own = create(&gone, &format!("{name}.own"), 4_000).unwrap();
    drop(gone);
    assert_eq!(code(Segment::open(&survivor, &format!("{name}.own"), None)), Code::NotFound);
    let swept = survivor.collect_garbage().unwrap();
    assert_eq!((swept.agents, swept.objects), (1, 0), "opening the object by name had removed it");
    assert_eq!(files(&name), std::slice::from_ref(&name));
    mine.close(&survivor);
    survivor.leave();
}

#[test]
fn names_other_programs_have_or_take_are_respected() {
    let (domain, name) = (unique("d"), unique("n"));
    let path = format!("/dev/shm/{name}");
    let agent = Agent::register(&domain, 0).unwrap();
    std::fs::write(&path, b"theirs").unwrap();
    assert_eq!(code(create(&agent, &name, 10)), Code::Exists);
    let foreign = Segment::open(&agent, &name, Some(Kind::SharedMemory)).unwrap();
    assert!(foreign.is_foreign());
    foreign.close(&agent);
    assert_eq!(std::fs::read(&path).unwrap(), b"theirs", "the file of another program is removed");
    std::fs::remove_file(&path).unwrap();

    let ours = create(&agent, &name, 10).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(!inspect(&domain).unwrap().objects[0].present);
    assert_eq!(code(Segment::open(&agent, &name, None)), Code::NotFound);
    std::fs::write(&path, b"theirs again").unwrap();
    ours.close(&agent);
    let lost = create(&agent, &format!("{name}.lost"), 10).unwrap();
    let lost_path = format!("/dev/shm/{name}.lost");
    std::fs::remove_file(&lost_path).unwrap();
    std::fs::write(&lost_path, b"theirs").unwrap();
    assert!(unlink_name(&agent, &format!("{name}.lost")).unwrap(), "our entry is removed");
    assert_eq!(std::fs::read(&lost_path).unwrap(), b"theirs", "the file of another program is removed");
    assert!(
        unlink_name(&agent, &format!("{name}.lost")).unwrap(),
        "without our entry, the name means their file"
    );
    assert!(!std::path::Path::new(&lost_path).exists());
    lost.close(&agent);
    assert_eq!(std::fs::read(&path).unwrap(), b"theirs again", "the name leads to a file of another program");
    std::fs::remove_file(&path).unwrap();

    let taken = create(&agent, &name, 6).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, b"theirs").unwrap();
    let theirs = Segment::open(&agent, &name, None).unwrap();
    assert!(theirs.is_foreign(), "the name leads to a file of another program");
    taken.close(&agent);
    std::fs::rename(&path, format!("{path}.moved")).unwrap();
    std::fs::write(&path, b"another one").unwrap();
    theirs.unlink(&agent).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"another one", "another file than the opened one is removed");
    theirs.close(&agent);
    std::fs::remove_file(format!("{path}.moved")).unwrap();
    std::fs::remove_file(&path).unwrap();

    std::fs::write(&path, b"").unwrap();
    assert_eq!(code(Segment::open(&agent, &name, None)), Code::Corrupt);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(code(Segment::open(&agent, &name, None)), Code::Os);
    std::fs::remove_dir(&path).unwrap();
    agent.leave();
    assert!(files(&domain).is_empty(), "refused objects leave something behind");
}

#[test]
fn sizes_and_tables_have_ends() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    assert_eq!(code(create(&agent, &name, 0)), Code::InvalidArg);
    let full = create(&agent, &name, 1 << 52).err().unwrap();
    assert_eq!(full.code, Code::NoSpace);
    assert!(full.message.contains(&(1_u64 << 52).to_string()), "{}", full.message);
    agent.leave();
    assert!(files(&name).is_empty());
}

/// They persist, so that no handle is open: a process can't have so many mappings.
#[test]
fn as_many_objects_as_a_domain_can_have_and_no_more() {
    let (domain, name) = (unique("d"), unique("n"));
    let (agent, other) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap());
    let named = |number: usize| format!("{name}.{number}");
    let make = |number| Segment::create(&agent, &Spec { persist: true, ..spec(&named(number), 1) });
    for number in 0..OBJECTS {
        make(number).unwrap().close(&agent);
    }
    let refused = make(OBJECTS).err().unwrap();
    assert_eq!(refused.code, Code::Limit);
    assert!(refused.message.contains("65536 objects"), "{}", refused.message);
    assert!(!files(&name).contains(&named(OBJECTS)), "a refused object has a file");
    for number in [0, 1, 12_345, OBJECTS - 1] {
        Segment::open(&other, &named(number), None).unwrap().close(&other);
    }
    let room = named(OBJECTS / 2);
    assert!(unlink_name(&other, &room).unwrap());
    assert_eq!(code(Segment::open(&other, &room, None)), Code::NotFound);
    make(OBJECTS).unwrap().close(&agent);
    assert_eq!(code(make(OBJECTS / 2)), Code::Limit);
    assert_eq!(inspect(&domain).unwrap().objects.len(), OBJECTS);
    for number in (0..=OBJECTS).filter(|number| *number != OBJECTS / 2) {
        assert!(unlink_name(&other, &named(number)).unwrap());
    }
    agent.leave();
    other.leave();
    assert!(files(&name).is_empty() && files(&domain).is_empty());
}

/// The size of the control segment, and how much of it is memory that it has.
fn control_of(domain: &str) -> (u64, u64) {
    let path = format!("/dev/shm/{}", files(domain)[0]);
    let file = std::fs::metadata(path).unwrap();
    (file.len(), std::os::unix::fs::MetadataExt::blocks(&file) * 512)
}

#[test]
fn more_objects_than_are_reserved_at_first() {
    const MANY: usize = 300;
    let (domain, name) = (unique("d"), unique("n"));
    let (agent, other) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap());
    let before = control_of(&domain);
    assert!(before.1 >= before.0, "part of the control segment has no memory");
    let named = |number: usize| format!("{name}.{number}");
    let make = || (0..MANY).map(|number| create(&agent, &named(number), 1).unwrap()).collect::<Vec<_>>();
    let all = make();
    // The other agent mapped the control segment when it was smaller.
    for number in (0..MANY).rev() {
        let opened = Segment::open(&other, &named(number), None).unwrap();
        assert!(opened.company(&other).linked && opened.company(&other).others);
        opened.close(&other);
    }
    assert_eq!(inspect(&domain).unwrap().objects.len(), MANY);
    let after = control_of(&domain);
    assert!(after.0 > before.0 && after.1 >= after.0, "no memory is reserved for {MANY} objects: {after:?}");
    for made in all {
        made.close(&agent);
    }
    assert!(files(&name).is_empty());
    for made in make() {
        made.close(&agent);
    }
    assert_eq!(control_of(&domain), after, "free entries are not used again");
    agent.leave();
    other.leave();
    assert!(files(&domain).is_empty());
}

/// Names that share a list of the registry's index, beside one that doesn't.
fn names_in_one_list(prefix: &str) -> [String; 3] {
    let first = format!("{prefix}.0");
    let others = (1..).map(|number| format!("{prefix}.{number}"));
    let mut twins = others.filter(|other| list_of(other) == list_of(&first));
    [twins.next().unwrap(), twins.next().unwrap(), first]
}

#[test]
fn names_that_share_a_list_are_told_apart() {
    let (domain, prefix) = (unique("d"), unique("n"));
    let names = names_in_one_list(&prefix);
    let (agent, other) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap());
    for gone in 0..names.len() {
        let made = [0, 1, 2].map(|i| create(&agent, &names[i], 10 + i as u64).unwrap());
        made[gone].unlink(&other).unwrap();
        for (i, name) in names.iter().enumerate() {
            let opened = Segment::open(&other, name, None);
            if i == gone {
                assert_eq!(code(opened), Code::NotFound);
            } else {
                let opened = opened.unwrap();
                assert_eq!(opened.region().len(), 10 + i);
                opened.close(&other);
            }
        }
        assert_eq!(code(create(&other, &names[(gone + 1) % 3], 1)), Code::Exists);
        for made in made {
            made.close(&agent);
        }
        assert!(files(&prefix).is_empty());
    }
    agent.leave();
    other.leave();
}

/// The words by which entries are found are overwritten with every kind of number. No call reads or
/// writes memory that is not reserved, which would kill the process, and none goes in circles. An
/// object that is found has the name.
#[test]
fn overwritten_lists_lead_nowhere_else() {
    const USED: u64 = 184;
    const FREE: u64 = 192;
    const HEADS: u64 = 69_632;
    const ENTRIES: u64 = 331_776;
    const ENTRY: u64 = 448;
    const NEXT: u64 = 40;
    let prefix = unique("n");
    let names = names_in_one_list(&prefix);
    let head = HEADS + 4 * list_of(&names[0]) as u64;
    let words = [USED, FREE, head].into_iter().chain((0..5).map(|i| ENTRIES + i * ENTRY + NEXT));
    for at in words {
        for value in [0_u64, 1, 2, 3, 4, 5, 100, 128, 129, 200, 65_536, 65_537, u64::from(u32::MAX), u64::MAX]
        {
            let domain = unique("d");
            let agent = Agent::register(&domain, 0).unwrap();
            let made = [0, 1, 2].map(|i| create(&agent, &names[i], 10 + i as u64).unwrap());
            let free = create(&agent, &format!("{prefix}.free"), 1).unwrap();
            free.close(&agent);
            let path = format!("/dev/shm/{}", files(&domain)[0]);
            let control = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            let bytes = value.to_le_bytes();
            let width = if at == USED { 8 } else { 4 };
            std::os::unix::fs::FileExt::write_all_at(&control, &bytes[..width], at).unwrap();
            let newcomer = Agent::register(&domain, 0).unwrap();
            for user in [&agent, &newcomer] {
                for (i, name) in names.iter().enumerate() {
                    let opened = Segment::open(user, name, None).unwrap();
                    assert_eq!(opened.region().len(), 10 + i, "after {value} at {at}");
                    opened.close(user);
                }
                for number in 0..3 {
                    let more = create(user, &format!("{prefix}.more.{number}"), 1).unwrap();
                    assert_eq!(code(create(user, &format!("{prefix}.more.{number}"), 1)), Code::Exists);
                    more.close(user);
                }
                user.collect_garbage().unwrap();
                let _ = inspect(&domain).unwrap();
            }
            newcomer.leave();
            for made in made {
                made.close(&agent);
            }
            agent.leave();
            let _ = std::fs::remove_file(path);
            for file in files(&prefix) {
                std::fs::remove_file(format!("/dev/shm/{file}")).unwrap();
            }
        }
    }
}

#[test]
fn an_object_whose_name_could_not_be_removed_is_swept_later() {
    let (domain, name) = (unique("d"), unique("n"));
    let keeper = Agent::register(&domain, 0).unwrap();
    let agent = Agent::register(&domain, 0).unwrap();
    let path = format!("/dev/shm/{name}");
    let made = create(&agent, &name, 10).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    made.close(&agent);
    assert_eq!(inspect(&domain).unwrap().objects.len(), 1, "its name could be removed");
    agent.leave();
    std::fs::remove_dir(&path).unwrap();
    Agent::register(&domain, 0).unwrap().leave();
    assert_eq!(inspect(&domain).unwrap().objects.len(), 0, "an object that no agent has is left");
    keeper.leave();
    assert!(files(&domain).is_empty());
}

#[test]
fn a_thousand_agents_and_no_more() {
    let domain = unique("d");
    let agents: Vec<Agent> =
        (0..crossmem_core::AGENTS).map(|_| Agent::register(&domain, 0).unwrap()).collect();
    assert_eq!(code(Agent::register(&domain, 0)), Code::Limit);
    agents.into_iter().for_each(drop);
    let next = Agent::register(&domain, 0).unwrap();
    assert_eq!(inspect(&domain).unwrap().agents.len(), 1, "the newcomer didn't sweep dead agents");
    next.leave();
    assert!(files(&domain).is_empty());
}

#[test]
fn agents_that_join_at_the_same_time_get_different_slots() {
    const AGENTS: usize = 4;
    for _ in 0..100 {
        let domain = unique("d");
        // Dead agents have the first slots: a newcomer must ask the kernel whether these are free.
        let dead: Vec<Agent> = (0..AGENTS).map(|_| Agent::register(&domain, 0).unwrap()).collect();
        let keeper = Agent::register(&domain, 0).unwrap();
        dead.into_iter().for_each(drop);
        let barrier = Barrier::new(AGENTS);
        let newcomer = || {
            barrier.wait();
            let agent = Agent::register(&domain, 0).unwrap();
            barrier.wait();
            let seen = inspect(&domain).unwrap().agents.len();
            barrier.wait();
            let slot = agent.owner_word() & 0xffff;
            agent.leave();
            (slot, seen)
        };
        let (slots, seen): (HashSet<u64>, Vec<usize>) = std::thread::scope(|scope| {
            let threads = [(); AGENTS].map(|()| scope.spawn(newcomer));
            threads.map(|thread| thread.join().unwrap()).into_iter().unzip()
        });
        assert_eq!((slots.len(), seen), (AGENTS, vec![AGENTS + 1; AGENTS]), "two agents have one slot");
        keeper.leave();
    }
}

#[test]
fn an_object_stays_until_its_last_handle_is_closed() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let first = create(&agent, &name, 10).unwrap();
    let second = Segment::open(&agent, &name, None).unwrap();
    first.close(&agent);
    assert_eq!(files(&name), std::slice::from_ref(&name));
    second.close(&agent);
    assert!(files(&name).is_empty());
    agent.leave();
}

#[test]
fn a_handle_is_of_its_object_and_of_none_that_comes_after_it() {
    let (domain, name) = (unique("d"), unique("n"));
    let (next, agent) = (format!("{name}.next"), Agent::register(&domain, 0).unwrap());
    let old = create(&agent, &name, 10).unwrap();
    old.unlink(&agent).unwrap();
    let new = create(&agent, &next, 10).unwrap();
    assert_ne!(old.id(), new.id());
    assert!(!old.company(&agent).linked && new.company(&agent).linked);
    old.unlink(&agent).unwrap();
    old.close(&agent);
    assert_eq!(files(&name), [next]);
    new.close(&agent);
    agent.leave();
}

#[test]
fn a_reused_entry_forgets_its_earlier_users() {
    let (domain, name) = (unique("d"), unique("n"));
    let (a, b) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap());
    let old = create(&a, &name, 10).unwrap();
    let others = Segment::open(&b, &name, None).unwrap();
    assert!(old.company(&a).others);
    old.unlink(&a).unwrap();
    let new = create(&a, &format!("{name}.next"), 10).unwrap();
    assert!(!new.company(&a).others, "b has only the old object open");
    new.close(&a);
    assert!(files(&name).is_empty(), "b never had the new object open");
    others.close(&b);
    old.close(&a);
    a.leave();
    b.leave();
}

#[test]
fn an_agent_that_leaves_removes_objects_that_only_it_had_open() {
    let (domain, name) = (unique("d"), unique("n"));
    let (keeper, agent) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap());
    let _shared = create(&agent, &name, 10).unwrap();
    let _own = create(&agent, &format!("{name}.own"), 10).unwrap();
    let kept = Segment::open(&keeper, &name, None).unwrap();
    assert!(kept.company(&keeper).others);
    agent.leave();
    assert_eq!(files(&name), std::slice::from_ref(&name));
    assert!(!kept.company(&keeper).others);
    kept.close(&keeper);
    assert!(files(&name).is_empty());
    keeper.leave();
}

/// This holds also before an agent has swept what the dead one left.
#[test]
fn the_dead_are_no_company() {
    let (domain, name) = (unique("d"), unique("n"));
    let (keeper, agent) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap());
    let _shared = create(&agent, &name, 10).unwrap();
    let kept = Segment::open(&keeper, &name, None).unwrap();
    assert!(kept.company(&keeper).others && kept.company(&keeper).linked);
    drop(agent);
    assert!(!kept.company(&keeper).others && kept.company(&keeper).linked);
    let swept = keeper.collect_garbage().unwrap();
    assert_eq!((swept.agents, swept.objects), (1, 0));
    kept.close(&keeper);
    keeper.leave();
}

#[test]
fn a_newcomer_has_nothing_of_its_predecessor() {
    let (domain, name) = (unique("d"), unique("n"));
    let keeper = Agent::register(&domain, 0).unwrap();
    let gone = Agent::register(&domain, 0).unwrap();
    let _left = create(&gone, &name, 10).unwrap();
    let slot = gone.owner_word() & 0xffff;
    drop(gone);
    let newcomer = Agent::register(&domain, 0).unwrap();
    assert_eq!(newcomer.owner_word() & 0xffff, slot);
    assert!(files(&name).is_empty(), "no live agent has it");
    newcomer.leave();
    keeper.leave();
}

#[test]
fn a_domain_lasts_as_long_as_anyone_is_in_it() {
    let (domain, name) = (unique("d"), unique("n"));
    let (a, b) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap());
    a.leave();
    let c = Agent::register(&domain, 0).unwrap();
    let made = create(&b, &name, 10).unwrap();
    Segment::open(&c, &name, None).unwrap().close(&c);
    made.close(&b);
    assert_eq!(inspect(&domain).unwrap().agents.len(), 2);
    b.leave();
    c.leave();
    assert!(files(&domain).is_empty());
}

#[test]
fn a_segment_has_all_its_memory_from_the_start() {
    const SIZE: u64 = 3 << 20;
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let made = create(&agent, &name, SIZE).unwrap();
    let file = std::fs::metadata(format!("/dev/shm/{name}")).unwrap();
    assert!(
        std::os::unix::fs::MetadataExt::blocks(&file) * 512 >= SIZE,
        "a write could fail for lack of memory"
    );
    made.close(&agent);
    agent.leave();
}

#[test]
fn a_segment_of_another_size_is_refused() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let made = create(&agent, &name, 8192).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(format!("/dev/shm/{name}")).unwrap();
    for size in [4096, 1 << 20] {
        file.set_len(size).unwrap();
        assert_eq!(code(Segment::open(&agent, &name, None)), Code::Corrupt);
    }
    file.set_len(8192).unwrap();
    Segment::open(&agent, &name, None).unwrap().close(&agent);
    made.close(&agent);
    agent.leave();
}

#[test]
fn an_overwritten_header_is_refused() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let queue = make(&agent, &name, Kind::MpmcQueue, [64, 24, 0, 0, 0]);
    // SAFETY: the header begins the segment, and all read it atomically.
    let words: &[AtomicU64] = unsafe { std::slice::from_raw_parts(queue.region().as_ptr().cast(), 8) };
    let refused = |word: usize, value: u64, expected: Code| {
        let before = words[word].swap(value, Ordering::Relaxed);
        assert_eq!(code(Segment::open(&agent, &name, None)), expected, "word {word}");
        words[word].store(before, Ordering::Relaxed);
        Segment::open(&agent, &name, None).unwrap().close(&agent);
    };
    let (layout, kind) = (u64::from(crossmem_core::LAYOUT_VERSION), Kind::MpmcQueue as u64);
    refused(0, 0, Code::Corrupt);
    refused(1, kind << 32 | (layout + 1), Code::Corrupt);
    refused(1, (Kind::Mutex as u64) << 32 | layout, Code::Corrupt);
    refused(2, 1, Code::WrongDomain);
    for (param, value) in [(3, 0), (3, 1 << 20), (3, u64::MAX), (4, 1 << 20), (4, u64::MAX)] {
        refused(param, value, Code::Corrupt);
    }
    queue.close(&agent);
    assert!(files(&name).is_empty(), "a refused agent counts as a user");
    agent.leave();
}

#[test]
fn domains_do_not_see_each_other() {
    let (here, there, name) = (unique("d"), unique("d"), unique("n"));
    let (a, b) = (Agent::register(&here, 0).unwrap(), Agent::register(&there, 0).unwrap());
    let array = Spec { kind: Kind::NDArray, guard: Some(4096), ..spec(&name, 8192) };
    let array = Segment::create(&a, &array).unwrap();
    assert_eq!(code(create(&b, &name, 1)), Code::Exists);
    let foreign = Segment::open(&b, &name, Some(Kind::NDArray)).unwrap();
    assert!(foreign.is_foreign());
    let refused = crossmem_core::ArrayGuard::find(&b, foreign.region(), 4096);
    assert_eq!(code(refused), Code::WrongDomain);
    foreign.close(&b);
    array.close(&a);
    let mutex = make(&a, &name, Kind::Mutex, [0; 5]);
    assert_eq!(code(Segment::open(&b, &name, Some(Kind::Mutex))), Code::WrongDomain);
    assert_eq!(code(Segment::open(&a, &name, Some(Kind::Event))), Code::WrongKind);
    mutex.close(&a);
    assert_eq!(code(Agent::register("no/slash", 0)), Code::InvalidName);
    a.leave();
    b.leave();
}

#[test]
fn a_control_segment_of_another_shape_is_refused() {
    let domain = unique("d");
    Agent::register(&domain, 0).unwrap().leave();
    let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap());
    let path = format!("/dev/shm/.crossmem-{uid}-v{}-{domain}", crossmem_core::LAYOUT_VERSION);
    std::fs::write(&path, [0; 100]).unwrap();
    assert_eq!(code(Agent::register(&domain, 0)), Code::Corrupt);
    let size = {
        std::fs::remove_file(&path).unwrap();
        let _agent = Agent::register(&domain, 0).unwrap();
        std::fs::metadata(&path).unwrap().len()
    };
    std::fs::write(&path, vec![0xff; size as usize]).unwrap();
    assert_eq!(code(Agent::register(&domain, 0)), Code::Corrupt);
    std::fs::remove_file(&path).unwrap();
}

/// Every call returns without a crash, whichever bytes the table has.
#[test]
fn a_scribbled_registry_never_crashes_anyone() {
    let mut random = Random(1);
    let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap());
    for round in 0..60 {
        let (domain, name) = (unique("d"), unique("n"));
        let path = format!("/dev/shm/.crossmem-{uid}-v{}-{domain}", crossmem_core::LAYOUT_VERSION);
        let agent = Agent::register(&domain, 0).unwrap();
        let kept = create(&agent, &name, 100).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        let size = file.metadata().unwrap().len();
        for _ in 0..2_000 {
            // Spares the header's first fields, which are checked when the segment is opened. Every
            // other round spares the registry's mutex, so that calls reach the table behind it.
            let offset = (if round % 2 == 0 { 4096 } else { 40 }) + random.below(size - 4096 - 8);
            let word = if random.below(2) == 0 { random.next() } else { random.below(5) };
            let bytes = word.to_le_bytes();
            std::os::unix::fs::FileExt::write_at(&file, &bytes, offset).unwrap();
        }
        let _ = inspect(&domain).unwrap();
        let _ = Segment::open(&agent, &name, None);
        let _ = create(&agent, &format!("{name}.2"), 100).map(|made| made.close(&agent));
        let _ = agent.collect_garbage();
        let _ = Agent::register(&domain, 0).map(Agent::leave);
        kept.close(&agent);
        agent.leave();
        let _ = std::fs::remove_file(&path);
        for file in files(&name) {
            std::fs::remove_file(format!("/dev/shm/{file}")).unwrap();
        }
    }
}

#[test]
fn a_removed_control_segment_is_noticed() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let mine = create(&agent, &name, 10).unwrap();
    let control = files(&domain).pop().unwrap();
    std::fs::remove_file(format!("/dev/shm/{control}")).unwrap();
    let refused = create(&agent, &format!("{name}.2"), 10).err().unwrap();
    assert_eq!(refused.code, Code::Corrupt);
    assert!(refused.message.contains(&control), "{}", refused.message);
    assert_eq!(code(Segment::open(&agent, &name, None)), Code::Corrupt);
    let newcomer = Agent::register(&domain, 0).unwrap();
    mine.close(&agent);
    agent.leave();
    assert_eq!(files(&domain).len(), 1, "an agent of the old control segment removed the new one");
    newcomer.leave();
    assert!(files(&domain).is_empty() && files(&name).is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn the_last_agent_to_leave_cleans_up_after_the_dead() {
    let (domain, name) = (unique("d"), unique("n"));
    let last = Agent::register(&domain, 0).unwrap();
    let orphan = Agent::register(&domain, 0).unwrap();
    let _left = create(&orphan, &name, 100).unwrap();
    drop(orphan);
    // A process that another test is spawning has the agent's descriptor until it runs its own
    // program.
    while inspect(&domain).unwrap().agents.iter().filter(|agent| agent.alive).count() > 1 {
        std::thread::yield_now();
    }
    last.leave();
    assert_eq!(common::files(&name), Vec::<String>::new());
    assert_eq!(common::files(&domain), Vec::<String>::new());
}
