//! Steps of the model's columns as ranges of the measured quantity.

/// Lower and upper edge of a step, 1 to 8; the outer ones end at `ends`.
pub(super) fn range(step: u8, edges: &[f64; 7], ends: [f64; 2]) -> [f64; 2] {
    let edge = |index: Option<usize>, end: f64| index.and_then(|index| edges.get(index)).copied().unwrap_or(end);
    let above = usize::from(step.clamp(1, 8)) - 1;
    [edge(above.checked_sub(1), ends[0]), edge(Some(above), ends[1])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outer_steps_end_at_the_given_ends() {
        let edges = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        assert_eq!(
            [1, 2, 8, 0, 9].map(|step| range(step, &edges, [-5.0, 50.0])),
            [[-5.0, 1.0], [1.0, 2.0], [7.0, 50.0], [-5.0, 1.0], [7.0, 50.0]]
        );
    }
}
