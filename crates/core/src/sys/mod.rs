//! The only door to the operating system: memory, the life of agents, sleeping. One file per OS,
//! the same names in each:
//!
//! | name | for |
//! | --- | --- |
//! | `chosen_directory`, `check_directory` | where files lie if `CROSSMEM_DIR` says so, and whether they can |
//! | `Party`, `Access` | the users whose domain it is; who may use a file |
//! | `group_id`, `group_name` | the groups of the system |
//! | `Place` | where the files of a domain lie: stages, maps, identifies and removes them |
//! | `Staged` | an object that has no name yet: reserved, filled, then published at once |
//! | `rehearse` | whether an object could be made now |
//! | `Mapping` | a named segment in the address space of this process |
//! | `View`, `ViewRoom` | the bytes of an object that isn't opened |
//! | `StagedArena`, `Arena` | a file with holes: for large messages, never mapped; or of a map, which LMDB maps |
//! | `headroom`, `memory_limit` | free bytes of shared memory, and of the memory behind it |
//! | `huge_pages` | whether shared memory is made of huge pages |
//! | `open_control`, `control_taken` | the control segment together with its `Life`; other users' files of its name |
//! | `control_len`, `grow_control` | how much of the control segment is reserved; reserving more |
//! | `Life` | byte locks that the kernel drops when their process is gone |
//! | `open_to_lock`, `try_lock`, `unlock`, `says_no_locks` | locks on the bytes of any file |
//! | `Bell` | the word on which an agent sleeps |
//! | `at_exit_without_destructors` | what is called where the end of a process runs no destructors |
//! | `Fifo` | what an event loop polls to hear its agent's doorbell |
//! | `Endings` | what an event loop polls to hear that an agent may have ended |
//! | `end_now`, `end_with_parent`, `reap` | the end of this process, and of its children |

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
compile_error!("crossmem runs on Linux, macOS and Windows: sys/ has no file for this system");

mod access;
#[cfg(target_os = "linux")]
mod accounts_linux;
#[cfg(target_os = "linux")]
mod arena_linux;
#[cfg(target_os = "macos")]
mod arena_macos;
#[cfg(unix)]
mod arena_unix;
#[cfg(windows)]
mod arena_windows;
#[cfg(windows)]
mod bell_windows;
#[cfg(target_os = "linux")]
mod cgroup_linux;
mod control;
#[cfg(target_os = "linux")]
mod control_linux;
#[cfg(target_os = "macos")]
mod control_macos;
#[cfg(windows)]
mod control_windows;
#[cfg(target_os = "linux")]
mod directory_linux;
#[cfg(unix)]
mod end_unix;
#[cfg(windows)]
mod end_windows;
#[cfg(not(target_os = "linux"))]
mod endings_elsewhere;
#[cfg(target_os = "linux")]
mod endings_linux;
#[cfg(unix)]
mod fifo_unix;
#[cfg(windows)]
mod fifo_windows;
mod file;
#[cfg(target_os = "linux")]
mod group_directory_linux;
#[cfg(target_os = "linux")]
mod huge_pages_linux;
#[cfg(unix)]
mod life_ofd;
#[cfg(windows)]
mod life_windows;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(unix)]
mod lock_ofd;
#[cfg(windows)]
mod lock_windows;
#[cfg(target_os = "macos")]
mod macos;
mod map_file;
mod mapping;
#[cfg(target_os = "linux")]
mod names_linux;
#[cfg(not(target_os = "linux"))]
mod place_elsewhere;
#[cfg(target_os = "linux")]
mod place_linux;
#[cfg(not(target_os = "linux"))]
mod poll;
#[cfg(not(target_os = "macos"))]
mod publish_control;
mod room;
#[cfg(target_os = "linux")]
mod room_linux;
mod view;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use accounts_linux::{group_id, group_name, own_groups};
#[cfg(target_os = "linux")]
pub(crate) use arena_linux::StagedArena;
#[cfg(target_os = "linux")]
pub(crate) use control_linux::{
    control_is_gone, control_len, control_taken, files_beside_control, grow_control, open_control,
    remove_control, user,
};
#[cfg(target_os = "linux")]
pub(crate) use directory_linux::{check_directory, chosen_directory};
#[cfg(target_os = "linux")]
pub(crate) use endings_linux::Endings;
#[cfg(target_os = "linux")]
pub(crate) use huge_pages_linux::huge_pages;
#[cfg(target_os = "linux")]
pub use linux::at_exit_without_destructors;
#[cfg(target_os = "linux")]
pub(crate) use linux::{Bell, Staged, headroom};
#[cfg(target_os = "linux")]
pub(crate) use place_linux::{Place, rehearse};
#[cfg(target_os = "linux")]
pub(crate) use room_linux::memory_limit;

#[cfg(target_os = "macos")]
pub(crate) use arena_macos::StagedArena;
#[cfg(target_os = "macos")]
pub(crate) use control_macos::{
    control_is_gone, control_len, control_taken, files_beside_control, grow_control, open_control,
    remove_control, user,
};
#[cfg(target_os = "macos")]
pub use macos::at_exit_without_destructors;
#[cfg(target_os = "macos")]
pub(crate) use macos::{Bell, Staged, headroom, memory_limit};

#[cfg(windows)]
pub(crate) use arena_windows::{Arena, StagedArena};
#[cfg(windows)]
pub(crate) use bell_windows::Bell;
#[cfg(windows)]
pub(crate) use control_windows::{
    control_is_gone, control_len, control_taken, files_beside_control, grow_control, open_control,
    remove_control, user,
};
#[cfg(windows)]
pub use end_windows::reap;
#[cfg(windows)]
pub(crate) use end_windows::{end_now, end_with_parent};
#[cfg(windows)]
pub(crate) use fifo_windows::Fifo;
#[cfg(windows)]
pub(crate) use life_windows::Life;
#[cfg(windows)]
pub(crate) use lock_windows::{open_to_lock, says_no_locks, try_lock, unlock};
#[cfg(windows)]
pub use windows::at_exit_without_destructors;
#[cfg(windows)]
pub(crate) use windows::{Staged, headroom, memory_limit};

#[cfg(not(target_os = "linux"))]
pub(crate) use endings_elsewhere::Endings;
#[cfg(not(target_os = "linux"))]
pub(crate) use place_elsewhere::{
    Place, check_directory, chosen_directory, group_id, group_name, huge_pages, own_groups, rehearse,
};

#[cfg(unix)]
pub(crate) use arena_unix::Arena;
#[cfg(unix)]
pub use end_unix::reap;
#[cfg(unix)]
pub(crate) use end_unix::{end_now, end_with_parent};
#[cfg(unix)]
pub(crate) use fifo_unix::Fifo;
#[cfg(unix)]
pub(crate) use life_ofd::Life;
#[cfg(unix)]
pub(crate) use lock_ofd::{open_to_lock, says_no_locks, try_lock, unlock};

pub use access::Access;
pub(crate) use access::Party;
pub(crate) use control::OpenControl;
pub(crate) use file::Found;
pub use file::{ByteRange, Pages, Part, Taken};
pub(crate) use mapping::Mapping;
pub(crate) use room::Shortage;
pub use room::{Headroom, HugePages, Limit};
pub(crate) use view::ViewRoom;
