//! Costs of onsets, spread over the tables that a row samples one after the other: whether a note follows, on which beat, at which tick of it.

use super::cost::{OnsetBias, nats};
use crate::codec::vocabulary::{Field, next};
use crate::decode::control::row::RowContext;
use crate::model::SamplingInputs;
use crate::music::TICKS_PER_QUARTER;

const BEATS: usize = Field::Beat.classes();
const SUBS: usize = Field::Sub.classes();
const TYPES: usize = Field::Type.classes();

/// Adds the costs of all `biases`. Each table gets the cost of its cheapest continuation, the next one the remainder.
pub(super) fn add(inputs: &mut SamplingInputs<'_>, row: &RowContext<'_>, biases: &[Box<dyn OnsetBias>]) {
    if biases.is_empty() {
        return;
    }
    let here = row.onset();
    let ticks = i64::from(row.ticks);
    let mut least = f64::INFINITY;
    for (beat, from) in (0..BEATS).zip((0i64..).step_by(SUBS)) {
        let cost = |tick: i64| biases.iter().map(|bias| bias.cost(tick)).sum::<f64>();
        let costs: Vec<f64> = (from..from + TICKS_PER_QUARTER).map(cost).collect();
        let open = (from..).zip(&costs).filter(|&(tick, _)| (here..ticks).contains(&tick));
        let best = open.map(|(_, &cost)| cost).fold(f64::INFINITY, f64::min);
        if best.is_infinite() {
            continue;
        }
        least = least.min(best);
        for reached in 0..2 {
            inputs.beat[reached * BEATS + beat] -= nats(best);
            for (sub, cost) in costs.iter().enumerate() {
                inputs.sub[(reached * BEATS + beat) * SUBS + sub] -= nats(cost - best);
            }
        }
    }
    let end: f64 = biases.iter().map(|bias| bias.cost_of_end()).sum();
    for kinds in inputs.kind.chunks_exact_mut(TYPES) {
        kinds[usize::from(next::NOTE)] -= if least.is_finite() { nats(least) } else { 0.0 };
        kinds[usize::from(next::ENDBAR)] -= nats(end);
    }
}
