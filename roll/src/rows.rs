//! The rows of a piano roll: semitones from the highest key down, then a lane for each percussion key.

use antiphon_engine::music::{Note, Role};

/// Semitones from the lowest to the highest key at least: narrower music is shown in the middle of two octaves.
const LEAST_SEMITONES: u8 = 24;
/// Semitones of air above the highest note and below the lowest.
const AIR: u8 = 2;
/// Middle C, around which an empty roll is shown.
const MIDDLE: u8 = 60;

/// The MIDI keys that have a row.
///
/// ```
/// use antiphon_engine::music::{Note, Role, Tick};
/// use antiphon_roll::Keys;
///
/// let note = |pitch, role| Note { onset: Tick(0), offset: 0, duration: Tick(24), pitch, velocity: 80, role };
/// let keys = Keys::of(&[note(60, Role::Keys), note(38, Role::Drums), note(42, Role::Drums)]);
/// assert_eq!(keys.pitches(), Some((72, 48)));
/// assert_eq!(keys.drums(), [42, 38]); // from the top lane down
/// assert!(Keys::of(&[]).pitches().is_none());
/// assert!(Keys::of(&[]).or_middle().pitches().is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    pitches: Option<(u8, u8)>,
    drums: Vec<u8>,
}

impl Keys {
    /// The keys that notes need: the range of the pitched ones with some air around it, two octaves at least, and each percussion key.
    pub fn of<'a>(notes: impl IntoIterator<Item = &'a Note>) -> Self {
        // A bit for each key: this runs for every frame and every card, over thousands of notes.
        let (mut pitched, mut drums) = (0_u128, 0_u128);
        for note in notes {
            let keys = if note.role == Role::Drums { &mut drums } else { &mut pitched };
            *keys |= 1_u128.checked_shl(note.pitch.into()).unwrap_or(0);
        }
        let drums = (0..128).rev().filter(|key| drums >> key & 1 == 1).collect();
        let low = u8::try_from(pitched.trailing_zeros()).ok().filter(|_| pitched != 0);
        let high = u8::try_from(127_u32.saturating_sub(pitched.leading_zeros())).ok();
        Self { pitches: low.zip(high).map(|(low, high)| widened(low, high)), drums }
    }

    /// These keys, or the middle of the keyboard if there are none.
    #[must_use]
    pub fn or_middle(self) -> Self {
        let is_empty = self.pitches.is_none() && self.drums.is_empty();
        if is_empty { Self { pitches: Some(widened(MIDDLE, MIDDLE)), ..self } } else { self }
    }

    /// The same with these as the highest and the lowest pitched key, if there are pitched rows.
    #[must_use]
    pub fn with_pitches(self, high: u8, low: u8) -> Self {
        Self { pitches: self.pitches.map(|_| (high, low.min(high))), ..self }
    }

    /// Highest and lowest key of the pitched rows; `None` where there are only drums, or nothing.
    #[must_use]
    pub const fn pitches(&self) -> Option<(u8, u8)> {
        self.pitches
    }

    /// Percussion keys from the top lane down: cymbals above drums, as in a drum part.
    #[must_use]
    pub fn drums(&self) -> &[u8] {
        &self.drums
    }

    fn semitones(&self) -> u8 {
        self.pitches.map_or(0, |(high, low)| high - low + 1)
    }
}

/// Highest and lowest key to show.
fn widened(low: u8, high: u8) -> (u8, u8) {
    let missing = LEAST_SEMITONES.saturating_sub(high - low);
    (high.saturating_add(AIR.max(missing.div_ceil(2))).min(127), low.saturating_sub(AIR.max(missing / 2)))
}

/// Where the rows are. Lengths are in the caller's unit, points or pixels, and grow downwards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    keys: Keys,
    /// Upper edge of the highest key.
    top: f32,
    semitone: f32,
    /// Upper edge of the first drum lane, or where it would be.
    drums_top: f32,
    lane: f32,
}

impl Rows {
    /// Rows of a given height, from `top` on. `gap` lies between pitches and drums.
    #[must_use]
    pub fn stacked(keys: Keys, top: f32, semitone: f32, lane: f32, gap: f32) -> Self {
        let gap = if keys.pitches.is_some() { gap } else { 0.0 };
        let drums_top = top + f32::from(keys.semitones()) * semitone + gap;
        Self { keys, top, semitone, drums_top, lane }
    }

    /// Rows that fill the height from `top` to `bottom`. A drum lane is at most `most_lane` high, and all of them take half of the height at most
    /// where there are pitches as well.
    #[must_use]
    pub fn filling(keys: Keys, top: f32, bottom: f32, most_lane: f32, gap: f32) -> Self {
        let height = bottom - top;
        let room = if keys.pitches.is_some() { height * 0.5 } else { height };
        let lanes = keys.drums.len() as f32;
        let lane = if keys.drums.is_empty() { 0.0 } else { (room / lanes).min(most_lane) };
        let drums_top = bottom - lane * lanes;
        let pitches_bottom = if keys.drums.is_empty() { bottom } else { drums_top - gap };
        let semitone = keys.pitches.map_or(0.0, |_| (pitches_bottom - top) / f32::from(keys.semitones()));
        Self { keys, top, semitone, drums_top, lane }
    }

    /// The keys that have a row.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The pitched keys, from the lowest up.
    pub fn pitched(&self) -> impl Iterator<Item = u8> + use<> {
        self.keys.pitches.into_iter().flat_map(|(high, low)| low..=high)
    }

    /// The black keys of the keyboard that have a row, from the lowest up.
    pub fn black(&self) -> impl Iterator<Item = u8> + use<> {
        self.pitched().filter(|key| matches!(key % 12, 1 | 3 | 6 | 8 | 10))
    }

    /// Height of a semitone.
    #[must_use]
    pub const fn semitone(&self) -> f32 {
        self.semitone
    }

    /// Height of a drum lane.
    #[must_use]
    pub const fn lane(&self) -> f32 {
        self.lane
    }

    /// Upper edge of the first drum lane, or where it would be.
    #[must_use]
    pub const fn drums_top(&self) -> f32 {
        self.drums_top
    }

    /// Lower edge of the last row.
    #[must_use]
    pub fn bottom(&self) -> f32 {
        if self.keys.drums.is_empty() { self.pitches_bottom() } else { self.drums_top + self.keys.drums.len() as f32 * self.lane }
    }

    /// Lower edge of the lowest pitched key.
    #[must_use]
    pub fn pitches_bottom(&self) -> f32 {
        self.top + f32::from(self.keys.semitones()) * self.semitone
    }

    /// Upper edge and height of a note's row, if it has one.
    #[must_use]
    pub fn place(&self, note: &Note) -> Option<(f32, f32)> {
        if note.role == Role::Drums { self.place_drum(note.pitch) } else { self.place_key(note.pitch) }
    }

    /// Upper edge and height of a pitched key's row.
    #[must_use]
    pub fn place_key(&self, key: u8) -> Option<(f32, f32)> {
        let (high, _) = self.keys.pitches.filter(|(high, low)| (*low..=*high).contains(&key))?;
        Some((self.top + f32::from(high - key) * self.semitone, self.semitone))
    }

    /// Upper edge and height of a percussion key's lane.
    #[must_use]
    pub fn place_drum(&self, key: u8) -> Option<(f32, f32)> {
        let lane = self.keys.drums.iter().position(|&drum| drum == key)?;
        Some((self.drums_top + lane as f32 * self.lane, self.lane))
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Tick;

    use super::*;

    fn note(pitch: u8, role: Role) -> Note {
        Note { onset: Tick(96), offset: 0, duration: Tick(12), pitch, velocity: 80, role }
    }

    #[test]
    fn rows_of_any_notes_lie_inside_the_height_without_overlap() {
        let pitched = [0, 60, 127].map(|pitch| note(pitch, Role::Keys));
        let drums = (35..=81).map(|key| note(key, Role::Drums));
        let notes: Vec<_> = pitched.into_iter().chain(drums).collect();
        for shown in [&notes[..], &notes[..1], &notes[2..3], &notes[3..]] {
            let keys = Keys::of(shown);
            for rows in [Rows::filling(keys.clone(), 20.0, 420.0, 13.0, 6.0), Rows::stacked(keys, 20.0, 7.0, 17.0, 10.0)] {
                let mut places: Vec<_> = shown.iter().map(|note| rows.place(note).unwrap()).collect();
                places.sort_by(|a, b| a.0.total_cmp(&b.0));
                assert!(places[0].0 >= 19.99 && places.iter().all(|(_, height)| *height > 0.0), "{places:?}");
                assert!(places.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0 + 0.01), "{places:?}");
                assert!(places.last().is_none_or(|(top, height)| top + height <= rows.bottom() + 0.01), "{places:?}");
            }
            let rows = Rows::filling(Keys::of(shown), 20.0, 420.0, 13.0, 6.0);
            assert!(rows.bottom() <= 420.01, "{rows:?}");
        }
    }

    #[test]
    fn key_outside_the_range_has_no_row() {
        let rows = Rows::filling(Keys::of(&[note(60, Role::Keys)]), 0.0, 100.0, 13.0, 6.0);
        assert!(rows.place_key(20).is_none() && rows.place_drum(36).is_none());
        assert_eq!(rows.pitched().count(), 25);
    }
}
