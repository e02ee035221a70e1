use crate::error::Result;
use crate::layout::EventWords;
use crate::objects::looked::Looked;
use crate::objects::object::Object;
use crate::wait::{Sleepers, Wait};

/// An event.
impl Object<'_> {
    /// Sets the event.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn set_event(&self) -> Result<()> {
        self.words::<EventWords>()?.set(self.peers(), self.auto_resets()?);
        Ok(())
    }

    /// Clears the event.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn clear_event(&self) -> Result<()> {
        self.words::<EventWords>()?.clear();
        Ok(())
    }

    /// Whether the event is set.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn event_is_set(&self) -> Result<bool> {
        Ok(self.words::<EventWords>()?.is_set())
    }

    /// How often the event has been set, for `wait_event`.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn event_times(&self) -> Result<u32> {
        Ok(self.words::<EventWords>()?.times())
    }

    /// Waits until the event is set, or was set since `times`. An event that resets itself is
    /// cleared in the same step: one set lets one caller through.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn wait_event(&self, times: u32, wait: Wait) -> Result<Looked<()>> {
        let words: &EventWords = self.words()?;
        let came = words.wait(self.peers(), times, self.auto_resets()?, wait);
        Ok(if came { Looked::Got(()) } else { self.until(&words.sleepers) })
    }

    /// An agent that is armed for the event stops waiting.
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
