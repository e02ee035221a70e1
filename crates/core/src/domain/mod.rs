//! A domain: the processes of one user, or of the members of a group, that see each other's
//! objects, and their control segment.

mod agent;
mod awaited;
mod company;
mod control;
mod domains;
mod endings;
mod inspect;
mod limits;
mod listener;
mod name;
mod neighbours;
mod registry;
mod seat;
mod watch;

pub use agent::Agent;
pub use company::Company;
pub(crate) use company::{company_of, outlook_of};
pub(crate) use control::{Domain, group_id};
pub(crate) use domains::domain_of;
pub use domains::{FoundDomain, domains};
pub use inspect::{AgentInfo, DomainInfo, GroupInfo, ObjectInfo, inspect, obstacle};
pub(crate) use limits::{spill_error, storage_error};
pub use listener::{Listener, LoopBell};
pub(crate) use name::check_name;
pub use name::{DomainName, NAME_MAX, random_name};
pub(crate) use registry::{Birth, Registry, arena_name};
pub use registry::{ObjectRef, Swept, list_of};
pub(crate) use seat::Seat;
pub use watch::{AgentId, Watch, end_with};
