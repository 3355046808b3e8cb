"""The numbers here are the codec's: both sides are read and compared."""

import re
from pathlib import Path

from antiphon_training import vocabulary as v

SOURCE = (Path(__file__).parents[3] / "engine/src/codec/vocabulary.rs").read_text()


def test_version_columns_and_durations_are_the_codecs():
    assert f"VOCABULARY_VERSION: u32 = {v.VERSION};" in SOURCE
    table = SOURCE.split("COLUMN_TABLE:")[1].split("];")[0]
    assert [[name, int(size)] for name, size in re.findall(r'\("(\w+)", (\d+)\)', table)] == v.COLUMNS
    durations = SOURCE.split("DURATIONS: [u16; 63] = [")[1].split("]")[0]
    assert [int(ticks) for ticks in re.findall(r"\d+", durations)] == v.DURATIONS


def test_fields_are_the_codecs():
    variants = SOURCE.split("pub enum Field {")[1].split("}")[0]
    order = {name.lower(): int(index) for name, index in re.findall(r"^    (\w+) = (\d+),$", variants, re.M)}
    assert [name for name, _ in sorted(order.items(), key=lambda item: item[1])] == [name for name, _ in v.FIELDS]
    body = SOURCE.split("pub const fn classes(self)")[1].split("/// Its name")[0]
    classes = {}
    for names, count in re.findall(r"((?:Self::\w+(?: \| )?)+) => (\d+),", body):
        classes |= {name.lower(): int(count) for name in re.findall(r"Self::(\w+)", names)}
    assert classes == dict(v.FIELDS)


def test_kinds_are_the_codecs():
    kinds = dict(re.findall(r"^    (\w+) = (\d+),$", SOURCE.split("pub enum Kind {")[1].split("\n}")[0], re.M))
    assert {name.upper(): int(value) for name, value in kinds.items()} == {
        "PRE": v.PRE, "BAR": v.BAR, "NOTE": v.NOTE, "GIVEN": v.GIVEN, "SUM": v.SUM,
    }  # fmt: skip
