//! `antiphon-lab eval --controls`: asks for densities, registers, keys, moods, roles, and measures what is played.

mod accuracy;
mod control;

use std::io::{self, Write};
use std::ops::AddAssign;
use std::path::Path;
use std::sync::Arc;

use antiphon_engine::codec::{self, BarFields, BarRows};
use antiphon_engine::decode::{Constraints, DecodeError, Sampling};
use antiphon_engine::music::analysis::{Key, Register, Scale};
use antiphon_engine::music::{Note, Role, Tick, recent_roles};
use anyhow::{Context, Result};
use fastrand::Rng;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use self::accuracy::Accuracy;
use self::control::{Control, unasked};
use super::pieces::ChosenFile;
use super::playing::prompts::{self, Lengths, Prompt, Prompts};
use super::playing::{self, Player};
use super::progress_bar;
use super::report::Skipped;
use crate::corpus::share;
use antiphon_cli::phrase::RECENT_BARS;
use antiphon_cli::phrase::{Phrases, Score};

/// Semitones of the register that a hard limit is tried with: two octaves.
const LIMIT_SEMITONES: u8 = 24;

/// The lowest keys that such a register has.
const LIMIT_LOW: std::ops::RangeInclusive<u8> = 36..=72;

/// The command's options; prompts, bars and seed are those of `--generate`.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Do not score the model on DIR: let it continue N of its pieces and measure whether it does as asked
    ///
    /// Prompts are drawn as for --generate. For each control a value is drawn uniformly and told to all bars ahead, which are told their metre and
    /// tempo and nothing else; density, register, span and voices have a logit bias as well. Where only drums play, density alone is asked for. Only the roles
    /// heard last may play, anywhere. Every bar made is then measured as training music is, and counts as exact
    /// if it has the value asked, and as near if it is at most one step off: the next bucket; of keys the relative one or one a fifth away; of moods one
    /// step brighter or darker, livelier or calmer. A bar without notes has no value and is neither. Beside it stands the base rate: the same of bars
    /// that were told nothing. For the role, one of the sixteen is drawn, the only one that may play: a bar is exact if it has notes, all of that role.
    /// Last, hard limits: a key's scale and a register of two octaves are drawn and enforced, and the notes outside of them counted.
    ///
    /// With --json: controls {density, register, span, voices, key, mood: {exact, near, bars [asked - 1][measured, 0 = none], base {exact, near, bars}}},
    /// role {exact, base}, limits {notes, outside_scale, outside_register}, prompts, model, seed, bars, prompt_bars, too_short, skipped.
    #[arg(long, value_name = "N", requires = "dir", conflicts_with_all = ["generate", "measure"], value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) controls: Option<u32>,
}

/// What was asked and what came of it.
#[derive(Debug, Clone, PartialEq)]
struct Obedience {
    /// By control: asked, and not asked.
    controls: Vec<(Accuracy, Accuracy)>,
    role: Hits,
    role_base: Hits,
    /// Notes made under hard limits, and those outside of them.
    notes: usize,
    outside_scale: usize,
    outside_register: usize,
}

/// Bars that are as asked, among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Hits {
    hits: usize,
    of: usize,
}

impl Hits {
    fn count(bars: &[BarRows], hit: impl Fn(&BarRows) -> bool) -> Self {
        Self { hits: bars.iter().filter(|bar| hit(bar)).count(), of: bars.len() }
    }

    fn share(self) -> f64 {
        share(self.hits, self.of)
    }
}

impl AddAssign for Hits {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.of += other.of;
    }
}

impl Obedience {
    fn none() -> Self {
        let controls = Control::ALL.iter().map(|control| (Accuracy::new(*control), Accuracy::new(*control)));
        Self {
            controls: controls.collect(),
            role: Hits::default(),
            role_base: Hits::default(),
            notes: 0,
            outside_scale: 0,
            outside_register: 0,
        }
    }

    fn and(mut self, other: &Self) -> Self {
        for ((asked, base), (more_asked, more_base)) in self.controls.iter_mut().zip(&other.controls) {
            *asked += more_asked;
            *base += more_base;
        }
        self.role += other.role;
        self.role_base += other.role_base;
        self.notes += other.notes;
        self.outside_scale += other.outside_scale;
        self.outside_register += other.outside_register;
        self
    }

    fn json(&self) -> Value {
        let control = |(control, (asked, base)): (&Control, &(Accuracy, Accuracy))| {
            let mut entry = asked.json();
            entry["base"] = base.json();
            (control.name().to_owned(), entry)
        };
        json!({
            "controls": Control::ALL.iter().zip(&self.controls).map(control).collect::<Map<_, _>>(),
            "role": { "exact": self.role.share(), "base": self.role_base.share() },
            "limits": { "notes": self.notes, "outside_scale": self.outside_scale, "outside_register": self.outside_register },
        })
    }
}

/// Draws `count` prompts, asks for everything in turn, and prints what came of it.
pub(super) fn run(count: u32, options: &playing::Options, files: Vec<ChosenFile>, dir: &Path, player: &Player, json: bool) -> Result<()> {
    let lengths = Lengths { prompt: options.prompt_bars, bars: options.bars };
    let Prompts { prompts, too_short, skipped } =
        prompts::draw(files, dir, usize::try_from(count)?, lengths, options.seed, &progress_bar("files"))?;
    let progress = progress_bar("prompts");
    progress.set_length(count.into());
    let ask = |(number, prompt): (usize, &Prompt)| -> Result<Obedience> {
        let seed = options.seed.wrapping_add(u64::try_from(number)?);
        let asked = Trial { prompt, bars: lengths.bars, player, seed }.run();
        progress.inc(1);
        asked.with_context(|| format!("{}: the model cannot continue it; try another --model or --onnxruntime", prompt.path))
    };
    let all: Vec<Obedience> = prompts.par_iter().enumerate().map(ask).collect::<Result<_>>()?;
    progress.finish_and_clear();
    let obedience = all.iter().fold(Obedience::none(), Obedience::and);
    let mut report = obedience.json();
    let described = json!({
        "prompts": prompts.len(), "model": player.model.info().name, "seed": options.seed, "bars": lengths.bars,
        "prompt_bars": lengths.prompt, "too_short": too_short, "skipped": skipped,
    });
    let mut out = io::stdout().lock();
    if json {
        if let (Value::Object(report), Value::Object(described)) = (&mut report, described) {
            report.extend(described);
        }
        writeln!(out, "{report}")?;
    } else {
        let name = &player.model.info().name;
        writeln!(out, "{} prompts, {} bars after each, by {name}, seed {}", prompts.len(), lengths.bars, options.seed)?;
        print(&obedience, &skipped, &mut out)?;
    }
    Ok(())
}

fn print(obedience: &Obedience, skipped: &[Skipped], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:10} {:>8} {:>8} {:>12} {:>12}", "asked", "exact", "near", "base exact", "base near")?;
    for (control, (asked, base)) in Control::ALL.iter().zip(&obedience.controls) {
        let [exact, near, base_exact, base_near] = [asked.exact(), asked.near(), base.exact(), base.near()];
        writeln!(out, "{:10} {exact:>8.3} {near:>8.3} {base_exact:>12.3} {base_near:>12.3}", control.name())?;
    }
    writeln!(out, "{:10} {:>8.3} {:>8} {:>12.3}", "role", obedience.role.share(), "", obedience.role_base.share())?;
    let Obedience { notes, outside_scale, outside_register, .. } = obedience;
    writeln!(out, "hard limits: of {notes} notes {outside_scale} outside the scale, {outside_register} outside the register")?;
    skipped.iter().try_for_each(|Skipped { path, reason }| writeln!(out, "skipped: {path}: {reason}"))
}

/// A prompt that is continued again and again, each time asked for something else.
struct Trial<'a> {
    prompt: &'a Prompt,
    bars: u32,
    player: &'a Player,
    seed: u64,
}

impl Trial<'_> {
    fn run(&self) -> Result<Obedience, DecodeError> {
        let mut obedience = Obedience::none();
        let mut rng = Rng::with_seed(self.seed);
        let roles = self.recent_roles();
        let allowed = Constraints { roles: roles.iter().copied().collect(), ..Constraints::default() };
        let (unasked_bars, base) = self.made(&unasked, allowed.clone(), &[])?;
        for (control, (asked, not_asked)) in Control::ALL.into_iter().zip(&mut obedience.controls) {
            let value = rng.u8(1..=control.values());
            if roles == [Role::Drums] && !control.is_of_drums() {
                continue;
            }
            let requested = Constraints { requested: control.requested(value), ..allowed.clone() };
            let (_, measured) = self.made(&|fields| control.alone(fields, value), requested, &[])?;
            measured.iter().for_each(|bar| asked.count(value, control.of(bar)));
            base.iter().for_each(|bar| not_asked.count(value, control.of(bar)));
        }

        let role = Role::ALL[rng.usize(..Role::ALL.len())];
        let only = |bar: &BarRows| !bar.notes.is_empty() && bar.notes.iter().all(|note| note.role == role.class());
        let (bars, _) = self.made(&unasked, Constraints { roles: [role].into_iter().collect(), ..Constraints::default() }, &[role])?;
        obedience.role = Hits::count(&bars, only);
        obedience.role_base = Hits::count(&unasked_bars, only);

        let low = rng.u8(LIMIT_LOW);
        let register = Register { low, high: low + LIMIT_SEMITONES };
        let value = rng.u8(1..=Control::Key.values());
        // Every value of the control is a key's.
        let scale = Key::from_value(value).map_or(Scale::CHROMATIC, Scale::of_key);
        let classes = scale.pitch_classes().fold(0, |bits, class| bits | 1 << class);
        let limited = Constraints { registers: allowed.registers.map(|_| register), scale: classes, ..allowed };
        let (bars, _) = self.made(&|fields| Control::Key.alone(fields, value), limited, &[])?;
        let notes: Vec<Note> = codec::decode(&bars, Tick::ZERO).into_iter().filter(|note| note.role != Role::Drums).collect();
        obedience.notes = notes.len();
        obedience.outside_scale = notes.iter().filter(|note| !scale.contains(note.pitch)).count();
        obedience.outside_register = notes.iter().filter(|note| !register.contains(note.pitch)).count();
        Ok(obedience)
    }

    fn recent_roles(&self) -> Vec<Role> {
        recent_roles(&self.prompt.heard, self.prompt.heard.end, RECENT_BARS)
    }

    /// The bars that are made when they are told this under these constraints, and what they are measured to be. `guests` are roles that are announced
    /// beside those heard.
    fn made(
        &self,
        told: &dyn Fn(&BarFields) -> BarFields,
        constraints: Constraints,
        guests: &[Role],
    ) -> Result<(Vec<BarRows>, Vec<BarFields>), DecodeError> {
        let heard = &self.prompt.heard;
        let mut score = Score::new(heard, heard.end, self.bars, None);
        score.ask(|fields| told(&fields));
        let ensemble: std::collections::BTreeSet<Role> = prompts::roles(heard).into_iter().chain(guests.iter().copied()).collect();
        let ensemble: Vec<Role> = ensemble.into_iter().collect();
        let (model, policy) = (Arc::clone(&self.player.model), Arc::clone(&self.player.policy));
        let mut phrases = Phrases::new(&score, model, policy, &ensemble, Sampling::default(), constraints);
        let bars = phrases.bars(self.seed, || {})?;
        let measured = score.measured(&bars);
        Ok((bars, measured))
    }
}
