//! Sets of roles.

use crate::music::Role;

/// A set of roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RoleSet(u16);

impl RoleSet {
    /// Every role.
    pub const ALL: Self = Self(u16::MAX);

    /// No role.
    pub const NONE: Self = Self(0);

    /// Whether a role is in it.
    #[must_use]
    pub fn contains(self, role: Role) -> bool {
        self.has(role.class())
    }

    /// The set with this role in it.
    #[must_use]
    pub fn with(self, role: Role) -> Self {
        Self(self.0 | 1 << role.class())
    }

    /// Its roles, in canonical order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }

    /// Whether the role of this class, 0 to 15, is in it.
    pub(super) fn has(self, class: u8) -> bool {
        self.0 >> class & 1 == 1
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::NONE, Self::with)
    }
}
