//! What peerlane costs: `cargo bench -p peerlane-benches` measures time, `tests/alloc_budget.rs` counts allocations,
//! and the program `sim` (`cargo xtask sim`) makes calls over bad networks in virtual time.
