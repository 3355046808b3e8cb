//! What several tellers foretold, by source: sums, means, tables.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::score::{NAMES, Score, named};
use crate::eval::percentile::mean as mean_of;

/// What all tellers foretold of some bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) pieces: usize,
    pub(super) bars: usize,
    /// By teller.
    pub(super) scores: Vec<Score>,
}

impl Tally {
    /// Of a piece before any bar.
    pub(super) fn new(tellers: usize) -> Self {
        Self { pieces: 1, bars: 0, scores: vec![Score::default(); tellers] }
    }

    fn add(&mut self, other: &Self) {
        self.pieces += other.pieces;
        self.bars += other.bars;
        self.scores.iter_mut().zip(&other.scores).for_each(|(sum, more)| *sum += *more);
    }

    fn shares(&self) -> Vec<[Option<f64>; NAMES.len()]> {
        self.scores.iter().map(Score::shares).collect()
    }
}

/// The tallies of all sources.
#[derive(Debug)]
pub(super) struct Sheet {
    tellers: Vec<&'static str>,
    sources: BTreeMap<String, Tally>,
}

impl Sheet {
    /// Of pieces, each with its source; those without a bar are left out.
    pub(super) fn new<'a>(tellers: Vec<&'static str>, pieces: impl Iterator<Item = (&'a str, &'a Tally)>) -> Self {
        let mut sources: BTreeMap<String, Tally> = BTreeMap::new();
        for (source, tally) in pieces.filter(|(_, tally)| tally.bars > 0) {
            match sources.get_mut(source) {
                Some(sum) => sum.add(tally),
                None => {
                    sources.insert(source.to_owned(), tally.clone());
                }
            }
        }
        Self { tellers, sources }
    }

    /// Means over sources, and the sources.
    pub(super) fn json(&self) -> Value {
        let tellers = |shares: Vec<[Option<f64>; NAMES.len()]>| {
            self.tellers.iter().zip(shares).map(|(teller, shares)| ((*teller).to_owned(), named(shares))).collect::<Map<_, _>>()
        };
        let source = |tally: &Tally| json!({ "pieces": tally.pieces, "bars": tally.bars, "tellers": tellers(tally.shares()) });
        json!({
            "tellers": tellers(self.means()),
            "sources": self.sources.iter().map(|(name, tally)| (name.clone(), source(tally))).collect::<Map<_, _>>(),
        })
    }

    /// Means over the sources that have a share.
    fn means(&self) -> Vec<[Option<f64>; NAMES.len()]> {
        let shares: Vec<_> = self.sources.values().map(Tally::shares).collect();
        let mean = |teller: usize, share: usize| {
            let values: Vec<f64> = shares.iter().filter_map(|shares| shares[teller][share]).collect();
            mean_of(&values)
        };
        (0..self.tellers.len()).map(|teller| std::array::from_fn(|share| mean(teller, share))).collect()
    }

    /// A table for each share.
    pub(super) fn print(&self, title: &str, out: &mut impl Write) -> io::Result<()> {
        for (share, name) in NAMES.iter().enumerate() {
            write!(out, "{:24} {:>7}", format!("{title}{name}"), "bars")?;
            self.tellers.iter().try_for_each(|teller| write!(out, " {teller:>9}"))?;
            writeln!(out)?;
            let mut row = |name: &str, bars: String, shares: &[[Option<f64>; NAMES.len()]]| {
                write!(out, "{name:24} {bars:>7}")?;
                let cell = |shares: &[Option<f64>; NAMES.len()]| shares[share].map_or("-".to_owned(), |share| format!("{share:.3}"));
                shares.iter().try_for_each(|shares| write!(out, " {:>9}", cell(shares)))?;
                writeln!(out)
            };
            self.sources.iter().try_for_each(|(name, tally)| row(name, tally.bars.to_string(), &tally.shares()))?;
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
    fn every_source_weighs_the_same() {
        let tally = |right: usize, wrong: usize| {
            let mut tally = Tally { bars: 1, ..Tally::new(2) };
            (0..right + wrong).for_each(|index| tally.scores[1].count_pitch(index < right));
            tally
        };
        let (a, b, silent) = (tally(1, 0), tally(0, 99), Tally::new(2));
        let sheet = Sheet::new(vec!["played", "copy_1"], [("a", &a), ("b", &b), ("c", &silent)].into_iter());
        let report = sheet.json();
        assert_eq!(
            (&report["tellers"]["copy_1"]["pitch_top1"], &report["sources"]["b"]["tellers"]["copy_1"]["pitch_top1"]),
            (&json!(0.5), &json!(0.0))
        );
        assert!(report["tellers"]["played"]["pitch_top1"].is_null() && report["sources"]["c"].is_null());
    }
}
