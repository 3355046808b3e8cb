//! One system of the sheet: a row of bars with their ground, names, numbers and notes.

use antiphon_engine::music::{Metre, Note, TICKS_PER_QUARTER, Tick};

use super::canvas::{Align, Area, Canvas};
use super::{LANE, Shown};
use crate::Rows;
use crate::legend::{self, AFTER, BEFORE, FAINT_INK, INK, PAPER};

/// What the seam's flag says.
const FLAG: &str = "continued";
/// Its upper edge, above the system.
const FLAG_TOP: f32 = 60.0;

/// One row of bars.
pub(super) struct System<'a> {
    pub(super) bars: &'a [Shown],
    /// Where its first bar starts.
    pub(super) origin: Tick,
    /// Pixels of the music's top left corner.
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) tick_width: f32,
    pub(super) rows: &'a Rows,
}

impl System<'_> {
    fn x(&self, tick: Tick) -> f32 {
        self.left + (tick - self.origin).0 as f32 * self.tick_width
    }

    fn end(&self) -> Tick {
        self.bars.last().map_or(self.origin, |last| last.bar.end())
    }

    /// The ground of every bar, shaded where the keyboard is black, its beats, and the names at the left.
    pub(super) fn ground(&self, canvas: &mut Canvas) {
        let height = self.rows.bottom().max(LANE);
        for shown in self.bars {
            let (bar, ground) = (shown.bar, if shown.generated { AFTER } else { BEFORE });
            let (x, width) = (self.x(bar.start), bar.length.0 as f32 * self.tick_width);
            canvas.fill(Area { x, y: self.top, width, height: self.rows.pitches_bottom() }, ground);
            for (y, height) in self.rows.black().filter_map(|key| self.rows.place_key(key)) {
                canvas.fill(Area { x, y: self.top + y, width, height }, INK.over(ground, 0.045));
            }
            let drums_height = self.rows.keys().drums().len() as f32 * LANE;
            canvas.fill(Area { x, y: self.top + self.rows.drums_top(), width, height: drums_height }, ground);
            let beat = TICKS_PER_QUARTER * 4 / i64::from(bar.metre.denominator());
            for tick in (1..).map(|n| bar.start + Tick(n * beat)).take_while(|tick| *tick < bar.end()) {
                canvas.fill(Area { x: self.x(tick) - 0.5, y: self.top, width: 1.0, height }, INK.over(ground, 0.12));
            }
            canvas.fill(Area { x: x - 0.75, y: self.top, width: 1.5, height }, INK.over(ground, 0.6));
        }
        canvas.fill(Area { x: self.x(self.end()) - 0.75, y: self.top, width: 1.5, height }, INK.over(AFTER, 0.6));
        let (left, width) = (self.left, self.x(self.end()) - self.left);
        for key in self.rows.pitched().filter(|key| key % 12 == 0) {
            let Some((top, semitone)) = self.rows.place_key(key) else { continue };
            // The line lies under the C, where a keyboard has it.
            let y = self.top + top + semitone;
            canvas.fill(Area { x: left, y: y - 0.5, width, height: 1.0 }, INK.over(AFTER, 0.22));
            let octave = i16::from(key / 12) - 1;
            canvas.text(&format!("C{octave}"), left - 12.0, y - semitone / 2.0 + 6.0, 17.0, Align::Right, INK);
        }
        for &key in self.rows.keys().drums() {
            let Some((top, _)) = self.rows.place_drum(key) else { continue };
            let y = self.top + top;
            canvas.text(&legend::percussion(key), left - 12.0, y + 13.0, 15.0, Align::Right, INK);
            canvas.fill(Area { x: left, y: y + LANE - 0.5, width, height: 1.0 }, INK.over(AFTER, 0.08));
        }
    }

    /// The notes that sound in this system; one that is tied over from the system above goes on at the left edge.
    pub(super) fn notes(&self, canvas: &mut Canvas, notes: &[Note]) {
        for note in notes.iter().filter(|note| note.onset < self.end() && note.end() > self.origin) {
            let Some((y, height)) = self.rows.place(note) else { continue };
            let x = self.x(note.onset.max(self.origin));
            let width = (self.x(note.end().min(self.end())) - x - 1.0).max(3.0);
            let colour = legend::colour(note.role);
            let area = Area { x, y: self.top + y, width, height: height - 1.0 };
            canvas.fill_round(area, 3.0, INK.over(colour, 0.35));
            // Soft notes are pale.
            let loudness = 0.4 + 0.6 * f32::from(note.velocity) / 127.0;
            let inner = Area { x: area.x + 1.0, y: area.y + 1.0, width: area.width - 2.0, height: area.height - 2.0 };
            canvas.fill_round(inner, 2.0, colour.over(AFTER, loudness));
        }
    }

    /// Bar numbers, metres where they change, and the seam.
    pub(super) fn numbers(&self, canvas: &mut Canvas, seam: Option<Tick>) {
        let mut metre: Option<Metre> = None;
        for bar in self.bars.iter().map(|shown| shown.bar) {
            let x = self.x(bar.start) + 6.0;
            let number = (u64::from(bar.index) + 1).to_string();
            canvas.text(&number, x, self.top - 10.0, 19.0, Align::Left, INK);
            if metre != Some(bar.metre) {
                let x = x + canvas.text_width(&number, 19.0) + 10.0;
                canvas.text(&bar.metre.to_string(), x, self.top - 10.0, 16.0, Align::Left, FAINT_INK);
                metre = Some(bar.metre);
            }
        }
        if let Some(seam) = seam.filter(|seam| (self.origin..self.end()).contains(seam)) {
            let x = self.x(seam);
            canvas.fill(Area { x: x - 2.0, y: self.top - FLAG_TOP, width: 4.0, height: self.rows.bottom().max(LANE) + FLAG_TOP }, INK);
            canvas.fill(Area { x, y: self.top - FLAG_TOP, width: canvas.text_width(FLAG, 17.0) + 20.0, height: 26.0 }, INK);
            canvas.text(FLAG, x + 10.0, self.top - FLAG_TOP + 19.0, 17.0, Align::Left, PAPER);
        }
    }
}
