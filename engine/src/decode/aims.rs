//! Soft rules: what a bar is steered towards while it is made.
//!
//! A bar is told what it shall be like, and a small model heeds that half of the time. So what is asked for is also counted while the bar grows, and what
//! would lead away from it gets less likely the farther it leads: the model chooses among what is left, with its own odds.

use super::constraints::{Busiest, Moment};
use super::pace::Pace;
use crate::codec::NoteClasses;
use crate::codec::vocabulary::{Field, duration_ticks, next};
use crate::model::SamplingInputs;
use crate::music::analysis::{MOST_VOICES, REGISTER_EDGES, SPAN_EDGES};
use crate::music::{Role, TICKS_PER_QUARTER};

/// Standard deviation in semitones of the bell that pitches are leaned on: an octave of room on both sides of the middle.
const BELL: f64 = 9.0;
/// In how many notes a mean that is off should be made good, and how far off the middle a single note is asked for to that end, in semitones.
const MEND: f64 = 3.0;
const MEND_REACH: f64 = 12.0;

/// What each voice too many costs, and what it is worth to join in while voices are wanted.
const VOICE_TOO_MANY: f64 = 2.5;
const VOICE_WANTED: f64 = 1.5;

/// What a semitone beyond the span costs, and what one within is worth while it is wanted.
const BEYOND_SPAN: f64 = 0.35;
const WITHIN_SPAN: f64 = 0.08;

const BEATS: usize = Field::Beat.classes();
const SUBS: usize = Field::Sub.classes();
const TYPES: usize = Field::Type.classes();
/// Pitch classes of the model that are keys; drums follow.
const KEYS: usize = 128;

/// What bars are steered towards, as steps of the model's columns of the same names, 1 to 8; `None` leaves it to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Aims {
    /// Notes per quarter.
    pub density: Option<u8>,
    /// Mean pitch of all notes but drums.
    pub register: Option<u8>,
    /// From the lowest to the highest of them.
    pub span: Option<u8>,
    /// Most of them that sound at once.
    pub voices: Option<u8>,
}

impl Aims {
    /// Leans the choices of the row at `moment` towards what is aimed at and, where no density is, against what is busier than `busiest`. What is forbidden
    /// stays so.
    pub(super) fn lean(self, inputs: &mut SamplingInputs<'_>, moment: &Moment<'_>, busiest: Option<Busiest>) {
        if moment.target.is_some_and(|target| target.role != Role::Drums.class()) {
            if let Some(step) = self.register {
                lean_on_register(inputs.pitch, step, moment);
            }
            if let Some(step) = self.span {
                lean_on_span(inputs.pitch, step, moment);
            }
        }
        let pace = match self.density {
            Some(step) => Some(Pace::towards(step, moment)),
            None => busiest.and_then(|busiest| Pace::within(busiest, moment)),
        };
        if pace.is_some() || self.voices.is_some() {
            self.lean_next(inputs, moment, pace.as_ref());
        }
    }

    /// Leans the place of the next note, and whether there is one.
    fn lean_next(self, inputs: &mut SamplingInputs<'_>, moment: &Moment<'_>, pace: Option<&Pace>) {
        let here = moment.target.map_or(0, |target| target.tick().0);
        let voices = self.voices.map(|step| Voices::new(step, moment, here));
        let cost = |tick: i64| pace.map_or(0.0, |pace| pace.cost(tick)) + voices.as_ref().map_or(0.0, |voices| voices.cost(tick));
        let ticks = i64::from(moment.ticks);
        let mut least = f64::INFINITY;
        for (beat, from) in (0..BEATS).zip((0i64..).step_by(SUBS)) {
            let costs: Vec<f64> = (from..from + TICKS_PER_QUARTER).map(cost).collect();
            let open = (from..).zip(&costs).filter(|&(tick, _)| (here..ticks).contains(&tick));
            let best = open.map(|(_, &cost)| cost).fold(f64::INFINITY, f64::min);
            if best.is_infinite() {
                continue;
            }
            least = least.min(best);
            for reached in 0..2 {
                inputs.beat[reached * BEATS + beat] -= nats(best);
                for (sub, cost) in costs.iter().enumerate() {
                    inputs.sub[(reached * BEATS + beat) * SUBS + sub] -= nats(cost - best);
                }
            }
        }
        let end = pace.map_or(0.0, Pace::cost_of_end);
        for kinds in inputs.kind.chunks_exact_mut(TYPES) {
            kinds[usize::from(next::NOTE)] -= if least.is_finite() { nats(least) } else { 0.0 };
            kinds[usize::from(next::ENDBAR)] -= nats(end);
        }
    }
}

/// From where to where a step reaches; the outer ones end at `ends`.
pub(super) fn reach(step: u8, edges: &[f64; 7], ends: [f64; 2]) -> [f64; 2] {
    let edge = |index: Option<usize>, end: f64| index.and_then(|index| edges.get(index)).copied().unwrap_or(end);
    let above = usize::from(step.clamp(1, 8)) - 1;
    [edge(above.checked_sub(1), ends[0]), edge(Some(above), ends[1])]
}

/// A cost as the graph takes it.
#[expect(clippy::cast_possible_truncation, reason = "costs are small, and no musician hears their eighth digit")]
fn nats(cost: f64) -> f32 {
    cost as f32
}

/// The notes of the bar so far but its target.
pub(super) fn so_far<'a>(moment: &'a Moment<'_>) -> impl Iterator<Item = &'a NoteClasses> + Clone {
    moment.before.iter().chain(moment.given)
}

fn is_pitched(note: &&NoteClasses) -> bool {
    note.role != Role::Drums.class()
}

/// Leans pitches towards what brings the bar's mean into the step's middle.
fn lean_on_register(pitches: &mut [f32], step: u8, moment: &Moment<'_>) {
    let [low, high] = reach(step, &REGISTER_EDGES, [40.0, 82.0]);
    let middle = f64::midpoint(low, high);
    let (sum, count) = so_far(moment).filter(is_pitched).fold((0.0, 0.0), |(sum, count), note| (sum + f64::from(note.pitch), count + 1.0));
    let mean = if count > 0.0 { sum / count } else { middle };
    let wanted = middle + ((middle - mean) * count / MEND).clamp(-MEND_REACH, MEND_REACH);
    for (pitch, value) in (0u8..).zip(pitches.iter_mut().take(KEYS)) {
        let away = (f64::from(pitch) - wanted) / BELL;
        *value -= nats(away * away / 2.0);
    }
}

/// Leans pitches towards those that bring the bar's lowest and highest as far apart as the step says.
fn lean_on_span(pitches: &mut [f32], step: u8, moment: &Moment<'_>) {
    let [low, high] = reach(step, &SPAN_EDGES, [0.0, 60.0]);
    let played = so_far(moment).filter(is_pitched).map(|note| note.pitch);
    let (Some(lowest), Some(highest)) = (played.clone().min(), played.max()) else { return };
    for (pitch, value) in (0u8..).zip(pitches.iter_mut().take(KEYS)) {
        let span = f64::from(highest.max(pitch) - lowest.min(pitch));
        // The upper edge is the next step's.
        *value -= nats(BEYOND_SPAN * (span - high + 1.0).max(0.0) - WITHIN_SPAN * span.min(low));
    }
}

/// How many notes sound at once.
struct Voices {
    wanted: usize,
    here: i64,
    /// Start and end of each note but drums.
    spans: Vec<(i64, i64)>,
    /// Most of them at once.
    most: usize,
}

impl Voices {
    fn new(step: u8, moment: &Moment<'_>, here: i64) -> Self {
        let end = i64::from(moment.ticks);
        let span = |note: &NoteClasses| {
            let start = note.tick().0;
            (start, duration_ticks(note.duration).map_or(end, |length| start + length.0))
        };
        let mut spans: Vec<(i64, i64)> = so_far(moment).filter(is_pitched).map(span).collect();
        // Its length is not chosen yet.
        spans
            .extend(moment.target.filter(|target| target.role != Role::Drums.class()).map(|target| (target.tick().0, target.tick().0 + 1)));
        let sounding = |tick: i64| spans.iter().filter(|(start, end)| (*start..*end).contains(&tick)).count();
        let most = spans.iter().map(|(start, _)| sounding(*start)).max().unwrap_or(0);
        Self { wanted: step.clamp(1, MOST_VOICES).into(), here, most, spans }
    }

    /// Of a next note at this tick.
    fn cost(&self, tick: i64) -> f64 {
        let sounding = self.spans.iter().filter(|(start, end)| (*start..*end).contains(&tick)).count();
        let over = (sounding + 1).saturating_sub(self.wanted) as f64;
        let join = if tick == self.here && self.most < self.wanted { VOICE_WANTED } else { 0.0 };
        if self.wanted == usize::from(MOST_VOICES) { -join } else { VOICE_TOO_MANY * over - join }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Place;

    const MELODY: u8 = Role::Melody.class();

    fn note(tick: u8, pitch: u8, duration: u8) -> NoteClasses {
        NoteClasses { beat: tick / 24, sub: tick % 24, role: MELODY, pitch, duration, velocity: 20, offset: 4 }
    }

    /// What the tables of the row after `before` are when nothing is forbidden.
    #[derive(Debug, PartialEq)]
    struct Leaning {
        pitch: Vec<f32>,
        kind: Vec<f32>,
        beat: Vec<f32>,
        sub: Vec<f32>,
    }

    impl Leaning {
        /// Before a note at this tick of a 4/4 bar, or at its start.
        fn of(aims: Aims, before: &[NoteClasses], target: Option<u8>) -> Self {
            let mut tables = [vec![0.0; 8], vec![0.0; 8], vec![0.0; 419], vec![0.0; 64], vec![0.0; 32], vec![0.0; 8], vec![0.0; 64]];
            let [temperature, log_min_p, noise, duration, velocity, offset, role] = &mut tables;
            let mut pitch_top = 256;
            let mut leaning =
                Self { pitch: vec![0.0; 256], kind: vec![0.0; 2 * TYPES], beat: vec![0.0; 2 * BEATS], sub: vec![0.0; 2 * BEATS * SUBS] };
            let target = target.map(|tick| Place { beat: tick / 24, sub: tick % 24, role: MELODY });
            let moment = Moment { line: crate::music::Tick::ZERO, ticks: 96, density: 0, target, before, given: &[] };
            aims.lean(
                &mut SamplingInputs {
                    temperature,
                    log_min_p,
                    noise,
                    pitch: &mut leaning.pitch,
                    duration,
                    velocity,
                    offset,
                    pitch_top: &mut pitch_top,
                    kind: &mut leaning.kind,
                    beat: &mut leaning.beat,
                    sub: &mut leaning.sub,
                    role,
                },
                &moment,
                None,
            );
            leaning
        }

        /// The pitch that is leaned on most.
        fn best_pitch(&self) -> usize {
            (0..KEYS).max_by(|&one, &other| self.pitch[one].total_cmp(&self.pitch[other])).unwrap()
        }

        /// What leans towards a next note at this tick rather than towards the bar's end.
        fn onset(&self, tick: usize) -> f32 {
            self.kind[0] + self.beat[tick / SUBS] + self.sub[tick] - self.kind[usize::from(next::ENDBAR)]
        }
    }

    #[test]
    fn nothing_leans_where_nothing_is_aimed_at() {
        let plain = Leaning::of(Aims::default(), &[note(0, 60, 23)], Some(24));
        assert!([plain.pitch, plain.kind, plain.beat, plain.sub].concat().iter().all(|value| *value == 0.0));
    }

    #[test]
    fn a_mean_that_is_off_is_made_good() {
        let high = Aims { register: Some(8), ..Aims::default() };
        assert_eq!(Leaning::of(high, &[], Some(0)).best_pitch(), 77);
        let low_so_far = [note(0, 50, 23), note(12, 50, 23), note(24, 50, 23)];
        assert_eq!(Leaning::of(high, &low_so_far, Some(36)).best_pitch(), 77 + 12);
        assert!(Leaning::of(high, &[], Some(0)).pitch[KEYS..].iter().all(|value| *value == 0.0), "drums have no register");
    }

    #[test]
    fn a_bar_that_is_behind_hurries_and_one_that_is_ahead_ends() {
        let busy = Aims { density: Some(6), ..Aims::default() };
        let late = Leaning::of(busy, &[note(0, 60, 23)], Some(48));
        assert!(late.onset(48) > late.onset(60) && late.onset(60) > late.onset(90), "the sooner the better");
        assert!(late.onset(48) > 0.0, "the bar cannot end yet");
        let calm = Aims { density: Some(1), ..Aims::default() };
        let run: Vec<NoteClasses> = (0..12).map(|index| note(index * 4, 60, 3)).collect();
        let full = Leaning::of(calm, &run, Some(48));
        assert!((48..96).all(|tick| full.onset(tick) < -3.0), "it has had its notes");
        // A chord on every quarter is as good as a run.
        let chords = Leaning::of(Aims { density: Some(4), ..Aims::default() }, &[note(0, 60, 23), note(0, 64, 23)], Some(0));
        assert_eq!(chords.onset(0), chords.onset(24));
    }

    #[test]
    fn voices_join_until_there_are_as_many_as_asked() {
        let three = Aims { voices: Some(3), ..Aims::default() };
        let two = Leaning::of(three, &[note(0, 60, 23)], Some(0));
        assert!(two.onset(0) > two.onset(24), "a third voice joins");
        let held = [note(0, 60, 40), note(0, 64, 40), note(0, 67, 40)];
        let four = Leaning::of(three, &held, Some(1));
        let alone = Leaning::of(three, &[], Some(1));
        assert!(four.onset(2) < alone.onset(2), "three are held already");
    }

    #[test]
    fn a_span_is_filled_and_not_left() {
        let wide = Aims { span: Some(4), ..Aims::default() };
        let leaning = Leaning::of(wide, &[note(0, 60, 23)], Some(24));
        assert!(leaning.pitch[60] < leaning.pitch[79] && leaning.pitch[79] > leaning.pitch[100]);
        assert_eq!(leaning.pitch[41], leaning.pitch[79]);
    }
}
