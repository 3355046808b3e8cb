//! Bars in every metre, through changes of metre, locates and loops, whatever bar position the host reports.

use antiphon_engine::music::{Note, Role, Tick};
use antiphon_engine::plan::{MusicalClock, SongBar, SongPosition};
use antiphon_engine::session::{Epoch, Heard, Planned};
use antiphon_plugin::clock::Cause;
use antiphon_plugin::musician::Seat;
use antiphon_tests::by_hand::take_seat;
use antiphon_tests::{Block, Class, Host, Message, Render, Setup, Timed, Transport};
use ringbuf::traits::{Consumer, Producer};

use crate::{BY_HAND, LOADED, Make, sorted};

/// Hertz.
const RATE: f64 = 48_000.0;
/// Quarters per minute.
const TEMPO: f64 = 120.0;
/// Samples in a quarter.
const QUARTER: f64 = RATE * 60.0 / TEMPO;
/// Samples of a block: bar lines fall within.
const FRAMES: u32 = 512;
/// Ardour's positions are whole ones of a quarter.
const ARDOUR: f64 = 1_920.0;

/// What a host reports as the position of the bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    /// The start of the current bar.
    Current,
    /// The start of the next one.
    Next,
    /// As Ardour 7.3: the bar's number, from 1, times four quarters; and positions are rounded.
    Number,
    /// The start of the song.
    Zero,
    /// Nothing; CLAP cannot say so, and gives 0.
    Nothing,
}

/// All but the first, which is right.
const WRONG: [Report; 4] = [Report::Next, Report::Number, Report::Zero, Report::Nothing];

/// A song whose metre changes at bar lines: bars of each metre, one after the other; the last goes on.
#[derive(Debug, Clone, Copy)]
struct Song {
    parts: &'static [(i32, (u16, u16))],
    report: Report,
    /// The loop, in quarters.
    cycle: Option<(f64, f64)>,
}

/// A bar of a song, in quarters.
#[derive(Debug, Clone, Copy, PartialEq)]
struct SongsBar {
    /// From 1.
    number: i32,
    start: f64,
    length: f64,
    metre: (u16, u16),
}

impl Song {
    fn bar_at(&self, quarters: f64) -> SongsBar {
        let (mut number, mut start) = (1, 0.0);
        for (index, &(bars, metre)) in self.parts.iter().enumerate() {
            let length = f64::from(metre.0) * 4.0 / f64::from(metre.1);
            let end = start + f64::from(bars) * length;
            if index + 1 == self.parts.len() || quarters < end {
                #[allow(clippy::cast_possible_truncation, reason = "a bar of a short song")]
                let passed = ((quarters - start) / length).floor() as i32;
                return SongsBar { number: number + passed, start: start + f64::from(passed) * length, length, metre };
            }
            (number, start) = (number + bars, end);
        }
        unreachable!("the last part goes on")
    }

    /// The bar with this number.
    fn bar(&self, number: i32) -> SongsBar {
        std::iter::successors(Some(self.bar_at(0.0)), |bar| Some(self.bar_at(bar.start + bar.length)))
            .find(|bar| bar.number == number)
            .unwrap()
    }

    fn transport(&self, quarters: f64) -> Transport {
        let bar = self.bar_at(quarters);
        let reported = match self.report {
            Report::Current => Some(bar.start),
            Report::Next => Some(bar.start + bar.length),
            Report::Number => Some(f64::from(bar.number) * 4.0),
            Report::Zero => Some(0.0),
            Report::Nothing => None,
        };
        let position = if self.report == Report::Number { (quarters * ARDOUR).round() / ARDOUR } else { quarters };
        let cycle = self.cycle;
        Transport { playing: true, tempo: Some(TEMPO), metre: Some(bar.metre), position: Some(position), bar: reported, cycle }
    }

    /// Where a song that started at `from` is after this many samples.
    fn position(&self, from: f64, samples: u64) -> f64 {
        let straight = from + samples as f64 / QUARTER;
        match self.cycle {
            Some((start, end)) if straight >= end => start + (straight - start) % (end - start),
            _ => straight,
        }
    }

    /// Plays from a place, block by block; hands each block's messages, and where it begins, to `after`.
    fn play(&self, host: &mut dyn Host, from: f64, quarters: f64, messages: &[Timed], mut after: impl FnMut(f64, Vec<Timed>)) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a short song")]
        let until = (quarters * QUARTER) as u64;
        let mut played = 0;
        while played < until {
            let end = (played + u64::from(FRAMES)).min(until);
            let inside = messages.iter().filter(|timed| (played..end).contains(&timed.sample));
            let inside: Vec<_> = inside.map(|timed| Timed { sample: timed.sample - played, ..*timed }).collect();
            let frames = u32::try_from(end - played).unwrap();
            let transport = Some(self.transport(self.position(from, played)));
            let sent = host.process(&Block { frames, transport, messages: &inside, ..Block::default() }).messages;
            after(self.position(from, played), sent.iter().map(|timed| Timed { sample: timed.sample + played, ..*timed }).collect());
            played = end;
        }
    }
}

/// A musician who strikes a key on every bar line.
struct Beater {
    seat: Seat,
    clock: Option<MusicalClock>,
    epoch: Epoch,
    /// The last bar line that a note was sent for.
    sent: Option<Tick>,
}

impl Beater {
    fn new() -> Self {
        Self { seat: take_seat(), clock: None, epoch: Epoch(0), sent: None }
    }

    fn act(&mut self) {
        while let Some(heard) = self.seat.heard.try_pop() {
            match heard {
                Heard::Turn { epoch, change } => {
                    let at = change.at.tick();
                    let clock = self.clock.get_or_insert_with(|| {
                        let mut clock = MusicalClock::new(SongPosition(0), SongBar { start: SongPosition(0), ..change.bar });
                        clock.advance(at);
                        clock
                    });
                    clock.advance(at - clock.now());
                    let foreseen = clock.open_bar();
                    if change.cause == Cause::Metre {
                        clock.align(change.bar);
                    } else {
                        clock.jump(change.song, change.bar);
                    }
                    if epoch != self.epoch {
                        (self.epoch, self.sent) = (epoch, None);
                    } else if clock.open_bar() != foreseen {
                        self.sent = None;
                        self.seat.planned.try_push(Planned::Withdraw { epoch, from: clock.now() }).unwrap();
                    }
                }
                Heard::Reached { at, .. } => {
                    if let Some(clock) = &mut self.clock {
                        clock.advance(at.tick() - clock.now());
                    }
                }
                _ => {}
            }
        }
        let Some(line) = self.clock.as_ref().map(MusicalClock::next_bar_line) else { return };
        if self.sent.is_none_or(|sent| sent < line) {
            self.sent = Some(line);
            let note = Note { onset: line, offset: 0, duration: Tick(3), pitch: 60, velocity: 90, role: Role::Keys };
            self.seat.planned.try_push(Planned::Note { epoch: self.epoch, note, channel: 0 }).unwrap();
        }
    }
}

/// Where in the song a musician sounds who strikes a key on every bar line, while the host plays these stretches, in quarters.
fn beats(make: Make, song: &mut Song, stretches: &[Stretch]) -> Vec<Vec<f64>> {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, ..Setup::default() });
    let mut musician = Beater::new();
    let mut all = Vec::new();
    for stretch in stretches {
        song.cycle = stretch.cycle;
        let mut heard = Vec::new();
        song.play(&mut *host, stretch.from, stretch.quarters, &[], |_, sent| {
            let strikes = sent.iter().filter(|timed| matches!(timed.message, Message::NoteOn { .. }));
            heard.extend(strikes.map(|timed| song.position(stretch.from, timed.sample)));
            musician.act();
        });
        all.push(heard);
    }
    all
}

/// What a host plays at one go, in quarters.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: f64,
    quarters: f64,
    cycle: Option<(f64, f64)>,
}

const fn stretch(from: f64, quarters: f64) -> Stretch {
    Stretch { from, quarters, cycle: None }
}

/// Every metre that is asked for most, and songs that change between them.
const SONGS: [&[(i32, (u16, u16))]; 11] = [
    &[(1, (2, 4))],
    &[(1, (3, 4))],
    &[(1, (4, 4))],
    &[(1, (5, 4))],
    &[(1, (6, 8))],
    &[(1, (7, 8))],
    &[(1, (9, 8))],
    &[(1, (12, 8))],
    &[(3, (4, 4)), (3, (3, 4)), (1, (7, 8))],
    &[(2, (5, 4)), (1, (4, 4))],
    &[(3, (6, 8)), (2, (4, 4)), (1, (12, 8))],
];

#[test]
fn bar_lines_are_the_songs_in_every_metre_whatever_the_host_reports() {
    for (format, make) in BY_HAND {
        for parts in SONGS {
            let mut song = Song { parts, report: Report::Current, cycle: None };
            // Two bars of the last metre, from a bar line of it.
            let (first, last) = (song.bar(20), song.bar(22));
            let cycle = Some((first.start, last.start));
            // From the start through all changes; back to the midst of a bar; on to a bar line and to the midst of a bar far behind; a loop.
            let stretches = [
                stretch(0.0, 40.0),
                stretch(1.3, 25.0),
                stretch(song.bar(18).start, 14.0),
                stretch(song.bar(23).start + 1.1, 14.0),
                Stretch { from: first.start + 0.5, quarters: 5.0 * (last.start - first.start), cycle },
            ];
            let right = beats(make, &mut song, &stretches);
            for (heard, stretch) in right.iter().zip(stretches) {
                let expected = (stretch.quarters / song.bar(20).length).floor() - 1.0;
                assert!(heard.len() as f64 >= expected, "{format}, {parts:?}, {stretch:?}: {heard:?}");
                for at in heard {
                    let bar = song.bar_at(at + 0.001);
                    assert!((at - bar.start).abs() < 0.002, "{format}, {parts:?}: a strike at {at} in {bar:?}");
                }
            }
            for report in WRONG {
                song.report = report;
                let heard = beats(make, &mut song, &stretches);
                for ((heard, right), stretch) in heard.iter().zip(&right).zip(stretches) {
                    assert_eq!(heard.len(), right.len(), "{format}, {parts:?}, {report:?}, {stretch:?}: {heard:?} for {right:?}");
                    for (at, right) in heard.iter().zip(right) {
                        assert!((at - right).abs() < 2.0 / ARDOUR, "{format}, {parts:?}, {report:?}: a strike at {at} for {right}");
                    }
                }
            }
        }
    }
}

/// Two bars in quavers, then Play a quarter into the third bar of the last metre; what is planned until two bars later, with the real engine.
fn answer(make: Make, song: &Song) -> Vec<Timed> {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, render: Render::Offline, ..Setup::default() });
    host.set("Seed", 0.3);
    host.set("Horizon", 0.0);
    let first: i32 = song.parts[..song.parts.len() - 1].iter().map(|(bars, _)| bars).sum::<i32>() + 1;
    let [from, pressed, end] = [song.bar(first).start, song.bar(first + 2).start + 1.0, song.bar(first + 5).start];
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a short song")]
    let sample = |quarters: f64| (quarters * QUARTER) as u64;
    let scale = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65];
    let quavers = (0..).map(|index| from + f64::from(index) / 2.0).take_while(|at| *at < song.bar(first + 2).start);
    let played: Vec<_> = quavers
        .zip(scale.into_iter().cycle())
        .flat_map(|(at, key)| {
            let on = Message::NoteOn { channel: 0, key, velocity: 0.7 };
            let off = Message::NoteOff { channel: 0, key, velocity: 0.0 };
            [Timed { sample: sample(at) + 5, message: on }, Timed { sample: sample(at + 0.4), message: off }]
        })
        .collect();
    let mut sent = Vec::new();
    song.play(&mut *host, 0.0, pressed, &played, |_, messages| sent.extend(messages));
    host.set("Play", 1.0);
    let before = sample(pressed);
    song.play(&mut *host, pressed, end - pressed, &[], |_, messages| {
        sent.extend(messages.iter().map(|timed| Timed { sample: timed.sample + before, ..*timed }));
    });
    sent.retain(|timed| !played.contains(timed));
    let first_note = sent.first().map(|timed| song.bar_at((timed.sample as f64 + 500.0) / QUARTER).number);
    assert_eq!(first_note, Some(first + 3), "{song:?}: Play begins with the next bar");
    sorted(&sent)
}

#[test]
fn play_answers_in_every_metre_as_with_right_bar_positions() {
    let [(_, clap), (_, vst3)] = LOADED;
    for (index, parts) in SONGS.into_iter().enumerate() {
        let song = |report| Song { parts, report, cycle: None };
        let right = answer(vst3, &song(Report::Current));
        assert!(right.len() >= 4, "{parts:?}: {} messages", right.len());
        // Ardour knows VST3; most CLAP hosts that do not fill in the bar leave it at 0.
        assert_eq!(answer(vst3, &song(Report::Number)), right, "{parts:?}, as Ardour reports");
        assert_eq!(answer(clap, &song(Report::Zero)), right, "{parts:?}, CLAP, zero");
        let (format, other) = if index % 2 == 0 { (clap, Report::Next) } else { (vst3, Report::Nothing) };
        assert_eq!(answer(format, &song(other)), right, "{parts:?}, {other:?}");
    }
}
