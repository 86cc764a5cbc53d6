use std::fmt;

/// Who sends (RFC 8866 §6.7), seen from whoever wrote the description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "sending and receiving have four combinations")]
pub enum Direction {
    /// Nobody sends.
    Inactive,
    /// The writer only receives.
    Recvonly,
    /// The writer only sends.
    Sendonly,
    /// Both send; the default of a description that says nothing.
    #[default]
    Sendrecv,
}

impl Direction {
    /// Whether the writer sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Self::Sendonly | Self::Sendrecv)
    }

    /// Whether the writer receives.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::Recvonly | Self::Sendrecv)
    }

    /// The same, seen from the other side (RFC 3264 §6.1).
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Recvonly => Self::Sendonly,
            Self::Sendonly => Self::Recvonly,
            Self::Inactive | Self::Sendrecv => self,
        }
    }

    /// What both allow.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        match (self.sends() && other.sends(), self.receives() && other.receives()) {
            (false, false) => Self::Inactive,
            (false, true) => Self::Recvonly,
            (true, false) => Self::Sendonly,
            (true, true) => Self::Sendrecv,
        }
    }

    /// The attribute's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Recvonly => "recvonly",
            Self::Sendonly => "sendonly",
            Self::Sendrecv => "sendrecv",
        }
    }

    /// The direction with this name.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        [Self::Inactive, Self::Recvonly, Self::Sendonly, Self::Sendrecv]
            .into_iter()
            .find(|direction| direction.as_str() == name)
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
