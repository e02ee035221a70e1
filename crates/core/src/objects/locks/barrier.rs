use crate::error::Result;
use crate::layout::BarrierWords;
use crate::locks::{Arrived, Outcome, Refused, STUCK_TIMEOUT};
use crate::objects::looked::Looked;
use crate::objects::object::Object;
use crate::wait::{Sleepers, Wait};

/// A barrier.
impl Object<'_> {
    /// Arrives at the barrier.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn arrive(&self, wait: Wait) -> Result<Looked<Arrived>> {
        let words: &BarrierWords = self.words()?;
        let parties = self.params()?[0] as u32;
        Ok(match words.arrive(self.peers(), parties, wait) {
            Some(arrived) => Looked::Got(arrived),
            None => self.until(&words.sleepers),
        })
    }

    /// Waits for the end of a meeting. `false` if the meeting was broken off.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn wait_meeting(&self, generation: u64, wait: Wait) -> Result<Looked<bool>> {
        let words: &BarrierWords = self.words()?;
        Ok(match words.wait(self.peers(), generation, wait) {
            Some(outcome) => Looked::Got(outcome == Outcome::Met),
            None => self.until(&words.sleepers),
        })
    }

    /// The leader ends its meeting. `false` if the meeting was broken off meanwhile.
    ///
    /// # Errors
    /// `ERR_TIMEOUT` if a stopped process holds the barrier's mutex.
    pub fn complete_meeting(&self, generation: u64) -> Result<bool> {
        self.met(self.words::<BarrierWords>()?.complete(self.peers(), generation, STUCK_TIMEOUT))
    }

    /// Breaks the barrier; with `only`, if that meeting is still going on. Returns whether the
    /// meeting was completed.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn abort_meeting(&self, only: Option<u64>) -> Result<bool> {
        Ok(self.words::<BarrierWords>()?.abort(self.peers(), only) == Outcome::Met)
    }

    fn met(&self, outcome: std::result::Result<Outcome, Refused>) -> Result<bool> {
        outcome.map(|outcome| outcome == Outcome::Met).map_err(|_| self.stuck())
    }

    /// Resets the barrier. For agents that wait at it, the meeting is broken off.
    ///
    /// # Errors
    /// `ERR_TIMEOUT` if a stopped process holds the barrier's mutex.
    pub fn reset_barrier(&self) -> Result<()> {
        self.words::<BarrierWords>()?.reset(self.peers(), STUCK_TIMEOUT).map_err(|_| self.stuck())
    }

    /// Number of waits at the barrier: 0 if it is broken.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn waiting_at_barrier(&self) -> Result<u32> {
        Ok(self.words::<BarrierWords>()?.waiting(self.peers()))
    }

    /// Whether the barrier is broken, as it is once a party that waits has died.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn barrier_is_broken(&self) -> Result<bool> {
        Ok(self.words::<BarrierWords>()?.is_broken(self.peers()))
    }

    /// An agent that is armed at the barrier stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_barrier(&self) -> Result<()> {
        self.words::<BarrierWords>()?.sleepers.give_up(self.peers());
        Ok(())
    }
}
