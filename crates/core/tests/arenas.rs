//! The files of large messages: an arena comes and goes with its queue, and neither its name nor
//! the length of a message is trusted.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

use common::{arenas, code, create, files, make, spilled_bytes, unique};
use crossmem_core::{
    Agent, Chunk, Code, Got, Kind, Looked, Member, Object, Put, Segment, Wait, inspect, unlink_name,
};

const SPILL: u64 = 2;

/// A queue for four messages, whose chunks have 24 bytes.
fn queue(agent: &Agent, name: &str) -> Segment {
    make(agent, name, Kind::MpmcQueue, [4, 24, SPILL, 0, 0])
}

fn put(object: Object<'_>, member: &mut Member, message: &[u8]) {
    let put = object.push_message(member, message, Wait::Try).unwrap();
    assert_eq!(put, Looked::Got(Put::Done(())));
}

fn take(object: Object<'_>, member: &mut Member) -> Chunk {
    let taken = object.take_message(member, Wait::Try).unwrap();
    let Looked::Got(Got::Message(chunk)) = taken else { panic!("{taken:?}") };
    chunk
}

fn read(object: Object<'_>, chunk: Chunk) -> Vec<u8> {
    let mut bytes = vec![0; chunk.len as usize];
    object.check_spilled(chunk.index, chunk.len).unwrap();
    object.read_message(chunk, &mut bytes).unwrap();
    bytes
}

/// The file of a queue's arena, by its number, which stays when the file has lost its name.
fn file_of_arena(domain: &str) -> u64 {
    fs::metadata(format!("/dev/shm/{}", arenas(domain)[0])).unwrap().ino()
}

/// How often this process has that file open.
fn descriptors(file: u64) -> usize {
    let open = fs::read_dir("/proc/self/fd").unwrap().flatten();
    open.filter(|open| fs::metadata(open.path()).is_ok_and(|meta| meta.ino() == file)).count()
}

#[test]
fn an_arena_goes_with_its_queue() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let made = queue(&agent, &name);
    let object = Object::new(&agent, &made);
    let empty = inspect(&domain).unwrap().objects[0].size;
    let mut member = object.join_queue().unwrap();
    for _ in 0..4 {
        put(object, &mut member, &[1; 100]);
    }
    let objects = inspect(&domain).unwrap().objects;
    assert_eq!(objects.len(), 1, "messages are no objects");
    assert_eq!((arenas(&domain).len(), spilled_bytes(&domain)), (1, 4 * 4096));
    assert_eq!(objects[0].size, empty + 4 * 4096, "the memory of the messages counts");
    let file = file_of_arena(&domain);
    assert_eq!(descriptors(file), 1);
    made.close(&agent);
    assert_eq!((arenas(&domain), descriptors(file)), (vec![], 0));

    let plain = make(&agent, &name, Kind::MpmcQueue, [4, 24, 0, 0, 0]);
    assert_eq!(arenas(&domain).len(), 0, "a queue that doesn't spill needs none");
    plain.close(&agent);
    agent.leave();
    assert!(files(&domain).is_empty());
}

#[test]
fn a_large_message_outlives_its_producer() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let made = queue(&agent, &name);
    let object = Object::new(&agent, &made);
    {
        let writer = Agent::register(&domain, 0).unwrap();
        let opened = Segment::open(&writer, &name, None).unwrap();
        let theirs = Object::new(&writer, &opened);
        put(theirs, &mut theirs.join_queue().unwrap(), &[1; 100]);
        // Dropped without leaving: other agents see it as dead.
    }
    agent.collect_garbage().unwrap();
    let mut member = object.join_queue().unwrap();
    let chunk = take(object, &mut member);
    assert_eq!(read(object, chunk), [1; 100]);
    object.free_message(&member, chunk.index).unwrap();
    assert_eq!(spilled_bytes(&domain), 0);
    made.close(&agent);
    agent.leave();
}

#[test]
fn a_queue_without_a_name_goes_on_for_its_users() {
    let (domain, name) = (unique("d"), unique("n"));
    let (a, b) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap());
    let made = queue(&a, &name);
    let opened = Segment::open(&b, &name, None).unwrap();
    let (mine, theirs) = (Object::new(&a, &made), Object::new(&b, &opened));
    let (mut writer, mut reader) = (mine.join_queue().unwrap(), theirs.join_queue().unwrap());
    put(mine, &mut writer, &[1; 100]);
    put(mine, &mut writer, &[2; 100]);
    let file = file_of_arena(&domain);
    assert!(unlink_name(&a, &name).unwrap());
    assert_eq!((files(&name), arenas(&domain), descriptors(file)), (vec![], vec![], 2));
    put(mine, &mut writer, &[3; 100]);
    let first = take(theirs, &mut reader);
    assert_eq!(read(theirs, first), [1; 100]);
    theirs.free_message(&reader, first.index).unwrap();
    let second = take(theirs, &mut reader);
    theirs.put_message_back(&reader, second.index).unwrap();
    mine.leave_queue(writer).unwrap();
    made.close(&a);
    a.leave();
    for byte in [3, 2] {
        let chunk = take(theirs, &mut reader);
        assert_eq!(read(theirs, chunk), [byte; 100]);
        theirs.free_message(&reader, chunk.index).unwrap();
    }
    opened.close(&b);
    assert_eq!(descriptors(file), 0, "no process can read the messages any more");
    b.leave();
    assert!(files(&domain).is_empty());
}

#[test]
fn a_file_of_another_program_is_left_alone() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let control = inspect(&domain).unwrap().control.unwrap();
    let before = create(&agent, &unique("n"), 10).unwrap();
    let path = |id: u64| format!("/dev/shm/{control}+{id:x}");
    let foreign: Vec<String> = (1..4).map(|more| path(before.id() + more)).collect();
    fs::create_dir(&foreign[0]).unwrap();
    for path in &foreign[1..] {
        fs::write(path, "not ours").unwrap();
    }

    let made = queue(&agent, &name);
    assert!(fs::metadata(path(made.id())).unwrap().is_file(), "the next free name");
    made.close(&agent);
    assert_eq!(arenas(&domain).len(), foreign.len());

    let made = queue(&agent, &name);
    let own = path(made.id());
    fs::remove_file(&own).unwrap();
    fs::write(&own, "not ours").unwrap();
    assert_eq!(code(Segment::open(&agent, &name, None)), Code::NotFound, "without its arena it is gone");
    let again = queue(&agent, &name);
    for open in [made, again, before] {
        open.close(&agent);
    }
    for path in foreign[1..].iter().chain([&own]) {
        assert_eq!(fs::read_to_string(path).unwrap(), "not ours");
        fs::remove_file(path).unwrap();
    }
    fs::remove_dir(&foreign[0]).unwrap();
    agent.leave();
    assert!(files(&domain).is_empty());
}

/// Another program overwrites the length of a message.
#[test]
fn a_length_is_not_trusted() {
    const LEN: u64 = 3000;
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let made = queue(&agent, &name);
    let object = Object::new(&agent, &made);
    let mut member = object.join_queue().unwrap();
    for length in [4097, 1 << 20, 1 << 40, 1 << 60, (1 << 60) + 1, 1 << 63, u64::MAX] {
        put(object, &mut member, &[1; LEN as usize]);
        overwrite(&made, LEN, length);
        match object.take_message(&mut member, Wait::Try) {
            Ok(Looked::Got(Got::Message(chunk))) => {
                assert_eq!(chunk.len, length);
                assert_eq!(code(object.check_spilled(chunk.index, length)), Code::Corrupt, "{length} bytes");
                object.free_message(&member, chunk.index).unwrap();
            }
            taken => assert_eq!(code(taken), Code::Corrupt, "{length} bytes"),
        }
        assert_eq!(object.queue_size(&mut member).unwrap(), 0);
        assert_eq!(spilled_bytes(&domain), 0, "the message is gone");
    }
    put(object, &mut member, &[1; LEN as usize]);
    let chunk = take(object, &mut member);
    assert_eq!(read(object, chunk), [1; LEN as usize], "and the queue works");
    for index in [4, u32::MAX] {
        assert_eq!(code(object.check_spilled(index, 1)), Code::Corrupt, "there is no chunk {index}");
        assert_eq!(code(object.read_message(Chunk { index, ..chunk }, &mut [0])), Code::Corrupt);
    }
    made.close(&agent);
    agent.leave();
}

/// Replaces a number that occurs once.
fn overwrite(segment: &Segment, from: u64, to: u64) {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    let region = segment.region();
    // SAFETY: all of it lies in the mapping, which begins at a page. Other code accesses it by
    // atomics, or expects it to change.
    let words: &[AtomicU64] = unsafe { std::slice::from_raw_parts(region.as_ptr().cast(), region.len() / 8) };
    let found: Vec<_> = words.iter().filter(|word| word.load(Relaxed) == from).collect();
    assert_eq!(found.len(), 1, "the length of the message");
    found[0].store(to, Relaxed);
}

/// A flag says that a message is in the arena, but the queue has none.
#[test]
fn a_queue_without_an_arena_reads_none() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let made = make(&agent, &name, Kind::MpmcQueue, [4, 24, 0, 0, 0]);
    let object = Object::new(&agent, &made);
    let mut member = object.join_queue().unwrap();
    assert_eq!(code(object.push_message(&mut member, &[1; 25], Wait::Try)), Code::TooLarge);
    put(object, &mut member, &[1; 20]);
    overwrite(&made, 20, 0x1_0000_0014);
    assert_eq!(code(object.take_message(&mut member, Wait::Try)), Code::Corrupt);
    let chunk = Chunk { index: 0, offset: 0, len: 1, spilled: true, redelivered: false };
    assert_eq!(code(object.read_message(chunk, &mut [0])), Code::Corrupt);
    put(object, &mut member, &[1; 20]);
    made.close(&agent);
    agent.leave();
}

/// Native code closes all descriptors, and a file of another program gets the number of the
/// arena's.
#[test]
fn a_descriptor_that_leads_elsewhere_is_not_used() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let made = queue(&agent, &name);
    let object = Object::new(&agent, &made);
    let mut member = object.join_queue().unwrap();
    put(object, &mut member, &[1; 100]);
    let file = file_of_arena(&domain);
    let is_it =
        |number: &i32| fs::metadata(format!("/proc/self/fd/{number}")).is_ok_and(|meta| meta.ino() == file);
    let number = (0..2000).find(is_it).unwrap();
    let path = format!("/dev/shm/{name}.other");
    fs::write(&path, "not ours").unwrap();
    let other = fs::File::options().read(true).write(true).open(&path).unwrap();
    // SAFETY: two valid descriptors.
    assert_eq!(unsafe { libc::dup2(other.as_raw_fd(), number) }, number);

    assert_eq!(code(object.push_message(&mut member, &[2; 100], Wait::Try)), Code::Os);
    let chunk = take(object, &mut member);
    assert_eq!(code(object.read_message(chunk, &mut [0; 100])), Code::Os);
    object.free_message(&member, chunk.index).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "not ours");
    fs::remove_file(&path).unwrap();
    made.close(&agent);
    agent.leave();
    assert!(files(&domain).is_empty());
}

#[test]
fn the_files_of_a_map_come_and_go_with_it() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let made = make(&agent, &name, Kind::SharedMap, [0; 5]);
    let path = made.arena_path(&agent).unwrap();
    let shown = path.file_name().unwrap().to_str().unwrap();
    assert_eq!(arenas(&domain), [shown.to_owned(), format!("{shown}-lock")]);
    // The table of readers has all of its memory.
    let readers = fs::metadata(format!("{}-lock", path.display())).unwrap();
    assert!(readers.len() >= 1024 * 64 && readers.blocks() * 512 >= readers.len());
    let again = Segment::open(&agent, &name, Some(Kind::SharedMap)).unwrap();
    assert_eq!(again.arena_path(&agent).unwrap(), path);
    made.close(&agent);
    assert_eq!(arenas(&domain).len(), 2);
    again.close(&agent);
    assert_eq!(arenas(&domain), Vec::<String>::new());
    agent.leave();
}

#[test]
fn the_memory_of_a_map_is_reserved_behind_the_end_of_its_file() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let made = make(&agent, &name, Kind::SharedMap, [0; 5]);
    let before = inspect(&domain).unwrap().objects[0].size;
    made.reserve_arena(0, 100_000).unwrap();
    made.reserve_arena(50_000, 200_000).unwrap();
    let file = fs::metadata(made.arena_path(&agent).unwrap()).unwrap();
    assert_eq!(file.len(), 0);
    assert!(file.blocks() * 512 >= 200_000);
    assert!(inspect(&domain).unwrap().objects[0].size >= before + 200_000);
    assert_eq!(made.reserve_arena(0, 1 << 50).unwrap_err().code, Code::NoSpace);
    made.close(&agent);
    let queue = queue(&agent, &name);
    assert_eq!(queue.reserve_arena(0, 1).unwrap_err().code, Code::WrongKind);
    assert_eq!(queue.arena_path(&agent).unwrap_err().code, Code::WrongKind);
    queue.close(&agent);
    agent.leave();
}
