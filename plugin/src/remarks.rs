//! Messages for the status line about project and host.

use crate::meters::{Count, Meters};
use crate::state::State;

/// All current messages, joined; `None` if there are none.
#[must_use]
pub fn remarks(state: &State, meters: &Meters) -> Option<String> {
    let counted = [
        (Count::Unheard, "of your events came too thick to be listened to; they passed through"),
        (Count::Crowded, "planned notes found no room and were left out"),
        (Count::Refused, "events were refused by the host"),
    ];
    let counted = counted.into_iter().map(|(count, what)| (meters.count(count), what)).filter(|(number, _)| *number > 0);
    let said: Vec<_> = state
        .remark()
        .into_iter()
        .chain(meters.lacks().iter().map(|lack| lack.sentence().to_owned()))
        .chain(counted.map(|(number, what)| format!("{number} {what}")))
        .collect();
    (!said.is_empty()).then(|| said.join(". "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lacks::{Lack, Lacks};

    #[test]
    fn everything_is_said_and_nothing_if_all_is_well() {
        let (state, meters) = (State::default(), Meters::default());
        assert_eq!(remarks(&state, &meters), None);
        meters.set_lacks(Lacks::from_bits(u8::MAX));
        meters.add(Count::Unheard, 3);
        let said = remarks(&state, &meters).unwrap();
        for lack in Lack::ALL {
            assert!(said.contains(lack.sentence()), "{said}");
        }
        assert!(said.ends_with("3 of your events came too thick to be listened to; they passed through"), "{said}");
    }
}
