#![doc = include_str!("../README.md")]

mod clock;
mod drop_reason;
mod firewall;
pub mod fuzz;
pub mod laws;
mod link;
mod machine;
mod nat;
mod network;
mod node;
pub mod nodes;
mod pair;
mod pcap;
mod seed;
mod tap;
mod world;

pub use clock::start;
pub use drop_reason::DropReason;
pub use firewall::Firewall;
pub use link::{BurstLoss, Carried, Link, LinkStats, Wire};
pub use machine::{Machine, Path};
pub use nat::{Behaviour, Hairpin, Nat, NatConfig, PortAssignment};
pub use network::{Gateway, Interface};
pub use node::{Actor, Echo, Node, SocketCommand};
pub use pair::{End, Pair, Side};
pub use pcap::{Encapsulation, Recorder};
pub use seed::{Seed, SeededRandom, for_each_seed};
pub use tap::{Attack, Point, Sighting, Verdict, WorldStats};
pub use world::{BindError, Delivery, HostId, InterfaceId, NetworkId, NodeId, SocketId, World};
