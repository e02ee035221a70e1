//! Objects on their way to a process that is being started.
//!
//! The sender makes a second agent, which opens the objects and takes the ends of pipes. An agent
//! lives as long as its descriptor is open anywhere, and the new process inherits the descriptor.
//! So these objects have a living agent, whichever of the two processes dies, until the receiver
//! has opened them itself. Then the receiver closes the descriptor, and the agent is swept as a
//! dead one.
//!
//! | last step of the process that dies | what others see | who repairs |
//! | --- | --- | --- |
//! | sender: before the new process has the descriptor | a dead agent: its objects lose a user, the other ends of its pipes are told | any sweep |
//! | sender: after that | nothing | nobody needs to |
//! | receiver: before it opened an object | as the first line | any sweep |
//! | receiver: after it took an end by its compare-and-swap | a dead owner of that end, as always | nobody needs to |

use super::channel::End;
use super::object::Object;
use super::segment::Segment;
use crate::domain::{Agent, DomainName};
use crate::error::Result;
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::Kind;

/// An agent that has objects open for a process that will inherit its descriptor. Dropping it
/// without `cancel` closes this process's copy of the descriptor and changes nothing else.
pub struct Handover {
    agent: Agent,
    ends: Vec<(Segment, End)>,
}

impl Handover {
    /// # Errors
    /// As `Agent::register`.
    pub fn begin<'a>(domain: impl Into<DomainName<'a>>, thread: u32) -> Result<Handover> {
        Ok(Handover { agent: Agent::register(domain, thread)?, ends: Vec::new() })
    }

    /// Opens an object for the receiver. `end`: of a pipe, the end that it gets, which must be
    /// free.
    ///
    /// # Errors
    /// As `Segment::open` and `Object::take_end`.
    pub fn add(&mut self, name: &str, kind: Option<Kind>, end: Option<usize>) -> Result<()> {
        let segment = Segment::open(&self.agent, name, kind)?;
        fail::point("handover.opened");
        if let Some(end) = end {
            let taken = Object::new(&self.agent, &segment).take_end(end)?;
            self.ends.push((segment, taken));
        }
        Ok(())
    }

    /// What the new process has to inherit. `None` on Windows: there, the objects are open as long
    /// as this is not dropped.
    #[must_use]
    pub fn descriptor(&self) -> Option<i32> {
        self.agent.descriptor()
    }

    /// The instance of the agent, from which the receiver takes the ends.
    #[must_use]
    pub fn instance(&self) -> u32 {
        self.agent.id().instance
    }

    /// No process gets the objects: the ends are free again, and the sender may take them.
    pub fn cancel(self) {
        for (segment, end) in self.ends {
            // An error is harmless: the agent leaves.
            let _ = Object::new(&self.agent, &segment).release_end(end, seeded(Fault::CancelClosesEnds));
        }
        if !seeded(Fault::CancelStays) {
            self.agent.leave();
        }
    }
}
