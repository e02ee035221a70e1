//! The control segment of a domain, as each system opens it.

use super::{Life, Mapping, Place};

/// An open control segment: its bytes, and the descriptor whose locks tell which agents live.
pub(crate) struct OpenControl {
    /// Where the domain's files lie.
    pub place: Place,
    /// The name of the control segment in that place.
    pub name: String,
    pub mapping: Mapping,
    pub life: Life,
}
