//! Inputs that are kept in the repository.

use super::places::record;
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

/// The tests that replay what is kept of each target, one each. The targets are modules of the test's root with a
/// function `run`. Behind each of them stands which [places](crate::fuzz::reached) its inputs reach together:
/// `testkit::fuzz_tests!(stun_message: [], stun_transaction: ["answered", "challenged"]);`
#[macro_export]
macro_rules! fuzz_tests {
    ($($target:ident: $places:expr),+ $(,)?) => {
        $(
            #[test]
            fn $target() {
                $crate::fuzz::replay(env!("CARGO_MANIFEST_DIR"), stringify!($target), $target::run, &$places);
            }
        )+
    };
}

/// Runs a target with every file in `fuzz/corpus/TARGET` and `fuzz/found/TARGET` below a crate, and with nothing.
///
/// # Panics
///
/// When the target does, with the name of the file; when there is no file; and when one of these `places` is not
/// [reached](crate::fuzz::reached) any more, because then the inputs are worth little.
pub fn replay(crate_folder: &str, target: &str, run: fn(&[u8]), places: &[&str]) {
    let fuzz = Path::new(crate_folder).join("fuzz");
    let files: Vec<PathBuf> =
        ["corpus", "found"].iter().flat_map(|kept| files(&fuzz.join(kept).join(target))).collect();
    assert!(!files.is_empty(), "no input is kept for {target} in {}", fuzz.display());
    let reached = record(|| {
        run(&[]);
        for file in files {
            let data = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let _announce = AnnounceOnPanic(&file);
            run(&data);
        }
    });
    for place in places {
        assert!(reached.contains(*place), "no input of {target} comes to {place:?}, only to {reached:?}");
    }
}

/// The files of a folder in the order of their names; none when it is missing.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files
}

struct AnnounceOnPanic<'a>(&'a Path);

impl Drop for AnnounceOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("testkit: failed with the input {}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no input is kept for nothing")]
    fn a_target_without_inputs_is_an_error() {
        replay(env!("CARGO_MANIFEST_DIR"), "nothing", |_| (), &[]);
    }

    #[test]
    #[should_panic(expected = "no input of rtcp comes to \"there\", only to {\"here\"}")]
    fn inputs_that_reach_less_than_before_are_an_error() {
        let rtp = concat!(env!("CARGO_MANIFEST_DIR"), "/../rtp");
        replay(rtp, "rtcp", |_| super::super::reached("here"), &["here", "there"]);
    }
}
