//! A clip is played to the plug-in, Play is pressed, and what it sends is recorded.

use std::time::{Duration, Instant};

use antiphon_engine::music::{Clip, Tick};
use antiphon_tests::{Block, ClapHost, Host, Message, Render, Roll, Timed, Transport, keyboard};
use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

/// Samples of a block: what most hosts have, 11 ms at 48 kHz.
pub(crate) const FRAMES: u32 = 512;
/// How long the host stands still at first, as long as a musician takes to begin. Meanwhile the plug-in loads its model.
const STANDING: Duration = Duration::from_secs(3);
/// How long before the seam Play is pressed, in ticks: an eighth note.
const PRESSED_BEFORE: f64 = 12.0;
/// How far into the answer it is worth looking at, in ticks.
const ANSWERED: f64 = 36.0;

/// What is to be played.
pub(crate) struct Wish {
    /// Bars of the clip.
    pub(crate) heard: u32,
    /// Bars of the plan, 1 to 8.
    pub(crate) bars: u32,
    /// 1 to 999.
    pub(crate) seed: u32,
    /// Hertz.
    pub(crate) sample_rate: f64,
    /// At the pace of the music, or as fast as the plug-in answers.
    pub(crate) render: Render,
}

/// What was played.
pub(crate) struct Performance {
    /// What the plug-in heard.
    pub(crate) context: Clip,
    /// What it answered. Its tick 0 is the seam.
    pub(crate) suggestion: Clip,
    /// Both, one after the other.
    pub(crate) song: Clip,
}

/// What there is to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// The plan is not played yet.
    Listening,
    /// The first bar of the answer is under way: there is something on both sides of the playhead.
    Answering,
}

/// Plays the clip and the answer, at the pace of the music: faster, and the plug-in would have less time than in a real host. `watch` is called
/// between blocks. The host is gone when this returns.
pub(crate) fn play(mut host: ClapHost, clip: &Clip, wish: &Wish, mut watch: impl FnMut(Scene)) -> Result<Performance> {
    let mut roll = Roll::new(clip.tempos.at(Tick::ZERO).bpm(), wish.sample_rate);
    let metre = clip.metres.at(Tick::ZERO);
    roll.metre = (metre.numerator().into(), metre.denominator().into());
    let line = |bar: u32| keyboard::bar_line(&roll, bar);
    let (seam, end) = (line(wish.heard), line(wish.heard + wish.bars));
    let origin = roll;
    let sample = |tick: Tick| origin.sample_of(tick.0 as f64);
    let (pressed, answered, over) = (sample(seam) - roll.sample_of(PRESSED_BEFORE), sample(seam) + roll.sample_of(ANSWERED), sample(end));
    let heard = keyboard::strike(clip, &roll, seam);
    ensure!(!heard.is_empty(), "the clip has no notes in its first {} bars", wish.heard);

    host.set("Seed", f64::from(wish.seed) / 999.0);
    host.set("Horizon", f64::from(wish.bars - 1) / 7.0);
    let mut out = Vec::new();
    let mut pace = Pace::start(wish);
    let bar = progress(over, wish.sample_rate);
    bar.set_message("the host stands, the model loads");
    let standing = Transport { playing: false, ..roll.transport() };
    while wish.render == Render::RealTime && pace.began.elapsed() < STANDING {
        pace.wait(FRAMES);
        step(&mut host, standing, &[], FRAMES);
        watch(Scene::Listening);
    }

    bar.set_message("it listens");
    let mut left = heard.as_slice();
    while roll.played < over {
        // Blocks end where something is to be done, so that it is done on the very sample.
        let next = [pressed, sample(seam), over].into_iter().find(|&at| at > roll.played).unwrap_or(over);
        let frames = u32::try_from(next - roll.played).map_or(FRAMES, |left| left.min(FRAMES));
        if roll.played == pressed {
            host.set("Play", 1.0);
            bar.set_message("Play is pressed");
        } else if roll.played == sample(seam) {
            host.set("Play", 0.0);
            bar.set_message("it plays");
        }
        let now = left.partition_point(|timed| timed.sample < roll.played + u64::from(frames));
        let inside: Vec<Timed> = left[..now].iter().map(|timed| Timed { sample: timed.sample - roll.played, ..*timed }).collect();
        left = &left[now..];
        pace.wait(frames);
        let sent = step(&mut host, roll.transport(), &inside, frames);
        out.extend(sent.into_iter().map(|timed| Timed { sample: timed.sample + roll.played, ..timed }));
        roll.played += u64::from(frames);
        watch(if roll.played < answered { Scene::Listening } else { Scene::Answering });
        bar.set_position(roll.played);
    }
    bar.finish_and_clear();
    let stopped = Transport { playing: false, ..roll.transport() };
    out.extend(step(&mut host, stopped, &[], FRAMES).into_iter().map(|timed| Timed { sample: timed.sample + roll.played, ..timed }));
    drop(host);

    let at_seam = sample(seam);
    let through: Vec<&Timed> = out.iter().filter(|timed| timed.sample < at_seam).collect();
    ensure!(same(&through, &heard), "the plug-in did not pass the clip through as it was played");
    ensure!(every_key_is_up(&out), "a note hangs after the transport stopped");
    Ok(Performance {
        context: keyboard::record(&heard, &roll, Tick::ZERO, seam),
        suggestion: keyboard::record(&out, &roll, seam, end),
        song: keyboard::record(&out, &roll, Tick::ZERO, end),
    })
}

/// Whether the same messages came, whatever the order within a sample.
fn same(through: &[&Timed], heard: &[Timed]) -> bool {
    through.len() == heard.len() && heard.iter().all(|timed| through.contains(&timed))
}

fn every_key_is_up(out: &[Timed]) -> bool {
    let mut down = Vec::new();
    for timed in out {
        match timed.message {
            Message::NoteOn { channel, key, .. } => down.push((channel, key)),
            Message::NoteOff { channel, key, .. } => down.retain(|&other| other != (channel, key)),
            _ => {}
        }
    }
    down.is_empty()
}

fn step(host: &mut ClapHost, transport: Transport, messages: &[Timed], frames: u32) -> Vec<Timed> {
    let sent = host.process(&Block { frames, transport: Some(transport), messages, ..Block::default() }).messages;
    host.idle();
    sent
}

/// Blocks at the pace of a sound card.
struct Pace {
    began: Instant,
    render: Render,
    sample_rate: f64,
    played: u64,
}

impl Pace {
    fn start(wish: &Wish) -> Self {
        Self { began: Instant::now(), render: wish.render, sample_rate: wish.sample_rate, played: 0 }
    }

    /// Until the next block is due.
    fn wait(&mut self, frames: u32) {
        if self.render == Render::Offline {
            return;
        }
        let due = self.began + Duration::from_secs_f64(self.played as f64 / self.sample_rate);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        self.played += u64::from(frames);
    }
}

fn progress(samples: u64, sample_rate: f64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {elapsed} of {seconds}  {msg}").map(|style| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a short song")]
        let seconds = (samples as f64 / sample_rate).ceil() as u64 + STANDING.as_secs();
        style.with_key("seconds", move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            // Writing to a line that is drawn cannot fail in a way that matters.
            let _ = write!(out, "{seconds} s");
        })
    });
    ProgressBar::new(samples).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
