//! Top-k attention: the bars whose keys match the query best (MoBA, mixture of block attention: Lu et al. 2025; docs/model-interface.md, "Attention mask
//! and page policies").

use super::{PagePolicy, Reads, Rest, Selection};
use crate::cache::{BarLine, MOST_BARS, vectors::dot};

/// In each layer, the bars whose mean key has the largest dot product with the mean query of the bar before; as many rows of them as the last `bars`
/// bars have.
///
/// The budget is in rows, not bars, because all layers share one length: docs/decisions/0010-top-k-by-rows.md.
#[derive(Debug, Clone, Copy)]
pub struct TopK {
    /// The budget: rows of this many of the last bars.
    pub bars: u32,
}

impl PagePolicy for TopK {
    fn name(&self) -> String {
        format!("topk:{}", self.bars)
    }

    fn select(&self, line: &BarLine<'_>) -> Selection {
        let latest = usize::try_from(self.bars).unwrap_or(usize::MAX);
        let budget = line.earlier().rev().take(latest).map(|bar| line.rows(bar)).sum();
        let layers = (0..line.layers()).map(|layer| {
            let query = line.query(layer);
            let mut ranked: Vec<_> = line.earlier().map(|bar| (dot(&query, line.mean_key(bar, layer)), bar)).collect();
            // The sort is stable: ties go to the earlier bar.
            ranked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
            let mut left: usize = budget;
            let take = |(_, bar)| {
                let rows = line.rows(bar).min(left);
                left -= rows;
                (bar, rows)
            };
            ranked.into_iter().map(take).take_while(|(_, rows)| *rows > 0).collect()
        });
        Selection::ByLayer(layers.collect())
    }

    fn rest(&self) -> Rest {
        Rest::Nothing
    }

    fn reach(&self) -> Option<u32> {
        Some(MOST_BARS)
    }

    fn reads(&self) -> Reads {
        Reads::Queries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::line::tests::{TestBars, past};

    #[test]
    fn best_bars_are_selected_whole_and_the_last_one_is_truncated() {
        let past = past(7, 40);
        let line = past.line(0);
        let Selection::ByLayer(layers) = TopK { bars: 5 }.select(&line) else { panic!("each layer chooses") };
        assert_eq!(layers.len(), TestBars::LAYERS);
        assert_ne!(layers[0], layers[1]);
        for (index, layer) in layers.iter().enumerate() {
            let score = |bar| dot(&line.query(index), line.mean_key(bar, index));
            assert!(layer.is_sorted_by(|(one, _), (other, _)| score(*one) >= score(*other)));
            let worst = score(layer.last().unwrap().0);
            let chosen: Vec<u32> = layer.iter().map(|(bar, _)| *bar).collect();
            assert!((0..40).filter(|bar| !chosen.contains(bar)).all(|bar| score(bar) <= worst));
            let (_, whole) = layer.split_last().unwrap();
            assert!(whole.iter().all(|(bar, rows)| *rows == line.rows(*bar)));
            assert_eq!(layer.iter().map(|(_, rows)| rows).sum::<usize>(), (35..40).map(|bar| line.rows(bar)).sum::<usize>());
        }
    }

    #[test]
    fn selection_at_the_first_bar_is_empty() {
        assert_eq!(TopK { bars: 5 }.select(&past(7, 0).line(0)), Selection::ByLayer(vec![Vec::new(); TestBars::LAYERS]));
    }
}
