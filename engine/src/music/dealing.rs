//! Notes of one role that start together, dealt to the parts that share the role.

/// Index of the part of each of `pitches`, ascending; `heights` are the mean pitches of the parts, ascending too. Parts do not cross, as many as possible get a
/// note, and the sum of distances to the heights is the least that this allows. A single note goes to the nearest part.
pub(super) fn deal(pitches: &[u8], heights: &[f64]) -> Vec<usize> {
    let (notes, parts) = (pitches.len(), heights.len());
    let distance = |note: usize, part: usize| (f64::from(pitches[note]) - heights[part]).abs();
    // Where there are fewer notes than parts each goes to a part of its own; otherwise each part has one at least.
    let is_short = notes < parts;
    // The least that the notes up to this one cost, the last of them on this part; and the part of the note before it.
    let mut best: Vec<Vec<(f64, usize)>> = Vec::with_capacity(notes);
    for note in 0..notes {
        let least = |part: usize| {
            let before = if is_short { 0..part } else { part.saturating_sub(1)..part + 1 };
            let cheapest = match best.last() {
                None if is_short || part == 0 => Some((0.0, part)),
                None => None,
                Some(last) => before.map(|part| (last[part].0, part)).min_by(|one, other| one.0.total_cmp(&other.0)),
            };
            cheapest.map_or((f64::INFINITY, part), |(cost, from)| (cost + distance(note, part), from))
        };
        let row = (0..parts).map(least).collect();
        best.push(row);
    }
    let Some(last) = best.last() else { return Vec::new() };
    let end = if is_short { (0..parts).min_by(|one, other| last[*one].0.total_cmp(&last[*other].0)) } else { parts.checked_sub(1) };
    let Some(mut part) = end else { return Vec::new() };
    let mut dealt = vec![0; notes];
    for note in (0..notes).rev() {
        dealt[note] = part;
        part = best[note][part].1;
    }
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_note_goes_to_the_nearest_part() {
        assert_eq!(deal(&[64], &[50.0, 63.0, 80.0]), [1]);
        assert_eq!(deal(&[90], &[50.0, 63.0, 80.0]), [2]);
        assert_eq!(deal(&[90], &[50.0]), [0]);
        assert_eq!(deal(&[], &[50.0]), Vec::<usize>::new());
    }

    #[test]
    fn notes_that_start_together_are_for_different_parts() {
        assert_eq!(deal(&[70, 72], &[50.0, 63.0, 80.0]), [1, 2], "both are nearest to the middle one");
        assert_eq!(deal(&[70, 72], &[71.0, 71.5]), [0, 1]);
        assert_eq!(deal(&[48, 55, 64, 67, 72], &[50.0, 70.0]), [0, 0, 1, 1, 1]);
        assert_eq!(deal(&[70, 71, 72], &[40.0, 50.0]), [0, 1, 1], "the lower part has one, too");
        assert_eq!(deal(&[60, 62, 64], &[60.0]), [0, 0, 0]);
    }

    #[test]
    fn parts_with_several_notes_do_not_cross() {
        for pitches in [vec![40, 41, 90], vec![10, 11, 12, 13], vec![60, 60, 61, 99, 100, 101]] {
            for heights in [vec![50.0, 60.0], vec![20.0, 90.0, 95.0], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]] {
                let dealt = deal(&pitches, &heights);
                assert!(dealt.is_sorted() && dealt.len() == pitches.len());
                let parts: std::collections::BTreeSet<_> = dealt.iter().collect();
                assert_eq!(parts.len(), pitches.len().min(heights.len()), "{pitches:?} {heights:?}");
            }
        }
    }
}
