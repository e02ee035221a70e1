//! An object stays as long as any of its users, and no longer: whoever made it, whoever goes first
//! and however, and whoever comes then. Dropping an agent without leaving stands for its death.
#![cfg(target_os = "linux")]

mod common;

use common::{code, files, spec, unique};
use crossmem_core::{Agent, Code, Kind, Object, PAGE, Segment, Spec, inspect, unlink_name};

/// How a user of the object goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Close,
    Leave,
    Death,
    /// A newcomer then has the slot of the dead agent.
    DeathWithSuccessor,
}
const ENDS: [End; 4] = [End::Close, End::Leave, End::Death, End::DeathWithSuccessor];

/// What an agent does that doesn't have the object open.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Open,
    Create,
    Sweep,
    Inspect,
}
const DEEDS: [Deed; 4] = [Deed::Open, Deed::Create, Deed::Sweep, Deed::Inspect];

const KINDS: [(Kind, [u64; 5]); 5] = [
    (Kind::SharedMemory, [0; 5]),
    (Kind::Mutex, [0; 5]),
    (Kind::JoinableQueue, [2, 8, 1, 0, 0]),
    (Kind::Pipe, [64, 64, 0, 0, 0]),
    (Kind::NDArray, [0; 5]),
];

/// One cell of the matrix.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent choices, all combined")]
struct Case {
    kind: (Kind, [u64; 5]),
    persist: bool,
    maker_has_the_first_slot: bool,
    maker_goes_first: bool,
    ends: [End; 2],
    /// Otherwise it joins the domain after the deaths, and sweeps.
    comer_was_there: bool,
    deed: Deed,
}

fn cases() -> impl Iterator<Item = Case> {
    // A prime: each combination of a few of the other choices meets each kind.
    let kinds = KINDS.into_iter().cycle();
    let bits = 0..16_u32;
    let choices = bits.flat_map(|bits| {
        ENDS.into_iter().flat_map(move |first| {
            ENDS.into_iter().flat_map(move |second| DEEDS.map(|deed| (bits, [first, second], deed)))
        })
    });
    choices.zip(kinds).map(|((bits, ends, deed), kind)| Case {
        kind,
        persist: bits & 1 != 0,
        maker_has_the_first_slot: bits & 2 != 0,
        maker_goes_first: bits & 4 != 0,
        ends,
        comer_was_there: bits & 8 != 0,
        deed,
    })
}

/// An agent that has the object open.
struct User {
    agent: Agent,
    segment: Segment,
}

struct World {
    domain: String,
    name: String,
    case: Case,
    /// Agents without the object: those that closed it, and those that have the slots of the dead.
    bystanders: Vec<Agent>,
}

impl World {
    fn agent(&self) -> Agent {
        Agent::register(&self.domain, 0).unwrap()
    }

    fn create(&self, agent: &Agent) -> crossmem_core::Result<Segment> {
        let (kind, params) = self.case.kind;
        let guard = (kind == Kind::NDArray).then_some(PAGE);
        let bytes = Spec { kind, persist: self.case.persist, guard, ..spec(&self.name, 2 * PAGE) };
        Segment::create(
            agent,
            &if kind.is_plain() { bytes } else { Spec { size: 0, params: Some(params), ..bytes } },
        )
    }

    fn open(&self, agent: &Agent) -> crossmem_core::Result<Segment> {
        Segment::open(agent, &self.name, Some(self.case.kind.0))
    }

    fn end(&mut self, User { agent, segment }: User, how: End) {
        match how {
            End::Close => {
                segment.close(&agent);
                self.bystanders.push(agent);
            }
            End::Leave => agent.leave(),
            End::Death => drop(agent),
            End::DeathWithSuccessor => {
                drop(agent);
                self.bystanders.push(self.agent());
            }
        }
    }

    /// What an agent finds that comes while the object is there: `id`.
    fn is_there(&self, comer: &Agent, id: u64) {
        match self.case.deed {
            Deed::Open => {
                let found = self.open(comer).unwrap();
                assert_eq!(found.id(), id, "another object");
                found.close(comer);
            }
            Deed::Create => assert_eq!(code(self.create(comer)), Code::Exists),
            Deed::Sweep => assert_eq!(comer.collect_garbage().unwrap().objects, 0),
            Deed::Inspect => {
                let seen = inspect(&self.domain).unwrap().objects;
                let states: Vec<_> = seen.iter().map(|object| (object.present, object.doomed)).collect();
                assert_eq!(states, [(true, false)]);
            }
        }
        assert_eq!(files(&self.name), std::slice::from_ref(&self.name));
    }

    /// What an agent finds that comes when the object has no user any more.
    fn is_gone(&self, comer: &Agent) {
        match self.case.deed {
            Deed::Open => assert_eq!(code(self.open(comer)), Code::NotFound),
            Deed::Create => self.create(comer).unwrap().close(comer),
            Deed::Sweep => drop(comer.collect_garbage().unwrap()),
            Deed::Inspect => {
                let seen = inspect(&self.domain).unwrap().objects;
                assert!(seen.iter().all(|object| object.doomed), "{seen:?}");
                return;
            }
        }
        assert!(files(&self.name).is_empty());
    }

    fn comer(&self, was_there: Option<Agent>) -> Agent {
        was_there.unwrap_or_else(|| self.agent())
    }
}

fn play(case: Case) {
    let mut world = World { domain: unique("d"), name: unique("n"), case, bystanders: Vec::new() };
    let was_there = case.comer_was_there.then(|| world.agent());
    let (low, high) = (world.agent(), world.agent());
    let (one, other) = if case.maker_has_the_first_slot { (low, high) } else { (high, low) };
    let segment = world.create(&one).unwrap();
    let id = segment.id();
    let maker = User { agent: one, segment };
    let segment = world.open(&other).unwrap();
    let opener = User { agent: other, segment };
    let (first, second) = if case.maker_goes_first { (maker, opener) } else { (opener, maker) };
    assert!(second.segment.company(&second.agent).others);

    world.end(first, case.ends[0]);
    let comer = world.comer(was_there);
    assert!(!second.segment.company(&second.agent).others, "the one that went is taken for a user");
    world.is_there(&comer, id);
    assert!(second.segment.company(&second.agent).linked, "its user has lost it");

    world.end(second, case.ends[1]);
    if case.persist {
        world.is_there(&comer, id);
        assert!(unlink_name(&comer, &world.name).unwrap());
    } else {
        world.is_gone(&comer);
    }
    comer.leave();
    world.bystanders.into_iter().for_each(Agent::leave);
    assert!(files(&world.domain).is_empty() && files(&world.name).is_empty(), "something is left");
}

#[test]
fn an_object_stays_as_long_as_any_of_its_users_and_no_longer() {
    for case in cases() {
        let played = std::panic::catch_unwind(|| play(case));
        assert!(played.is_ok(), "in {case:?}");
    }
}

/// A waiting agent that sees no change doesn't ask further.
#[test]
fn the_outlook_changes_with_the_company_and_the_name() {
    let (domain, name) = (unique("d"), unique("n"));
    let [waiting, other] = [0, 1].map(|_| Agent::register(&domain, 0).unwrap());
    let segment = common::make(&waiting, &name, Kind::Event, [0; 5]);
    let outlook = || Object::new(&waiting, &segment).outlook();
    // An agent counts as living for a moment after its death.
    let changes_from = |before: u64| (0..100_000_000).any(|_| outlook() != before);

    let alone = outlook();
    let opened = Segment::open(&other, &name, None).unwrap();
    let together = outlook();
    assert_ne!(together, alone);
    assert_eq!(outlook(), together);
    opened.close(&other);
    assert_eq!(outlook(), alone);

    drop(Segment::open(&other, &name, None).unwrap());
    assert_eq!(outlook(), together);
    drop(other);
    assert!(changes_from(together), "a death");
    let after_death = outlook();
    assert_eq!(after_death, alone);

    assert!(unlink_name(&waiting, &name).unwrap());
    assert_ne!(outlook(), after_death);
    segment.close(&waiting);
    waiting.leave();
    assert_eq!(files(&domain), Vec::<String>::new());
}
