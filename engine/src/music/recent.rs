//! Notes that sound shortly before a bar line, and their roles: those to be continued.

use std::collections::BTreeSet;

use super::{Clip, Note, Role, Tick};

/// The notes that sound in the last `bars` bars before `start` that have a note, part by part.
///
/// The bars are counted back from the last one in which a note starts: behind it a chord may ring, a pedal may stay down or a file may be silent for any
/// number of bars.
#[must_use]
pub fn recent_notes(context: &Clip, start: Tick, bars: u32) -> Vec<Note> {
    let from = recent_from(context, start, bars);
    let notes = context.parts.iter().flat_map(|part| &part.notes);
    notes.filter(|note| note.onset < start && note.end() > from).copied().collect()
}

/// The roles with a note that sounds in these bars, in canonical order.
#[must_use]
pub fn recent_roles(context: &Clip, start: Tick, bars: u32) -> Vec<Role> {
    recent_notes(context, start, bars).iter().map(|note| note.role).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The bar line on which these bars begin.
pub(super) fn recent_from(context: &Clip, start: Tick, bars: u32) -> Tick {
    let last = context.parts.iter().filter_map(|part| {
        let before = part.notes.partition_point(|note| note.onset < start);
        Some(part.notes.get(before.checked_sub(1)?)?.onset)
    });
    let seam = context.metres.bar_at(start).index;
    let end = last.max().map_or(seam, |onset| (context.metres.bar_at(onset).index + 1).min(seam));
    context.metres.bar(end.saturating_sub(bars)).start
}

#[cfg(test)]
mod tests {
    use super::super::Part;
    use super::*;

    fn note(bar: i64, bars: i64, role: Role) -> Note {
        Note { onset: Tick(96 * bar), offset: 0, duration: Tick(96 * bars), pitch: 60, velocity: 80, role }
    }

    /// A bass in the first bar, a pad that is held through the first four, a tune in the third and fourth, whose last note rings for twelve bars.
    fn ringing() -> Clip {
        let part = |notes| Part { notes, ..Part::default() };
        let parts = vec![
            part(vec![note(0, 1, Role::Bass)]),
            part(vec![note(0, 4, Role::Pad)]),
            part(vec![note(2, 1, Role::Melody), note(3, 12, Role::Melody)]),
        ];
        Clip { parts, end: Tick(96 * 15), ..Clip::default() }
    }

    #[test]
    fn recent_bars_are_counted_from_the_last_onset_however_long_it_rings() {
        let roles = |bars| recent_roles(&ringing(), Tick(96 * 15), bars);
        assert_eq!(roles(8), [Role::Melody, Role::Bass, Role::Pad]);
        assert_eq!(roles(2), [Role::Melody, Role::Pad], "a held note sounds, though it started before");
        assert_eq!(roles(0), [Role::Melody], "what sounds now");
    }

    #[test]
    fn notes_from_the_seam_on_are_not_recent() {
        assert_eq!(recent_roles(&ringing(), Tick(96 * 2), 2), [Role::Bass, Role::Pad]);
        assert_eq!(recent_roles(&ringing(), Tick(96 * 2), 1), [Role::Bass, Role::Pad]);
        assert_eq!(recent_roles(&Clip::default(), Tick(96 * 2), 8), []);
    }
}
