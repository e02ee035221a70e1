//! Sleeping on Windows, where nothing waits on an address that other processes know as well.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use raw_sync::Timeout;
use raw_sync::events::{Event, EventImpl, EventInit, EventState};

use super::poll::poll;
use crate::layout::{AGENTS, AgentSlot, Control};
use crate::region::Region;
use crate::sync::{AtomicU32, Ordering, fence};

/// Where the control segments of this process are mapped: address and size.
static CONTROLS: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// Called when a control segment was mapped.
pub(super) fn mapped(control: Region<'_>) {
    lock(&CONTROLS).push((control.as_ptr().expose_provenance(), control.len()));
}

/// Called before any mapping is gone.
pub(super) fn unmapping(base: *mut u8) {
    lock(&CONTROLS).retain(|(control, _)| *control != base.addr());
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// Events by number, as this thread opened them. They can't leave it.
    static EVENTS: RefCell<HashMap<u32, Box<dyn EventImpl>>> = RefCell::default();
}

/// Where an agent sleeps: an auto-reset event of `raw_sync`, whose number is in `AgentSlot::parker`. Whoever
/// sleeps there makes it. `raw_sync` sees a number of our own, never shared memory.
pub(crate) struct Bell;

impl Bell {
    /// Sleeps while `word` is `expected`, for `slice` at the most. May return for no reason.
    pub(crate) fn park(word: &AtomicU32, expected: u32, slice: Duration) {
        let Some(parker) = parker(word) else { return poll(word, expected, slice) };
        let known =
            Some(parker.load(Ordering::Acquire)).filter(|n| *n != 0 && with_event(*n, |_| ()).is_some());
        let Some(number) = known.or_else(make_event) else { return poll(word, expected, slice) };
        parker.store(number, Ordering::Release);
        // Pairs with the fence in `ring`: either the event is seen there, or the changed word here.
        fence(Ordering::SeqCst);
        if word.load(Ordering::Acquire) == expected {
            // It counts in milliseconds, and 0 would not be sleep.
            let timeout = slice.clamp(Duration::from_millis(1), Duration::from_secs(60));
            with_event(number, |event| event.wait(Timeout::Val(timeout)).is_ok());
        }
    }

    /// Wakes one thread that sleeps on `word`; an agent's other thread, if both of them do, after its slice.
    pub(crate) fn ring(word: &AtomicU32) {
        fence(Ordering::SeqCst);
        if let Some(number) = parker(word).map(|parker| parker.load(Ordering::Acquire)).filter(|n| *n != 0) {
            with_event(number, |event| event.set(EventState::Signaled).is_ok());
        }
    }
}

/// The parker of the slot that a doorbell is in; `None` for a word elsewhere.
fn parker(word: &AtomicU32) -> Option<&AtomicU32> {
    let address = word.as_ptr().addr();
    let holds = |(base, len): &&(usize, usize)| (*base..base + len).contains(&address);
    let &(base, len) = lock(&CONTROLS).iter().find(holds)?;
    let slot = (address - base).checked_sub(std::mem::offset_of!(Control, agents))? / size_of::<AgentSlot>();
    // SAFETY: listed, so it was mapped when we looked; and `word`, which lies inside, keeps it so while borrowed.
    let region = unsafe { Region::new(std::ptr::with_exposed_provenance_mut(base), len) };
    let control: &Control = region.at(0).ok()?;
    Some(&control.agents.get(slot)?.parker)
}

fn make_event() -> Option<u32> {
    let mut number = 0_u32;
    // SAFETY: writes the number, four bytes, which are ours alone.
    let (event, _) = unsafe { Event::new((&raw mut number).cast(), true) }.ok()?;
    EVENTS.try_with(|events| events.borrow_mut().insert(number, event)).ok()?;
    Some(number)
}

/// Calls `act` with the event of that number, if there is one. Shared memory may hold any number: at worst it
/// is another's event, and a sleeper looks up from its sleep.
fn with_event<T>(mut number: u32, act: impl FnOnce(&dyn EventImpl) -> T) -> Option<T> {
    let find = |events: &RefCell<HashMap<u32, Box<dyn EventImpl>>>| {
        let mut events = events.borrow_mut();
        if events.len() > AGENTS {
            events.clear();
        }
        let event = match events.entry(number) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                // SAFETY: reads the number, four bytes, which are ours alone.
                place.insert(unsafe { Event::from_existing((&raw mut number).cast()) }.ok()?.0)
            }
        };
        Some(act(&**event))
    };
    EVENTS.try_with(find).ok()?
}
