//! Requested roles of an ensemble: raises those that have no note in the bar yet. A role that is new to the music is hardly ever chosen otherwise.

use crate::codec::vocabulary::Field;
use crate::decode::control::roles::RoleSet;
use crate::decode::control::row::RowContext;
use crate::model::SamplingInputs;
use crate::music::Role;

/// Added to the logit of a role without a note in the bar: a model that is almost sure of another role gives way.
const MISSING: f32 = 10.0;

const ROLES: usize = Field::Role.classes();

/// Adds the bonus to the missing ones of these roles. A bar begins with the first of them in canonical order, since only later ones can join it at its onset.
pub(super) fn add(inputs: &mut SamplingInputs<'_>, row: &RowContext<'_>, roles: RoleSet) {
    let sounds = |class: u8| row.target.is_some_and(|target| target.role == class) || row.notes().any(|note| note.role == class);
    let most = if row.target.is_none() { 1 } else { ROLES };
    let missing = roles.iter().map(Role::class).filter(|class| !sounds(*class)).take(most);
    for class in missing {
        inputs.role.iter_mut().skip(class.into()).step_by(ROLES).for_each(|value| *value += MISSING);
    }
}

#[cfg(test)]
mod tests {
    use super::super::RequestedControls;
    use super::super::tables::{Tables, note};
    use crate::music::Role;

    #[test]
    fn role_without_a_note_in_the_bar_is_raised_until_it_has_one() {
        let raised = |roles: &[Role], before: &[Role], target| {
            let notes: Vec<_> = before.iter().map(|role| crate::codec::NoteClasses { role: role.class(), ..note(0, 60, 23) }).collect();
            let requested = RequestedControls { ensemble: roles.iter().copied().collect(), ..RequestedControls::default() };
            let tables = Tables::with(requested, &notes, target);
            (0..64).filter(|&place| tables.role[place] > 0.0).collect::<Vec<_>>()
        };
        // The target of the row is a note of the melody, class 0.
        assert_eq!(raised(&[Role::Melody, Role::Bass], &[], Some(24)), [2, 18, 34, 50]);
        assert!(raised(&[Role::Melody, Role::Bass], &[Role::Bass], Some(24)).is_empty() && raised(&[], &[], Some(24)).is_empty());
        assert_eq!(raised(&[Role::Pad, Role::Bass], &[], None), [2, 18, 34, 50], "the first of them begins the bar");
    }
}
