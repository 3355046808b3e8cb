//! Bar lines in every metre, through metre changes, locates and loops, whatever bar position the host reports.

use antiphon_engine::music::{Note, Role, Tick};
use antiphon_engine::plan::{Deviation, MusicalClock, SongBar, SongPosition};
use antiphon_engine::session::{Epoch, InputEvent, PlannedEvent};
use antiphon_plugin::clock::Cause;
use antiphon_plugin::planning_session::PlanningPorts;
use antiphon_tests::linked::take_ports;
use antiphon_tests::{Block, Class, Host, Message, Render, Setup, Timed, Transport};
use ringbuf::traits::{Consumer, Producer};

use crate::{LOADED, MANUAL, Make, sorted};

/// Sample rate in hertz.
const RATE: f64 = 48_000.0;
/// Quarters per minute.
const TEMPO: f64 = 120.0;
/// Samples per quarter.
const QUARTER: f64 = RATE * 60.0 / TEMPO;
/// Samples per block: bar lines fall inside blocks.
const FRAMES: u32 = 512;
/// Resolution of Ardour's positions per quarter.
const ARDOUR: f64 = 1_920.0;

/// What a host reports as the bar position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    /// The start of the current bar.
    Current,
    /// The start of the next bar.
    Next,
    /// Ardour 7.3: the bar number, from 1, times four quarters; positions are rounded.
    Number,
    /// The start of the song.
    Zero,
    /// Nothing; CLAP cannot express that, and gives 0.
    Nothing,
}

/// All reports except the correct one.
const WRONG: [Report; 4] = [Report::Next, Report::Number, Report::Zero, Report::Nothing];

/// A song with metre changes at bar lines: number of bars and metre of each section; the last has no end.
#[derive(Debug, Clone, Copy)]
struct Song {
    parts: &'static [(i32, (u16, u16))],
    report: Report,
    /// Loop in quarters.
    cycle: Option<(f64, f64)>,
}

/// A bar of a song, in quarters.
#[derive(Debug, Clone, Copy, PartialEq)]
struct BarInSong {
    /// From 1.
    number: i32,
    start: f64,
    length: f64,
    metre: (u16, u16),
}

impl Song {
    fn bar_at(&self, quarters: f64) -> BarInSong {
        let (mut number, mut start) = (1, 0.0);
        for (index, &(bars, metre)) in self.parts.iter().enumerate() {
            let length = f64::from(metre.0) * 4.0 / f64::from(metre.1);
            let end = start + f64::from(bars) * length;
            if index + 1 == self.parts.len() || quarters < end {
                #[allow(clippy::cast_possible_truncation, reason = "a bar of a short song")]
                let passed = ((quarters - start) / length).floor() as i32;
                return BarInSong { number: number + passed, start: start + f64::from(passed) * length, length, metre };
            }
            (number, start) = (number + bars, end);
        }
        unreachable!("the last part goes on")
    }

    /// The bar with this number.
    fn bar(&self, number: i32) -> BarInSong {
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

    /// Song position a number of samples after starting at `from`.
    fn position(&self, from: f64, samples: u64) -> f64 {
        let straight = from + samples as f64 / QUARTER;
        match self.cycle {
            Some((start, end)) if straight >= end => start + (straight - start) % (end - start),
            _ => straight,
        }
    }

    /// Plays a range block by block; passes the position and output of each block to `after`.
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

/// A session that plays a note on every bar line.
struct BarLineSession {
    ports: PlanningPorts,
    clock: Option<MusicalClock>,
    epoch: Epoch,
    /// Last bar line for which a note was sent.
    sent: Option<Tick>,
}

impl BarLineSession {
    fn new() -> Self {
        Self { ports: take_ports(), clock: None, epoch: Epoch(0), sent: None }
    }

    fn act(&mut self) {
        while let Some(event) = self.ports.events.try_pop() {
            match event {
                InputEvent::TransportChange { epoch, change } => {
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
                        self.ports.planned.try_push(PlannedEvent::Withdraw { epoch, from: clock.now() }).unwrap();
                    }
                }
                InputEvent::TimeReached { at, .. } => {
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
            self.ports
                .planned
                .try_push(PlannedEvent::Note { epoch: self.epoch, note, channel: 0, deviation: Deviation::default() })
                .unwrap();
        }
    }
}

/// Song positions at which a session with a note on every bar line sounds, for each stretch.
fn beats(make: Make, song: &mut Song, stretches: &[Stretch]) -> Vec<Vec<f64>> {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, ..Setup::default() });
    let mut session = BarLineSession::new();
    let mut all = Vec::new();
    for stretch in stretches {
        song.cycle = stretch.cycle;
        let mut onsets = Vec::new();
        song.play(&mut *host, stretch.from, stretch.quarters, &[], |_, sent| {
            let strikes = sent.iter().filter(|timed| matches!(timed.message, Message::NoteOn { .. }));
            onsets.extend(strikes.map(|timed| song.position(stretch.from, timed.sample)));
            session.act();
        });
        all.push(onsets);
    }
    all
}

/// A range the host plays in one go, in quarters.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: f64,
    quarters: f64,
    cycle: Option<(f64, f64)>,
}

const fn stretch(from: f64, quarters: f64) -> Stretch {
    Stretch { from, quarters, cycle: None }
}

/// The most common metres, and songs that change between them.
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
fn bar_lines_are_those_of_the_song_for_every_metre_and_report() {
    for (format, make) in MANUAL {
        for parts in SONGS {
            let mut song = Song { parts, report: Report::Current, cycle: None };
            // Two bars of the last metre, from one of its bar lines.
            let (first, last) = (song.bar(20), song.bar(22));
            let cycle = Some((first.start, last.start));
            // From the start through all changes; back to the middle of a bar; on to a bar line and to the middle of a bar far behind; a
            // loop.
            let stretches = [
                stretch(0.0, 40.0),
                stretch(1.3, 25.0),
                stretch(song.bar(18).start, 14.0),
                stretch(song.bar(23).start + 1.1, 14.0),
                Stretch { from: first.start + 0.5, quarters: 5.0 * (last.start - first.start), cycle },
            ];
            let right = beats(make, &mut song, &stretches);
            for (onsets, stretch) in right.iter().zip(stretches) {
                let expected = (stretch.quarters / song.bar(20).length).floor() - 1.0;
                assert!(onsets.len() as f64 >= expected, "{format}, {parts:?}, {stretch:?}: {onsets:?}");
                for at in onsets {
                    let bar = song.bar_at(at + 0.001);
                    assert!((at - bar.start).abs() < 0.002, "{format}, {parts:?}: a strike at {at} in {bar:?}");
                }
            }
            for report in WRONG {
                song.report = report;
                let onsets = beats(make, &mut song, &stretches);
                for ((onsets, right), stretch) in onsets.iter().zip(&right).zip(stretches) {
                    assert_eq!(onsets.len(), right.len(), "{format}, {parts:?}, {report:?}, {stretch:?}: {onsets:?} for {right:?}");
                    for (at, right) in onsets.iter().zip(right) {
                        assert!((at - right).abs() < 2.0 / ARDOUR, "{format}, {parts:?}, {report:?}: a strike at {at} for {right}");
                    }
                }
            }
        }
    }
}

/// Plays two bars of eighths, presses Play a quarter into the third bar of the last metre; returns what the real engine plays until two
/// bars later.
fn answer(make: Make, song: &Song) -> Vec<Timed> {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, render: Render::Offline, ..Setup::default() });
    host.set("Seed", 0.3);
    host.set("Bars ahead", 0.0);
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
fn answer_in_every_metre_does_not_depend_on_reported_bar_positions() {
    let [(_, clap), (_, vst3)] = LOADED;
    for (index, parts) in SONGS.into_iter().enumerate() {
        let song = |report| Song { parts, report, cycle: None };
        let right = answer(vst3, &song(Report::Current));
        assert!(right.len() >= 4, "{parts:?}: {} messages", right.len());
        // Ardour uses VST3; most CLAP hosts that report no bar position leave it at 0.
        assert_eq!(answer(vst3, &song(Report::Number)), right, "{parts:?}, as Ardour reports");
        assert_eq!(answer(clap, &song(Report::Zero)), right, "{parts:?}, CLAP, zero");
        let (format, other) = if index % 2 == 0 { (clap, Report::Next) } else { (vst3, Report::Nothing) };
        assert_eq!(answer(format, &song(other)), right, "{parts:?}, {other:?}");
    }
}
