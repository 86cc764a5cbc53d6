//! Places that inputs come to.

use std::{cell::RefCell, collections::BTreeSet};

thread_local! {
    /// `None` while a fuzzer runs: what happened before must not change what an input does.
    static REACHED: RefCell<Option<BTreeSet<String>>> = const { RefCell::new(None) };
}

/// Notes that the input came to a place worth naming. [`replay`](super::replay) asserts which ones the kept inputs
/// reach; anywhere else this does nothing.
pub fn reached(place: &str) {
    REACHED.with_borrow_mut(|reached| {
        if let Some(reached) = reached {
            reached.insert(place.to_owned());
        }
    });
}

/// Notes an event by its name, and what it is about by the names inside of it.
pub(crate) fn reached_event(event: impl FnOnce() -> String) {
    if REACHED.with_borrow(Option::is_none) {
        return;
    }
    let is_border = |letter: char| !letter.is_ascii_alphanumeric();
    let event = event();
    let names = event.split('(').filter_map(|part| part.split(is_border).next());
    names.take(3).filter(|name| name.starts_with(char::is_alphabetic)).for_each(reached);
}

/// All places that are reached meanwhile.
pub(super) fn record(run: impl FnOnce()) -> BTreeSet<String> {
    REACHED.set(Some(BTreeSet::new()));
    run();
    REACHED.take().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_noted_while_somebody_asks() {
        reached("before");
        let places = record(|| {
            reached("inside");
            reached_event(|| "StateChanged(Connected(7))".to_owned());
        });
        assert_eq!(Vec::from_iter(places), ["Connected", "StateChanged", "inside"]);
        reached("behind");
        assert!(record(|| ()).is_empty());
    }
}
