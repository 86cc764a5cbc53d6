//! Two engines over a network in virtual time: what one sends the other gets, whatever the network does.

#[path = "engine/feedback.rs"]
mod feedback;
#[path = "engine/frames.rs"]
mod frames;
#[path = "engine/hostile.rs"]
mod hostile;
#[path = "engine/laws.rs"]
mod laws;
#[path = "engine/pair.rs"]
mod pair;
#[path = "engine/routing.rs"]
mod routing;
