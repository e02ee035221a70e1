use crate::error::{Code, Error, Result};
use crate::layout::SemaphoreWords;
use crate::locks::{Released, STUCK_TIMEOUT};
use crate::objects::looked::Looked;
use crate::objects::object::Object;
use crate::wait::Wait;

/// A semaphore.
impl Object<'_> {
    /// Takes a permit.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn acquire(&self, wait: Wait) -> Result<Looked<()>> {
        let words: &SemaphoreWords = self.words()?;
        Ok(match words.acquire(self.peers(), wait) {
            Ok(()) => Looked::Got(()),
            Err(refused) => self.refused(refused, &words.sleepers),
        })
    }

    /// An agent that is armed for a permit stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_acquiring(&self) -> Result<()> {
        self.words::<SemaphoreWords>()?.give_up(self.peers());
        Ok(())
    }

    /// Releases `count` permits. Those that the caller doesn't hold are new ones, unless
    /// `only_held` refuses them.
    ///
    /// # Errors
    /// `ERR_OUT_OF_RANGE` beyond the maximum, `ERR_LOST_OWNERSHIP`, `ERR_TIMEOUT` if a stopped
    /// process holds the semaphore's mutex.
    pub fn release(&self, count: u32, only_held: bool) -> Result<()> {
        let words: &SemaphoreWords = self.words()?;
        let most = self.params()?[1];
        let released = words.release(self.peers(), count, most, only_held, Wait::For(STUCK_TIMEOUT));
        match released.map_err(|_| self.stuck())? {
            Released::Yes => Ok(()),
            Released::NotHeld => Err(self.lost("that many permits")),
            Released::TooMany => Err(Error::new(
                Code::OutOfRange,
                format!(
                    "that would be more permits than the {most} there may be; release what was acquired, once"
                ),
            )),
        }
    }

    /// Destroys a permit that the caller holds.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`, `ERR_TIMEOUT` as `release`.
    pub fn consume(&self) -> Result<()> {
        let consumed = self.words::<SemaphoreWords>()?.consume(self.peers(), Wait::For(STUCK_TIMEOUT));
        if consumed.map_err(|_| self.stuck())? { Ok(()) } else { Err(self.lost("a permit")) }
    }

    /// Number of free permits.
    ///
    /// # Errors
    /// `ERR_TIMEOUT` as `release`.
    pub fn permits(&self) -> Result<u64> {
        let words: &SemaphoreWords = self.words()?;
        words.value(self.peers(), Wait::For(STUCK_TIMEOUT)).map_err(|_| self.stuck())
    }

    /// Number of permits that the caller holds.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn permits_held(&self) -> Result<u32> {
        Ok(self.words::<SemaphoreWords>()?.my_count(self.peers()))
    }
}
