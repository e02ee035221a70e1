//! The kinds of objects.

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// The numbers are stored in the registry and never change their meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Kind {
            $($(#[$doc])* $name = $number,)*
        }

        const ALL: &[Kind] = &[$(Kind::$name),*];

        impl Kind {
            /// As JavaScript names the class.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Kind::$name => stringify!($name),)*
                }
            }
        }
    };
}

kinds! {
    /// Bytes without a header.
    SharedMemory = 1,
    /// A .npy file with a trailer.
    NDArray = 2,
    /// A robust mutex.
    Mutex = 3,
    /// A robust mutex that its holder may take again.
    RLock = 4,
    /// Many readers or one writer.
    RwLock = 5,
    /// Permits.
    Semaphore = 6,
    /// A mutex, and waiting that releases it for as long as it lasts.
    Condition = 7,
    /// A flag to wait for.
    Event = 8,
    /// A meeting point.
    Barrier = 9,
    /// A number, with a mutex.
    Value = 10,
    /// Numbers, with a mutex.
    SharedArray = 11,
    /// The domain's table of named locks.
    LockManager = 12,
    /// Bytes from one producer to one consumer.
    SpscQueue = 13,
    /// Bytes, any number of producers and consumers.
    MpmcQueue = 14,
    /// Values, any number of producers and consumers.
    Queue = 15,
    /// Values, and waiting until all of them are done.
    JoinableQueue = 16,
    /// Two ends that send each other values.
    Pipe = 17,
    /// Records of one dtype, any number of producers and consumers.
    RecordQueue = 18,
    /// A list of numbers, strings and bytes, laid out as Python's `ShareableList`.
    ShareableList = 19,
    /// The tasks that other processes give a pool: a queue of values.
    Pool = 20,
    /// Entries of keys and values, which LMDB has in a file of its own.
    SharedMap = 21,
}

impl Kind {
    /// The kind with that class name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Kind> {
        ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// Whether the segment is nothing but its user's bytes, such as any program makes them: it has
    /// no header, so other domains and languages can use it.
    #[must_use]
    pub fn is_plain(self) -> bool {
        matches!(self, Kind::SharedMemory | Kind::NDArray | Kind::ShareableList)
    }

    pub(crate) fn from_stored(stored: u32) -> Option<Kind> {
        ALL.iter().copied().find(|kind| *kind as u32 == stored)
    }
}
