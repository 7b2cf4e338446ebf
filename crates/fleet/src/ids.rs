//! Dense identifiers. Names belong to files and people; inside, everything is an index into a table.
//!
//! An id is only meaningful beside the [`crate::names::Names`] table (or the list) that gave it out.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u32);

        impl $name {
            /// The id as an index into its table.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<u32> for $name {
            fn from(value: u32) -> Self {
                Self(value)
            }
        }
    };
}

id!(
    /// A machine.
    NodeId
);
id!(
    /// Something someone wants run. Ids are given in order of submission, so a lower id was asked for earlier.
    WorkloadId
);
id!(
    /// A queue of the quota tree.
    QueueId
);
id!(
    /// A person or service account that submits workloads.
    UserId
);
id!(
    /// A pool of nodes (a Slurm partition, a Kubernetes node pool) that workloads may be tied to.
    PoolId
);
id!(
    /// A model of accelerator, such as `H100-80GB`.
    ModelId
);
id!(
    /// A workload's name as its owner gave it; recurring names are a hint at recurring behaviour.
    NameId
);

/// One action of the engine. Outcomes carry it back, so a doubled or late answer can be told from a fresh one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActionId(pub u64);

/// A finding that is kept. Ids rise, and stay the same while an installation lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingId(pub u64);
