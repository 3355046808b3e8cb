//! Report of the memorisation check: text or JSON.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::super::percentile::percentile;
use super::line::{Line, lines};
use super::search::Shared;
use crate::corpus::stored::StoredCorpus;

/// A passage that a clip shares with a training piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Passage {
    /// Length in notes, repeated figures counted once.
    notes_once: usize,
    /// Length in notes.
    notes: usize,
    /// Part or role of the clip.
    voice: String,
    /// First bar in the clip, counted from 1.
    bar: u32,
    /// Path of the training piece.
    training_piece: String,
    /// Part or role of the training piece.
    training_voice: String,
    /// First bar in the training piece, counted from 1: bar 1 is the first with a note.
    training_bar: u32,
}

impl Passage {
    /// Describes a shared passage of a clip with these lines.
    pub(super) fn new(clip: &[Line], shared: Shared, corpus: &StoredCorpus) -> Self {
        let line = &clip[shared.line];
        let there = &lines(&corpus.piece(shared.place.piece))[shared.place.line];
        Self {
            notes_once: shared.notes_once,
            notes: shared.notes,
            voice: line.voice.name(),
            bar: line.notes[shared.first].bar + 1,
            training_piece: corpus.path(shared.place.piece).to_owned(),
            training_voice: there.voice.name(),
            training_bar: there.notes[shared.place.last + 1 - shared.notes].bar + 1,
        }
    }
}

/// Result for one clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Clip {
    /// Path of the file.
    pub(super) path: String,
    /// Number of bars from the first with a note to the last.
    pub(super) bars: usize,
    /// Longest passage, repeated figures counted once; `None` if no two consecutive notes are shared.
    pub(super) longest: Option<Passage>,
    /// Longest passage, repetitions included.
    pub(super) plain: Option<Passage>,
}

impl Clip {
    fn length(&self) -> usize {
        self.longest.as_ref().map_or(0, |passage| passage.notes_once)
    }
}

/// Contents of the report.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) training: String,
    pub(super) training_pieces: usize,
    /// Length in notes that 99 % of the unseen excerpts do not exceed.
    pub(super) limit: usize,
    /// Bars per unseen excerpt.
    pub(super) unseen_bars: usize,
    /// Length of the longest passage of each unseen excerpt.
    pub(super) unseen: Vec<usize>,
    pub(super) clips: Vec<Clip>,
}

impl Report {
    /// Clips with a passage longer than the limit.
    pub(super) fn longer(&self) -> impl Iterator<Item = &Clip> {
        self.clips.iter().filter(|clip| clip.length() > self.limit)
    }

    /// Prints the report to standard output.
    pub(super) fn print(&self, json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if json { writeln!(out, "{}", self.json()) } else { self.print_text(&mut out) }
    }

    fn lengths(&self) -> Vec<usize> {
        self.clips.iter().map(Clip::length).collect()
    }

    fn json(&self) -> Value {
        let summary = |lengths: &[usize], bars: Option<usize>| {
            let at = |percent| percentile(lengths, percent);
            json!({
                "count": lengths.len(), "bars": bars, "values": lengths,
                "p50": at(50.0), "p90": at(90.0), "p99": at(99.0), "max": at(100.0),
            })
        };
        let longer: Vec<&str> = self.longer().map(|clip| clip.path.as_str()).collect();
        json!({
            "training": self.training,
            "training_pieces": self.training_pieces,
            "limit": self.limit,
            "unseen": summary(&self.unseen, Some(self.unseen_bars)),
            "lengths": summary(&self.lengths(), None),
            "share_longer": crate::corpus::share(longer.len(), self.clips.len()),
            "longer": longer,
            "clips": self.clips,
        })
    }

    fn print_text(&self, mut out: impl Write) -> io::Result<()> {
        let Self { limit, unseen_bars, training, training_pieces, .. } = self;
        let unseen = format!("99 % of {} unseen excerpts of {unseen_bars} bars share at most {limit} notes", self.unseen.len());
        if let [clip] = self.clips.as_slice() {
            writeln!(out, "{}: {}", clip.path, clip.sentence())?;
            let more = clip.length() > *limit;
            let verdict = if more { "longer than in unseen music: compare both pieces" } else { "no longer than in unseen music" };
            return writeln!(out, "{unseen}: {verdict}");
        }
        let lengths = self.lengths();
        let at = |percent| percentile(&lengths, percent).unwrap_or(0);
        writeln!(
            out,
            "{} clips against {training_pieces} pieces of {training}; lengths in notes, repeated figures counted once",
            lengths.len()
        )?;
        writeln!(out, "clips: half share at most {}, 90 % {}, 99 % {}, the most {}", at(50.0), at(90.0), at(99.0), at(100.0))?;
        writeln!(out, "{unseen}")?;
        let longer: Vec<&Clip> = self.longer().collect();
        let share = 100.0 * crate::corpus::share(longer.len(), lengths.len());
        writeln!(out, "{} clips ({share:.1} %) share more", longer.len())?;
        longer.iter().try_for_each(|clip| writeln!(out, "  {}: {}", clip.path, clip.sentence()))
    }
}

impl Clip {
    /// The result as a sentence.
    fn sentence(&self) -> String {
        let Some(passage) = &self.longest else { return "shares nothing with the training music".to_owned() };
        let Passage { notes_once, notes, voice, bar, training_piece, training_voice, training_bar } = passage;
        format!(
            "the longest passage shared is {notes_once} notes ({notes} with repetitions) of the {voice} from bar {bar} on, in {training_piece}: the \
             {training_voice} from bar {training_bar} on"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(path: &str, notes_once: usize) -> Clip {
        let passage = Passage {
            notes_once,
            notes: notes_once + 3,
            voice: "melody (part 1)".into(),
            bar: 2,
            training_piece: "songs/a.mid".into(),
            training_voice: "keys (part 2)".into(),
            training_bar: 17,
        };
        Clip { path: path.into(), bars: 8, longest: Some(passage.clone()), plain: Some(passage) }
    }

    fn report(clips: Vec<Clip>) -> Report {
        Report { training: "corpus.rows".into(), training_pieces: 3, limit: 12, unseen_bars: 8, unseen: vec![5, 12, 9], clips }
    }

    fn text(report: &Report) -> String {
        let mut out = Vec::new();
        report.print_text(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn report_on_one_clip_names_the_passage_and_compares_it_with_unseen_music() {
        let much = text(&report(vec![clip("mine.mid", 13)]));
        for words in ["mine.mid", "13 notes (16 with", "from bar 2 on", "songs/a.mid", "from bar 17", "at most 12", "compare both"] {
            assert!(much.contains(words), "{words} in {much}");
        }
        assert!(text(&report(vec![clip("mine.mid", 12)])).contains("no longer than in unseen music"));
        let nothing = Clip { longest: None, plain: None, ..clip("mine.mid", 1) };
        assert!(text(&report(vec![nothing])).contains("shares nothing"));
    }

    #[test]
    fn report_on_many_clips_names_those_above_the_limit() {
        let report = report(vec![clip("a.mid", 4), clip("b.mid", 30), clip("c.mid", 12)]);
        let text = text(&report);
        assert!(text.contains("1 clips (33.3 %)") && text.contains("b.mid") && !text.contains("c.mid"), "{text}");
        let json = report.json();
        assert_eq!(json["longer"], json!(["b.mid"]));
        assert_eq!((&json["limit"], &json["lengths"]["max"], &json["unseen"]["p50"]), (&json!(12), &json!(30), &json!(9)));
        assert_eq!(json["clips"][1]["longest"]["training_bar"], 17);
    }
}
