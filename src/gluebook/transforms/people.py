"""People in prose: who is named in a text, and the text without them.

Names are compared by their words, in upper or lower case and without titles: `Dr. Ada Example`, `ADA EXAMPLE` and
`Ada-Example` are one name.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from gluebook.sources.model import Source

MASK = "<masked>"

_PEOPLE = "_people"
_RECORD = ["_source_file", "_source_version", "_source_record"]
_LETTER = r"[\p{L}\p{N}]"
_NO_LETTERS = r"[^\p{L}\p{N}]+"
# What may stand between the words of a name: a blank, a line break, a dot and a blank, a dash.
_BETWEEN_WORDS = r"[^\p{L}\p{N}]{1,3}"
_TITLE_BEFORE = r"(?iu)^\P{L}*((mr|mrs|ms|miss|mx|dr|prof)\b\P{L}+)+"
_TITLE_BEHIND = r"(?iu)(\P{L}+(jr|sr|md|phd|dds|dvm|ii|iii|iv|v)\b\P{L}*)+$"
# A letter alone, such as an initial, tells nobody who it is.
_SHORTEST_PART = 2
_TEXTS = "array<string>"


def mask_people(text: Column) -> Column:
    """Replace the people in `_people`, the column that `with_people` adds."""
    people = F.col(_PEOPLE)
    return F.when(people.isNull(), text).otherwise(F.regexp_replace(text, people, F.lit(MASK)))


def is_address(name: str) -> Column:
    """Whether the person in column `name` is an e-mail address."""
    return F.col(f"`{name}`").contains("@")


def with_people(df: DataFrame, source: Source) -> DataFrame:
    """Add `_people`: a pattern of the persons to be masked in a record's prose, or null if there are none.

    These are the record's own persons, in full or by a part of the name as the name spells it, and the others of
    the batch whom its prose names in full. Shape: same rows.
    """
    persons = (*source.persons, *source.left_out)
    own = F.array(*(_words_of(name) for name in persons))
    everybody = F.array_distinct(F.array_compact(F.concat(own, F.coalesce("_named", F.array().cast(_TEXTS)))))
    # The longer one first: of two names that begin alike, the shorter would leave the rest of the longer.
    longest_first = F.array_sort(everybody, lambda one, other: F.length(other) - F.length(one))
    parts = F.flatten(F.array_compact(F.array(*(_parts_of(name) for name in persons))))
    either = F.array_join(F.concat(F.transform(longest_first, _in_any_case), parts), "|")
    pattern = F.concat(F.lit(f"(?<!{_LETTER})("), either, F.lit(f")(?!{_LETTER})"))
    joined = df.join(_named_in_prose(df, source), _RECORD, "left")
    return joined.withColumn(_PEOPLE, F.when(either != "", pattern)).drop("_named")


def _named_in_prose(df: DataFrame, source: Source) -> DataFrame:
    """Which of the batch's people a record's prose names in full: `_RECORD`, `_named` (their names' words).

    Shape: one row per record that names somebody. The first two words of a name are looked up among the pairs of
    words that follow each other in the text, so that names and texts meet in a join and nowhere else.
    """
    spelt = F.array(
        *(F.when(~is_address(name), _words_of(name)) for name in (*source.persons, *source.left_out))
    )
    names = (
        df.select(F.explode(spelt).alias("name"))
        .where(F.col("name").contains(" "))
        .select(F.lower("name").alias("name"))
        .distinct()
        .withColumn("pair", F.substring_index("name", " ", 2))
    )
    prose = F.concat_ws(" ", *(F.col(f"`{name}`") for name in source.prose))
    words = df.select(*_RECORD, F.split(F.lower(prose), _NO_LETTERS).alias("words")).where(
        F.size("words") > 1
    )
    pairs = F.expr("transform(sequence(1, size(words) - 1), i -> concat(words[i - 1], ' ', words[i]))")
    met = words.select(*_RECORD, F.explode(F.array_distinct(pairs)).alias("pair")).join(names, "pair")
    return met.groupBy(*_RECORD).agg(F.collect_set("name").alias("_named"))


def _words_of(name: str) -> Column:
    """The words of a person's name, a blank between them, titles left out; null if there are none."""
    value = F.regexp_replace(F.regexp_replace(F.col(f"`{name}`"), _TITLE_BEFORE, ""), _TITLE_BEHIND, "")
    words = F.trim(F.regexp_replace(value, _NO_LETTERS, " "))
    return F.when(words != "", words)


def _parts_of(name: str) -> Column:
    """The words by which a person may be called; of an address there are none."""
    parts = F.filter(F.split(_words_of(name), " "), lambda part: F.length(part) >= _SHORTEST_PART)
    return F.when(~is_address(name), parts)


def _in_any_case(words: Column) -> Column:
    spaced = F.replace(words, F.lit(" "), F.lit(_BETWEEN_WORDS))
    return F.concat(F.lit("(?iu:"), spaced, F.lit(")"))
