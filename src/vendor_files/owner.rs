//! The Unix users whose vendor files are accepted.

use rustix::process::geteuid;

/// The accepted owners of vendor files: this process's user and, where an engine maps user ids, one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner(OwnerRule);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OwnerRule {
    Us,
    UsOr(u32),
    Anyone,
}

impl Owner {
    /// Accepts only files of this process's effective user.
    pub fn us() -> Self {
        Self(OwnerRule::Us)
    }

    /// Accepts our own files, and those of the user id that a container's files have on the host.
    pub fn us_or(uid: u32) -> Self {
        Self(OwnerRule::UsOr(uid))
    }

    /// Accepts everybody's files. Only for listing names.
    pub(super) fn anyone() -> Self {
        Self(OwnerRule::Anyone)
    }

    pub(super) fn accepts(self, uid: u32) -> bool {
        match self.0 {
            OwnerRule::Anyone => true,
            OwnerRule::UsOr(other) if other == uid => true,
            OwnerRule::Us | OwnerRule::UsOr(_) => uid == geteuid().as_raw(),
        }
    }
}
