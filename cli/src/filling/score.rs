//! What is heard on both sides of the bars to fill, and those bars.

use antiphon_engine::codec::{self, BarFields, BarRows};
use antiphon_engine::decode::{DecodeError, Decoder, FAR_SIDE_BARS, Step, skipped_bars};
use antiphon_engine::music::analysis::Key;
use antiphon_engine::music::{Bar, Clip, Note, Tick};
use indicatif::ProgressBar;

use antiphon_cli::phrase::RECENT_BARS;

/// Bars of a file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BarSpan {
    pub(super) first: u32,
    /// At least `first`.
    pub(super) last: u32,
}

/// How many bars may stand in for those that are not there. Whole cycles of the count of bars first, then whole phrases.
const STAND_INS: [usize; 5] = [16, 8, 4, 2, 1];

/// Most bars of one call.
const MOST_BARS: u32 = 64;

impl BarSpan {
    /// Reads `17..20` or `17`.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<u32>().ok().filter(|bar| *bar > 0);
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let (Some(first), Some(last)) = (number(first), number(last)) else {
            return Err("bars are FIRST..LAST, counted from 1, for instance 17..20, or one bar, 17".into());
        };
        if last < first {
            return Err(format!("its first bar, {first}, comes after its last, {last}; swap them"));
        }
        if last - first >= MOST_BARS {
            return Err(format!("at most {MOST_BARS} bars are filled at once"));
        }
        Ok(Self { first, last })
    }
}

/// Both sides of a gap, and its bars without the notes to be made.
#[derive(Debug)]
pub(super) struct Score {
    near: Vec<BarRows>,
    /// What of the gap is known already is in it.
    gap: Vec<BarRows>,
    far: Vec<BarRows>,
}

impl Score {
    /// `known` has no note that is to be made. The bars to fill are told `key` or, if none is given, the one that can be heard around them, and to be as dense,
    /// high, wide and full as the eight bars on each side are.
    pub(super) fn new(known: &Clip, span: BarSpan, key: Option<Key>) -> Self {
        let metres = &known.metres;
        let bar_of = |tick: Option<Tick>, otherwise: u32| tick.map_or(otherwise, |tick| metres.bar_at(tick).index);
        let (gap, after) = (span.first - 1, span.last);
        let first = bar_of(known.first_onset(), gap).min(gap);
        let end = bar_of(known.last_onset(), 0).saturating_add(1).clamp(after, after + FAR_SIDE_BARS);
        let shown: Vec<Bar> = (first + skipped_bars(gap - first)..end).map(|index| metres.bar(index)).collect();
        let from = shown.first().map_or(Tick::ZERO, |bar| bar.start);
        let notes: Vec<Note> = known.parts.iter().flat_map(|part| &part.notes).copied().collect();
        let mut near = codec::encode(&notes, &shown, None).bars;
        codec::label(&mut near, from, &known.tempos);

        let mut line = from;
        let start = |bar: &BarRows| {
            let start = line;
            line += Tick(bar.ticks.into());
            start
        };
        let lines: Vec<Tick> = near.iter().map(start).collect();
        let place = |index: u32| lines.partition_point(|line| *line < metres.bar(index).start);
        let mut far = near.split_off(place(after));
        let mut gap = near.split_off(place(gap));
        // A bar of more than 16 quarters is several of the model's.
        far.truncate(usize::try_from(FAR_SIDE_BARS).unwrap_or(usize::MAX));

        let recent = usize::try_from(RECENT_BARS).unwrap_or(usize::MAX);
        let around: Vec<BarRows> = near.iter().rev().take(recent).chain(far.iter().take(recent)).cloned().collect();
        let nearest = near.last().or(far.first()).map_or(0, |bar| bar.fields.key);
        for bar in &mut gap {
            let heard = if bar.fields.key > 0 { bar.fields.key } else { nearest };
            bar.fields = BarFields {
                metre: bar.fields.metre,
                tempo: bar.fields.tempo,
                key: key.map_or(heard, Key::value),
                density: median(&around, |fields| fields.density),
                register: median(&around, |fields| fields.register),
                span: median(&around, |fields| fields.span),
                voices: median(&around, |fields| fields.voices),
                ..BarFields::default()
            };
        }
        let mut score = Self { near, gap, far };
        if score.near.is_empty() {
            score.stand_in();
        }
        score
    }

    /// Where nothing comes before the gap, what follows it stands in: no gap that a model was trained with begins a piece, and without bars before it one stays
    /// empty half of the time.
    fn stand_in(&mut self) {
        let Some(bars) = STAND_INS.into_iter().find(|bars| *bars <= self.far.len()) else { return };
        self.near = self.far[..bars].to_vec();
        for (index, bar) in (0..).zip(self.near.iter_mut().chain(&mut self.gap).chain(&mut self.far)) {
            bar.index = index;
        }
    }

    /// Tells the bars to fill what `ask` makes of what they were told.
    pub(super) fn ask(&mut self, ask: impl Fn(BarFields) -> BarFields) {
        self.gap.iter_mut().for_each(|bar| bar.fields = ask(bar.fields));
    }

    /// The key of the first bar to fill, if there is one.
    pub(super) fn key(&self) -> Option<Key> {
        self.gap.first().and_then(|bar| Key::from_value(bar.fields.key))
    }

    /// Bars to be heard and made.
    pub(super) fn bars(&self) -> usize {
        self.near.len() + self.gap.len() + self.far.len()
    }

    /// The tick of the sequence at which the gap begins; its first bar line is tick 0.
    pub(super) fn start(&self) -> Tick {
        Tick(self.near.iter().map(|bar| i64::from(bar.ticks)).sum())
    }

    /// The tick of the sequence at which the gap ends; its first bar line is tick 0.
    pub(super) fn end(&self) -> Tick {
        Tick(self.near.iter().chain(&self.gap).map(|bar| i64::from(bar.ticks)).sum())
    }

    /// Lets a decoder hear both sides.
    ///
    /// # Errors
    /// What the decoder says.
    pub(super) fn listen(&self, decoder: &mut Decoder, progress: &ProgressBar) -> Result<(), DecodeError> {
        for bar in &self.near {
            decoder.append_bar(bar)?;
            progress.inc(1);
        }
        decoder.leave_gap(u32::try_from(self.gap.len()).unwrap_or(u32::MAX))?;
        for bar in &self.far {
            decoder.append_bar(bar)?;
            progress.inc(1);
        }
        decoder.fill()
    }

    /// Lets it make the bars in between; what is known of them is given.
    ///
    /// # Errors
    /// What the decoder says.
    pub(super) fn fill(&self, decoder: &mut Decoder, progress: &ProgressBar) -> Result<Vec<BarRows>, DecodeError> {
        let bars = self.gap.iter().map(|bar| {
            decoder.accompany(bar.ticks, bar.fields, &bar.notes)?;
            while let Step::Note(_) = decoder.sample()? {}
            progress.inc(1);
            decoder.end_bar()
        });
        bars.collect()
    }
}

/// The middle value of a control over bars that have it; 0, unset, if none has.
fn median(bars: &[BarRows], control: impl Fn(&BarFields) -> u8) -> u8 {
    let mut values: Vec<u8> = bars.iter().map(|bar| control(&bar.fields)).filter(|value| *value > 0).collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}
