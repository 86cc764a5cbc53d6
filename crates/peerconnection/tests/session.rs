//! Two sessions in virtual time: what an application does with them, and what an attacker tries.

#[path = "session/call.rs"]
mod call;
#[path = "session/close.rs"]
mod close;
#[path = "session/descriptions.rs"]
mod descriptions;
#[path = "session/flow.rs"]
mod flow;
#[path = "session/laws.rs"]
mod laws;
#[path = "session/path.rs"]
mod path;
#[path = "session/peer.rs"]
mod peer;
#[path = "session/security.rs"]
mod security;
