//! Sleeping on Windows, where no call waits on an address that other processes know as well.

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

/// To be called when a control segment was mapped.
pub(super) fn mapped(control: Region<'_>) {
    lock(&CONTROLS).push((control.as_ptr().expose_provenance(), control.len()));
}

/// To be called before any mapping is dropped.
pub(super) fn unmapping(base: *mut u8) {
    lock(&CONTROLS).retain(|(control, _)| *control != base.addr());
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// Events by number, as this thread opened them. They can't go to another thread.
    static EVENTS: RefCell<HashMap<u32, Box<dyn EventImpl>>> = RefCell::default();
}

/// An agent sleeps on an auto-reset event of `raw_sync`, whose number is in `AgentSlot::parker`.
/// The sleeping thread makes the event. `raw_sync` gets a private number, never shared memory.
pub(crate) struct Bell;

impl Bell {
    /// Sleeps while `word` is `expected`, for at most `slice`. May return for no reason.
    pub(crate) fn park(word: &AtomicU32, expected: u32, slice: Duration) {
        let Some(parker) = parker(word) else { return poll(word, expected, slice) };
        let known =
            Some(parker.load(Ordering::Acquire)).filter(|n| *n != 0 && with_event(*n, |_| ()).is_some());
        let Some(number) = known.or_else(make_event) else { return poll(word, expected, slice) };
        parker.store(number, Ordering::Release);
        // Pairs with the fence in `ring`: either `ring` sees the event, or the changed word is seen
        // here.
        fence(Ordering::SeqCst);
        if word.load(Ordering::Acquire) == expected {
            // The timeout counts in milliseconds, and 0 would not sleep.
            let timeout = slice.clamp(Duration::from_millis(1), Duration::from_secs(60));
            with_event(number, |event| event.wait(Timeout::Val(timeout)).is_ok());
        }
    }

    /// Wakes one thread that sleeps on `word`. If both threads of an agent do, the other one wakes
    /// after its slice.
    pub(crate) fn ring(word: &AtomicU32) {
        fence(Ordering::SeqCst);
        if let Some(number) = parker(word).map(|parker| parker.load(Ordering::Acquire)).filter(|n| *n != 0) {
            with_event(number, |event| event.set(EventState::Signaled).is_ok());
        }
    }
}

/// The parker of the slot of a doorbell; `None` for a word that is no doorbell.
fn parker(word: &AtomicU32) -> Option<&AtomicU32> {
    let address = word.as_ptr().addr();
    let holds = |(base, len): &&(usize, usize)| (*base..base + len).contains(&address);
    let &(base, len) = lock(&CONTROLS).iter().find(holds)?;
    let slot = (address - base).checked_sub(std::mem::offset_of!(Control, agents))? / size_of::<AgentSlot>();
    // SAFETY: it is in the list, so it is mapped; and `word`, which lies inside, keeps it so while
    // borrowed.
    let region = unsafe { Region::new(std::ptr::with_exposed_provenance_mut(base), len) };
    let control: &Control = region.at(0).ok()?;
    Some(&control.agents.get(slot)?.parker)
}

fn make_event() -> Option<u32> {
    let mut number = 0_u32;
    // SAFETY: writes the number, four private bytes.
    let (event, _) = unsafe { Event::new((&raw mut number).cast(), true) }.ok()?;
    EVENTS.try_with(|events| events.borrow_mut().insert(number, event)).ok()?;
    Some(number)
}

/// Calls `act` with the event of that number, if there is one. Shared memory may hold any number:
/// at worst it is the event of another agent, which then wakes for no reason.
fn with_event<T>(mut number: u32, act: impl FnOnce(&dyn EventImpl) -> T) -> Option<T> {
    let find = |events: &RefCell<HashMap<u32, Box<dyn EventImpl>>>| {
        let mut events = events.borrow_mut();
        if events.len() > AGENTS {
            events.clear();
        }
        let event = match events.entry(number) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                // SAFETY: reads the number, four private bytes.
                place.insert(unsafe { Event::from_existing((&raw mut number).cast()) }.ok()?.0)
            }
        };
        Some(act(&**event))
    };
    EVENTS.try_with(find).ok()?
}
