//! Processor time of a peer, with everything that it has started.

use std::{collections::BTreeMap, fs};

/// What the kernel counts in, for programs of every machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds that a process has used so far, with all its descendants, ended ones included where somebody waited for
/// them.
pub(crate) fn of_tree(root: u32) -> f64 {
    let processes: BTreeMap<u32, Process> = all().collect();
    let belongs = |mut id: u32| {
        // A tree of processes is not deep; a loop would be a fault of the kernel.
        for _ in 0..64 {
            if id == root {
                return true;
            }
            match processes.get(&id) {
                Some(process) if process.parent != 0 => id = process.parent,
                _ => return false,
            }
        }
        false
    };
    let ticks: u64 = processes.iter().filter(|(id, _)| belongs(**id)).map(|(_, process)| process.ticks).sum();
    ticks as f64 / TICKS_PER_SECOND
}

/// Seconds that this process has used.
pub(crate) fn of_ourselves() -> f64 {
    let ticks = fs::read_to_string("/proc/self/stat").ok().and_then(|text| parse(&text, false));
    ticks.map_or(0.0, |process| process.ticks as f64 / TICKS_PER_SECOND)
}

struct Process {
    parent: u32,
    ticks: u64,
}

fn all() -> impl Iterator<Item = (u32, Process)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        // It may have ended since.
        let text = fs::read_to_string(entry.path().join("stat")).ok()?;
        Some((id, parse(&text, true)?))
    })
}

/// `stat` of proc(5): parent in field 4, times in 14 and 15, those of children waited for in 16 and 17. The second
/// field is the name in parentheses, and may hold anything.
fn parse(text: &str, with_children: bool) -> Option<Process> {
    let fields: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3).and_then(|word| word.parse::<u64>().ok());
    let last = if with_children { 17 } else { 15 };
    let ticks = (14..=last).filter_map(number).sum();
    Some(Process { parent: u32::try_from(number(4)?).ok()?, ticks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc() {
        let line = "17 (a) b) c) S 3 17 17 0 -1 4194560 1 2 0 0 250 50 10 5 20 0 1 0 100 1 1 1";
        let process = parse(line, true).unwrap();
        assert_eq!((process.parent, process.ticks), (3, 315));
        assert_eq!(parse(line, false).unwrap().ticks, 300);
        assert!(parse("", true).is_none());
    }
}
