//! Bars that are to be as an earlier one was, and bars that are not.
//!
//! Told to repeat a bar, the model agrees with it most of the time, and a bar of ten notes is the same only if it agrees ten times. So what that bar has is
//! leaned on; and where a passage was played three times in succession, the note that would make it four is as good as forbidden.

use crate::{
    codec::{
        BarRecall, Place, Recalled,
        vocabulary::{Field, next},
    },
    model::SamplingInputs,
};

/// What is added to the logit of what the earlier bar has.
const ECHO: f32 = 3.0;
/// What is taken from a pitch that is not to be. Less than from what is forbidden: where nothing else is allowed it is played all the same.
const CLOSING: f32 = 1e6;

const BEATS: usize = Field::Beat.classes();
const SUBS: usize = Field::Sub.classes();
const ROLES: usize = Field::Role.classes();
const TYPES: usize = Field::Type.classes();

/// What the choices of one row lean on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Echo {
    towards: Option<Recalled>,
    away: Option<u8>,
}

impl Echo {
    /// Towards what the bar that one with this value of the repeats column is told to repeat has, after the first `heard` notes.
    pub(super) fn of(recall: &BarRecall, repeats: u8, heard: usize, target: Option<Place>) -> Self {
        Self { towards: recall.recalled(repeats, heard, target), away: None }
    }

    /// Away from the pitch at `target` that would close the loop.
    pub(super) fn break_off(recall: &BarRecall, heard: usize, target: Option<Place>) -> Self {
        Self { towards: None, away: target.and_then(|target| recall.loop_closing_pitch(heard, target)) }
    }

    /// Leans the choices; `strictness` is how much of it holds, 0 to 1.
    pub(super) fn lean(self, inputs: &mut SamplingInputs<'_>, strictness: f32) {
        if let Some(pitch) = self.away {
            inputs.pitch[usize::from(pitch)] -= CLOSING;
        }
        let Some(Recalled { pitch, next: place }) = self.towards else { return };
        let nats = ECHO * strictness;
        if let Some(pitch) = pitch {
            inputs.pitch[usize::from(pitch)] += nats;
        }
        let kind = if place.is_some() { next::NOTE } else { next::ENDBAR };
        inputs.kind.iter_mut().skip(kind.into()).step_by(TYPES).for_each(|value| *value += nats);
        if let Some(Place { beat, sub, role }) = place {
            let [beat, sub, role] = [beat, sub, role].map(usize::from);
            inputs.beat.iter_mut().skip(beat).step_by(BEATS).for_each(|value| *value += nats);
            inputs.sub.iter_mut().skip(beat * SUBS + sub).step_by(BEATS * SUBS).for_each(|value| *value += nats);
            inputs.role.iter_mut().skip(role).step_by(ROLES).for_each(|value| *value += nats);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { beat: 2, sub: 6, role: 5 };

    /// Pitch, kind, beat, sub and role after leaning.
    fn leaning(echo: Echo, strictness: f32) -> [Vec<f32>; 5] {
        let mut tables = [vec![0.0; 8], vec![0.0; 8], vec![0.0; 419], vec![0.0; 64], vec![0.0; 32], vec![0.0; 8]];
        let [temperature, log_min_p, noise, duration, velocity, offset] = &mut tables;
        let mut leant = [vec![0.0; 256], vec![0.0; 2 * TYPES], vec![0.0; 2 * BEATS], vec![0.0; 2 * BEATS * SUBS], vec![0.0; 4 * ROLES]];
        let [pitch, kind, beat, sub, role] = &mut leant;
        let mut pitch_top = 256;
        let pitch_top = &mut pitch_top;
        let mut inputs =
            SamplingInputs { temperature, log_min_p, noise, pitch, duration, velocity, offset, pitch_top, kind, beat, sub, role };
        echo.lean(&mut inputs, strictness);
        leant
    }

    /// Where a table leans.
    fn places(table: &[f32]) -> Vec<usize> {
        (0..table.len()).filter(|&place| table[place] > 0.0).collect()
    }

    #[test]
    fn a_repeat_leans_on_what_the_earlier_bar_has() {
        let echo = Echo { towards: Some(Recalled { pitch: Some(60), next: Some(PLACE) }), away: None };
        let [pitch, kind, beat, sub, role] = leaning(echo, 1.0).map(|table| places(&table));
        assert_eq!([pitch, kind, beat], [vec![60], vec![0, TYPES], vec![2, BEATS + 2]]);
        assert_eq!(sub, [2 * SUBS + 6, (BEATS + 2) * SUBS + 6]);
        assert_eq!(role, [5, ROLES + 5, 2 * ROLES + 5, 3 * ROLES + 5]);
        assert!(leaning(echo, 0.0).concat().iter().all(|value| *value == 0.0), "the wildest knob leans on nothing");
    }

    #[test]
    fn where_the_earlier_bar_ends_its_repeat_leans_to_end() {
        let echo = Echo { towards: Some(Recalled { pitch: None, next: None }), away: None };
        let [pitch, kind, beat, ..] = leaning(echo, 1.0).map(|table| places(&table));
        assert_eq!([pitch, kind, beat], [vec![], vec![1, TYPES + 1], vec![]]);
    }

    #[test]
    fn a_loop_is_not_closed_unless_nothing_else_is_left() {
        let echo = Echo { towards: None, away: Some(60) };
        let [pitch, ..] = leaning(echo, 0.0);
        assert!(pitch[60] < -1e5 && pitch[60] > -1e9 && pitch.iter().filter(|value| **value != 0.0).count() == 1);
    }
}
