//! Who may use a server.

use std::{collections::BTreeMap, fmt};

/// The user names and passwords of a realm.
///
/// Asked for every authenticated request, so a user that is gone here can refresh nothing any more.
pub trait Users: Send {
    /// The password of a user, `None` when there is no such user.
    ///
    /// `username` comes from the network: bounded to 763 bytes, and otherwise anything.
    fn password(&mut self, username: &str) -> Option<String>;
}

/// A fixed table of users.
#[derive(Clone, Default)]
pub struct StaticUsers {
    passwords: BTreeMap<String, String>,
}

impl StaticUsers {
    /// Nobody yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { passwords: BTreeMap::new() }
    }

    /// Adds a user, or changes the password of one.
    #[must_use]
    pub fn with(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.passwords.insert(username.into(), password.into());
        self
    }
}

impl Users for StaticUsers {
    fn password(&mut self, username: &str) -> Option<String> {
        self.passwords.get(username).cloned()
    }
}

impl fmt::Debug for StaticUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StaticUsers({} users)", self.passwords.len())
    }
}
