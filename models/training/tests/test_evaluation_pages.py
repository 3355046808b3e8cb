"""The section on other pages at run time, on numbers that are known by hand."""

import json
from pathlib import Path

import pytest
from test_evaluation import write

from antiphon_training.evaluation import pages


class Program:
    """Says what `antiphon` would: fine/coarse costs half a bit a field, all others a whole one; a note takes as many milliseconds as it has bars."""

    def __init__(self):
        self.calls: list[list] = []

    def __call__(self, *words):
        words = list(words)
        self.calls.append(words)

        def after(option):
            return words[words.index(option) + 1]

        if words[0] == "eval":
            cost = 0.5 if after("--policy") == "fine_coarse" else 1.0
            write(Path(after("--by-piece")), [("pop/a.mid", "pop", (8, 8, 0), {"model": cost}), ("simutrans/a.mid", "simutrans", (8, 8, 8), {"model": 3 * cost})])
            return ""
        policies = [policy for word, policy in zip(words, words[1:]) if word == "--policy"]
        return json.dumps({"ms_per_note": {policy: {bars: float(bars) for bars in after("--bars").split(",")} for policy in policies}})


@pytest.fixture
def measured(tmp_path):
    program = Program()
    return program, pages.measure(program, tmp_path / "music", tmp_path, 0)


def test_each_source_weighs_the_same_and_counts_only_where_it_has_notes(measured):
    _, results = measured
    assert results["scores"]["fine_coarse"] == {"all": 8.0, "1-8": 8.0, "9-32": 8.0, "33+": 12.0}
    assert results["scores"]["dense"]["all"] == 16.0


def test_dense_attention_is_not_timed_where_it_would_take_for_ever(measured):
    _, results = measured
    assert set(results["times"]) == set(pages.POLICIES)
    assert set(results["times"]["dense"]) == {"16", "100", "400"} and results["times"]["topk:8"]["1600"] == 1600.0


def test_what_was_measured_is_not_measured_again(measured, tmp_path):
    program, results = measured
    calls = len(program.calls)
    assert calls == len(pages.POLICIES) + 2
    assert pages.measure(program, tmp_path / "music", tmp_path, 0) == results
    assert len(program.calls) == calls


def test_the_section_has_a_row_for_each_policy_and_a_picture(measured, tmp_path):
    _, results = measured
    text = pages.section(results, tmp_path)
    assert "| `fine_coarse` | **8.00** | 8.00 | 8.00 | 12.00 | 16.00 | 100.00 | 400.00 | 1600.00 |" in text
    assert text.count("\n| `") == len(pages.POLICIES)
    assert "| 400.00 |  |" in text, "dense has no time at 1,600 bars"
    assert (tmp_path / "pages.png").stat().st_size > 5000
