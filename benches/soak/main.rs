//! Makes and ends connections by the thousand and looks whether everything comes back: memory, file descriptors, tasks,
//! and what the application lent. `cargo xtask soak` builds and runs it; docs/soak.md has a result.

#![expect(clippy::print_stdout, reason = "a command-line tool talks on standard output")]

mod abandoned;
mod alloc;
mod cycles;
mod failing;
mod fit;
mod killed;
mod measure;
mod options;
mod peers;
mod plot;
mod probe;
mod random;
mod report;
mod rounds;

use measure::Level;
use options::Options;
use probe::Probes;
use rounds::Phase;
use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use tokio::runtime::Builder;

/// A sentence for people.
type Failure = String;

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

fn main() -> ExitCode {
    if !cfg!(target_os = "linux") {
        println!("SKIPPED soak: it measures through procfs, which this system does not have");
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let options = match Options::parse(&arguments) {
        Ok(options) => options,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::FAILURE;
        }
    };
    println!(
        "{} cycles, {} at a time; {} abandoned, {} failing, {} killed; seed {}",
        options.cycles,
        cycles::AT_A_TIME,
        options.abandoned,
        options.failing,
        options.killed,
        options.seed
    );
    let mut phases = Vec::new();
    let mut failures = Vec::new();
    for workers in options.workers.clone() {
        if let Err(failure) = run(&options, workers, &mut phases) {
            failures.push(failure);
        }
    }
    failures.extend(report::print(&phases));
    match plot::write(&folder(), &phases) {
        Ok(written) => written.iter().for_each(|path| println!("{}", path.display())),
        Err(error) => println!("no pictures in {}: {error}", folder().display()),
    }
    if failures.is_empty() {
        println!("everything came back");
        return ExitCode::SUCCESS;
    }
    for failure in &failures {
        println!("FAILED {failure}");
    }
    ExitCode::FAILURE
}

/// All phases on one runtime, which is gone afterwards, with what ran on it.
fn run(options: &Options, workers: usize, phases: &mut Vec<Phase>) -> Result<(), Failure> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers)
        // Threads that look up names stay for the whole run: their stacks are no growth.
        .thread_keep_alive(Duration::from_secs(24 * 3_600))
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime of {workers} workers: {error}"))?;
    let probes = Probes::default();
    let outcome = runtime.block_on(async {
        let nothing = Level::now(&probes)?;
        phases.push(cycles::run(options, workers, &probes).await?);
        // What a phase held for all its rounds, ports and relays, comes back as well.
        nothing.settled(&probes).await?;
        phases.push(abandoned::run(options, workers, &probes).await?);
        nothing.settled(&probes).await?;
        phases.push(failing::run(options, workers, &probes).await?);
        nothing.settled(&probes).await?;
        phases.push(killed::run(options, workers, &probes).await?);
        nothing.settled(&probes).await
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    match (outcome, probes.alive()) {
        (Ok(()), 0) => Ok(()),
        (Ok(()), held) => {
            Err(format!("{held} probes are held by a runtime of {workers} workers that is gone"))
        }
        (Err(failure), _) => Err(failure),
    }
}

/// `target/soak`, beside the folder of the profile that holds this program.
fn folder() -> PathBuf {
    let program = env::current_exe().ok();
    let profile = program.as_deref().and_then(Path::parent);
    let is_target = |folder: &&Path| folder.ends_with("release") || folder.ends_with("debug");
    let target = profile.filter(is_target).and_then(Path::parent).map(Path::to_path_buf);
    target.unwrap_or_else(env::temp_dir).join("soak")
}
