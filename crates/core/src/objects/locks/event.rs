use crate::error::Result;
use crate::layout::EventWords;
use crate::objects::looked::Looked;
use crate::objects::object::Object;
use crate::wait::{Sleepers, Wait};

/// Events.
impl Object<'_> {
    /// Sets it.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn set_event(&self) -> Result<()> {
        self.words::<EventWords>()?.set(self.peers(), self.auto_resets()?);
        Ok(())
    }

    /// Clears it.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn clear_event(&self) -> Result<()> {
        self.words::<EventWords>()?.clear();
        Ok(())
    }

    /// Whether it is set.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn event_is_set(&self) -> Result<bool> {
        Ok(self.words::<EventWords>()?.is_set())
    }

    /// How often it has been set, for `wait_event`.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn event_times(&self) -> Result<u32> {
        Ok(self.words::<EventWords>()?.times())
    }

    /// Waits until it is set, or was since `times`; one that resets itself is then the caller's.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn wait_event(&self, times: u32, wait: Wait) -> Result<Looked<()>> {
        let words: &EventWords = self.words()?;
        let came = words.wait(self.peers(), times, self.auto_resets()?, wait);
        Ok(if came { Looked::Got(()) } else { self.until(&words.sleepers) })
    }

    /// Who armed itself for the event stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_event(&self) -> Result<()> {
        self.words::<EventWords>()?.sleepers.give_up(self.peers());
        Ok(())
    }

    fn auto_resets(&self) -> Result<bool> {
        Ok(self.params()?[0] != 0)
    }
}
