//! One error type: a stable code for programs, a sentence for people.

/// The kind of an error, as the public API names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The name is taken.
    Exists,
    /// Nothing has that name.
    NotFound,
    /// The name belongs to an object of another kind.
    WrongKind,
    /// The object was made in another domain: its owner words name agents that can't be seen here.
    WrongDomain,
    /// The name is empty, too long, or has a character that names may not have.
    InvalidName,
    /// An argument is out of its documented range.
    InvalidArg,
    /// A number is beyond what the object allows.
    OutOfRange,
    /// The data doesn't fit where it is to go.
    TooLarge,
    /// Shared memory is full.
    NoSpace,
    /// The deadline passed.
    Timeout,
    /// The handle was closed.
    Closed,
    /// A process died while it was writing the data that this call reads.
    PeerDied,
    /// Shared bytes contradict their layout.
    Corrupt,
    /// The request is valid, but crossmem or the system doesn't support it.
    Unsupported,
    /// The caller waits for a lock that it already holds.
    Deadlock,
    /// A live process holds this role.
    Busy,
    /// The queue has ended: every message was taken out, and none will follow.
    Ended,
    /// The caller releases a lock, a permit or a message that it doesn't hold.
    LostOwnership,
    /// A fixed table or a limit of the system is exhausted.
    Limit,
    /// The system refused access.
    Permission,
    /// Any other refusal of the system.
    Os,
}

impl Code {
    /// The code as JavaScript sees it; stable.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Exists => "ERR_EXISTS",
            Code::NotFound => "ERR_NOT_FOUND",
            Code::WrongKind => "ERR_WRONG_KIND",
            Code::WrongDomain => "ERR_WRONG_DOMAIN",
            Code::InvalidName => "ERR_INVALID_NAME",
            Code::InvalidArg => "ERR_INVALID_ARG",
            Code::OutOfRange => "ERR_OUT_OF_RANGE",
            Code::TooLarge => "ERR_TOO_LARGE",
            Code::NoSpace => "ERR_NO_SPACE",
            Code::Timeout => "ERR_TIMEOUT",
            Code::Closed => "ERR_CLOSED",
            Code::PeerDied => "ERR_PEER_DIED",
            Code::Corrupt => "ERR_CORRUPT",
            Code::Unsupported => "ERR_UNSUPPORTED",
            Code::Deadlock => "ERR_DEADLOCK",
            Code::Busy => "ERR_BUSY",
            Code::Ended => "ERR_ENDED",
            Code::LostOwnership => "ERR_LOST_OWNERSHIP",
            Code::Limit => "ERR_LIMIT",
            Code::Permission => "ERR_PERMISSION",
            Code::Os => "ERR_OS",
        }
    }
}

/// Why a call was refused. It changed nothing unless the message says so.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// For programs.
    pub code: Code,
    /// For people: what was wrong, and what to do.
    pub message: String,
}

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Error { code, message: message.into() }
    }

    /// For a failed system call. `doing` names the action that failed.
    pub(crate) fn os(doing: &str, cause: &std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let (code, hint) = match cause.kind() {
            // Without a number, the cause is in words already.
            K::PermissionDenied if cause.raw_os_error().is_none() => (Code::Permission, ""),
            K::PermissionDenied => {
                (Code::Permission, "; it belongs to another user, or the directory is not writable")
            }
            K::OutOfMemory => (
                Code::Limit,
                "; this process has too many mappings (vm.max_map_count) or too little address space (ulimit -v): close \
                 handles, whose memory is unmapped when the event loop next turns, or raise the limit",
            ),
            _ if is_descriptor_limit(cause) => (Code::Limit, "; raise the limit on open files (ulimit -n)"),
            _ => (Code::Os, ""),
        };
        Error::new(code, format!("{doing}: {cause}{hint}"))
    }
}

fn is_descriptor_limit(cause: &std::io::Error) -> bool {
    #[cfg(unix)]
    return matches!(cause.raw_os_error(), Some(libc::EMFILE | libc::ENFILE));
    #[cfg(not(unix))]
    return cause.raw_os_error() == Some(4); // ERROR_TOO_MANY_OPEN_FILES
}
