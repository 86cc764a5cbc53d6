//! Candidates as applications exchange them (W3C `RTCIceCandidateInit`).

/// A candidate on its way to or from the other side; the JSON shape of browsers has the same four members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceCandidateInit {
    candidate: String,
    sdp_mid: Option<String>,
    sdp_m_line_index: Option<u16>,
    username_fragment: Option<String>,
}

impl IceCandidateInit {
    /// `candidate` is the attribute's text, `candidate:…`, with or without `a=`; the empty text is the end of
    /// candidates (RFC 8838 §14).
    pub fn new(candidate: impl Into<String>) -> Self {
        Self { candidate: candidate.into(), ..Self::default() }
    }

    /// Sets the `mid` of the m= section it belongs to.
    #[must_use]
    pub fn sdp_mid(self, mid: impl Into<Option<String>>) -> Self {
        Self { sdp_mid: mid.into(), ..self }
    }

    /// Sets the index of the m= section it belongs to.
    #[must_use]
    pub fn sdp_m_line_index(self, index: impl Into<Option<u16>>) -> Self {
        Self { sdp_m_line_index: index.into(), ..self }
    }

    /// Sets the ICE user name fragment of its generation.
    #[must_use]
    pub fn username_fragment(self, ufrag: impl Into<Option<String>>) -> Self {
        Self { username_fragment: ufrag.into(), ..self }
    }

    /// The attribute's text; empty at the end of candidates.
    #[must_use]
    pub fn candidate(&self) -> &str {
        &self.candidate
    }

    /// The `mid` of the m= section.
    #[must_use]
    pub fn mid(&self) -> Option<&str> {
        self.sdp_mid.as_deref()
    }

    /// The index of the m= section.
    #[must_use]
    pub fn m_line_index(&self) -> Option<u16> {
        self.sdp_m_line_index
    }

    /// The ICE user name fragment.
    #[must_use]
    pub fn ufrag(&self) -> Option<&str> {
        self.username_fragment.as_deref()
    }

    /// Whether it announces the end of candidates.
    #[must_use]
    pub fn is_end_of_candidates(&self) -> bool {
        self.candidate.is_empty()
    }
}
