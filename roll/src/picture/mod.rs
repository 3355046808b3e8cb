//! Music as a picture: a piano roll in systems like a score, of a clip, or of a continuation with the bars before it.

mod canvas;
mod system;

use std::collections::BTreeSet;

use crate::legend::{self, FAINT_INK, INK, PAPER};
use crate::{Keys, Rows};
use antiphon_engine::music::{Bar, Clip, Note, Role, TICKS_PER_QUARTER, Tick};
use canvas::{Align, Area, Canvas};
use system::System;

/// Bars before the seam that are shown at most.
const CONTEXT_BARS: u32 = 8;
/// Bars of a clip that are shown at most, the last ones.
pub const MOST_BARS: u32 = 128;
/// Bars side by side; more are continued in a further system below.
const BARS_PER_SYSTEM: usize = 16;
/// Quarter notes are no wider than this, so that few bars make a small picture.
const QUARTER_WIDTH: f32 = 64.0;

const MARGIN: f32 = 40.0;
/// Room to the left for the names of pitches and drums.
const GUTTER: f32 = 116.0;
/// The widest system's music.
const MUSIC_WIDTH: f32 = 2200.0;
/// The title's block.
const HEADER: f32 = 112.0;
/// Room above a system for the seam's flag and, below it, the bar numbers.
const NUMBERS: f32 = 66.0;
const SYSTEM_GAP: f32 = 24.0;
/// Between the pitches and the drums.
const LANES_GAP: f32 = 10.0;
const LANE: f32 = 17.0;
/// A semitone's height lies between these; the pitches together aim at [`PITCHES_HEIGHT`].
const SEMITONE: std::ops::RangeInclusive<f32> = 7.0..=15.0;
const PITCHES_HEIGHT: f32 = 520.0;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// More pixels than memory holds.
    #[error("a picture of {width} x {height} pixels cannot be made; show fewer bars")]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The typeface that is built in cannot be read.
    #[error("the picture's typeface cannot be read: {0}")]
    Typeface(String),
    /// The picture cannot be written as PNG.
    #[error("the picture cannot be encoded: {0}")]
    Encoding(String),
}

/// A clip by itself: its last [`MOST_BARS`] bars.
#[derive(Debug, Clone, Copy)]
pub struct Overview<'a> {
    /// Its name, in large letters.
    pub title: &'a str,
    /// What there is to say of it.
    pub subtitle: &'a str,
    /// What is drawn.
    pub clip: &'a Clip,
}

/// A continuation and what it continues.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    /// The source's name, in large letters.
    pub title: &'a str,
    /// What makes this continuation: length, model, seed.
    pub subtitle: &'a str,
    /// The whole source.
    pub context: &'a Clip,
    /// The bar line of the source on which the continuation starts.
    pub seam: Tick,
    /// Its tick 0 is the seam.
    pub continuation: &'a Clip,
}

/// What is drawn, whatever it is of.
struct Sheet<'a> {
    title: &'a str,
    subtitle: &'a str,
    bars: Vec<Shown>,
    notes: Vec<Note>,
    /// The bar line with the flag.
    seam: Option<Tick>,
}

/// A bar in the source's time.
struct Shown {
    bar: Bar,
    generated: bool,
}

impl Overview<'_> {
    /// The picture as a PNG file.
    ///
    /// # Errors
    /// When it would be too large for memory.
    pub fn png(&self) -> Result<Vec<u8>, PictureError> {
        let mut bars: Vec<Shown> = self.clip.metres.bars(self.clip.end).map(|bar| Shown { bar, generated: false }).collect();
        bars.drain(..bars.len().saturating_sub(usize::try_from(MOST_BARS).unwrap_or(usize::MAX)));
        let from = bars.first().map_or(Tick::ZERO, |first| first.bar.start);
        let notes = sounding(self.clip, from, self.clip.end);
        Sheet { title: self.title, subtitle: self.subtitle, bars, notes, seam: None }.png()
    }
}

impl Picture<'_> {
    /// The picture as a PNG file.
    ///
    /// # Errors
    /// When it would be too large for memory.
    pub fn png(&self) -> Result<Vec<u8>, PictureError> {
        let bars = self.bars();
        let notes = self.notes(bars.first().map_or(Tick::ZERO, |first| first.bar.start));
        Sheet { title: self.title, subtitle: self.subtitle, bars, notes, seam: Some(self.seam) }.png()
    }

    /// The last bars before the seam and all bars of the continuation.
    fn bars(&self) -> Vec<Shown> {
        let seam = self.context.metres.bar_at(self.seam).index;
        let before = (seam.saturating_sub(CONTEXT_BARS)..seam).map(|index| Shown { bar: self.context.metres.bar(index), generated: false });
        let after = self
            .continuation
            .metres
            .bars(self.continuation.end)
            .map(|bar| Shown { bar: Bar { index: seam + bar.index, start: self.seam + bar.start, ..bar }, generated: true });
        before.chain(after).collect()
    }

    /// What sounds from `from` on, in the source's time. Context ends at the seam at the latest.
    fn notes(&self, from: Tick) -> Vec<Note> {
        let before = sounding(self.context, from, self.seam).into_iter();
        let after = self.continuation.notes().into_iter().map(|note| Note { onset: note.onset + self.seam, ..note });
        before.chain(after).collect()
    }
}

impl Sheet<'_> {
    fn png(&self) -> Result<Vec<u8>, PictureError> {
        let (bars, notes) = (&self.bars, &self.notes);
        let rows = rows(notes);
        let systems: Vec<&[Shown]> = bars.chunks(BARS_PER_SYSTEM).collect();
        let widest = systems.iter().map(|system| ticks(system)).max().unwrap_or(Tick(1));
        let tick_width = (MUSIC_WIDTH / widest.0 as f32).min(QUARTER_WIDTH / TICKS_PER_QUARTER as f32);

        let system_height = NUMBERS + rows.bottom().max(LANE);
        let width = 2.0 * MARGIN + GUTTER + widest.0 as f32 * tick_width;
        let count = systems.len() as f32;
        let height = 2.0 * MARGIN + HEADER + count * system_height + (count - 1.0).max(0.0) * SYSTEM_GAP;
        let mut canvas = Canvas::new(pixels(width.max(900.0)), pixels(height), PAPER)?;

        self.header(&mut canvas, width.max(900.0) - MARGIN);
        let mut top = MARGIN + HEADER;
        for bars in systems {
            let origin = bars.first().map_or(Tick::ZERO, |first| first.bar.start);
            let system = System { bars, origin, left: MARGIN + GUTTER, top: top + NUMBERS, tick_width, rows: &rows };
            system.ground(&mut canvas);
            system.notes(&mut canvas, notes);
            system.numbers(&mut canvas, self.seam);
            top += system_height + SYSTEM_GAP;
        }
        canvas.png()
    }

    fn header(&self, canvas: &mut Canvas, right: f32) {
        canvas.text(self.title, MARGIN, MARGIN + 34.0, 38.0, Align::Left, INK);
        canvas.text(self.subtitle, MARGIN, MARGIN + 68.0, 21.0, Align::Left, FAINT_INK);
        let roles: BTreeSet<Role> = self.notes.iter().map(|note| note.role).collect();
        let mut x = right;
        for role in roles.into_iter().rev() {
            let name = role.name();
            canvas.text(name, x, MARGIN + 32.0, 20.0, Align::Right, INK);
            x -= canvas.text_width(name, 20.0) + 30.0;
            canvas.fill_round(Area { x, y: MARGIN + 15.0, width: 22.0, height: 20.0 }, 4.0, legend::colour(role));
            x -= 26.0;
        }
    }
}

/// What of a clip sounds between two ticks, cut there.
fn sounding(clip: &Clip, from: Tick, until: Tick) -> Vec<Note> {
    let notes = clip.notes().into_iter().filter(|note| note.onset < until && note.end() > from);
    let cut = notes.map(|note| {
        let onset = note.onset.max(from);
        Note { onset, duration: note.end().min(until) - onset, ..note }
    });
    cut.collect()
}

/// The rows of every system, from its top on.
fn rows(notes: &[Note]) -> Rows {
    let keys = Keys::of(notes);
    let semitones = keys.pitches().map_or(1, |(high, low)| high - low + 1);
    let semitone = (PITCHES_HEIGHT / f32::from(semitones)).clamp(*SEMITONE.start(), *SEMITONE.end()).round();
    Rows::stacked(keys, 0.0, semitone, LANE, LANES_GAP)
}

/// How long some bars are together.
fn ticks(bars: &[Shown]) -> Tick {
    Tick(bars.iter().map(|shown| shown.bar.length.0).sum())
}

/// A length on the bitmap, rounded up.
fn pixels(length: f32) -> u32 {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a saturating cast of a positive length: too large is refused by the canvas"
    )]
    let pixels = length.ceil() as u32;
    pixels
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::legend::{AFTER, BEFORE, Colour};
    use antiphon_engine::music::{Metre, MetreMap, Part, smf};
    use tiny_skia::Pixmap;

    use super::*;

    fn demo(name: &str) -> Clip {
        smf::read_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo").join(name)).unwrap().clip
    }

    /// `context` up to the bar `seam`, and what follows as its continuation.
    fn picture(context: &Clip, seam: u32) -> Pixmap {
        let seam = context.metres.bar(seam).start;
        let continuation = context.slice(seam, context.end.max(seam));
        let picture = Picture { title: "Title", subtitle: "what it is", context, seam, continuation: &continuation };
        Pixmap::decode_png(&picture.png().unwrap()).unwrap()
    }

    fn is(pixmap: &Pixmap, x: u32, y: u32, colour: Colour) -> bool {
        let pixel = pixmap.pixel(x, y).unwrap();
        u32::from_be_bytes([0, pixel.red(), pixel.green(), pixel.blue()]) == colour.0
    }

    /// How many pixels of each column have this colour.
    fn columns(pixmap: &Pixmap, colour: Colour) -> Vec<u32> {
        let in_column = |x| u32::try_from((0..pixmap.height()).filter(|&y| is(pixmap, x, y, colour)).count()).unwrap();
        (0..pixmap.width()).map(in_column).collect()
    }

    /// The columns that are dark from top to bottom.
    fn seam(pixmap: &Pixmap) -> std::ops::Range<usize> {
        let ink = columns(pixmap, INK);
        let is_seam = |x: &usize| ink[*x] > pixmap.height() / 2;
        let first = (0..ink.len()).find(is_seam).unwrap();
        first..(first..ink.len()).find(|x| !is_seam(x)).unwrap()
    }

    #[test]
    fn the_seam_parts_what_was_from_what_follows() {
        let pixmap = picture(&demo("pop.mid"), 8);
        let seam = seam(&pixmap);
        assert!((3..=4).contains(&seam.len()), "{seam:?}");
        let (before, after) = (columns(&pixmap, BEFORE), columns(&pixmap, AFTER));
        assert!(before[seam.end..].iter().all(|&count| count == 0) && before[..seam.start].iter().any(|&count| count > 100));
        assert!(after[..seam.start].iter().all(|&count| count == 0) && after[seam.end..].iter().any(|&count| count > 100));
    }

    #[test]
    fn every_role_is_seen_before_and_after_the_seam() {
        let context = demo("band.mid");
        let pixmap = picture(&context, 12);
        for role in [Role::Drums, Role::Bass, Role::Keys, Role::Lead] {
            // Every note has a rim; fills depend on velocity.
            let rims = columns(&pixmap, INK.over(legend::colour(role), 0.35));
            let (before, after) = rims.split_at(seam(&pixmap).start);
            assert!(before.iter().sum::<u32>() > 50 && after.iter().sum::<u32>() > 50, "{role:?}");
        }
    }

    #[test]
    fn overview_shows_every_role_and_no_seam() {
        let clip = demo("band.mid");
        let pixmap = Pixmap::decode_png(&Overview { title: "Title", subtitle: "all of it", clip: &clip }.png().unwrap()).unwrap();
        for role in [Role::Drums, Role::Bass, Role::Keys, Role::Lead] {
            assert!(columns(&pixmap, INK.over(legend::colour(role), 0.35)).iter().sum::<u32>() > 50, "{role:?}");
        }
        assert!(columns(&pixmap, INK).iter().all(|count| *count < pixmap.height() / 2), "there is a seam");
        let long = Clip { end: Tick(96 * 1_000), ..Clip::default() };
        let height = |bars: i64| {
            Pixmap::decode_png(
                &Overview { title: "", subtitle: "", clip: &Clip { end: Tick(96 * bars), ..Clip::default() } }.png().unwrap(),
            )
            .unwrap()
            .height()
        };
        assert_eq!(Pixmap::decode_png(&Overview { title: "", subtitle: "", clip: &long }.png().unwrap()).unwrap().height(), height(128));
    }

    #[test]
    fn more_bars_than_a_system_holds_go_below() {
        let long = |bars: i64| Clip { end: Tick(96 * bars), ..Clip::default() };
        let heights = [16, 17, 32, 33].map(|bars| picture(&long(bars), 0).height());
        assert!(heights[0] < heights[1] && heights[1] == heights[2] && heights[2] < heights[3], "{heights:?}");
    }

    #[test]
    fn silence_drums_alone_and_extreme_pitches_can_be_drawn() {
        let note = |pitch, role| Note { onset: Tick(100), offset: 0, duration: Tick(1), pitch, velocity: 1, role };
        for notes in [vec![], vec![note(38, Role::Drums)], vec![note(0, Role::Other)], vec![note(0, Role::Other), note(127, Role::Other)]] {
            let clip = Clip {
                parts: vec![Part { notes, ..Part::default() }],
                metres: MetreMap::new([(Tick(50), Metre::new(7, 8).unwrap())]),
                end: Tick(134),
                ..Clip::default()
            };
            for seam in 0..4 {
                assert!(picture(&clip, seam).height() > 100);
            }
        }
    }
}
