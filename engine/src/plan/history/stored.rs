//! Stored form of a history: an entry that is damaged, or of a newer version, is skipped; the rest is kept.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::{Entry, History};

/// The fields that are read.
#[derive(Deserialize)]
pub(super) struct StoredHistory {
    #[serde(default, deserialize_with = "readable_entries")]
    entries: (Vec<Entry>, usize),
}

/// The entries that can be read, and how many cannot.
fn readable_entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(Vec<Entry>, usize), D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Attempt {
        Entry(Box<Entry>),
        Unreadable(IgnoredAny),
    }
    let attempts = Vec::<Attempt>::deserialize(deserializer)?;
    let all = attempts.len();
    let entries: Vec<_> = attempts
        .into_iter()
        .filter_map(|attempt| match attempt {
            Attempt::Entry(entry) => Some(*entry),
            Attempt::Unreadable(_) => None,
        })
        .collect();
    let unreadable = all - entries.len();
    Ok((entries, unreadable))
}

impl From<StoredHistory> for History {
    fn from(stored: StoredHistory) -> Self {
        let (entries, unreadable) = stored.entries;
        let mut history = Self::default();
        history.merge(Self { entries, unreadable, ..Self::default() });
        history
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::phrase::tests::{brief, note, passage};
    use super::super::super::{Brief, ControlId, Controls, Plan, Setting};
    use super::super::tests::{place, plan, reload, seeds};
    use super::super::{History, Reason};

    #[test]
    fn unreadable_entry_is_skipped_and_counted() {
        let mut history = History::default();
        for seed in 1..=3 {
            history.push(plan(seed, 1), place(0), Reason::Played);
        }
        let text = serde_json::to_string(&history).unwrap();
        let damaged = text.replacen("\"notes\":[0,24,60,", "\"notes\":[0,24,600,", 1).replacen("\"heard\"", "\"dreamt\"", 2);
        let damaged = damaged.replacen("\"dreamt\"", "\"heard\"", 1).replacen("{\"entries\"", "{\"newer\":[1],\"entries\"", 1);
        let read: History = serde_json::from_str(&damaged).unwrap();
        assert_eq!((seeds(&read), read.unreadable()), (vec![3], 2));
        assert_eq!(serde_json::from_str::<History>("{}").unwrap(), History::default());
    }

    #[test]
    fn stored_format_is_pinned() {
        let mut history = History::default();
        let mut plan = Plan::new(Brief {
            controls: Controls(vec![Setting { parameter: ControlId::ADVENTUROUSNESS, value: 0.5 }]),
            ..brief(1, 24, 120)
        });
        plan.append(&passage(1, 24, 120, &[note(24, 60)]));
        let id = history.push(plan, place(0), Reason::PhraseEnd).unwrap();
        assert_eq!(history.star(id), Ok(true));
        let expected = concat!(
            r#"{"entries":[{"reason":"phrase_end","starred":true,"place":{"bar":1,"line":0,"metres":[[0,4,4]],"tempo":500000},"#,
            r#""plan":{"brief":{"plan":1,"made_at":0,"start":24,"end":120,"seed":7,"#,
            r#""controls":[{"parameter":"adventurousness","value":0.5}],"context":14695981039346656037},"ready":120,"notes":[24,24,60,80,76]}}]}"#
        );
        assert_eq!(serde_json::to_string(&history).unwrap(), expected);
        assert_eq!(reload(&history).entries(), history.entries());
    }

    #[test]
    fn history_with_positions_in_place_of_ids_is_read_with_ids() {
        // As projects were written before controls had ids.
        let stored = concat!(
            r#"{"entries":[{"reason":"heard","starred":false,"place":{"bar":1,"line":0,"metres":[[0,4,4]],"tempo":500000},"#,
            r#""plan":{"brief":{"plan":1,"made_at":0,"start":24,"end":120,"seed":7,"#,
            r#""controls":[{"parameter":0,"value":0.5},{"parameter":1,"value":0.0},{"parameter":2,"value":0.25},{"parameter":9,"value":1.0}],"#,
            r#""context":14695981039346656037},"ready":120,"notes":[24,24,60,80,76]}}]}"#
        );
        let history: History = serde_json::from_str(stored).unwrap();
        assert_eq!((history.entries().len(), history.unreadable()), (1, 0));
        let Controls(settings) = &history.entries()[0].plan().brief.controls;
        let read: Vec<_> = settings.iter().map(|setting| (setting.parameter.as_str(), setting.value)).collect();
        assert_eq!(read, [("adventurousness", 0.5), ("input_role", 0.0), ("output_role", 0.25), ("9", 1.0)]);
        // Saved again, it holds ids.
        let written = serde_json::to_string(&history).unwrap();
        assert!(written.contains(r#"{"parameter":"input_role","value":0.0}"#), "{written}");
        assert_eq!(reload(&history).entries(), history.entries());
    }
}
