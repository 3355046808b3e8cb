//! Messages for the status line about project and host.

use crate::meters::{Count, Meters};
use crate::state::State;

/// All current messages, joined; `None` if there are none.
#[must_use]
pub fn status_message(state: &State, meters: &Meters) -> Option<String> {
    let counts = [
        (Count::DroppedInput, "of your events came too fast to be used for planning; they passed through"),
        (Count::NoRoom, "planned notes were left out because there were too many at once"),
        (Count::Refused, "events were refused by the host"),
    ];
    let counts = counts.into_iter().map(|(count, what)| (meters.count(count), what)).filter(|(number, _)| *number > 0);
    let messages: Vec<_> = state
        .status_message()
        .into_iter()
        .chain(meters.host_issues().iter().map(|issue| issue.message().to_owned()))
        .chain(counts.map(|(number, what)| format!("{number} {what}")))
        .collect();
    (!messages.is_empty()).then(|| messages.join(". "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_issues::{HostIssue, HostIssues};

    #[test]
    fn status_message_has_every_problem_and_is_none_without_any() {
        let (state, meters) = (State::default(), Meters::default());
        assert_eq!(status_message(&state, &meters), None);
        meters.set_host_issues(HostIssues::from_bits(u8::MAX));
        meters.add(Count::DroppedInput, 3);
        let messages = status_message(&state, &meters).unwrap();
        for issue in HostIssue::ALL {
            assert!(messages.contains(issue.message()), "{messages}");
        }
        assert!(messages.ends_with("3 of your events came too fast to be used for planning; they passed through"), "{messages}");
    }
}
