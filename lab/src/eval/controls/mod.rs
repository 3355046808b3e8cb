//! `antiphon-lab eval --controls`: requests values of density, register, key, mood and other controls, and measures the generated bars.

mod accuracy;
mod chord;
mod control;

use std::io::{self, Write};
use std::ops::AddAssign;
use std::path::Path;
use std::sync::Arc;

use antiphon_engine::codec::{self, BarFields, BarRows};
use antiphon_engine::decode::{Constraints, DecodeError, Prompt, Sampling};
use antiphon_engine::music::analysis::{KeySignature, Register, Scale, detect_key};
use antiphon_engine::music::{Note, Role, TempoMap, Tick, recent_roles};
use anyhow::{Context, Result};
use fastrand::Rng;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use self::accuracy::Accuracy;
use self::control::{Control, without_controls};
use super::generation;
use super::generation::prompts::{self, EvalPrompt, EvalPrompts, Lengths};
use super::model::EvalModel;
use super::pieces::ChosenFile;
use super::progress_bar;
use super::report::Skipped;
use crate::corpus::share;
use antiphon_cli::phrase::RECENT_BARS;
use antiphon_cli::phrase::{Phrases, measured};

/// Width in semitones of the register that is enforced as a hard constraint: two octaves.
const LIMIT_SEMITONES: u8 = 24;

/// Range of its lowest key.
const LIMIT_LOW: std::ops::RangeInclusive<u8> = 36..=72;

/// The command's options; prompts, bars and seed are those of `--generate`.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Measure the controls instead of bits per note: continue N pieces, request values of the controls, and measure how many bars have them
    ///
    /// Prompts are drawn as for --generate. For each control a value is drawn uniformly and set for all generated bars, which are otherwise
    /// conditioned on metre and tempo only; density, register, span, voices and key also act as logit biases. Where the context has drums only, density is
    /// the only control. Only the roles of the last bars of the context are allowed. Every generated bar is then labelled as training music is. It
    /// counts as exact if it has the requested value, and as near if it is at most one step off: the next bucket; for keys the relative key or one a
    /// fifth away; for moods one step brighter or darker, livelier or calmer. A bar without notes has no value and is neither. The base rate is the
    /// same for bars generated without controls. For the role, one of the sixteen is drawn as the only one allowed: a bar is exact if it has notes,
    /// all of that role. For the chord, one of the six common triads of the key of the context is drawn, and notes on a quarter
    /// counted. Last, hard constraints: a key's scale and a register of two octaves are drawn and enforced, and notes outside them counted.
    ///
    /// With --json: controls {density, register, span, voices, key, mood: {exact, near, bars [requested - 1][measured, 0 = none], base {exact, near,
    /// bars}}}, role {exact, base}, chord {on_beats, base, notes}, limits {notes, outside_scale, outside_register},
    /// prompts, model, seed, bars, prompt_bars, too_short, skipped.
    #[arg(long, value_name = "N", requires = "dir", conflicts_with_all = ["generate", "measure"], value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) controls: Option<u32>,
}

/// Requested and measured values, summed over prompts.
#[derive(Debug, Clone, PartialEq)]
struct ControlResults {
    /// By control: with the control set, and the base rate without.
    controls: Vec<(Accuracy, Accuracy)>,
    role: Hits,
    role_base: Hits,
    /// Notes on a quarter that are tones of the requested chord, and of a chord drawn alike where none is requested.
    chord: Hits,
    chord_base: Hits,
    /// Notes generated under hard constraints, and those that violate them.
    notes: usize,
    outside_scale: usize,
    outside_register: usize,
}

/// Bars or notes that meet a request, among all.
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

impl ControlResults {
    fn none() -> Self {
        let controls = Control::ALL.iter().map(|control| (Accuracy::new(*control), Accuracy::new(*control)));
        Self {
            controls: controls.collect(),
            role: Hits::default(),
            role_base: Hits::default(),
            chord: Hits::default(),
            chord_base: Hits::default(),
            notes: 0,
            outside_scale: 0,
            outside_register: 0,
        }
    }

    fn and(mut self, other: &Self) -> Self {
        for ((requested, base), (more_requested, more_base)) in self.controls.iter_mut().zip(&other.controls) {
            *requested += more_requested;
            *base += more_base;
        }
        self.role += other.role;
        self.role_base += other.role_base;
        self.chord += other.chord;
        self.chord_base += other.chord_base;
        self.notes += other.notes;
        self.outside_scale += other.outside_scale;
        self.outside_register += other.outside_register;
        self
    }

    fn json(&self) -> Value {
        let control = |(control, (requested, base)): (&Control, &(Accuracy, Accuracy))| {
            let mut entry = requested.json();
            entry["base"] = base.json();
            (control.name().to_owned(), entry)
        };
        json!({
            "controls": Control::ALL.iter().zip(&self.controls).map(control).collect::<Map<_, _>>(),
            "role": { "exact": self.role.share(), "base": self.role_base.share() },
            "chord": { "on_beats": self.chord.share(), "base": self.chord_base.share(), "notes": self.chord.of },
            "limits": { "notes": self.notes, "outside_scale": self.outside_scale, "outside_register": self.outside_register },
        })
    }
}

/// Draws `count` prompts, runs a trial on each, and prints the sums.
pub(super) fn run(
    count: u32,
    options: &generation::Options,
    files: Vec<ChosenFile>,
    dir: &Path,
    model: &EvalModel,
    json: bool,
) -> Result<()> {
    let lengths = Lengths { prompt: options.prompt_bars, bars: options.bars };
    let EvalPrompts { prompts, too_short, skipped } =
        prompts::draw(files, dir, usize::try_from(count)?, lengths, options.seed, &progress_bar("files"))?;
    let progress = progress_bar("prompts");
    progress.set_length(count.into());
    let run_trial = |(number, prompt): (usize, &EvalPrompt)| -> Result<ControlResults> {
        let seed = options.seed.wrapping_add(u64::try_from(number)?);
        let results = Trial { prompt, bars: lengths.bars, model, seed }.run();
        progress.inc(1);
        results.with_context(|| format!("{}: the model cannot continue it; try another --model or --onnxruntime", prompt.path))
    };
    let all: Vec<ControlResults> = prompts.par_iter().enumerate().map(run_trial).collect::<Result<_>>()?;
    progress.finish_and_clear();
    let results = all.iter().fold(ControlResults::none(), ControlResults::and);
    let mut report = results.json();
    let described = json!({
        "prompts": prompts.len(), "model": model.model.info().name, "seed": options.seed, "bars": lengths.bars,
        "prompt_bars": lengths.prompt, "too_short": too_short, "skipped": skipped,
    });
    let mut out = io::stdout().lock();
    if json {
        if let (Value::Object(report), Value::Object(described)) = (&mut report, described) {
            report.extend(described);
        }
        writeln!(out, "{report}")?;
    } else {
        let name = &model.model.info().name;
        writeln!(out, "{} prompts, {} bars after each, by {name}, seed {}", prompts.len(), lengths.bars, options.seed)?;
        print(&results, &skipped, &mut out)?;
    }
    Ok(())
}

fn print(results: &ControlResults, skipped: &[Skipped], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:10} {:>8} {:>8} {:>12} {:>12}", "control", "exact", "near", "base exact", "base near")?;
    for (control, (requested, base)) in Control::ALL.iter().zip(&results.controls) {
        let [exact, near, base_exact, base_near] = [requested.exact(), requested.near(), base.exact(), base.near()];
        writeln!(out, "{:10} {exact:>8.3} {near:>8.3} {base_exact:>12.3} {base_near:>12.3}", control.name())?;
    }
    writeln!(out, "{:10} {:>8.3} {:>8} {:>12.3}", "role", results.role.share(), "", results.role_base.share())?;
    writeln!(out, "{:10} {:>8.3} {:>8} {:>12.3}", "chord", results.chord.share(), "", results.chord_base.share())?;
    let ControlResults { notes, outside_scale, outside_register, .. } = results;
    writeln!(out, "hard limits: of {notes} notes {outside_scale} outside the scale, {outside_register} outside the register")?;
    skipped.iter().try_for_each(|Skipped { path, reason }| writeln!(out, "skipped: {path}: {reason}"))
}

/// One prompt, continued once for each request.
struct Trial<'a> {
    prompt: &'a EvalPrompt,
    bars: u32,
    model: &'a EvalModel,
    seed: u64,
}

impl Trial<'_> {
    fn run(&self) -> Result<ControlResults, DecodeError> {
        let mut results = ControlResults::none();
        let mut rng = Rng::with_seed(self.seed);
        let roles = self.recent_roles();
        let allowed = Constraints { roles: roles.iter().copied().collect(), ..Constraints::default() };
        let (base_bars, base) = self.generate(&without_controls, allowed.clone(), &[])?;
        for (control, (requested, not_requested)) in Control::ALL.into_iter().zip(&mut results.controls) {
            let value = rng.u8(1..=control.values());
            if roles == [Role::Drums] && !control.is_of_drums() {
                continue;
            }
            let biased = Constraints { requested: control.requested(value), ..allowed.clone() };
            let (_, measured) = self.generate(&|fields| control.only(fields, value), biased, &[])?;
            measured.iter().for_each(|bar| requested.count(value, control.of(bar)));
            base.iter().for_each(|bar| not_requested.count(value, control.of(bar)));
        }

        let role = Role::ALL[rng.usize(..Role::ALL.len())];
        let only = |bar: &BarRows| !bar.notes.is_empty() && bar.notes.iter().all(|note| note.role == role.class());
        let (bars, _) =
            self.generate(&without_controls, Constraints { roles: [role].into_iter().collect(), ..Constraints::default() }, &[role])?;
        results.role = Hits::count(&bars, only);
        results.role_base = Hits::count(&base_bars, only);

        if roles != [Role::Drums] {
            let chord = chord::drawn(&mut rng, detect_key(&self.prompt.context.notes()));
            let bound = Constraints { on_beat: chord.scale().bits(), ..allowed.clone() };
            let (bars, _) = self.generate(&|fields| BarFields { chords: [Some(chord); 2], ..without_controls(fields) }, bound, &[])?;
            results.chord = chord::on_beats(&bars, chord);
            results.chord_base = chord::on_beats(&base_bars, chord);
        }

        let low = rng.u8(LIMIT_LOW);
        let register = Register { low, high: low + LIMIT_SEMITONES };
        let value = rng.u8(1..=Control::Key.values());
        // Every value of this control is a key.
        let scale = KeySignature::from_value(value).map_or(Scale::CHROMATIC, Scale::of_key);
        let classes = scale.pitch_classes().fold(0, |bits, class| bits | 1 << class);
        let limited = Constraints { registers: allowed.registers.map(|_| register), scale: classes, ..allowed };
        let (bars, _) = self.generate(&|fields| Control::Key.only(fields, value), limited, &[])?;
        let notes: Vec<Note> = codec::decode(&bars, Tick::ZERO).into_iter().filter(|note| note.role != Role::Drums).collect();
        results.notes = notes.len();
        results.outside_scale = notes.iter().filter(|note| !scale.contains(note.pitch)).count();
        results.outside_register = notes.iter().filter(|note| !register.contains(note.pitch)).count();
        Ok(results)
    }

    fn recent_roles(&self) -> Vec<Role> {
        recent_roles(&self.prompt.context, self.prompt.context.end, RECENT_BARS)
    }

    /// Generates bars under this conditioning and these constraints, and labels them. `added_roles` are listed in the ensemble beside those of the
    /// context.
    fn generate(
        &self,
        conditioning: &dyn Fn(&BarFields) -> BarFields,
        mut constraints: Constraints,
        added_roles: &[Role],
    ) -> Result<(Vec<BarRows>, Vec<BarFields>), DecodeError> {
        let context = &self.prompt.context;
        let mut prompt = Prompt::continuation(context, context.end, self.bars, None);
        prompt.condition(|fields| conditioning(&fields));
        (constraints.until, constraints.rests_from) = (prompt.constraints.until, prompt.constraints.rests_from);
        prompt.constraints = constraints;
        let ensemble: std::collections::BTreeSet<Role> = prompts::roles(context).into_iter().chain(added_roles.iter().copied()).collect();
        let ensemble: Vec<Role> = ensemble.into_iter().collect();
        let (model, policy) = (Arc::clone(&self.model.model), Arc::clone(&self.model.policy));
        let mut phrases = Phrases::new(&prompt, model, policy, &ensemble, Sampling::default());
        let bars = phrases.bars(self.seed, || {})?;
        let mut measured = measured(&prompt, &bars);
        // A bar's key is found in those around it, too: of the generated ones alone, since the context is in a key of its own.
        let mut alone = bars.clone();
        codec::label(&mut alone, Tick::ZERO, &TempoMap::default());
        measured.iter_mut().zip(alone).for_each(|(fields, bar)| fields.key = bar.fields.key);
        Ok((bars, measured))
    }
}
