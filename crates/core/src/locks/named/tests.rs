//! The table of named locks on the heap, with agents that a test declares dead.
#![allow(clippy::redundant_closure_for_method_calls, reason = "the methods' lifetimes are too particular")]

use std::cell::Cell;
use std::time::Duration;

use super::runs::FREE;
use super::*;
use crate::layout::{AGENTS, CELLS, Doorbell, Owner};
use crate::sync::{AtomicU32, AtomicU64};
use crate::wait::Wait;

/// Agents named by their slots. Their instances are one higher; those from `dead` on are dead.
struct Peer<'a> {
    me: Owner,
    dead: u32,
    bells: &'a [Doorbell],
    rung: Cell<u32>,
}

impl Peers for Peer<'_> {
    fn me(&self) -> Owner {
        self.me
    }
    fn is_dead(&self, owner: Owner) -> bool {
        owner.instance >= self.dead
    }
    fn in_slot(&self, slot: usize) -> Option<Owner> {
        Some(agent(slot as u16)).filter(|_| slot < AGENTS)
    }
    fn bell(&self, slot: usize) -> &Doorbell {
        &self.bells[slot]
    }
    fn park(&self, _: u32, _: Duration) {}
    fn rouse(&self, _: usize, _: u32) {
        self.rung.set(self.rung.get() + 1);
    }
}

fn agent(slot: u16) -> Owner {
    Owner { instance: u32::from(slot) + 1, slot }
}

/// The doorbell of an agent that sleeps.
fn asleep_bell() -> Doorbell {
    Doorbell { rings: AtomicU32::new(0), asleep: AtomicU32::new(1), reactor: AtomicU32::new(0) }
}

/// A table on the heap, and the doorbells of its agents.
struct Domain {
    table: Box<NamedLocksWords>,
    bells: Vec<Doorbell>,
    dead: u32,
}

impl Domain {
    fn new() -> Domain {
        // SAFETY: atomics throughout, for which zeros are values.
        let table: Box<NamedLocksWords> = unsafe {
            let layout = std::alloc::Layout::new::<NamedLocksWords>();
            #[allow(
                clippy::cast_ptr_alignment,
                reason = "allocated with the type's own layout, as the box frees it"
            )]
            Box::from_raw(std::alloc::alloc_zeroed(layout).cast())
        };
        table.heads[0].store(NamedLocksWords::initial(), Relaxed);
        Domain { table, bells: (0..AGENTS).map(|_| asleep_bell()).collect(), dead: 100 }
    }

    fn peer(&self, slot: u16) -> Peer<'_> {
        Peer { me: agent(slot), dead: self.dead, bells: &self.bells, rung: Cell::new(0) }
    }

    /// Calls `act` as that agent.
    fn at<T>(&self, slot: u16, act: impl FnOnce(&NamedLocks<'_, Peer<'_>>) -> Result<T>) -> Result<T> {
        let peer = self.peer(slot);
        let acquired = self.table.mutex.lock(&peer, Wait::Try).expect("no agent is inside");
        act(&self.table.inside(&peer, acquired)?)
    }

    fn request(&self, slot: u16, wanted: &Wanted<'_>) -> EnteredRequest {
        self.at(slot, |table| table.request(wanted)).unwrap().expect("it may wait")
    }

    fn end(&self, slot: u16, request: &EnteredRequest) -> EndedRequest {
        self.at(slot, |table| table.end(request.request, false)).unwrap()
    }

    fn news(&self, slot: u16) -> Vec<(u64, Fate)> {
        let news = self.at(slot, |table| table.news()).unwrap();
        news.into_iter().map(|news| (news.ticket, news.fate)).collect()
    }

    fn sweep(&self, slot: u16) {
        self.at(slot, |table| table.sweep()).unwrap();
    }

    /// The instances of the holders, and of the waiters.
    fn query(&self) -> (Vec<u32>, Vec<u32>) {
        let (held, pending): (Vec<_>, Vec<_>) =
            self.at(0, |table| table.query()).unwrap().into_iter().partition(|request| request.held);
        let who = |requests: Vec<RequestInfo>| requests.iter().map(|request| request.instance).collect();
        (who(held), who(pending))
    }

    fn runs(&self) -> usize {
        self.at(0, |table| {
            let (mut at, mut runs) = (0, 0);
            while at < CELLS {
                at += table.head(at)?.cells as usize;
                runs += 1;
            }
            Ok(runs)
        })
        .unwrap()
    }
}

const EXCLUSIVE: Wanted<'_> = Wanted { name: b"x", shared: false, if_available: false, steal: false };
const SHARED: Wanted<'_> = Wanted { shared: true, ..EXCLUSIVE };
const NOW: Wanted<'_> = Wanted { if_available: true, ..EXCLUSIVE };
const THEFT: Wanted<'_> = Wanted { steal: true, ..EXCLUSIVE };
const CLEAN: Fate = Fate::Granted { recovered: false };
const RECOVERED: Fate = Fate::Granted { recovered: true };

#[test]
fn an_onlooker_sees_the_requests_of_the_table_without_its_mutex() {
    let domain = Domain::new();
    let seen = |domain: &Domain| -> Vec<(Vec<u8>, bool, bool, u32)> {
        let seen = domain.table.seen().into_iter();
        seen.map(|request| (request.name, request.shared, request.held, request.owner.instance)).collect()
    };
    let long = vec![b'y'; 1000];
    let first = domain.request(1, &SHARED);
    let second = domain.request(2, &Wanted { name: &long, ..EXCLUSIVE });
    domain.request(3, &EXCLUSIVE);
    let (x, y) = (b"x".to_vec(), long.clone());
    let all =
        [(x.clone(), true, true, 2), (y.clone(), false, true, 3), (x.clone(), false, false, 4)].to_vec();
    assert_eq!(seen(&domain), all);
    // While an agent is inside, too.
    assert_eq!(domain.at(5, |_| Ok(seen(&domain))).unwrap(), all);
    // Runs that were freed, joined and cut again leave no request behind.
    domain.end(1, &first);
    domain.end(2, &second);
    assert_eq!(seen(&domain), [(x.clone(), false, true, 4)]);
    domain.request(6, &Wanted { name: &long, ..EXCLUSIVE });
    assert_eq!(seen(&domain), [(x, false, true, 4), (y, false, true, 7)]);
}

#[test]
fn an_onlooker_takes_any_garbage() {
    let domain = Domain::new();
    domain.request(1, &EXCLUSIVE);
    for word in [u64::MAX, u64::MAX - 0xfd, 1 << 32 | 2, 0xffff_ffff_0000_0001] {
        for at in 0..CELLS {
            domain.table.heads[at].store(word, Relaxed);
            domain.table.tags[at].store(word.rotate_left(at as u32), Relaxed);
            domain.table.owners[at].store(word, Relaxed);
        }
        assert_eq!(domain.table.seen().len(), 0, "{word:x}");
    }
}

#[test]
fn requests_are_granted_in_order_and_shared_ones_together() {
    let domain = Domain::new();
    let wanted = [(1, SHARED), (2, SHARED), (3, EXCLUSIVE), (4, SHARED), (5, SHARED)];
    let entered = wanted.map(|(slot, wanted)| domain.request(slot, &wanted));
    assert_eq!(entered.map(|entered| entered.granted.is_some()), [true, true, false, false, false]);
    assert_eq!(domain.query(), (vec![2, 3], vec![4, 5, 6]));
    domain.end(1, &entered[0]);
    assert_eq!(domain.query(), (vec![3], vec![4, 5, 6]));
    domain.end(2, &entered[1]);
    assert_eq!((domain.query(), domain.bells[3].rings.load(Relaxed)), ((vec![4], vec![5, 6]), 1));
    assert_eq!(domain.news(3), [(entered[2].request.ticket, CLEAN)]);
    assert_eq!(domain.news(3), [], "told once");
    domain.end(3, &entered[2]);
    assert_eq!(domain.query(), (vec![5, 6], vec![]));
    // Ending a request a second time does nothing.
    for request in [&entered[3], &entered[3], &entered[4]] {
        domain.end(4, request);
        domain.end(5, request);
    }
    assert_eq!(domain.query(), (vec![], vec![]));
}

#[test]
fn only_its_agent_ends_a_request() {
    let domain = Domain::new();
    let [first, second] = [1, 2].map(|slot| domain.request(slot, &EXCLUSIVE));
    assert!(domain.end(3, &first).stolen && domain.end(1, &second).stolen, "not theirs");
    assert_eq!(domain.query(), (vec![2], vec![3]));
    assert!(!domain.end(1, &first).stolen);
    let again = domain.request(1, &EXCLUSIVE);
    assert_eq!(again.request.cell, first.request.cell, "in the same cell");
    assert!(domain.end(1, &first).stolen, "not that request any more");
    assert_eq!(domain.query(), (vec![3], vec![2]));
}

#[test]
fn if_available_is_granted_at_once_or_not_at_all() {
    let domain = Domain::new();
    let held = domain.request(1, &SHARED);
    assert_eq!(domain.at(2, |table| table.request(&NOW)).unwrap(), None);
    let shared = Wanted { shared: true, ..NOW };
    assert!(domain.at(2, |table| table.request(&shared)).unwrap().unwrap().granted.is_some());
    domain.request(3, &EXCLUSIVE);
    assert_eq!(
        domain.at(2, |table| table.request(&shared)).unwrap(),
        None,
        "not before a request that waits"
    );
    domain.end(1, &held);
    assert_eq!(domain.query(), (vec![3], vec![4]));
}

#[test]
fn an_agent_hears_of_its_own_grants_without_a_bell() {
    let domain = Domain::new();
    let (held, pending) = (domain.request(1, &EXCLUSIVE), domain.request(1, &EXCLUSIVE));
    assert_eq!((held.granted, held.news, pending.granted), (Some(false), false, None));
    assert_eq!(domain.end(1, &held), EndedRequest { stolen: false, news: true });
    assert_eq!(domain.news(1), [(pending.request.ticket, CLEAN)]);
    let thief = domain.request(1, &THEFT);
    assert_eq!((thief.granted, thief.news), (Some(false), true));
    assert_eq!(domain.news(1), [(pending.request.ticket, Fate::Stolen)]);
    assert_eq!(domain.end(1, &pending), EndedRequest { stolen: true, news: false });
    assert_eq!(domain.bells[1].rings.load(Relaxed), 0);
}

#[test]
fn a_grant_rings_its_requester_and_nobody_else() {
    let domain = Domain::new();
    let held = domain.request(1, &EXCLUSIVE);
    domain.request(2, &EXCLUSIVE);
    domain.request(3, &EXCLUSIVE);
    domain.end(1, &held);
    assert_eq!([1, 2, 3].map(|slot: usize| domain.bells[slot].rings.load(Relaxed)), [0, 1, 0]);
}

#[test]
fn no_request_of_a_dead_agent_is_shown() {
    let mut domain = Domain::new();
    domain.request(7, &EXCLUSIVE);
    domain.request(8, &EXCLUSIVE);
    assert_eq!(domain.query(), (vec![8], vec![9]));
    domain.dead = 8;
    assert_eq!(domain.query(), (vec![], vec![]));
}

#[test]
fn stealing_ends_the_requests_of_holders_and_leaves_waiting_ones() {
    let domain = Domain::new();
    let held = [domain.request(1, &SHARED), domain.request(2, &SHARED)];
    let pending = domain.request(3, &EXCLUSIVE);
    let thief = domain.request(4, &THEFT);
    assert_eq!((thief.granted, domain.query()), (Some(false), (vec![5], vec![4])));
    for (slot, held) in [1, 2].into_iter().zip(held) {
        assert_eq!(domain.bells[usize::from(slot)].rings.load(Relaxed), 1);
        assert_eq!(domain.news(slot), [(held.request.ticket, Fate::Stolen)]);
    }
    domain.end(4, &thief);
    assert_eq!(domain.news(3), [(pending.request.ticket, CLEAN)]);
}

#[test]
fn the_next_holder_hears_of_a_death_and_only_the_next() {
    let mut domain = Domain::new();
    domain.request(9, &EXCLUSIVE);
    let waits = [domain.request(1, &EXCLUSIVE), domain.request(8, &EXCLUSIVE), domain.request(2, &EXCLUSIVE)];
    domain.dead = 9;
    assert_eq!(domain.query(), (vec![], vec![2, 3]), "dead agents are not shown");
    domain.sweep(2);
    assert_eq!(domain.news(1), [(waits[0].request.ticket, RECOVERED)]);
    domain.end(1, &waits[0]);
    assert_eq!(domain.news(2), [(waits[2].request.ticket, CLEAN)]);
    domain.end(2, &waits[2]);

    domain.dead = 100;
    domain.request(9, &EXCLUSIVE);
    domain.dead = 9;
    assert_eq!(domain.at(1, |table| table.request(&NOW)).unwrap().unwrap().granted, Some(true));
    domain.dead = 2;
    assert_eq!(domain.request(0, &THEFT).granted, Some(true), "a thief hears of it, too");
    assert_eq!(domain.query(), (vec![1], vec![]));
}

#[test]
fn a_death_is_told_even_if_living_agents_still_share_the_lock() {
    let domain = Domain { dead: 10, ..Domain::new() };
    let living = domain.request(1, &SHARED);
    domain.request(20, &SHARED);
    let waiting = domain.request(2, &EXCLUSIVE);
    for _ in 0..3 {
        domain.sweep(1);
    }
    domain.end(1, &living);
    assert_eq!(domain.news(2), [(waiting.request.ticket, RECOVERED)]);
}

#[test]
fn a_death_is_told_to_the_next_holder_if_this_one_was_not_told() {
    let mut domain = Domain::new();
    domain.request(9, &EXCLUSIVE);
    domain.dead = 10;
    let aborted = domain.request(1, &EXCLUSIVE);
    assert_eq!(aborted.granted, Some(true));
    domain.at(1, |table| table.end(aborted.request, true)).unwrap();
    assert_eq!(domain.query(), (vec![], vec![]));
    let next = domain.request(1, &EXCLUSIVE);
    assert_eq!(next.granted, Some(true));
    domain.at(1, |table| table.end(next.request, false)).unwrap();
    assert_eq!(domain.request(1, &EXCLUSIVE).granted, Some(false));
}

#[test]
fn the_next_agent_finishes_the_work_of_a_dead_one() {
    let domain = Domain::new();
    let held = domain.request(1, &EXCLUSIVE);
    let pending = domain.request(2, &EXCLUSIVE);
    // The holder freed its request, and was killed before it granted the next one.
    let word = &domain.table.heads[held.request.cell as usize];
    word.store(Head { state: FREE, ..Head::of(word.load(Relaxed)) }.word(), Relaxed);
    domain.table.mutex.owner.store(Owner { instance: 1000, slot: 7 }.word(), Relaxed);
    assert_eq!(domain.news(2), [(pending.request.ticket, CLEAN)]);
}

#[test]
fn only_requests_of_living_agents_fill_the_table() {
    let mut domain = Domain::new();
    let names: Vec<Vec<u8>> = (0..CELLS as u32).map(|i| i.to_le_bytes().to_vec()).collect();
    let all: Vec<_> = names.iter().map(|name| domain.request(1, &Wanted { name, ..EXCLUSIVE })).collect();
    let one_more = domain.at(1, |table| table.request(&EXCLUSIVE));
    assert_eq!(one_more.unwrap_err().code, Code::Limit);
    assert!(all.iter().all(|entered| entered.granted.is_some()));
    assert_eq!(domain.at(1, |table| table.query()).unwrap().len(), CELLS);
    domain.dead = 2;
    let long = vec![7; LOCK_NAME_MAX];
    let wanted = Wanted { name: &long, ..EXCLUSIVE };
    assert!(domain.request(0, &wanted).granted.is_some());
    assert_eq!(domain.at(0, |table| table.query()).unwrap()[0].name, long);
    assert_eq!(domain.runs(), 2, "the rest is one free run");
    let too_long =
        domain.at(0, |table| table.request(&Wanted { name: &vec![7; LOCK_NAME_MAX + 1], ..EXCLUSIVE }));
    assert_eq!(too_long.unwrap_err().code, Code::TooLarge);
}

#[test]
fn names_differ_if_any_byte_differs() {
    let domain = Domain::new();
    let names: [&[u8]; 7] = [b"", b"\0", b"\0\0", b"12345678", b"12345678\0", &[0; 256], &[0; 257]];
    for name in names {
        assert!(domain.request(1, &Wanted { name, ..EXCLUSIVE }).granted.is_some(), "{name:?}");
    }
    let found: Vec<_> =
        domain.at(2, |table| table.query()).unwrap().into_iter().map(|info| info.name).collect();
    assert_eq!(found, names);
}

/// Makes every call, and returns the errors.
fn do_all(domain: &Domain) -> Vec<Code> {
    let known = RequestRef { cell: 1, ticket: 1 };
    [
        domain.at(1, |table| table.request(&EXCLUSIVE)).map(drop),
        domain.at(1, |table| table.request(&NOW)).map(drop),
        domain.at(1, |table| table.request(&THEFT)).map(drop),
        domain.at(1, |table| table.request(&Wanted { name: &[1; 3000], ..SHARED })).map(drop),
        domain.at(1, |table| table.news()).map(drop),
        domain.at(1, |table| table.sweep()),
        domain.at(1, |table| table.query()).map(drop),
        domain.at(1, |table| table.end(known, true)).map(drop),
        domain.at(1, |table| table.end(RequestRef { cell: u32::MAX, ticket: 0 }, false)).map(drop),
    ]
    .into_iter()
    .filter_map(|done| done.err().map(|e| e.code))
    .collect()
}

#[test]
fn garbage_in_any_word_is_refused_or_harmless() {
    let garbage =
        [0, 1, 2, 3, 4, 0xff, u64::MAX, 1 << 32, u64::from(u32::MAX) << 32, (CELLS as u64) << 32 | 1];
    let words: [fn(&NamedLocksWords, usize) -> &AtomicU64; 6] = [
        |table, at| &table.heads[at],
        |table, at| &table.tags[at],
        |table, at| &table.owners[at],
        |table, at| &table.tickets[at],
        |table, at| &table.names[at][0],
        |table, _| &table.next_ticket,
    ];
    let domain = Domain::new();
    let before = [SHARED, EXCLUSIVE, EXCLUSIVE];
    for word in words {
        for at in [0, 1, 2, 3, 4, CELLS - 1] {
            for value in garbage {
                domain.table.next_ticket.store(0, Relaxed);
                domain.table.mutex.owner.store(0, Relaxed);
                domain.table.heads[0].store(NamedLocksWords::initial(), Relaxed);
                for wanted in &before {
                    domain.request(1, wanted);
                }
                word(&domain.table, at).store(value, Relaxed);
                let codes = do_all(&domain);
                let expected = |code: &Code| matches!(code, Code::Corrupt | Code::Limit);
                assert!(codes.iter().all(expected), "{codes:?} for {value:x} at {at}");
                assert!(domain.table.mutex.holder().is_none(), "no agent stays inside");
            }
        }
    }
}

#[test]
fn a_row_of_garbage_is_corrupt() {
    for (cells, flags, state) in
        [(0, 0, FREE), (CELLS as u32 + 1, 0, FREE), (u32::MAX, 0, HELD), (1, 8, HELD), (1, 0, 4)]
    {
        let domain = Domain::new();
        domain.table.heads[0].store(Head { cells, flags, state }.word(), Relaxed);
        let codes = do_all(&domain);
        assert!(codes.len() >= 7 && codes.iter().all(|code| *code == Code::Corrupt), "{codes:?}");
    }
}
