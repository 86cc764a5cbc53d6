//! The incoming half: streams, what is missing from them, and how packets become frames.

mod assembly;
mod nack;
mod recorder;
mod reorder;
mod sequence;
mod source;
mod stream;

pub(crate) use recorder::Recorder;
pub(crate) use source::Incoming;
pub(crate) use stream::ReceiveStream;
