//! The pictures of the window's main states, which `cargo xtask gallery` makes.

use std::path::Path;
use std::sync::Arc;

use antiphon_engine::music::{Clip, Note, Role, Tick, smf};
use antiphon_engine::plan::{HISTORY_ENTRIES, History, InfillRange, Plan, PlayMode, Reason, Side, Step, Variation};
use antiphon_engine::session::{Component, ShownLocks, ShownPlan, ShownTurn, Snapshot, Status, Takeover};
use antiphon_plugin::editor::plain_model::PlainModel;
use anyhow::Result;

use crate::scripted;
use crate::window::{Before, Format};

/// Bar of the playhead in the demo piece, from 0.
const BAR: u32 = 9;

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A plug-in just added to a track.
    FirstRun,
    /// The engine is missing.
    NoEngine,
    /// A plan in Suggest.
    Plan,
    /// Play was pressed, and waits for its bar line.
    Counting,
    /// The plan plays.
    Playing,
    /// The plan plays, and variation B was asked for.
    Swap,
    /// Accompany after Stop.
    Stopped,
    /// A mode at work.
    Mode(PlayMode),
    /// Another variation than A is shown, and one is coming.
    Variations,
    /// Notes and a bar are locked.
    Locked,
    /// The history is full.
    FullHistory,
    /// A phrase of the history is shown in place of the plan.
    Earlier,
}

/// Colours of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Light ground.
    Light,
    /// Dark ground.
    Dark,
}

/// One picture.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    /// Name of its file, without suffix.
    pub name: &'static str,
    /// What it shows.
    pub state: State,
    /// Its colours.
    pub look: Look,
    /// What was done in the window.
    pub before: Before,
    /// Size and scale.
    pub format: Format,
}

impl Picture {
    const fn new(name: &'static str, state: State) -> Self {
        Self { name, state, look: Look::Light, before: Before::Nothing, format: DEFAULT }
    }

    const fn dark(self) -> Self {
        Self { look: Look::Dark, ..self }
    }

    const fn after(self, before: Before) -> Self {
        Self { before, ..self }
    }

    const fn sized(self, width: u16, height: u16) -> Self {
        Self { format: Format { width, height, ..self.format }, ..self }
    }

    const fn scaled(self, scale: u16) -> Self {
        Self { format: Format { scale, ..self.format }, ..self }
    }

    /// Whether it is one of those that tests compare with an accepted one: all at 100 %.
    #[must_use]
    pub const fn is_golden(&self) -> bool {
        self.format.scale == 1
    }

    /// The window's model.
    ///
    /// # Errors
    /// If the demo piece cannot be read.
    pub fn model(&self) -> Result<PlainModel> {
        let mut model = model(self.state)?;
        model.dialled.push(("look", if self.look == Look::Dark { 1.0 } else { 0.0 }));
        Ok(model)
    }

    /// What the window showed before: where a phrase plays, the variations before Play, as they are remembered on their cards.
    ///
    /// # Errors
    /// If the demo piece cannot be read.
    pub fn earlier(&self) -> Result<Option<Arc<Snapshot>>> {
        let plays = matches!(self.state, State::Playing | State::Swap | State::Mode(PlayMode::Answer | PlayMode::Trade));
        plays.then(|| before_play(&self.model()?.snapshot)).transpose()
    }
}

const DEFAULT: Format = Format { width: 1000, height: 600, scale: 1 };

/// All pictures.
pub const PICTURES: [Picture; 29] = [
    Picture::new("first-run", State::FirstRun),
    Picture::new("no-engine", State::NoEngine),
    Picture::new("plan", State::Plan),
    Picture::new("plan-dark", State::Plan).dark(),
    Picture::new("counting", State::Counting),
    Picture::new("playing", State::Playing),
    Picture::new("playing-dark", State::Playing).dark(),
    Picture::new("swap", State::Swap),
    Picture::new("answer", State::Mode(PlayMode::Answer)),
    Picture::new("trade", State::Mode(PlayMode::Trade)),
    Picture::new("accompany", State::Mode(PlayMode::Accompany)),
    Picture::new("stopped", State::Stopped),
    Picture::new("infill", State::Mode(PlayMode::Infill)),
    Picture::new("variations", State::Variations),
    Picture::new("pointed", State::Plan).after(Before::PointedAt((365, 515))),
    Picture::new("locked", State::Locked),
    Picture::new("full-history", State::FullHistory),
    Picture::new("earlier", State::Earlier),
    Picture::new("selected", State::Plan).after(Before::Selected),
    Picture::new("scrolled", State::Plan).after(Before::Scrolled),
    Picture::new("keys", State::Plan).after(Before::TookKeys),
    Picture::new("drawer", State::Plan).after(Before::OpenedDrawer),
    Picture::new("narrow", State::Plan).sized(720, 420),
    Picture::new("narrow-drawer-dark", State::Locked).sized(720, 420).after(Before::OpenedDrawer).dark(),
    Picture::new("high", State::Plan).sized(1000, 900),
    Picture::new("wide-dark", State::Playing).sized(1500, 700).dark(),
    Picture::new("plan-200", State::Plan).scaled(2),
    Picture::new("plan-300", State::Plan).scaled(3),
    Picture::new("narrow-300-dark", State::Plan).sized(720, 420).scaled(3).dark(),
];

/// The picture of this name.
#[must_use]
pub fn find(name: &str) -> Option<Picture> {
    PICTURES.into_iter().find(|picture| picture.name == name)
}

fn piece() -> Result<Clip> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo/band.mid");
    Ok(smf::read_file(&file)?.clip)
}

/// What stood in the window before the phrase of a snapshot played.
fn before_play(playing: &Snapshot) -> Result<Arc<Snapshot>> {
    let Some(shown) = &playing.plan else { anyhow::bail!("no phrase plays") };
    let mut before = playing.clone();
    before.variations.plans = scripted::others(&piece()?, shown.plan.brief.start..shown.plan.brief.end);
    before.variations.plans[Variation::A.index()] = Some(shown.plan.clone());
    (before.variations.awaited, before.variations.takeover) = (None, None);
    before.plan.iter_mut().for_each(|shown| shown.playing = false);
    Ok(Arc::new(before))
}

fn model(state: State) -> Result<PlainModel> {
    let piece;
    let mut model = match state {
        State::FirstRun => return Ok(first_run()),
        State::NoEngine => return Ok(scripted::without_engine()),
        _ => {
            piece = self::piece()?;
            scripted::piece_at(&piece, BAR)
        }
    };
    let snapshot = Arc::make_mut(&mut model.snapshot);
    match state {
        State::FirstRun | State::NoEngine | State::Plan => {}
        State::Counting => snapshot.play_from = Some(snapshot.bar_at(model.now.playhead.tick()).bar.end()),
        State::Playing => play(snapshot, &piece, BAR - 1),
        State::Swap => {
            let other = snapshot.variations.plans[Variation::B.index()].clone();
            play(snapshot, &piece, BAR - 1);
            snapshot.variations.awaited = Some(Variation::B);
            if let Some(takeover) = &mut snapshot.variations.takeover {
                takeover.plan = other.map(|other| scripted::between(&other, takeover.at, other.brief.end));
            }
        }
        State::Stopped => {
            model.values.plan.mode = PlayMode::Accompany;
            (model.values.roles.output, model.values.roles.further[0]) = (Some(Role::Bass), Some(Role::Drums));
            snapshot.is_stopped = true;
            // It plans as far as in the other modes, but nothing plays.
            accompany(snapshot, None);
        }
        State::Mode(mode) => {
            model.values.plan.mode = mode;
            match mode {
                PlayMode::Suggest => {}
                PlayMode::Answer => {
                    // The player had paused for two beats.
                    let line = piece.metres.bar(BAR - 1).start;
                    let pause = line - Tick::quarters(2)..line;
                    snapshot.played.retain(|note| !pause.contains(&note.onset));
                    for note in snapshot.played.iter_mut().filter(|note| note.onset < pause.start && note.end() > pause.start) {
                        note.duration = pause.start - note.onset;
                    }
                    snapshot.harmony = scripted::harmony(&piece, BAR, &snapshot.played);
                    play(snapshot, &piece, BAR - 1);
                }
                PlayMode::Trade => {
                    play(snapshot, &piece, BAR);
                    snapshot.turn = Some(ShownTurn { side: Side::Antiphon, bars_left: 3, beats_left: 3 });
                }
                PlayMode::Accompany => {
                    accompany(snapshot, Some(piece.metres.bar(BAR + 2).start));
                    snapshot.plan.iter_mut().for_each(|shown| shown.playing = true);
                    (model.values.roles.output, model.values.roles.further[0]) = (Some(Role::Bass), Some(Role::Drums));
                }
                PlayMode::Infill => {
                    model.values.turns.infill = InfillRange { from: 12, bars: 2 };
                    let now = model.now.playhead.tick();
                    if let Some(mut shown) = snapshot.plan.take() {
                        let [from, after] = [11, 13].map(|bar| piece.metres.bar(bar).start);
                        // In the marked bars the player's drums stay.
                        let stays = |note: &&Note| note.role == Role::Drums || !(from..after).contains(&note.onset);
                        let song = shown.plan.notes().iter().filter(|note| note.onset >= now).filter(stays);
                        snapshot.song_ahead = song.copied().collect();
                        let fill = |plan: &Plan| scripted::only(&scripted::between(plan, from, after), |role| role != Role::Drums);
                        shown.plan = fill(&shown.plan);
                        shown.sounds_from = from;
                        snapshot.variations.plans.iter_mut().flatten().for_each(|plan| *plan = fill(plan));
                        *snapshot = std::mem::take(snapshot).with_plan(shown);
                    }
                    snapshot.song_loop = Some((9, 15));
                }
            }
        }
        State::Variations => {
            let ready = snapshot.variations.plans[Variation::B.index()].clone();
            snapshot.variations.plans[Variation::A.index()] = snapshot.plan.as_ref().map(|shown| shown.plan.clone());
            (snapshot.variations.shown, snapshot.variations.awaited) = (Variation::B, Some(Variation::D));
            if let (Some(shown), Some(plan)) = (snapshot.plan.take(), ready) {
                *snapshot = std::mem::take(snapshot).with_plan(ShownPlan { plan, ..shown });
            }
        }
        State::Locked => {
            let bar = snapshot.bar_at(model.now.playhead.tick()).bar.end();
            let notes = snapshot.plan.iter().flat_map(|shown| shown.plan.notes());
            let end = snapshot.bar_at(bar).bar.end();
            // Every bass note, and the whole bar after the playhead's.
            let locked = notes.filter(|note| note.role == Role::Bass || (bar..end).contains(&note.onset)).copied().collect();
            snapshot.locks = ShownLocks::new(locked, vec![bar]);
        }
        State::Earlier => {
            Arc::make_mut(&mut model.history).step(Step::Older, None);
        }
        State::FullHistory => {
            let mut full = History::default();
            for (seed, reason) in
                (0u32..HISTORY_ENTRIES.try_into()?).zip([Reason::Rerolled, Reason::PhraseEnd, Reason::Played].into_iter().cycle())
            {
                let (plan, place) = scripted::suggestion(&piece, seed * 5 % 7, 1000 + u64::from(seed));
                if let Some(id) = full.push(plan, place, reason)
                    && seed % 3 == 0
                {
                    full.star(id).map_err(|_| anyhow::anyhow!("too many stars"))?;
                }
            }
            model.history = Arc::new(full);
        }
    }
    Ok(model)
}

/// A phrase of four bars plays since the beginning of a bar, counted from 0: what sounded since is Antiphon's.
fn play(snapshot: &mut Snapshot, piece: &Clip, first: u32) {
    let Some(shown) = snapshot.plan.take() else { return };
    let [from, end] = [first, first + 4].map(|bar| piece.metres.bar(bar).start);
    // While a plan plays, others are made only when they are asked for. They take over from the beat after the next one on.
    snapshot.variations.plans = [const { None }; 4];
    snapshot.variations.takeover = Some(Takeover { at: shown.commit + Tick::quarters(1), plan: None });
    sounded(snapshot, |note| note.onset >= from);
    let plan = scripted::phrase(piece, from..end, Tick::ZERO, 1);
    *snapshot = std::mem::take(snapshot).with_plan(ShownPlan { plan, playing: true, sounds_from: from, ..shown });
}

/// What Antiphon has played besides what it had before.
fn sounded(snapshot: &mut Snapshot, is_antiphons: impl Fn(&Note) -> bool) {
    let all = snapshot.played_by().filter(|(note, by_antiphon)| *by_antiphon || is_antiphons(note));
    snapshot.by_antiphon = all.map(|(note, _)| *note).collect();
}

/// The plan of Accompany, up to this tick: bass and drums, which Antiphon has played so far.
fn accompany(snapshot: &mut Snapshot, until: Option<Tick>) {
    let Some(shown) = snapshot.plan.take() else { return };
    let plan = scripted::between(&shown.plan, shown.plan.brief.start, until.unwrap_or(shown.plan.brief.end));
    let plan = scripted::only(&plan, |role| matches!(role, Role::Bass | Role::Drums));
    snapshot.variations.takeover = None;
    sounded(snapshot, |note| matches!(note.role, Role::Bass | Role::Drums));
    *snapshot = std::mem::take(snapshot).with_plan(ShownPlan { plan, ..shown });
}

/// A plug-in that was just added to a track, with the engine ready.
fn first_run() -> PlainModel {
    let status =
        Status { engine: Component::Ready("ONNX Runtime 1.31.1".into()), model: Component::Ready("antiphon".into()), ..Status::default() };
    PlainModel::new(Snapshot { status, ..Snapshot::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_has_a_name_of_its_own_and_a_model() {
        for (place, picture) in PICTURES.iter().enumerate() {
            assert!(PICTURES[..place].iter().all(|other| other.name != picture.name), "{}", picture.name);
            picture.model().unwrap();
        }
        assert!(find("plan").is_some() && find("no such picture").is_none());
    }
}
