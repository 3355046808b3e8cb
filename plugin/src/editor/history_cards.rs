//! Cards of the history: what each one answered, its star, its removal, and which of them are shown.

use std::collections::HashMap;

use antiphon_engine::music::analysis::{KeySignature, detect_key};
use antiphon_engine::music::{TICKS_PER_QUARTER, Tick};
use antiphon_engine::plan::{Entry, EntryId, History, Reason};
use antiphon_engine::session::Command;
use egui::{Button, Ui};

use super::heard::Heard;
use super::model::EditorModel;
use super::shortcuts::{Action, hint};

/// Which suggestions have a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Filter {
    #[default]
    All,
    Starred,
    Key(KeySignature),
}

/// The filter, and the keys of the suggestions.
#[derive(Debug, Default)]
pub(super) struct HistoryFilter {
    filter: Filter,
    /// With the number of notes from which the key was found: a suggestion may grow.
    keys: HashMap<EntryId, (usize, Option<KeySignature>)>,
}

impl HistoryFilter {
    /// The suggestions that have a card, newest first.
    pub(super) fn entries<'a>(&mut self, history: &'a History) -> Vec<&'a Entry> {
        history.entries().iter().rev().filter(|entry| self.shows(entry)).collect()
    }

    fn shows(&mut self, entry: &Entry) -> bool {
        match self.filter {
            Filter::All => true,
            Filter::Starred => entry.is_starred(),
            Filter::Key(key) => self.key(entry) == Some(key),
        }
    }

    /// Key of a suggestion; `None` for drums alone.
    fn key(&mut self, entry: &Entry) -> Option<KeySignature> {
        let notes = Heard::of(entry).notes();
        let known = self.keys.entry(entry.id()).or_insert((0, None));
        if known.0 != notes.len() {
            *known = (notes.len(), detect_key(notes));
        }
        known.1
    }

    /// What the filter leaves, as text behind the count; empty without a filter.
    pub(super) fn name(&self) -> String {
        match self.filter {
            Filter::All => String::new(),
            Filter::Starred => ", kept".into(),
            Filter::Key(key) => format!(", {key}"),
        }
    }

    /// Items of the menu that set the filter. Keys are those of the suggestions there are.
    pub(super) fn menu(&mut self, ui: &mut Ui, history: &History) {
        let entries = history.entries();
        self.keys.retain(|id, _| entries.iter().any(|entry| entry.id() == *id));
        let mut keys: Vec<(KeySignature, usize)> = Vec::new();
        for key in entries.iter().filter_map(|entry| self.key(entry)) {
            match keys.iter_mut().find(|(known, _)| *known == key) {
                Some((_, count)) => *count += 1,
                None => keys.push((key, 1)),
            }
        }
        keys.sort_by_key(|(key, count)| (usize::MAX - count, key.to_string()));
        let starred = entries.iter().filter(|entry| entry.is_starred()).count();
        let fixed = [(Filter::All, format!("All ({})", entries.len())), (Filter::Starred, format!("Kept ({starred})"))];
        let of_keys = keys.into_iter().map(|(key, count)| (Filter::Key(key), format!("In {key} ({count})")));
        for (filter, name) in fixed.into_iter().chain(of_keys) {
            if ui.add(Button::selectable(self.filter == filter, name)).clicked() {
                self.filter = filter;
                ui.close();
            }
        }
    }
}

/// Items of a card's menu.
pub(super) fn menu(ui: &mut Ui, model: &mut impl EditorModel, entry: &Entry) {
    let star = if entry.is_starred() { "Do not keep this phrase" } else { "Keep this phrase" };
    let delete = format!("Delete{}", hint(Action::Delete));
    for (name, command) in [(star, Command::Star(entry.id())), (delete.as_str(), Command::Remove(entry.id()))] {
        if ui.button(name).clicked() {
            model.command(command);
            ui.close();
        }
    }
}

/// What became of a suggestion, in a word.
pub(super) const fn became(reason: Reason) -> &'static str {
    match reason {
        Reason::Played => "played",
        // Its star says so, as long as it has one.
        Reason::Kept => "",
        Reason::Rerolled => "replaced",
        Reason::PhraseEnd => "not played",
    }
}

/// What a suggestion answered and when, in sentences.
pub(super) fn description(entry: &Entry) -> String {
    let (place, plan) = (entry.place(), entry.plan());
    let metre = place.metres.at(Tick::ZERO);
    let (length, beat) = (metre.bar_length().0, TICKS_PER_QUARTER * 4 / i64::from(metre.denominator()));
    let made = (plan.brief.made_at - place.line).0;
    let (bar, beat) = (place.bar + made.div_euclid(length), made.rem_euclid(length) / beat + 1);
    let key = detect_key(Heard::of(entry).notes()).map_or_else(String::new, |key| format!("{key}, "));
    let tempo = place.tempo.bpm();
    let what = match entry.reason() {
        Reason::Played => "It was played",
        Reason::Kept => "You kept it",
        Reason::Rerolled => "You asked for another in its place",
        Reason::PhraseEnd => "It was shown at the end of your phrase",
    };
    format!("{what}. It answers what was played up to bar {bar}, beat {beat}; {key}{metre}, {tempo:.0} bpm. Click to choose it.")
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{MetreMap, Note, Role, Tempo};
    use antiphon_engine::plan::Place;

    use super::*;
    use crate::editor::samples::plan;

    /// Suggestions on the triads of C major and F sharp major; the first is starred.
    fn history() -> History {
        let mut history = History::default();
        for (bar, pitches, reason) in [(5, [60, 64, 67], Reason::Kept), (9, [66, 70, 73], Reason::Played)] {
            let line = 96 * (bar - 1);
            let note = |(beat, pitch): (i64, u8)| Note {
                onset: Tick(line + 24 * beat),
                offset: 0,
                duration: Tick(24),
                pitch,
                velocity: 80,
                role: Role::Keys,
            };
            let notes: Vec<Note> = (0..).zip(pitches).map(note).collect();
            let place = Place { bar, line: Tick(line), metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None };
            let id = history.push(plan(line, line + 96, &notes).plan, place, reason).unwrap();
            if reason == Reason::Kept {
                history.star(id).unwrap();
            }
        }
        history
    }

    #[test]
    fn filter_leaves_the_starred_ones_or_those_of_a_key() {
        let (history, mut filter) = (history(), HistoryFilter::default());
        let bars = |filter: &mut HistoryFilter| filter.entries(&history).iter().map(|entry| entry.place().bar).collect::<Vec<_>>();
        assert_eq!(bars(&mut filter), [9, 5]);
        filter.filter = Filter::Starred;
        assert_eq!((bars(&mut filter), filter.name()), (vec![5], ", kept".into()));
        let key = detect_key(history.entries()[1].plan().notes()).unwrap();
        filter.filter = Filter::Key(key);
        assert_eq!((bars(&mut filter), filter.name()), (vec![9], format!(", {key}")));
    }

    #[test]
    fn description_says_up_to_where_it_answers_the_player() {
        let history = history();
        let text = description(&history.entries()[0]);
        assert!(text.starts_with("You kept it. It answers what was played up to bar 5, beat 1; C major, 4/4, 120 bpm."), "{text}");
    }
}
