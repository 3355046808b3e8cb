//! Fitting of the baselines: counts from the training pieces, mixture weights from the held-out ones.

use std::collections::BTreeMap;

use antiphon_engine::codec::vocabulary::{FIELDS, Field, next};
use anyhow::{Context as _, Result, ensure};
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::context::{ORDERS, Query, Symbol, queries};
use super::copying::{BUCKETS, Copies, LAGS, copies};
use super::event::events;
use super::mixture::{Mixture, Observation};
use super::table::{Estimate, Table, sort_key};
use crate::corpus::Piece;

/// Estimates of the n-gram for a field: two of the field, two of the interval.
pub(super) const ESTIMATES: usize = 4;

/// Components of n-gram + copy: the n-gram, and the copy at each lag.
pub(super) const COMPONENTS: usize = 1 + LAGS.len();

/// One training piece in this many is held out to fit the weights.
const HELD_OUT_ONE_IN: u64 = 33;

/// The counts of one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counts {
    /// By class, without context.
    pub(super) unigram: Vec<u64>,
    /// By context and class, by order.
    pub(super) orders: [Table; ORDERS],
}

/// The weights of one field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    /// Of the n-gram's estimates.
    pub(super) ngram: Mixture<ESTIMATES>,
    /// Of the n-gram and the copies, by the lags' states.
    pub(super) copy: Mixture<COMPONENTS>,
}

/// Training data of the baselines.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Fitted {
    /// Pieces that the n-grams count.
    pub(crate) pieces: usize,
    /// Their notes.
    pub(crate) notes: usize,
    /// Pieces that the weights are fitted on.
    pub(crate) held_out_pieces: usize,
    /// Their notes.
    pub(crate) held_out_notes: usize,
}

/// The n-gram and n-gram + copy, fitted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Baselines {
    /// By symbol, in the order of [`Symbol::ALL`].
    pub(super) counts: Vec<Counts>,
    /// By field, in chain order.
    pub(super) weights: Vec<Weights>,
    /// Share of bar ends that are the end of the piece: splits the probability of a copied bar end between EOS and ENDBAR.
    pub(super) end_of_piece: f64,
    /// Training data.
    pub(crate) fitted: Fitted,
}

/// Whether a training piece is held out from the counts, by its path in the corpus. Independent of the other pieces.
pub(crate) fn is_held_out(path: &str) -> bool {
    // FNV-1a; the high bits, because the low ones depend mostly on the last characters.
    let hash = path.bytes().fold(0xCBF2_9CE4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3));
    (hash >> 32).is_multiple_of(HELD_OUT_ONE_IN)
}

/// Training pieces that the weights are fitted on.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldOut {
    /// The pieces.
    pieces: Vec<Piece>,
    /// Index of each one's source.
    sources: Vec<usize>,
}

impl HeldOut {
    /// Adds a piece of a source, by index.
    pub(crate) fn push(&mut self, piece: Piece, source: usize) {
        self.pieces.push(piece);
        self.sources.push(source);
    }
}

impl Counts {
    fn of(pieces: &[Piece], symbol: Symbol) -> Self {
        let queries = queries(pieces, symbol);
        let mut unigram = vec![0; symbol.classes().into()];
        for query in &queries {
            unigram[usize::from(query.class)] += 1;
        }
        let table = |order: usize| Table::count(queries.iter().map(|query| sort_key(query.contexts[order], query.class)).collect());
        let orders: [usize; ORDERS] = std::array::from_fn(|order| order);
        // One per thread at a time: each sorts eight bytes per training note.
        let tables: Vec<Table> = orders.into_par_iter().map(table).collect();
        let mut tables = tables.into_iter();
        Self { unigram, orders: orders.map(|_| tables.next().unwrap_or_else(|| Table::count(Vec::new()))) }
    }

    /// Both estimates for each query.
    fn probabilities(&self, queries: &[Query]) -> Result<Vec<[f64; 2]>> {
        let mut estimates: Vec<Estimate> = queries.iter().map(|query| Estimate::without_context(&self.unigram, query)).collect();
        for (order, table) in self.orders.iter().enumerate() {
            table.refine(order, queries, &mut estimates).with_context(|| format!("the table of order {order}"))?;
        }
        Ok(estimates.iter().map(Estimate::probabilities).collect())
    }
}

/// Likelihoods of the true classes of a field under the four estimates of the n-gram.
pub(super) fn ngram_observations(counts: &[Counts], pieces: &[Piece], field: Field) -> Result<Vec<Observation<ESTIMATES>>> {
    let probabilities = |symbol: Symbol| -> Result<Vec<[f64; 2]>> {
        let index = Symbol::ALL.iter().position(|s| *s == symbol);
        let counts = index.and_then(|index| counts.get(index)).with_context(|| format!("no counts for {}", symbol.name()))?;
        counts.probabilities(&queries(pieces, symbol)).with_context(|| format!("the counts for {}", symbol.name()))
    };
    let absolute = probabilities(Symbol::Of(field))?;
    if field != Field::Pitch {
        let observe = |[wb, ad]: [f64; 2]| Observation { likelihood: [wb, ad, 0.0, 0.0], available: [true, true, false, false], bucket: 0 };
        return Ok(absolute.into_iter().map(observe).collect());
    }
    let relative = probabilities(Symbol::Interval)?;
    let observe = |([wb, ad], [wb_rel, ad_rel]): ([f64; 2], [f64; 2])| Observation {
        likelihood: [wb, ad, wb_rel, ad_rel],
        available: [true; ESTIMATES],
        bucket: 0,
    };
    Ok(absolute.into_iter().zip(relative).map(observe).collect())
}

/// Likelihoods of the true class under the n-gram, whose probability is given, and the copies.
pub(super) fn copy_observation(ngram: f64, copies: &Copies, field: Field, class: u8, end_of_piece: f64) -> Observation<COMPONENTS> {
    let mut observation = Observation { likelihood: [0.0; COMPONENTS], available: [false; COMPONENTS], bucket: copies.bucket(field) };
    observation.likelihood[0] = ngram;
    observation.available[0] = true;
    for (slot, copied) in (1..).zip(copies.classes(field)) {
        let Some(copied) = copied else { continue };
        observation.available[slot] = true;
        observation.likelihood[slot] = match (field, copied, class) {
            (Field::Type, next::ENDBAR, next::ENDBAR) => 1.0 - end_of_piece,
            (Field::Type, next::ENDBAR, next::EOS) => end_of_piece,
            _ => f64::from(u8::from(copied == class)),
        };
    }
    observation
}

/// How much each prediction of a field counts when weights are fitted, 1 on average: a source counts as the square root of its predictions. Half the
/// notes of a corpus may be of one source; weights that suit it alone would cost the others more than they give it.
fn importance(held_out: &HeldOut, copies: &[Vec<Copies>], field: Field) -> Vec<f64> {
    let sources: Vec<usize> = field_events(&held_out.pieces, copies, field).map(|(piece, ..)| held_out.sources[piece]).collect();
    let mut sizes: BTreeMap<usize, f64> = BTreeMap::new();
    sources.iter().for_each(|source| *sizes.entry(*source).or_default() += 1.0);
    let (predictions, roots) = sizes.values().fold((0.0, 0.0), |(sum, roots), size| (sum + size, roots + size.sqrt()));
    sources.iter().map(|source| predictions / roots / sizes[source].sqrt()).collect()
}

/// All predictions of a field in some pieces: the piece, the bar, the copies and the class that came, in the order of [`queries`].
pub(super) fn field_events<'a>(
    pieces: &'a [Piece],
    all_copies: &'a [Vec<Copies>],
    field: Field,
) -> impl Iterator<Item = (usize, usize, &'a Copies, u8)> {
    let counting = pieces.iter().zip(all_copies).enumerate().filter(move |(_, (piece, _))| piece.counts(field));
    counting.flat_map(move |(index, (piece, copies))| {
        let events = events(&piece.bars).zip(copies);
        events.filter_map(move |(event, copies)| event.class(field).map(|class| (index, event.bar, copies, class)))
    })
}

/// Copies for every event, by piece.
pub(super) fn all_copies(pieces: &[Piece]) -> Vec<Vec<Copies>> {
    pieces.par_iter().map(|piece| copies(&piece.bars)).collect()
}

impl Baselines {
    /// Counts the training pieces and fits the weights on the held-out ones.
    ///
    /// Memory: about 110 bytes per training note during the fit, 27 after it.
    ///
    /// # Errors
    /// If either set has no notes.
    pub(crate) fn fit(training: &[Piece], held_out: &HeldOut, progress: &ProgressBar) -> Result<Self> {
        let notes = |pieces: &[Piece]| pieces.iter().map(Piece::notes).sum::<usize>();
        let fitted = Fitted {
            pieces: training.len(),
            notes: notes(training),
            held_out_pieces: held_out.pieces.len(),
            held_out_notes: notes(&held_out.pieces),
        };
        ensure!(fitted.notes > 0, "there are no training pieces to count: the baselines need some hundred pieces of the training split");
        ensure!(
            fitted.held_out_notes > 0,
            "none of the {} training pieces is held out to fit the weights on (about one in {HELD_OUT_ONE_IN} is): give more pieces",
            training.len()
        );
        progress.set_length(u64::try_from(Symbol::ALL.len() + FIELDS)?);
        let mut counts = Vec::new();
        for symbol in Symbol::ALL {
            progress.set_message(format!("counting {}", symbol.name()));
            counts.push(Counts::of(training, symbol));
            progress.inc(1);
        }
        let bars: usize = training.iter().map(|piece| piece.bars.len()).sum();
        #[allow(clippy::cast_precision_loss, reason = "counts of bars are far below 2^53")]
        let end_of_piece = training.len() as f64 / bars as f64;
        let copies = all_copies(&held_out.pieces);
        let mut weights = Vec::new();
        for field in Field::ALL {
            progress.set_message(format!("fitting weights of {}", field.name()));
            let observations = ngram_observations(&counts, &held_out.pieces, field)?;
            let importance = importance(held_out, &copies, field);
            let ngram = Mixture::fit(&observations, &importance, 1);
            let events = field_events(&held_out.pieces, &copies, field).zip(&observations);
            let with_copies: Vec<_> = events
                .map(|((_, _, copies, class), observation)| {
                    copy_observation(ngram.probability(observation), copies, field, class, end_of_piece)
                })
                .collect();
            weights.push(Weights { ngram, copy: Mixture::fit(&with_copies, &importance, BUCKETS) });
            progress.inc(1);
        }
        Ok(Self { counts, weights, end_of_piece, fitted })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::LazyLock;

    use super::super::tests::composed;
    use super::*;

    /// Forty training pieces.
    pub(crate) fn training() -> Vec<Piece> {
        (0..40).map(|seed| composed(seed, 12)).collect()
    }

    /// Baselines fitted on them, and the ten held-out pieces.
    pub(crate) fn small() -> (&'static Baselines, Vec<Piece>) {
        static BASELINES: LazyLock<Baselines> = LazyLock::new(|| Baselines::fit(&training(), &held_out(), &ProgressBar::hidden()).unwrap());
        (&BASELINES, held_out().pieces)
    }

    fn held_out() -> HeldOut {
        of_one_source((40..50).map(|seed| composed(seed, 16)).collect())
    }

    /// Held-out pieces of one source.
    pub(crate) fn of_one_source(pieces: Vec<Piece>) -> HeldOut {
        HeldOut { sources: vec![0; pieces.len()], pieces }
    }

    /// The same query for another possible class.
    fn with_class(query: Query, class: u8) -> Query {
        Query { class: query.first + u16::from(class), ..query }
    }

    #[test]
    fn probabilities_of_every_field_sum_to_1_over_its_classes() {
        let (baselines, held_out) = small();
        let pieces = &held_out[..2];
        let copies = all_copies(pieces);
        for field in Field::ALL {
            let weights = &baselines.weights[field as usize];
            let classes = u8::try_from(field.classes() - 1).unwrap();
            let symbols: &[Symbol] = if field == Field::Pitch { &[Symbol::Of(field), Symbol::Interval] } else { &[Symbol::Of(field)] };
            // Query every class at each event.
            let probabilities = |symbol: Symbol| -> Vec<[f64; 2]> {
                let mut every = Vec::new();
                for query in queries(pieces, symbol) {
                    every.extend((0..=classes).map(|class| with_class(query, class)));
                }
                let index = Symbol::ALL.iter().position(|s| *s == symbol).unwrap();
                baselines.counts[index].probabilities(&every).unwrap()
            };
            let estimates: Vec<Vec<[f64; 2]>> = symbols.iter().map(|symbol| probabilities(*symbol)).collect();
            let mut next = 0;
            for (_, _, copies, _) in field_events(pieces, &copies, field) {
                let (mut sums, mut ngram_sum, mut copy_sum) = ([0.0; ESTIMATES], 0.0, 0.0);
                for class in 0..=classes {
                    let mut likelihood = [0.0; ESTIMATES];
                    for (slot, estimates) in estimates.iter().enumerate() {
                        likelihood[2 * slot..2 * slot + 2].copy_from_slice(&estimates[next]);
                    }
                    let available = std::array::from_fn(|slot| slot < 2 * symbols.len());
                    let ngram = weights.ngram.probability(&Observation { likelihood, available, bucket: 0 });
                    let with_copies = copy_observation(ngram, copies, field, class, baselines.end_of_piece);
                    sums.iter_mut().zip(likelihood).for_each(|(s, l)| *s += l);
                    ngram_sum += ngram;
                    copy_sum += weights.copy.probability(&with_copies);
                    next += 1;
                }
                for (slot, sum) in sums.into_iter().enumerate().take(2 * symbols.len()) {
                    assert!((sum - 1.0).abs() < 1e-9, "{field:?} estimate {slot}: {sum}");
                }
                assert!((ngram_sum - 1.0).abs() < 1e-9 && (copy_sum - 1.0).abs() < 1e-9, "{field:?}: {ngram_sum}, {copy_sum}");
            }
            assert_eq!(next, estimates[0].len());
        }
    }

    #[test]
    fn source_weighs_as_the_square_root_of_its_notes() {
        let pieces: Vec<Piece> = (0..10).map(|_| composed(3, 8)).collect();
        let held_out = HeldOut { pieces, sources: vec![0, 0, 0, 0, 7, 0, 0, 0, 0, 0] };
        let importance = importance(&held_out, &all_copies(&held_out.pieces), Field::Pitch);
        let notes = held_out.pieces[0].notes();
        let (small, all) = (importance[4 * notes..5 * notes].iter().sum::<f64>(), importance.iter().sum::<f64>());
        // Nine times the notes, three times the weight; 1 on average.
        assert!((small / (all - small) - 1.0 / 3.0).abs() < 1e-9);
        assert!((all - f64::from(u32::try_from(10 * notes).unwrap())).abs() < 1e-6);
    }

    #[test]
    fn fit_without_notes_is_an_error_that_says_so() {
        let some = of_one_source(vec![composed(1, 4)]);
        let error =
            |training: &[Piece], held_out: &HeldOut| Baselines::fit(training, held_out, &ProgressBar::hidden()).unwrap_err().to_string();
        assert!(error(&[], &some).contains("no training pieces"));
        assert!(error(&some.pieces, &HeldOut::default()).contains("held out"));
    }

    #[test]
    fn three_pieces_in_a_hundred_are_held_out() {
        let held_out = (0..10_000).filter(|i| is_held_out(&format!("source/piece-{i}.mid"))).count();
        assert!((250..360).contains(&held_out), "{held_out}");
    }

    #[test]
    fn field_that_does_not_count_is_not_counted() {
        let flat = Piece { flat_velocity: true, performed_timing: false, ..composed(1, 8) };
        let number_of_queries = |field| queries(std::slice::from_ref(&flat), Symbol::Of(field)).len();
        assert_eq!(
            (number_of_queries(Field::Velocity), number_of_queries(Field::Offset), number_of_queries(Field::Pitch)),
            (0, 0, flat.notes())
        );
    }
}
