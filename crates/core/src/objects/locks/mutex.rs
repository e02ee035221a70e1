use crate::error::Result;
use crate::layout::MutexWords;
use crate::objects::looked::{Locked, Looked, locked};
use crate::objects::object::Object;
use crate::wait::{Peers, Wait};

/// Mutexes: of a `Mutex`, an `RLock`, a `Condition`, a `Value`, a `SharedArray`.
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

    /// Who armed itself for the mutex stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_lock(&self) -> Result<()> {
        self.words::<MutexWords>()?.give_up(self.peers());
        Ok(())
    }

    /// Gives the mutex back; `abandon`: and the next holder is told as if this one had died.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn unlock(&self, abandon: bool) -> Result<()> {
        let words: &MutexWords = self.words()?;
        let held = if abandon { words.abandon(self.peers()) } else { words.unlock(self.peers()) };
        if held { Ok(()) } else { Err(self.lost("the lock")) }
    }

    /// The holder says that what the mutex guards is whole again.
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

    /// Whether any agent holds the mutex, dead or alive.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn is_locked(&self) -> Result<bool> {
        Ok(self.words::<MutexWords>()?.holder().is_some())
    }
}
