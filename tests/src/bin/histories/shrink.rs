//! Shortening of failing histories.

use crate::step::History;

/// Most runs of a shortened history: each takes a process.
const MOST_RUNS: usize = 400;

/// The history without as many steps as can be left out one by one or in groups, so that it still `fails`.
pub(crate) fn shrink(mut history: History, mut fails: impl FnMut(&History) -> bool) -> History {
    let mut runs = 0;
    let mut group = history.steps.len().div_ceil(2).max(1);
    loop {
        let mut from = 0;
        let mut is_shorter = false;
        while from < history.steps.len() {
            if runs == MOST_RUNS {
                return history;
            }
            runs += 1;
            let mut shorter = history.clone();
            shorter.steps.drain(from..(from + group).min(history.steps.len()));
            if fails(&shorter) {
                history = shorter;
                is_shorter = true;
            } else {
                from += group;
            }
        }
        if group == 1 && !is_shorter {
            return history;
        }
        group = if is_shorter { group.min(history.steps.len().max(1)) } else { group.div_ceil(2) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate;
    use crate::planning::Engine;
    use crate::step::Step;

    #[test]
    fn steps_that_do_not_matter_are_left_out() {
        let mut whole = generate::history(3, 60, Engine::Scripted);
        whole.steps.insert(5, Step::Reset);
        whole.steps.insert(20, Step::Recreate);
        let fails = |history: &History| {
            let place = |wanted| history.steps.iter().position(|step| *step == wanted);
            place(Step::Reset).is_some_and(|reset| history.steps[reset..].contains(&Step::Recreate))
        };
        assert_eq!(shrink(whole, fails).steps, [Step::Reset, Step::Recreate]);
    }
}
