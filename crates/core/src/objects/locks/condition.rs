use crate::error::{Code, Error, Result};
use crate::layout::ConditionWords;
use crate::objects::looked::Looked;
use crate::objects::object::Object;
use crate::wait::{Sleepers, Wait};

/// Conditions. Their mutex is another matter: whoever calls these holds it, except while waiting.
impl Object<'_> {
    /// One waiter more; to be called before the mutex is given back.
    ///
    /// # Errors
    /// `ERR_LIMIT`: 65,535 in one agent.
    pub fn enter_condition(&self) -> Result<()> {
        let entered = self.words::<ConditionWords>()?.enter(self.peers());
        if entered {
            Ok(())
        } else {
            Err(Error::new(Code::Limit, "65535 waits of one thread on a condition"))
        }
    }

    /// Waits for one more notification than the `heard` ones that this agent has heard and not settled yet.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn wait_condition(&self, heard: u32, wait: Wait) -> Result<Looked<()>> {
        let words: &ConditionWords = self.words()?;
        let came = words.wait(self.peers(), heard, wait);
        Ok(if came { Looked::Got(()) } else { self.until(&words.sleepers) })
    }

    /// One waiter less: it heard its notification, and has the mutex again.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn settle_condition(&self) -> Result<()> {
        self.words::<ConditionWords>()?.settle(self.peers());
        Ok(())
    }

    /// One waiter less, who heard nothing; others here have heard `heard` notifications and not settled them yet.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn leave_condition(&self, heard: u32) -> Result<()> {
        self.words::<ConditionWords>()?.leave(self.peers(), heard);
        Ok(())
    }

    /// Who armed itself for a notification stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_condition(&self) -> Result<()> {
        self.words::<ConditionWords>()?.sleepers.give_up(self.peers());
        Ok(())
    }

    /// Notifies at most `most` waiters; how many there were.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn notify_condition(&self, most: u32) -> Result<u32> {
        Ok(self.words::<ConditionWords>()?.notify(self.peers(), most))
    }
}
