use crate::error::Result;
use crate::layout::MutexWords;
use crate::objects::looked::{Locked, Looked, locked};
use crate::objects::object::Object;
use crate::wait::{Peers, Wait};

/// The mutex of a `Mutex`, an `RLock`, a `Condition`, a `Value` or a `SharedArray`.
impl Object<'_> {
    /// Takes the mutex.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn lock(&self, wait: Wait) -> Result<Looked<Locked>> {
        let words: &MutexWords = self.words()?;
        Ok(match words.lock(self.peers(), wait) {
            Ok(acquired) => locked(acquired),
            Err(refused) => self.refused(refused, &words.sleepers),
        })
    }

    /// An agent that is armed for the mutex stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_lock(&self) -> Result<()> {
        self.words::<MutexWords>()?.give_up(self.peers());
        Ok(())
    }

    /// Releases the mutex. With `abandon`, the next holder gets `owner_died`, as if this one had
    /// died.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn unlock(&self, abandon: bool) -> Result<()> {
        let words: &MutexWords = self.words()?;
        let held = if abandon { words.abandon(self.peers()) } else { words.unlock(self.peers()) };
        if held { Ok(()) } else { Err(self.lost("the lock")) }
    }

    /// The holder declares the guarded data whole again.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn mark_consistent(&self) -> Result<()> {
        let words: &MutexWords = self.words()?;
        if words.holder() != Some(self.peers().me()) {
            return Err(self.lost("the lock"));
        }
        words.mark_consistent();
        Ok(())
    }

    /// Whether a living agent holds the mutex.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn is_locked(&self) -> Result<bool> {
        Ok(self.words::<MutexWords>()?.is_locked(self.peers()))
    }
}
