use crate::error::{Code, Error, Result};
use crate::layout::ConditionWords;
use crate::objects::looked::Looked;
use crate::objects::object::Object;
use crate::wait::{Sleepers, Wait};

/// A condition. Its mutex is locked and unlocked by other calls: the caller holds it, except in
/// `wait_condition`.
impl Object<'_> {
    /// Counts one more waiter. The caller still holds the mutex, so that no notification is missed.
    ///
    /// # Errors
    /// `ERR_LIMIT`: 65,535 waiters of one agent.
    pub fn enter_condition(&self) -> Result<()> {
        let entered = self.words::<ConditionWords>()?.enter(self.peers());
        if entered {
            Ok(())
        } else {
            Err(Error::new(Code::Limit, "65535 waits of one thread on a condition"))
        }
    }

    /// Waits for one more notification than the `heard` ones that this agent has received and not
    /// settled yet.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn wait_condition(&self, heard: u32, wait: Wait) -> Result<Looked<()>> {
        let words: &ConditionWords = self.words()?;
        let came = words.wait(self.peers(), heard, wait);
        Ok(if came { Looked::Got(()) } else { self.until(&words.sleepers) })
    }

    /// Counts one waiter less: it received its notification and has the mutex again.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn settle_condition(&self) -> Result<()> {
        self.words::<ConditionWords>()?.settle(self.peers());
        Ok(())
    }

    /// Counts one waiter less, which received no notification. Other waiters of this agent have
    /// received `heard` and not settled them yet.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn leave_condition(&self, heard: u32) -> Result<()> {
        self.words::<ConditionWords>()?.leave(self.peers(), heard);
        Ok(())
    }

    /// An agent that is armed for a notification stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_condition(&self) -> Result<()> {
        self.words::<ConditionWords>()?.sleepers.give_up(self.peers());
        Ok(())
    }

    /// Notifies at most `most` waiters, and returns how many there were.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn notify_condition(&self, most: u32) -> Result<u32> {
        Ok(self.words::<ConditionWords>()?.notify(self.peers(), most))
    }
}
