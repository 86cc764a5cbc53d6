//! The negotiator alone and against itself.

mod exchange;
mod golden;
mod hostile;
mod peer;
mod states;
mod walk;
