use crate::error::Result;
use crate::layout::RwLockWords;
use crate::locks::{Acquired, Busy};
use crate::objects::looked::{Locked, Looked, locked};
use crate::objects::object::Object;
use crate::wait::Wait;

/// A lock of readers and writers.
impl Object<'_> {
    /// Takes a read lock.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn read(&self, wait: Wait) -> Result<Looked<Locked>> {
        Ok(self.entered(self.words::<RwLockWords>()?.read(self.peers(), wait)))
    }

    /// Takes the write lock.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn write(&self, wait: Wait) -> Result<Looked<Locked>> {
        Ok(self.entered(self.words::<RwLockWords>()?.write(self.peers(), wait)))
    }

    fn entered(&self, entered: std::result::Result<Acquired, Busy<'_>>) -> Looked<Locked> {
        match entered {
            Ok(acquired) => locked(acquired),
            Err(busy) => self.refused(busy.reason, busy.sleepers),
        }
    }

    /// Releases a read lock.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn end_read(&self) -> Result<()> {
        let left = self.words::<RwLockWords>()?.end_read(self.peers());
        if left { Ok(()) } else { Err(self.lost("a read lock")) }
    }

    /// Releases the write lock. With `abandon`, the next holder gets `owner_died`, as if this one
    /// had died.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn end_write(&self, abandon: bool) -> Result<()> {
        let left = self.words::<RwLockWords>()?.end_write(self.peers(), abandon);
        if left { Ok(()) } else { Err(self.lost("the write lock")) }
    }

    /// The writer declares the guarded data whole again.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn mark_written_consistent(&self) -> Result<()> {
        let marked = self.words::<RwLockWords>()?.mark_consistent(self.peers());
        if marked { Ok(()) } else { Err(self.lost("the write lock")) }
    }

    /// An agent that is armed for the read or the write lock stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_entering(&self) -> Result<()> {
        self.words::<RwLockWords>()?.give_up_write(self.peers());
        Ok(())
    }
}
