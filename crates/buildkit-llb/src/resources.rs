//! How much memory and processor time an operation may use. The wire types do not have it yet: it is encoded
//! here and put behind the rest of the metadata, since messages that follow each other are one message.

use prost::bytes::Bytes;
use prost::{DecodeError, Message};

/// Limits of an operation. Zero and empty leave it to the daemon. No part of any cache key.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LinuxResources {
    /// Most bytes of memory.
    #[prost(int64, tag = "1")]
    pub memory: i64,
    /// Most bytes of memory and swap together; -1 is without limit.
    #[prost(int64, tag = "2")]
    pub memory_swap: i64,
    /// Weight against other containers, where 1024 is usual.
    #[prost(uint64, tag = "3")]
    pub cpu_shares: u64,
    /// The period that `cpu_quota` counts in, in microseconds.
    #[prost(uint64, tag = "4")]
    pub cpu_period: u64,
    /// Most processor time in a period, in microseconds.
    #[prost(int64, tag = "5")]
    pub cpu_quota: i64,
    /// The processors that it may use: `0-3,7`.
    #[prost(string, tag = "6")]
    pub cpuset_cpus: String,
    /// The memory nodes that it may use: `0,1`.
    #[prost(string, tag = "7")]
    pub cpuset_mems: String,
}

/// The field of `OpMetadata` that the wire types lack.
#[derive(Clone, PartialEq, Message)]
struct Field {
    #[prost(message, optional, tag = "7")]
    linux_resources: Option<LinuxResources>,
}

impl LinuxResources {
    /// As the end of metadata.
    pub(crate) fn encode_field(self) -> Vec<u8> {
        let field = Field {
            linux_resources: Some(self),
        };
        field.encode_to_vec()
    }

    /// Those that metadata has.
    pub(crate) fn of(meta: &Bytes) -> Result<Option<LinuxResources>, DecodeError> {
        Ok(Field::decode(meta.as_ref())?.linux_resources)
    }
}
