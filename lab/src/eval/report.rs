//! Report of `antiphon-lab eval`: tables or JSON.

use std::io::{self, Write};

use antiphon_engine::codec::vocabulary::Field;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::agreement::Agreement;
use super::tally::{Predictor, Stretch, Sum, Tally};

/// A file that was not evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Skipped {
    /// Path within the folder of sources.
    pub(super) path: String,
    /// Error message.
    pub(super) reason: String,
}

/// Contents of the report.
#[derive(Debug, Clone, Default)]
pub(super) struct Report {
    /// Name of the model; `None` with --baselines-only.
    pub(super) model: Option<String>,
    /// Its page-selection policy.
    pub(super) policy: Option<String>,
    /// Whether the n-gram baselines were evaluated.
    pub(super) baselines: bool,
    /// By source, sorted by name; every source has at least one note.
    pub(super) sources: Vec<(String, Tally)>,
    /// Comparison with a second graph (`--beside`).
    pub(super) beside: Option<Agreement>,
    /// Files that could not be read.
    pub(super) skipped: Vec<Skipped>,
}

/// A mean of sums: over notes, or over sources.
#[derive(Clone, Copy)]
enum Average {
    /// Each source weighs the same.
    Macro,
    /// Each note weighs the same.
    Micro,
}

impl Report {
    fn has(&self, predictor: Predictor) -> bool {
        match predictor {
            Predictor::Model => self.model.is_some(),
            Predictor::Ngram | Predictor::NgramCopy => self.baselines,
            Predictor::Uniform => true,
        }
    }

    fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.sources.iter().for_each(|(_, tally)| total += tally);
        total
    }

    /// Bits per note of a part of the tallies; `None` if the predictor was not evaluated.
    fn average(&self, average: Average, predictor: Predictor, part: impl Fn(&Tally) -> Sum, bits: impl Fn(&Sum) -> f64) -> Option<f64> {
        if !self.has(predictor) {
            return None;
        }
        match average {
            Average::Micro => Some(bits(&part(&self.total()))),
            Average::Macro => {
                // A source without notes in this part has no bits per note.
                let with_notes = self.sources.iter().map(|(_, tally)| part(tally)).filter(|sum| sum.notes > 0);
                let each: Vec<f64> = with_notes.map(|sum| bits(&sum)).collect();
                #[allow(clippy::cast_precision_loss, reason = "sources are few")]
                let sources = each.len().max(1) as f64;
                Some(each.iter().sum::<f64>() / sources)
            }
        }
    }

    /// Bits per note of each baseline.
    fn baselines(&self, bits: impl Fn(Predictor) -> Option<f64>) -> Value {
        json!({
            "ngram": bits(Predictor::Ngram),
            "ngram_copy": bits(Predictor::NgramCopy),
            "uniform": bits(Predictor::Uniform),
        })
    }

    /// Bits per note of one sum; `None` if the predictor was not evaluated.
    fn bits(&self, sum: &Sum, predictor: Predictor) -> Option<f64> {
        self.has(predictor).then(|| sum.bits_per_note(predictor))
    }

    /// Bits per note of one sum by field; null if the predictor was not evaluated.
    fn fields(&self, sum: &Sum, predictor: Predictor) -> Value {
        if !self.has(predictor) {
            return Value::Null;
        }
        let fields = Field::ALL.iter().zip(sum.fields(predictor));
        fields.map(|(field, bits)| (field.name().to_owned(), json!(bits))).collect::<Map<_, _>>().into()
    }

    fn baseline_fields(&self, fields: impl Fn(Predictor) -> Value) -> Value {
        json!({ "ngram": fields(Predictor::Ngram), "ngram_copy": fields(Predictor::NgramCopy), "uniform": fields(Predictor::Uniform) })
    }

    /// Notes and bits per note by stretch; bits are null without notes.
    fn stretches(&self, tally: &Tally, bits: impl Fn(Stretch, Predictor) -> Option<f64>) -> Value {
        let stretch = |stretch: Stretch| {
            let notes = tally.stretches[stretch as usize].notes;
            let bits = |predictor| bits(stretch, predictor).filter(|_| notes > 0);
            let entry = json!({ "bits_per_note": bits(Predictor::Model), "notes": notes, "baselines": self.baselines(bits) });
            (stretch.name().to_owned(), entry)
        };
        Stretch::ALL.map(stretch).into_iter().collect::<Map<_, _>>().into()
    }

    /// Bits per note of a stretch, mean over sources.
    fn macro_stretch(&self, stretch: Stretch, predictor: Predictor) -> Option<f64> {
        self.average(Average::Macro, predictor, |tally| tally.stretches[stretch as usize], |sum| sum.bits_per_note(predictor))
    }

    /// The report as one JSON object; its keys are documented in `antiphon-lab eval --help`.
    pub(super) fn json(&self) -> Value {
        let total = self.total();
        let sum = total.total();
        let macro_of = |predictor| self.average(Average::Macro, predictor, Tally::total, |sum| sum.bits_per_note(predictor));
        let micro_of = |predictor| self.average(Average::Micro, predictor, Tally::total, |sum| sum.bits_per_note(predictor));
        let macro_fields = |predictor: Predictor| -> Value {
            let bits = |field: Field| self.average(Average::Macro, predictor, Tally::total, |sum| sum.fields(predictor)[field as usize]);
            if !self.has(predictor) {
                return Value::Null;
            }
            Field::ALL.iter().map(|field| (field.name().to_owned(), json!(bits(*field)))).collect::<Map<_, _>>().into()
        };
        let source = |(name, tally): &(String, Tally)| {
            let sum = tally.total();
            let entry = json!({
                "bits_per_note": self.bits(&sum, Predictor::Model),
                "notes": sum.notes,
                "pieces": tally.pieces,
                "fields": self.fields(&sum, Predictor::Model),
                "bars": self.stretches(tally, |stretch, predictor| self.bits(&tally.stretches[stretch as usize], predictor)),
                "baselines": self.baselines(|predictor| self.bits(&sum, predictor)),
                "baseline_fields": self.baseline_fields(|predictor| self.fields(&sum, predictor)),
            });
            (name.clone(), entry)
        };
        json!({
            "model": self.model,
            "policy": self.policy,
            "bits_per_note": macro_of(Predictor::Model),
            "bits_per_note_micro": micro_of(Predictor::Model),
            "notes": sum.notes,
            "pieces": total.pieces,
            "fields": macro_fields(Predictor::Model),
            "bars": self.stretches(&total, |stretch, predictor| self.macro_stretch(stretch, predictor)),
            "baselines": self.baselines(macro_of),
            "baselines_micro": self.baselines(micro_of),
            "baseline_fields": self.baseline_fields(macro_fields),
            "sources": self.sources.iter().map(source).collect::<Map<_, _>>(),
            "beside": self.beside,
            "skipped": self.skipped,
        })
    }

    /// The report as text tables.
    pub(super) fn print(&self, mut out: impl Write) -> io::Result<()> {
        let predictors: Vec<(Predictor, &str)> = Predictor::ALL
            .into_iter()
            .zip(["model", "n-gram", "n-gram+copy", "uniform"])
            .filter(|(predictor, _)| self.has(*predictor))
            .collect();
        let width = self.sources.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max("all, by source".len());
        let cell = |bits: Option<f64>| bits.map_or("-".to_owned(), |bits| format!("{bits:.3}"));

        if let (Some(model), Some(policy)) = (&self.model, &self.policy) {
            writeln!(out, "model {model}, policy {policy}")?;
        }
        write!(out, "{:width$} {:>7} {:>9}", "bits per note", "pieces", "notes")?;
        predictors.iter().try_for_each(|(_, name)| write!(out, " {name:>12}"))?;
        writeln!(out)?;
        for (name, tally) in &self.sources {
            write!(out, "{name:width$} {:>7} {:>9}", tally.pieces, tally.total().notes)?;
            predictors.iter().try_for_each(|(p, _)| write!(out, " {:>12}", cell(self.bits(&tally.total(), *p))))?;
            writeln!(out)?;
        }
        let total = self.total();
        for (name, average) in [("all, by source", Average::Macro), ("all, by note", Average::Micro)] {
            write!(out, "{name:width$} {:>7} {:>9}", total.pieces, total.total().notes)?;
            for (predictor, _) in &predictors {
                let bits = self.average(average, *predictor, Tally::total, |sum| sum.bits_per_note(*predictor));
                write!(out, " {:>12}", cell(bits))?;
            }
            writeln!(out)?;
        }

        writeln!(out, "\n{:width$} {:>17}", "by field", "")?;
        for field in Field::ALL {
            write!(out, "{:width$} {:>17}", field.name(), "")?;
            for (predictor, _) in &predictors {
                let bits = self.average(Average::Macro, *predictor, Tally::total, |sum| sum.fields(*predictor)[field as usize]);
                write!(out, " {:>12}", cell(bits))?;
            }
            writeln!(out)?;
        }

        writeln!(out, "\n{:width$} {:>17}", "by bar of piece", "notes")?;
        for stretch in Stretch::ALL {
            let notes = total.stretches[stretch as usize].notes;
            write!(out, "{:width$} {notes:>17}", stretch.name())?;
            for (predictor, _) in &predictors {
                write!(out, " {:>12}", cell(self.macro_stretch(stretch, *predictor).filter(|_| notes > 0)))?;
            }
            writeln!(out)?;
        }
        if let Some(Agreement { graph, bits_per_note_micro, loss, top1 }) = &self.beside {
            let (loss, top1) = (100.0 * loss, 100.0 * top1);
            writeln!(
                out,
                "\nbeside {graph}: {bits_per_note_micro:.3} bits per note there, {loss:+.2} % here; same most likely class in {top1:.2} %"
            )?;
        }
        for Skipped { path, reason } in &self.skipped {
            writeln!(out, "skipped: {path}: {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{constant_nats, one_note_bars};
    use super::*;

    fn report() -> Report {
        let tally = |bars: usize, nats: f64| {
            let piece = one_note_bars(bars);
            let mut scores = constant_nats(&piece, Predictor::Model, nats);
            let model = scores[0].clone();
            scores.fill(model);
            let mut tally = Tally::default();
            tally.add(&piece, &scores);
            tally
        };
        Report {
            model: Some("test".into()),
            policy: Some("fine/coarse".into()),
            baselines: true,
            sources: vec![("long".into(), tally(30, std::f64::consts::LN_2)), ("short".into(), tally(10, 2.0 * std::f64::consts::LN_2))],
            beside: Some(Agreement { graph: "other.onnx".into(), bits_per_note_micro: 9.9, loss: 0.0101, top1: 0.985 }),
            skipped: vec![Skipped { path: "long/x.mid".into(), reason: "cut short".into() }],
        }
    }

    #[test]
    fn json_has_every_documented_key() {
        let json = report().json();
        let mut keys = vec!["/bits_per_note", "/bits_per_note_micro", "/notes", "/pieces", "/model", "/policy", "/skipped/0/reason"];
        keys.extend(["/sources/long/bits_per_note", "/sources/long/notes", "/sources/long/pieces", "/sources/long/fields/pitch"]);
        keys.extend(["/baselines/ngram", "/baselines/ngram_copy", "/baselines/uniform", "/baselines_micro/ngram"]);
        keys.extend(["/sources/short/baselines/ngram", "/sources/short/baselines/ngram_copy", "/sources/short/baselines/uniform"]);
        keys.extend(["/bars/1-8/bits_per_note", "/bars/9-32/baselines/ngram", "/sources/long/bars/9-32/notes"]);
        keys.extend(["/baseline_fields/ngram/offset", "/sources/long/baseline_fields/ngram_copy/type"]);
        for key in keys {
            assert!(json.pointer(key).is_some_and(|value| !value.is_null()), "{key} in {json:#}");
        }
        for field in Field::ALL {
            assert!(json["fields"][field.name()].is_f64());
        }
    }

    #[test]
    fn macro_average_weighs_sources_and_micro_average_notes() {
        let json = report().json();
        assert!((json["bits_per_note"].as_f64().unwrap() - 12.0).abs() < 1e-9);
        assert!((json["bits_per_note_micro"].as_f64().unwrap() - 10.0).abs() < 1e-9);
        assert_eq!(json["notes"], 40);
        assert!((json["bars"]["1-8"]["bits_per_note"].as_f64().unwrap() - 12.0).abs() < 1e-9);
        // From bar 9 on the short piece has two notes, the long one 22: still two sources of equal weight.
        assert!((json["bars"]["9-32"]["baselines"]["ngram"].as_f64().unwrap() - 12.0).abs() < 1e-9);
    }

    #[test]
    fn json_is_null_for_predictors_that_were_not_evaluated() {
        let json = Report { model: None, policy: None, baselines: false, ..report() }.json();
        for key in ["/bits_per_note", "/fields", "/baselines/ngram", "/sources/long/baselines/ngram_copy", "/bars/1-8/bits_per_note"] {
            assert!(json.pointer(key).is_some_and(Value::is_null), "{key}");
        }
        assert!(json["baselines"]["uniform"].is_f64());
        assert!(json["bars"]["33+"]["baselines"]["uniform"].is_null(), "no notes there");
    }

    #[test]
    fn table_names_sources_fields_and_skipped_files() {
        let mut out = Vec::new();
        report().print(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for word in [
            "long",
            "short",
            "12.000",
            "10.000",
            "velocity",
            "9-32",
            "skipped: long/x.mid: cut short",
            "n-gram+copy",
            "+1.01 % here",
            "98.50 %",
        ] {
            assert!(text.contains(word), "{word} in\n{text}");
        }
        assert!(!text.contains("NaN"));
    }
}
