//! Metrics of several predictors by source: sums, means, tables.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::metrics::{METRIC_NAMES, Metrics, to_json};
use crate::eval::percentile::mean as mean_of;

/// Metrics of all predictors, summed over pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) pieces: usize,
    /// Bars that were predicted.
    pub(super) bars: usize,
    /// In the order of the table's predictor names.
    pub(super) predictors: Vec<Metrics>,
}

impl Tally {
    /// One piece, no bars yet.
    pub(super) fn new(predictors: usize) -> Self {
        Self { pieces: 1, bars: 0, predictors: vec![Metrics::default(); predictors] }
    }

    fn add(&mut self, other: &Self) {
        self.pieces += other.pieces;
        self.bars += other.bars;
        self.predictors.iter_mut().zip(&other.predictors).for_each(|(sum, more)| *sum += *more);
    }

    fn values(&self) -> Vec<[Option<f64>; METRIC_NAMES.len()]> {
        self.predictors.iter().map(Metrics::values).collect()
    }
}

/// One table of the report: metrics by source and predictor.
#[derive(Debug)]
pub(super) struct Table {
    predictors: Vec<&'static str>,
    sources: BTreeMap<String, Tally>,
}

impl Table {
    /// Sums pieces, each given with its source. Pieces without a predicted bar are left out.
    pub(super) fn new<'a>(predictors: Vec<&'static str>, pieces: impl Iterator<Item = (&'a str, &'a Tally)>) -> Self {
        let mut sources: BTreeMap<String, Tally> = BTreeMap::new();
        for (source, tally) in pieces.filter(|(_, tally)| tally.bars > 0) {
            match sources.get_mut(source) {
                Some(sum) => sum.add(tally),
                None => {
                    sources.insert(source.to_owned(), tally.clone());
                }
            }
        }
        Self { predictors, sources }
    }

    /// Means over sources, and each source. Predictors are under the key `tellers`, which readers of the report know.
    pub(super) fn json(&self) -> Value {
        let predictors = |values: Vec<[Option<f64>; METRIC_NAMES.len()]>| {
            self.predictors.iter().zip(values).map(|(predictor, values)| ((*predictor).to_owned(), to_json(values))).collect::<Map<_, _>>()
        };
        let source = |tally: &Tally| json!({ "pieces": tally.pieces, "bars": tally.bars, "tellers": predictors(tally.values()) });
        json!({
            "tellers": predictors(self.means()),
            "sources": self.sources.iter().map(|(name, tally)| (name.clone(), source(tally))).collect::<Map<_, _>>(),
        })
    }

    /// Unweighted means over the sources that have a value.
    fn means(&self) -> Vec<[Option<f64>; METRIC_NAMES.len()]> {
        let values: Vec<_> = self.sources.values().map(Tally::values).collect();
        let mean = |predictor: usize, metric: usize| {
            let of_sources: Vec<f64> = values.iter().filter_map(|values| values[predictor][metric]).collect();
            mean_of(&of_sources)
        };
        (0..self.predictors.len()).map(|predictor| std::array::from_fn(|metric| mean(predictor, metric))).collect()
    }

    /// Prints one block per metric: a line per source, a column per predictor.
    pub(super) fn print(&self, title: &str, out: &mut impl Write) -> io::Result<()> {
        for (metric, name) in METRIC_NAMES.iter().enumerate() {
            write!(out, "{:24} {:>7}", format!("{title}{name}"), "bars")?;
            self.predictors.iter().try_for_each(|predictor| write!(out, " {predictor:>9}"))?;
            writeln!(out)?;
            let mut row = |name: &str, bars: String, values: &[[Option<f64>; METRIC_NAMES.len()]]| {
                write!(out, "{name:24} {bars:>7}")?;
                let cell =
                    |values: &[Option<f64>; METRIC_NAMES.len()]| values[metric].map_or("-".to_owned(), |value| format!("{value:.3}"));
                values.iter().try_for_each(|values| write!(out, " {:>9}", cell(values)))?;
                writeln!(out)
            };
            self.sources.iter().try_for_each(|(name, tally)| row(name, tally.bars.to_string(), &tally.values()))?;
            row("all, by source", String::new(), &self.means())?;
            writeln!(out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_weigh_every_source_with_bars_the_same() {
        let tally = |right: usize, wrong: usize| {
            let mut tally = Tally { bars: 1, ..Tally::new(2) };
            (0..right + wrong).for_each(|index| tally.predictors[1].count_top1(index < right));
            tally
        };
        let (a, b, silent) = (tally(1, 0), tally(0, 99), Tally::new(2));
        let table = Table::new(vec!["played", "copy_1"], [("a", &a), ("b", &b), ("c", &silent)].into_iter());
        let report = table.json();
        assert_eq!(
            (&report["tellers"]["copy_1"]["pitch_top1"], &report["sources"]["b"]["tellers"]["copy_1"]["pitch_top1"]),
            (&json!(0.5), &json!(0.0))
        );
        assert!(report["tellers"]["played"]["pitch_top1"].is_null() && report["sources"]["c"].is_null());
    }
}
