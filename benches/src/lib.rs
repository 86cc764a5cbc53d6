//! What peerlane costs: `cargo bench -p peerlane-benches` measures time, `tests/alloc_budget.rs` counts allocations.
