//! State saved with the project besides the parameters: the history of suggestions, the take, the memory of the player, learnt triggers, the
//! slots 1 and 2, the chosen chords, and the size of the window.
//!
//! nice-plug writes one chunk of JSON: the parameters by id, and [`Saved`] under `antiphon`. A chunk that is not valid JSON it rejects by
//! itself, telling the host but not the plug-in. [`admit`] checks the rest before anything is applied: a damaged or foreign chunk changes
//! nothing, and the status line says why. Fields written by a newer version are kept and written back.
//!
//! Hosts save from their main thread at any time, even before an instance is activated. So the history lives here: session and editor edit
//! it under a short lock, and saving clones a reference and releases the lock before it serialises. The audio thread only reads a counter.

mod saved;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use antiphon_engine::plan::{ChordChart, History, PlayerMemory, Take};
use nice_plug::params::persist::PersistentField;
use nice_plug::prelude::PluginState;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::params::{TRIGGERS, set_aside};
use crate::presets::Comparison;
use crate::triggers::Triggers;
pub use saved::{Saved, VERSION, WindowSize};

/// Field name of [`Saved`] in the chunk.
const FIELD: &str = "antiphon";

/// A parameter that identifies our chunks: every one of ours has it, and no other program's.
const OURS: &str = "adventurousness";

/// The saved object, and how often one was loaded.
///
/// Loading calls neither `activate` nor `reset`, so `process()` compares [`generation`](Self::generation) with its last value.
#[derive(Debug, Default)]
pub struct State {
    /// Learnt triggers. Read on the audio thread.
    pub triggers: Triggers,
    saved: Mutex<Saved>,
    generation: AtomicU32,
}

impl State {
    /// Number of loads. Read on the audio thread.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether a newer version wrote the state loaded last, so that parts of it were not understood.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.saved.lock().version > VERSION
    }

    /// The history at this point in time.
    #[must_use]
    pub fn history(&self) -> Arc<History> {
        Arc::clone(&self.saved.lock().history)
    }

    /// Edits the history. References returned earlier keep the old version.
    pub fn edit<R>(&self, edit: impl FnOnce(&mut History) -> R) -> R {
        edit(Arc::make_mut(&mut self.saved.lock().history))
    }

    /// The take at this point in time.
    #[must_use]
    pub fn take(&self) -> Arc<Take> {
        Arc::clone(&self.saved.lock().take)
    }

    /// Edits the take. References returned earlier keep the old version.
    pub fn edit_take<R>(&self, edit: impl FnOnce(&mut Take) -> R) -> R {
        edit(Arc::make_mut(&mut self.saved.lock().take))
    }

    /// The memory of the player at this point in time.
    #[must_use]
    pub fn memory(&self) -> Arc<PlayerMemory> {
        Arc::clone(&self.saved.lock().memory)
    }

    /// Edits the memory. References returned earlier keep the old version.
    pub fn edit_memory<R>(&self, edit: impl FnOnce(&mut PlayerMemory) -> R) -> R {
        edit(Arc::make_mut(&mut self.saved.lock().memory))
    }

    /// The size of the window, if it was changed.
    #[must_use]
    pub fn window_size(&self) -> Option<WindowSize> {
        self.saved.lock().window
    }

    /// Remembers the size of the window.
    pub fn set_window_size(&self, size: WindowSize) {
        self.saved.lock().window = Some(size);
    }

    /// The chosen chords at this point in time.
    #[must_use]
    pub fn chart(&self) -> Arc<ChordChart> {
        Arc::clone(&self.saved.lock().chart)
    }

    /// Changes the chosen chords.
    pub fn set_chart(&self, chart: ChordChart) {
        let _before = std::mem::replace(&mut self.saved.lock().chart, Arc::new(chart));
    }

    /// The slots 1 and 2.
    #[must_use]
    pub fn comparison(&self) -> Comparison {
        self.saved.lock().comparison.clone()
    }

    /// Changes the slots.
    pub fn set_comparison(&self, comparison: Comparison) {
        let _before = std::mem::replace(&mut self.saved.lock().comparison, comparison);
    }

    /// What the player should know about the project, in sentences.
    #[must_use]
    pub fn status_message(&self) -> Option<String> {
        let (newer, history, refused) = {
            let saved = self.saved.lock();
            (saved.version > VERSION, Arc::clone(&saved.history), saved.refused.clone())
        };
        let newer = newer.then(|| "A newer Antiphon saved this project: settings that this version does not know stay in it".to_owned());
        let unreadable = match history.unreadable() {
            0 => None,
            1 => Some("One suggestion of the project could not be read".to_owned()),
            count => Some(format!("{count} suggestions of the project could not be read")),
        };
        let messages: Vec<_> = [refused, newer, unreadable].into_iter().flatten().collect();
        (!messages.is_empty()).then(|| messages.join(". "))
    }
}

impl PersistentField<'_, Saved> for Arc<State> {
    /// Merges the loaded history into the current one: a host's undo loads old chunks, which must not lose suggestions, and no remembered phrase. An earlier
    /// state of the take is ignored for the same reason.
    fn set(&self, loaded: Saved) {
        let mut saved = self.saved.lock();
        if loaded.refused.is_some() {
            saved.refused = loaded.refused;
            return;
        }
        let mut history = std::mem::take(&mut saved.history);
        Arc::make_mut(&mut history).merge(Arc::unwrap_or_clone(loaded.history));
        let mut take = std::mem::take(&mut saved.take);
        Arc::make_mut(&mut take).load(Arc::unwrap_or_clone(loaded.take));
        let mut memory = std::mem::take(&mut saved.memory);
        Arc::make_mut(&mut memory).merge(Arc::unwrap_or_clone(loaded.memory));
        self.triggers.restore(&loaded.triggers);
        *saved = Saved { history, take, memory, ..loaded };
        self.generation.fetch_add(1, Ordering::Release);
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&Saved) -> R,
    {
        let saved = Saved { triggers: self.triggers.saved(), ..self.saved.lock().clone() };
        f(&saved)
    }
}

/// Rejects a damaged or foreign chunk by replacing its content with the reason. A chunk without [`Saved`] but with our parameters is a
/// preset: it sets controls, leaves the history alone and triggers no command.
pub fn admit(chunk: &mut PluginState) {
    if !chunk.fields.contains_key(FIELD) {
        TRIGGERS.iter().for_each(|trigger| drop(chunk.params.remove(*trigger)));
    }
    if let Some(reason) = refusal(chunk) {
        let refused = format!("A saved state was not loaded because {reason}; nothing was changed");
        chunk.params.clear();
        chunk.fields.clear();
        chunk.fields.insert(FIELD.to_owned(), json!({ "version": VERSION, "refused": refused }).to_string());
    }
    set_aside(chunk);
}

/// Why a chunk must be rejected, if it must. Removes a newer version's history if it cannot be read.
pub fn refusal(chunk: &mut PluginState) -> Option<String> {
    match chunk.fields.get_mut(FIELD) {
        Some(field) => read(field).err().map(|error| format!("it is damaged ({error})")),
        None => (!chunk.params.contains_key(OURS)).then(|| "another program wrote it".to_owned()),
    }
}

/// Checks that the object can be read. If a newer version changed the format of the history, the history is removed and the rest is kept.
fn read(field: &mut String) -> Result<(), serde_json::Error> {
    let Err(error) = serde_json::from_str::<Saved>(field) else { return Ok(()) };
    let mut newer = serde_json::from_str::<Map<String, Value>>(field)?;
    let is_newer = newer.get("version").and_then(Value::as_u64).is_some_and(|version| version > VERSION.into());
    if !is_newer || newer.remove("history").is_none() {
        return Err(error);
    }
    let rest = Value::Object(newer).to_string();
    serde_json::from_str::<Saved>(&rest)?;
    *field = rest;
    Ok(())
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{Bar, Metre, MetreMap, Note, Role, Tempo, Tick};
    use antiphon_engine::plan::{Brief, Controls, Fingerprint, Passage, Phrase, Place, Plan, PlanId, Reason};
    use nice_plug::params::Params;
    use nice_plug::plugin::ParamValue;

    use super::*;
    use crate::params::AntiphonParams;

    fn chunk(field: &str) -> PluginState {
        PluginState {
            version: "0.1.0".into(),
            params: [("horizon".to_owned(), ParamValue::I32(7)), (OURS.to_owned(), ParamValue::F32(0.75))].into(),
            fields: [(FIELD.to_owned(), field.to_owned())].into(),
        }
    }

    /// Loads a chunk as nice-plug does.
    fn load(params: &AntiphonParams, mut chunk: PluginState) -> PluginState {
        admit(&mut chunk);
        params.deserialize_fields(&chunk.fields);
        chunk
    }

    /// Adds a plan of one note to the history; returns the seeds of all entries.
    fn suggest(params: &AntiphonParams, seed: u64) -> Vec<u64> {
        let (start, end) = (Tick(96), Tick(192));
        let brief =
            Brief { plan: PlanId(1), made_at: Tick(72), start, end, seed, controls: Controls::default(), context: Fingerprint::SILENCE };
        let mut plan = Plan::new(brief);
        let note = Note { onset: start, offset: 0, duration: Tick(24), pitch: 60, velocity: 80, role: Role::Keys };
        plan.append(&Passage { plan: PlanId(1), from: start, until: end, notes: vec![note] });
        let place = Place { bar: 2, line: start, metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None };
        params.state.edit(|history| history.push(plan, place, Reason::Played));
        seeds(params)
    }

    fn seeds(params: &AntiphonParams) -> Vec<u64> {
        params.state.history().entries().iter().map(|entry| entry.plan().brief.seed).collect()
    }

    #[test]
    fn saved_state_is_loaded_and_counted() {
        let (from, to) = (AntiphonParams::new(true), AntiphonParams::new(true));
        suggest(&from, 5);
        let saved = from.serialize_fields();
        load(&to, chunk(&saved[FIELD]));
        assert_eq!((to.state.generation(), to.state.is_newer(), seeds(&to)), (1, false, vec![5]));
        assert_eq!(to.serialize_fields(), saved);
        assert_eq!(to.state.status_message(), None);
    }

    #[test]
    fn undo_keeps_the_whole_history() {
        let params = AntiphonParams::new(true);
        suggest(&params, 1);
        let before = params.serialize_fields();
        suggest(&params, 2);
        load(&params, chunk(&before[FIELD]));
        assert_eq!(seeds(&params), [1, 2]);
        let mut preset = chunk("");
        preset.fields.clear();
        load(&params, preset);
        assert_eq!(seeds(&params), [1, 2]);
    }

    /// Remembers a phrase of four notes on this key.
    fn remember(params: &AntiphonParams, pitch: u8) {
        let bar = Bar { index: 0, start: Tick(0), length: Tick(96), metre: Metre::COMMON };
        let note = |beat: i64| Note { onset: Tick(24 * beat), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys };
        let phrase = Phrase::new(&[bar], &[0, 1, 2, 3].map(note)).unwrap();
        params.state.edit_memory(|memory| memory.learn(phrase));
    }

    #[test]
    fn memory_is_saved_merged_and_kept_from_damage() {
        let (from, to) = (AntiphonParams::new(true), AntiphonParams::new(true));
        assert!(!from.serialize_fields()[FIELD].contains("memory"), "an empty memory takes no room");
        remember(&from, 60);
        let saved = from.serialize_fields();
        remember(&to, 62);
        load(&to, chunk(&saved[FIELD]));
        let pitches =
            |params: &AntiphonParams| params.state.memory().phrases().iter().map(|phrase| phrase.notes()[0].pitch).collect::<Vec<_>>();
        assert_eq!(pitches(&to), [60, 62], "a load loses nothing");
        load(&to, chunk(&saved[FIELD].replacen("\"memory\":[", "\"memory\":7,\"unread\":[", 1)));
        assert_eq!(pitches(&to), [60, 62]);
        load(&to, chunk(&saved[FIELD].replacen("[96,4,4]", "[96,4,5]", 1)));
        assert_eq!(pitches(&to), [60, 62], "a damaged phrase is left out");
        to.state.edit_memory(PlayerMemory::forget);
        let reopened = AntiphonParams::new(true);
        load(&reopened, chunk(&to.serialize_fields()[FIELD]));
        assert!(reopened.state.memory().is_empty(), "what was forgotten is not saved");
    }

    #[test]
    fn size_of_the_window_is_saved_once_it_was_changed() {
        let (from, to) = (AntiphonParams::new(true), AntiphonParams::new(true));
        assert!(!from.serialize_fields()[FIELD].contains("window"));
        let size = WindowSize { width: 1200.0, height: 700.5 };
        from.state.set_window_size(size);
        load(&to, chunk(&from.serialize_fields()[FIELD]));
        assert_eq!(to.state.window_size(), Some(size));
    }

    #[test]
    fn slots_and_chosen_chords_are_saved_once_they_are_used_and_loaded() {
        let (from, to) = (AntiphonParams::new(true), AntiphonParams::new(true));
        assert!(!["comparison", "chart"].iter().any(|field| from.serialize_fields()[FIELD].contains(field)));
        let other = Some([("voices".to_owned(), "1 voice".to_owned())].into());
        let comparison = Comparison { active: crate::presets::Slot::Two, other };
        from.state.set_comparison(comparison.clone());
        let mut chart = ChordChart::default();
        chart.repeat(5, "Am F").unwrap();
        from.state.set_chart(chart.clone());
        load(&to, chunk(&from.serialize_fields()[FIELD]));
        assert_eq!((to.state.comparison(), &*to.state.chart()), (comparison, &chart));
    }

    #[test]
    fn edit_does_not_change_a_history_taken_before() {
        let params = AntiphonParams::new(true);
        suggest(&params, 1);
        let looked_at = params.state.history();
        assert_eq!(suggest(&params, 2), [1, 2]);
        assert_eq!(looked_at.entries().len(), 1);
    }

    #[test]
    fn fields_of_a_newer_version_are_written_back() {
        let params = AntiphonParams::new(true);
        let newer = r#"{"version":2,"dreams":["flying"],"history":{"entries":[],"order":"new"}}"#;
        load(&params, chunk(newer));
        assert!(params.state.is_newer());
        assert!(params.state.status_message().unwrap().contains("newer Antiphon"));
        let written: Value = serde_json::from_str(&params.serialize_fields()[FIELD]).unwrap();
        assert_eq!(written, json!({ "version": 2, "dreams": ["flying"], "history": { "entries": [] } }));
    }

    #[test]
    fn unreadable_history_of_a_newer_version_leaves_the_rest_and_ours() {
        let params = AntiphonParams::new(true);
        suggest(&params, 1);
        let left = load(&params, chunk(r#"{"version":2,"history":"by post"}"#));
        assert_eq!((left.params.len(), params.state.is_newer(), seeds(&params)), (2, true, vec![1]));
    }

    #[test]
    fn damaged_chunk_changes_nothing_and_says_why() {
        for damaged in ["", "{", "{}", "[]", r#"{"version":-1}"#, r#"{"version":"one"}"#, r#"{"version":1,"history":3}"#, "\u{0}"] {
            let params = AntiphonParams::new(true);
            suggest(&params, 1);
            let before = params.serialize_fields();
            let left = load(&params, chunk(damaged));
            assert!(left.params.is_empty(), "{damaged:?}");
            assert_eq!((params.serialize_fields(), params.state.generation()), (before.clone(), 0), "{damaged:?}");
            let message = params.state.status_message().unwrap();
            assert!(message.contains("damaged") && message.contains("nothing was changed"), "{message}");
            // Loading a valid chunk clears the message.
            load(&params, chunk(&before[FIELD]));
            assert_eq!(params.state.status_message(), None);
        }
    }

    #[test]
    fn foreign_chunk_changes_nothing_and_says_why() {
        let params = AntiphonParams::new(true);
        let mut foreign = chunk("");
        foreign.params = [("bypass".to_owned(), ParamValue::Bool(true))].into();
        foreign.fields = [("editor-state".to_owned(), "{}".to_owned())].into();
        assert!(load(&params, foreign).params.is_empty());
        assert!(params.state.status_message().unwrap().contains("another program"));
    }

    #[test]
    fn unreadable_suggestions_are_counted_in_the_message() {
        let params = AntiphonParams::new(true);
        suggest(&params, 1);
        suggest(&params, 2);
        let other = AntiphonParams::new(true);
        load(&other, chunk(&params.serialize_fields()[FIELD].replacen("\"heard\"", "\"dreamt\"", 1)));
        assert_eq!(seeds(&other), [2]);
        assert_eq!(other.state.status_message().as_deref(), Some("One suggestion of the project could not be read"));
    }

    #[test]
    fn preset_contains_controls_only() {
        let mut preset = chunk("");
        preset.fields.clear();
        preset.params.extend(TRIGGERS.map(|trigger| (trigger.to_owned(), ParamValue::Bool(true))));
        admit(&mut preset);
        assert_eq!((preset.params.len(), preset.fields.len()), (2, 0));
    }
}
