//! The measurements.

use std::{sync::Arc, thread, time::Instant};

use antiphon_engine::{cache::policy, codec::prefix_rows, decode::Decoder, model::Model};
use anyhow::{Result, anyhow};

use antiphon_cli::policy::memory;
use antiphon_cli::synthetic::{NOTES, bar, decode_bar};

/// Bars timed at each length of context.
pub(super) const TIMED_BARS: u32 = 8;

/// Bars of a horizon.
pub(super) const HORIZON_BARS: u32 = 4;

/// One page policy.
pub(super) struct Policy {
    /// Its name as it was given.
    pub(super) name: String,
    /// At each length of context.
    pub(super) points: Vec<Point>,
}

/// Cost of a note after a context of some length.
#[derive(Clone, Copy)]
pub(super) struct Point {
    /// Bars of context.
    pub(super) bars: u32,
    /// Milliseconds per note.
    pub(super) ms: f64,
    /// Rows a note sees, at the end of a bar.
    pub(super) keys: usize,
    /// Bytes of the cache.
    pub(super) bytes: usize,
}

/// Latency from a context to the generated notes.
pub(super) struct Horizon {
    /// Bars of the context.
    pub(super) context: u32,
    /// Milliseconds of their prefill.
    pub(super) prefill_ms: f64,
    /// Milliseconds from the end of the prefill to the first note.
    pub(super) first_note_ms: f64,
    /// Milliseconds for context and horizon together.
    pub(super) total_ms: f64,
}

/// Times every length in `bars`, which rise, with `threads` decoders at once.
pub(super) fn contexts(model: &Arc<Model>, name: &str, bars: &[u32], threads: usize) -> Result<Policy> {
    let runs: Vec<Result<Vec<Point>>> = thread::scope(|scope| {
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(|| one_decoder(model, name, bars))).collect();
        started.into_iter().map(|run| run.join().unwrap_or_else(|_| Err(anyhow!("a measuring thread panicked")))).collect()
    });
    let mut points: Vec<Point> = Vec::new();
    for run in runs {
        let run = run?;
        if points.is_empty() {
            points = run;
        } else {
            points.iter_mut().zip(run).for_each(|(slowest, point)| slowest.ms = slowest.ms.max(point.ms));
        }
    }
    Ok(Policy { name: name.to_owned(), points })
}

fn one_decoder(model: &Arc<Model>, name: &str, bars: &[u32]) -> Result<Vec<Point>> {
    let policy = policy(name, &model.info().fine_bars)?;
    let options = memory(&*policy);
    let mut decoder = Decoder::with_options(Arc::clone(model), policy, &prefix_rows(0, &[]), options)?;
    let mut points = Vec::new();
    for &context in bars {
        while decoder.bar() < context {
            decoder.append_bar(&bar(decoder.bar()))?;
        }
        let mut times = Vec::new();
        let mut keys = 0;
        for _ in 0..TIMED_BARS {
            let start = Instant::now();
            keys = decode_bar(&mut decoder)?;
            times.push(ms_since(start));
        }
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        points.push(Point { bars: context, ms: median / f64::from(NOTES), keys, bytes: decoder.bytes() });
    }
    Ok(points)
}

/// Times a context of so many bars and a horizon after it, as the shipped attention decodes them.
pub(super) fn horizon(model: &Arc<Model>, context: u32) -> Result<Horizon> {
    let start = Instant::now();
    let mut decoder = Decoder::new(Arc::clone(model), policy("fine_coarse", &model.info().fine_bars)?, &prefix_rows(0, &[]))?;
    for index in 0..context {
        decoder.append_bar(&bar(index))?;
    }
    let prefill_ms = ms_since(start);
    let first = Instant::now();
    let next = bar(context);
    decoder.begin_bar(next.ticks, next.fields)?;
    decoder.push(&next.notes[..1])?;
    let first_note_ms = ms_since(first);
    for note in &next.notes[1..] {
        decoder.push(&[*note])?;
    }
    decoder.end_bar()?;
    for _ in 1..HORIZON_BARS {
        decode_bar(&mut decoder)?;
    }
    Ok(Horizon { context, prefill_ms, first_note_ms, total_ms: ms_since(start) })
}

fn ms_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
