use super::*;
use crate::{
    Priority,
    generation::{LocalId, RemoteId},
};

fn ends(local: u32, remote: u32, priority: u32) -> PairEnds {
    let address = |number: u32| ([10, 0, (number >> 8) as u8, number as u8], 1_000).into();
    PairEnds {
        link: Link { base: Base::Host(address(local)), remote: address(remote) },
        local: LocalId(local),
        local_foundation: local,
        local_priority: Priority(priority),
        remote: RemoteId(remote),
        remote_foundation: remote,
        remote_priority: Priority(priority),
    }
}

fn list(max: usize) -> Checklist {
    Checklist::new(max)
}

/// RFC 8445 §6.1.2.5, T-I09: the best stay.
#[test]
fn a_full_list_keeps_the_best() {
    let mut list = list(3);
    for (remote, priority) in [(1, 10), (2, 30), (3, 20)] {
        assert!(list.insert(Role::Controlling, ends(0, remote, priority)).is_some());
    }
    assert_eq!(list.insert(Role::Controlling, ends(0, 4, 5)), None, "worse than all");
    assert!(list.insert(Role::Controlling, ends(0, 5, 25)).is_some());
    let kept: Vec<_> = list.iter().map(|pair| pair.remote().0).collect();
    assert_eq!(kept, [2, 3, 5]);
    assert_eq!(list.insert(Role::Controlling, ends(0, 5, 99)), None, "redundant");
}

#[test]
fn triggered_checks_come_first_then_priorities() {
    let mut list = list(10);
    let low = list.insert(Role::Controlled, ends(0, 1, 10)).unwrap();
    let high = list.insert(Role::Controlled, ends(0, 2, 20)).unwrap();
    list.trigger(low);
    list.trigger(low);
    assert_eq!(list.take_next(|_| true), Some(low));
    list.get_mut(low).unwrap().state = PairState::InProgress;
    assert_eq!(list.take_next(|pair| pair.id() != high), None, "not ready");
    assert_eq!(list.take_next(|_| true), Some(high));
    list.get_mut(high).unwrap().state = PairState::InProgress;
    assert!(!list.has_next(|_| true));
    assert_eq!(list.take_next(|_| true), None);
}

/// RFC 8445 §6.1.2.6, §6.1.4.2, §7.2.5.3.3.
#[test]
fn ice_frozen_waiting_initial_states_by_foundation() {
    let mut list = list(10);
    let same = |remote, priority| PairEnds { remote_foundation: 7, ..ends(0, remote, priority) };
    let first = list.insert(Role::Controlling, same(1, 10)).unwrap();
    let second = list.insert(Role::Controlling, same(2, 20)).unwrap();
    let third = list.insert(Role::Controlling, same(3, 5)).unwrap();
    assert_eq!(list.get(first).unwrap().state, PairState::Waiting);
    assert_eq!(list.get(second).unwrap().state, PairState::Frozen);
    assert_eq!(list.take_next(|_| true), Some(first));
    list.get_mut(first).unwrap().state = PairState::InProgress;
    assert_eq!(list.take_next(|_| true), None, "the foundation is busy");
    list.fail(first);
    assert!(list.has_next(|_| true));
    assert_eq!(list.take_next(|_| true), Some(second));
    list.get_mut(second).unwrap().state = PairState::Succeeded;
    list.unfreeze_like(second);
    assert_eq!(list.get(third).unwrap().state, PairState::Waiting);
    let late = list.insert(Role::Controlling, same(4, 1)).unwrap();
    assert_eq!(list.get(late).unwrap().state, PairState::Waiting, "the foundation is known to work");
}

#[test]
fn a_role_change_changes_priorities() {
    let mut list = list(10);
    let ends = PairEnds { local_priority: Priority(9), remote_priority: Priority(5), ..ends(0, 1, 0) };
    let id = list.insert(Role::Controlling, ends).unwrap();
    let before = list.get(id).unwrap().priority();
    list.set_role(Role::Controlled);
    assert_eq!(before, list.get(id).unwrap().priority() + 1);
}
