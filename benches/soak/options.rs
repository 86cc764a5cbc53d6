//! What to do, from the command line.

pub(crate) const USAGE: &str = "usage: soak [--cycles N] [--abandoned N] [--failing N] [--killed N] [--workers 1|2] [--short] [--seed N]
            [--leak BYTES]
Without --workers everything runs twice, on a runtime of one worker and on one of two. --leak loses so many bytes in
every cycle on purpose, to see that it is noticed.";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) cycles: u64,
    pub(crate) abandoned: u64,
    pub(crate) failing: u64,
    pub(crate) killed: u64,
    /// The runtimes to run on, by their number of workers.
    pub(crate) workers: Vec<usize>,
    /// Few connections, nobody waits for half a minute.
    pub(crate) short: bool,
    pub(crate) seed: u64,
    /// Bytes lost per cycle on purpose.
    pub(crate) leak: usize,
}

impl Options {
    fn long() -> Self {
        Self {
            cycles: 10_000,
            abandoned: 1_000,
            failing: 1_000,
            killed: 1_000,
            workers: vec![1, 2],
            short: false,
            seed: 1,
            leak: 0,
        }
    }

    fn short() -> Self {
        Self { cycles: 100, abandoned: 40, failing: 20, killed: 20, short: true, ..Self::long() }
    }

    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options =
            if arguments.iter().any(|argument| argument == "--short") { Self::short() } else { Self::long() };
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            if name == "--short" {
                continue;
            }
            let mut number = || {
                let value = rest.next().ok_or_else(|| format!("{name} needs a number\n{USAGE}"))?;
                value.parse::<u64>().map_err(|_| format!("{value:?} is not a number\n{USAGE}"))
            };
            match name.as_str() {
                "--abandoned" => options.abandoned = number()?,
                "--cycles" => options.cycles = number()?,
                "--failing" => options.failing = number()?,
                "--killed" => options.killed = number()?,
                "--leak" => options.leak = usize::try_from(number()?).unwrap_or(usize::MAX),
                "--seed" => options.seed = number()?,
                "--workers" => {
                    options.workers = match number()? {
                        1 => vec![1],
                        2 => vec![2],
                        other => return Err(format!("{other} workers: it is 1 or 2\n{USAGE}")),
                    };
                }
                other => return Err(format!("{other:?} is not an option\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options, String> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn numbers_change_what_is_done() {
        assert_eq!(parse("").unwrap(), Options::long());
        let options = parse("--cycles 7 --short --workers 2 --seed 9 --leak 64").unwrap();
        let wanted = Options { cycles: 7, workers: vec![2], seed: 9, leak: 64, ..Options::short() };
        assert_eq!(options, wanted);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["--cycles", "--cycles many", "--workers 3", "everything"] {
            assert!(parse(text).unwrap_err().contains("usage"), "{text}");
        }
    }
}
