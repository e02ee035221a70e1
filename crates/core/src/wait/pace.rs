//! How often an event loop ticks while waits are pending: often, or seldom while nothing changes
//! and agents with news ring (`news.rs`).

use std::time::Duration;

/// How often it looks at pending waits at first: a death rings no doorbell.
const OFTEN: Duration = Duration::from_millis(100);
/// How often it looks while all is quiet: an agent may be stopped between a change and its ring.
const SELDOM: Duration = Duration::from_secs(1);
/// After so many ticks without a change all is quiet. JavaScript counts as known what it sees at
/// two ticks.
const QUIET: u32 = 2;
/// If nothing seems to have changed, JavaScript tries its waits at every so many ticks.
const STRIDE: u32 = 10;

/// What a tick finds.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Something changed since the tick before, or there was news since `LoopBell::calm_down`.
    pub changed: bool,
    /// No wait was woken, and no other code wants to be called at each tick.
    pub is_idle: bool,
    /// Agents with news ring this one, or the system tells it.
    pub is_told: bool,
}

/// How often one event loop ticks now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    stage: Stage,
    /// For how many ticks nothing has changed.
    same_for: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Often,
    /// It has said that it is calm, and looks once more.
    Calming,
    Seldom,
}

impl Pace {
    /// The time from one tick to the next.
    #[must_use]
    pub fn period(self) -> Duration {
        if self.stage == Stage::Seldom { SELDOM } else { OFTEN }
    }

    /// Whether its agent has said that it is calm, or says so now.
    #[must_use]
    pub fn is_calm(self) -> bool {
        self.stage != Stage::Often
    }

    /// Returns whether JavaScript tries its waits at this tick.
    pub fn tick(&mut self, seen: Seen) -> bool {
        self.same_for = if seen.changed { 0 } else { self.same_for.saturating_add(1) };
        let came_late = self.stage == Stage::Seldom;
        let is_quiet = seen.is_idle && self.same_for >= QUIET;
        self.stage = match self.stage {
            _ if !is_quiet || !seen.is_told => Stage::Often,
            Stage::Often => Stage::Calming,
            Stage::Calming | Stage::Seldom => Stage::Seldom,
        };
        !is_quiet || came_late || self.same_for.is_multiple_of(STRIDE)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const SAME: Seen = Seen { changed: false, is_idle: true, is_told: true };

    /// A loop to which nothing has happened for some ticks.
    fn seldom() -> Pace {
        let mut pace = Pace::default();
        for _ in 0..10 {
            pace.tick(SAME);
        }
        assert_eq!(pace.period(), SELDOM);
        pace
    }

    #[test]
    fn a_loop_ticks_seldom_after_it_was_calm_for_a_tick() {
        let mut pace = Pace::default();
        assert!(pace.tick(Seen { changed: true, ..SAME }));
        assert!(pace.tick(SAME), "JavaScript sees all at two ticks");
        assert!(!pace.is_calm());
        assert!(!pace.tick(SAME));
        assert!(pace.is_calm() && pace.period() == OFTEN, "it looks once more");
        assert!(!pace.tick(SAME));
        assert_eq!(pace.period(), SELDOM);
        assert!(pace.tick(SAME), "an agent may be stopped before its ring");
    }

    #[test]
    fn news_and_changes_make_it_tick_often() {
        let differently = [
            Seen { changed: true, ..SAME },
            Seen { is_idle: false, ..SAME },
            Seen { is_told: false, ..SAME },
        ];
        for seen in differently {
            let mut pace = seldom();
            assert!(pace.tick(seen));
            assert!(pace.period() == OFTEN && !pace.is_calm(), "{seen:?}");
        }
    }

    #[test]
    fn news_before_the_second_look_keep_it_from_ticking_seldom() {
        let mut pace = Pace::default();
        while !pace.is_calm() {
            pace.tick(SAME);
        }
        pace.tick(Seen { changed: true, ..SAME });
        assert!(!pace.is_calm());
    }

    #[test]
    fn a_loop_that_is_told_nothing_ticks_often_and_calls_javascript_now_and_then() {
        let mut pace = Pace::default();
        let calls = (0..100).filter(|_| pace.tick(Seen { is_told: false, ..SAME })).count();
        assert_eq!((pace.period(), calls), (OFTEN, 11), "the first one, and every tenth");
    }
}
