//! Whether an event loop looks for a ring for a moment before it sleeps. Waking a thread that
//! sleeps takes longer than most answers of a peer that is awake; but looking costs processor time,
//! which is lost if the ring comes later.
//!
//! A loop looks if its wait before was short, so never for what comes now and then. And looks in
//! vain may take a twentieth of the time, and two milliseconds more at once. A single one may be
//! long: a loop that looks yields its core, so a thread that only computes may have it for some
//! milliseconds.

use std::time::{Duration, Instant};

use super::spins::may_spin;

/// The longest that a loop looks before it sleeps.
const LONGEST: Duration = Duration::from_micros(50);
/// A wait of that length may be one that a look is enough for. If the loop slept, most of it may
/// have been the wake-ups of both sides.
const SHORT: Duration = Duration::from_micros(200);
/// A look in vain is paid for by so many times as much time.
const PRICE: u32 = 20;
/// Looks in vain that aren't paid for yet may have taken so long.
const CREDIT: Duration = Duration::from_millis(2);

/// What one event loop has learned of its waits.
#[derive(Clone, Debug)]
pub struct Look {
    is_allowed: bool,
    /// The wait that no ring has ended yet.
    current: Option<Current>,
    /// The wait before was short.
    was_short: bool,
    /// When its looks in vain are paid for.
    paid_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    since: Instant,
    looks: bool,
}

impl Default for Look {
    fn default() -> Look {
        Look { is_allowed: may_spin(), current: None, was_short: false, paid_at: None }
    }
}

impl Look {
    /// The loop would sleep now. Returns whether it looks once more instead.
    pub fn goes_on(&mut self, now: Instant) -> bool {
        let has_credit = self.paid_at.is_none_or(|at| at <= now + CREDIT * PRICE);
        let looks = self.is_allowed && self.was_short && has_credit;
        let Current { since, looks } = *self.current.get_or_insert(Current { since: now, looks });
        let goes_on = looks && now.duration_since(since) < LONGEST;
        if looks && !goes_on {
            self.looked_in_vain(since, now);
        }
        self.current = Some(Current { since, looks: goes_on });
        goes_on
    }

    /// A ring came.
    pub fn heard(&mut self, now: Instant) {
        let Current { since, looks } = self.current.take().unwrap_or(Current { since: now, looks: false });
        let waited = now.duration_since(since);
        if looks && waited >= LONGEST {
            self.looked_in_vain(since, now);
        }
        self.was_short = waited < SHORT;
    }

    fn looked_in_vain(&mut self, since: Instant, now: Instant) {
        let paid_at = self.paid_at.map_or(now, |at| at.max(now));
        self.paid_at = Some(paid_at + now.duration_since(since) * PRICE);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_micros(5);
    const WOKEN: Duration = Duration::from_micros(60);
    const LATE: Duration = Duration::from_millis(3);

    /// A loop, and the time as it goes on for it.
    struct Loop(Look, Instant);

    impl Loop {
        fn new() -> Loop {
            Loop(Look { is_allowed: true, ..Look::default() }, Instant::now())
        }

        /// A wait that a ring ends after `time`. Returns whether the loop looked at its beginning.
        fn wait(&mut self, time: Duration) -> bool {
            let Loop(look, now) = self;
            let looks = look.goes_on(*now);
            if looks && time > LONGEST {
                assert!(!look.goes_on(*now + LONGEST));
            }
            *now += time;
            look.heard(*now);
            looks
        }

        fn looks(&mut self, waits: u32, time: Duration) -> u32 {
            (0..waits).map(|_| u32::from(self.wait(time))).sum()
        }
    }

    #[test]
    fn while_rings_come_soon_a_loop_looks_in_each_wait_but_the_first() {
        assert_eq!(Loop::new().looks(1000, SOON), 999);
    }

    #[test]
    fn while_rings_come_late_a_loop_never_looks() {
        let mut lo = Loop::new();
        assert_eq!(lo.looks(1000, LATE), 0);
        assert_eq!(lo.looks(1000, SOON), 999, "after a short wait it does");
    }

    #[test]
    fn looks_in_vain_take_a_twentieth_of_the_time() {
        let mut lo = Loop::new();
        assert_eq!(lo.looks(41, WOKEN), 40, "the first ones are for nothing");
        let start = lo.1;
        let lost = lo.looks(10_000, WOKEN) * LONGEST;
        let share = lost.as_secs_f64() / (lo.1 - start).as_secs_f64();
        assert!(0.03 < share && share < 0.06, "{share}");
        lo.1 += CREDIT * PRICE;
        assert_eq!(lo.looks(1000, SOON), 1000, "they come back");
    }

    #[test]
    fn a_loop_that_lost_its_core_while_it_looked_doesnt_look_for_long() {
        let mut lo = Loop::new();
        lo.wait(SOON);
        let Loop(look, now) = &mut lo;
        assert!(look.goes_on(*now));
        *now += LATE;
        look.heard(*now);
        lo.wait(SOON);
        let waits = (LATE.saturating_sub(CREDIT) * PRICE).as_micros() / SOON.as_micros();
        assert_eq!(lo.looks(waits as u32 - 2, SOON), 0);
        assert_eq!(lo.looks(1000, SOON), 999);
    }

    #[test]
    fn a_loop_that_may_not_look_never_does() {
        let mut lo = Loop::new();
        lo.0.is_allowed = false;
        assert_eq!(lo.looks(1000, SOON), 0);
    }
}
