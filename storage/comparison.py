"""What reading captures again would change: the new rows beside the store's, by site and text by text."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from extraction.text import fold
from storage.database import reading, sql
from storage.rereading import PLAN

CASES: Final = "cases.parquet"
#: Metadata that are compared, by their columns.
FIELDS: Final = (
    *("headline", "alternative_headline", "description", "authors", "author_organisations", "date_published"),
    *("date_modified", "in_language", "publisher", "article_section", "keywords", "main_image"),
    *("is_accessible_for_free", "article_type", "page_class", "dateline", "url"),
)
#: Those whose loss is counted.
PRECIOUS: Final = ("headline", "authors", "date_published", "in_language")
_BATCH: Final = 200
# Scripts without spaces between words count by the character.
_TOKEN: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|\\w+")


class Verdict(StrEnum):
    """What became of a text (or of a rejection) when its page was read again."""

    SAME = "same"
    FIELDS = "fields"  # the text stays, metadata change
    TEXT = "text"
    NEWLY_ARTICLE = "newly_article"
    NEWLY_REJECTED = "newly_rejected"
    FAILED = "failed"  # the page could not be read again by a failure of ours: the article stays as it is


@dataclass(frozen=True, slots=True)
class Change:
    """A block that was lost or gained. `kind` and `rule` of the removal: now, of a lost one; then, of a gained one."""

    text: str
    kind: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A text of a URL, or a rejection, that does not stay as it is. Lengths are characters of words."""

    site: str
    url: str
    verdict: Verdict
    pages: int  # fetches of that text
    old_outcome: str  # "article", or a word of `Outcome`
    outcome: str
    reason: str | None  # of the new rejection
    headline: str | None
    similarity: float = 1.0  # 0 to 1: the share of words that both texts have, order apart
    characters: int = 0  # of the text as it was
    characters_lost: int = 0
    characters_gained: int = 0
    lost: tuple[Change, ...] = ()
    gained: tuple[Change, ...] = ()
    fields: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)  # name → before, after


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequent:
    """A block that several texts of a site lose or gain."""

    site: str
    gained: bool
    change: Change
    cases: int


@dataclass(slots=True, kw_only=True)
class SiteChange:
    """What would change of a site; its counts are columns of `reextraction_sites`, where they are explained."""

    site: str
    pages: int = 0
    gone: int = 0
    articles: int = 0
    same: int = 0
    fields_changed: int = 0
    text_changed: int = 0
    newly_article: int = 0
    newly_rejected: int = 0
    failed: int = 0
    blocks_lost: int = 0
    blocks_gained: int = 0
    characters: int = 0
    characters_lost: int = 0
    characters_gained: int = 0
    fields_lost: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Pages whose capture cannot be read any more. `dropped`: retention has deleted the file."""

    capture_file: str
    pages: int
    dropped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a re-extraction would change, by site; the cases stand in `cases.parquet`."""

    sites: tuple[SiteChange, ...]
    gone: tuple[Gone, ...]


def compare(data: Path, folder: Path, rows: Sequence[Path]) -> Comparison:
    """Compare the pages of `folder`/plan.parquet as the store has them with their new rows; write `cases.parquet`.

    Args:
        data: the data folder.
        folder: where the plan stands and the cases are written.
        rows: the folders of new rows. A page of the plan that is in none of them is gone.

    Raises:
        NotPublishedError: nothing has been published yet.
        OSError: the cases cannot be written.
    """
    with reading(data, spill=folder / "spill") as connection:
        connection.execute("SET VARIABLE plan = ?", [str(folder / PLAN)])
        for name in ("fetches", "articles", "removed_blocks"):
            connection.execute(f"SET VARIABLE {name} = ?", [[str(each / f"{name}.parquet") for each in rows]])
        connection.execute(_ROWS if rows else _NO_ROWS)
        connection.execute(sql("comparison"))
        connection.execute(_JUDGED)
        sites = {each.site: each for each in _counted(connection)}
        with pq.ParquetWriter(folder / CASES, _CASES, compression="zstd") as file:
            for cases in _changed(connection):
                for case in cases:
                    _add(sites[case.site], case)
                file.write_table(pa.Table.from_pylist([_row_of(case) for case in cases], schema=_CASES))
        gone = connection.execute(
            """SELECT capture_file, count(*), bool_or(dropped) FROM pages WHERE outcome IS NULL
            GROUP BY capture_file ORDER BY capture_file"""
        ).fetchall()
    return Comparison(
        sites=tuple(sites[name] for name in sorted(sites)),
        gone=tuple(Gone(capture_file=file, pages=pages, dropped=dropped) for file, pages, dropped in gone),
    )


def worst(path: Path, limit: int) -> list[Case]:
    """Return the cases of `cases.parquet` that lose most: rejected articles, then texts by characters lost."""
    with duckdb.connect() as connection:
        cursor = connection.execute(
            """FROM read_parquet($path) ORDER BY verdict <> 'newly_rejected', verdict <> 'failed',
            characters_lost DESC, verdict <> 'newly_article', characters_gained DESC, site, url LIMIT $limit""",
            {"path": str(path), "limit": limit},
        )
        names = [column[0] for column in cursor.description or []]
        return [_case_of(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def frequent(path: Path, limit: int) -> list[Frequent]:
    """Return the blocks of `cases.parquet` that more than one text loses or gains, most frequent first."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            """WITH changes AS (
                SELECT site, false AS gained, unnest(lost) AS block FROM read_parquet($path)
                UNION ALL SELECT site, true, unnest(gained) FROM read_parquet($path)
            )
            SELECT site, gained, block.text, block.kind, block.rule, count(*) FROM changes GROUP BY ALL
            HAVING count(*) > 1 ORDER BY gained, count(*) DESC, site, block.text LIMIT $limit""",
            {"path": str(path), "limit": limit},
        ).fetchall()
    return [
        Frequent(site=site, gained=gained, change=Change(text, kind, rule), cases=cases)
        for site, gained, text, kind, rule, cases in rows
    ]


# The new rows, with the columns that the comparison asks for; a folder can be of a program that knew fewer.
_ROWS: Final = """
    CREATE OR REPLACE TEMP VIEW new_fetches AS
    SELECT DISTINCT ON (url_key, ended_at) * FROM read_parquet(getvariable('fetches'), union_by_name := true);
    CREATE OR REPLACE TEMP VIEW new_articles AS FROM read_parquet(getvariable('articles'), union_by_name := true);
    CREATE OR REPLACE TEMP VIEW new_removed AS
    FROM read_parquet(getvariable('removed_blocks'), union_by_name := true)"""
_NO_ROWS: Final = """
    CREATE OR REPLACE TEMP VIEW new_fetches AS FROM store.fetches LIMIT 0;
    CREATE OR REPLACE TEMP VIEW new_articles AS
    SELECT *, valid_from AS ended_at FROM store.article_versions LIMIT 0;
    CREATE OR REPLACE TEMP VIEW new_removed AS
    SELECT *, now()::TIMESTAMP AS ended_at FROM store.removed_blocks LIMIT 0"""


def _struct(table: str) -> str:
    # What an older program did not know is no change; nor is a list that is null rather than empty.
    lists = ("authors", "author_organisations", "keywords")
    parts = (f"{name} := {f'coalesce({table}.{name}, [])' if name in lists else f'{table}.{name}'}" for name in FIELDS)
    return f"struct_pack({', '.join(parts)})"


_JUDGED: Final = f"""
    CREATE OR REPLACE TEMP TABLE judged AS
    SELECT c.*, o.version AS old_version, o.characters, CASE
        WHEN c.old_outcome <> 'article' AND c.outcome <> 'article' THEN 'same'
        WHEN c.old_outcome <> 'article' THEN 'newly_article'
        WHEN c.outcome IN ('extraction_failed', 'extraction_timeout') THEN 'failed'
        WHEN c.outcome <> 'article' THEN 'newly_rejected'
        WHEN c.content_hash <> c.old_hash THEN 'text'
        WHEN o.id IS NOT NULL AND {_struct("v")} IS DISTINCT FROM {_struct("a")} THEN 'fields'
        ELSE 'same' END AS verdict
    FROM cases c
    LEFT JOIN old_texts o USING (id)
    LEFT JOIN store.article_versions v ON v.url_key = o.url_key AND v.version = o.version
    LEFT JOIN new_articles a ON a.url_key = c.url_key AND a.ended_at = c.ended_at"""  # noqa: S608 -- our own names

_CHANGED: Final = f"""
    SELECT c.site, c.url, c.verdict, c.pages, c.old_outcome, c.outcome, c.reason,
        coalesce(v.headline, a.headline) AS headline,
        CASE WHEN o.id IS NOT NULL THEN {_struct("v")} END AS old_fields,
        CASE WHEN a.url_key IS NOT NULL THEN {_struct("a")} END AS new_fields,
        v.article_body AS old_body, v.blocks AS old_blocks, a.article_body AS new_body, a.blocks AS new_blocks,
        (SELECT list((r.text, r.kind, r.rule)) FROM store.removed_blocks r
            WHERE r.url_key = c.old_article AND r.content_hash = c.old_hash) AS old_removed,
        (SELECT list((r.text, r.kind, r.rule)) FROM new_removed r
            WHERE r.url_key = c.url_key AND r.ended_at = c.ended_at) AS new_removed
    FROM judged c
    LEFT JOIN old_texts o USING (id)
    LEFT JOIN store.article_versions v ON v.url_key = o.url_key AND v.version = o.version
    LEFT JOIN new_articles a ON a.url_key = c.url_key AND a.ended_at = c.ended_at
    WHERE c.verdict <> 'same'"""  # noqa: S608 -- our own names

_Blocks = Sequence[Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A text as it was and as it became: a row of `_CHANGED`."""

    site: str
    url: str
    verdict: str
    pages: int
    old_outcome: str
    outcome: str
    reason: str | None
    headline: str | None
    old_fields: Mapping[str, Any] | None
    new_fields: Mapping[str, Any] | None
    old_body: str | None
    old_blocks: _Blocks
    new_body: str | None
    new_blocks: _Blocks
    old_removed: Sequence[tuple[str, str, str]] | None
    new_removed: Sequence[tuple[str, str, str]] | None


def _counted(connection: duckdb.DuckDBPyConnection) -> Iterator[SiteChange]:
    rows = connection.execute("""
        WITH planned AS (
            SELECT site, count(outcome) AS pages, count(*) - count(outcome) AS gone FROM pages GROUP BY site
        ), judged_sites AS (
            SELECT site, count(*) FILTER (old_outcome = 'article' OR outcome = 'article') AS articles,
                count(*) FILTER (verdict = 'same') AS same, count(*) FILTER (verdict = 'fields') AS fields,
                count(*) FILTER (verdict = 'text') AS texts,
                count(*) FILTER (verdict = 'newly_article') AS accepted,
                count(*) FILTER (verdict = 'newly_rejected') AS rejected,
                count(*) FILTER (verdict = 'failed') AS failed, coalesce(sum(characters), 0)::BIGINT AS characters
            FROM judged GROUP BY site
        )
        SELECT site, pages, gone, coalesce(articles, 0), coalesce(same, 0), coalesce(fields, 0), coalesce(texts, 0),
            coalesce(accepted, 0), coalesce(rejected, 0), coalesce(failed, 0), coalesce(characters, 0)
        FROM planned LEFT JOIN judged_sites USING (site) ORDER BY site""").fetchall()
    names = ("site", "pages", "gone", "articles", "same", "fields_changed", "text_changed")
    more = ("newly_article", "newly_rejected", "failed", "characters")
    for row in rows:
        yield SiteChange(**dict(zip((*names, *more), row, strict=True)))


def _changed(connection: duckdb.DuckDBPyConnection) -> Iterator[list[Case]]:
    cursor = connection.execute(_CHANGED)
    names = [column[0] for column in cursor.description or []]
    while rows := cursor.fetchmany(_BATCH):
        yield [_judge(_Pair(**dict(zip(names, row, strict=True)))) for row in rows]


def _judge(pair: _Pair) -> Case:
    known = pair.old_body is not None and pair.new_body is not None  # a duplicate's text is kept nowhere
    shared, before, after = _shared(pair.old_body or "", pair.new_body or "")
    old, new = (pair.old_body, pair.old_blocks), (pair.new_body, pair.new_blocks)
    return Case(
        site=pair.site,
        url=pair.url,
        verdict=Verdict(pair.verdict),
        pages=pair.pages,
        old_outcome=pair.old_outcome,
        outcome=pair.outcome,
        reason=pair.reason,
        headline=pair.headline,
        similarity=round(2 * shared / (before + after), 4) if known and before + after else float(known),
        characters=before,
        characters_lost=before - shared if known or pair.verdict == Verdict.NEWLY_REJECTED else 0,
        characters_gained=after - shared if known or pair.verdict == Verdict.NEWLY_ARTICLE else 0,
        lost=_minus(old, new, pair.new_removed) if known else (),
        gained=_minus(new, old, pair.old_removed) if known else (),
        fields=_changed_fields(pair.old_fields, pair.new_fields) if pair.old_fields and pair.new_fields else {},
    )


def _shared(old: str, new: str) -> tuple[int, int, int]:
    """Count the characters of the words that two texts share, and of all words of each; order and case apart."""
    ours, theirs = (Counter(_TOKEN.findall(text.casefold())) for text in (old, new))
    shared = sum(len(word) * number for word, number in (ours & theirs).items())
    before, after = (sum(len(word) * number for word, number in words.items()) for words in (ours, theirs))
    return shared, before, after


def _minus(
    text: tuple[str | None, _Blocks], other: tuple[str | None, _Blocks], removed: Sequence[tuple[str, str, str]] | None
) -> tuple[Change, ...]:
    """Return the blocks of a text that another has not, each with the removal that took it from there, if one did."""
    there = Counter(map(fold, _texts(*other)))
    taken = {fold(block): (kind, rule) for block, kind, rule in removed or ()}
    found = []
    for block in _texts(*text):
        folded = fold(block)
        if there[folded] > 0:
            there[folded] -= 1
        else:
            found.append(Change(block, *taken.get(folded, (None, None))))
    return tuple(found)


def _texts(body: str | None, blocks: _Blocks) -> Iterable[str]:
    for block in blocks or ():
        if body is not None and block["start"] is not None:
            yield body[block["start"] : block["start"] + block["length"]]


def _changed_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    return {name: (_shown(old[name]), _shown(new[name])) for name in FIELDS if old[name] != new[name]}


def _shown(value: Any) -> str | None:  # noqa: ANN401 -- any value of a column
    if value is None or value == []:
        return None
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def _add(site: SiteChange, case: Case) -> None:
    if case.verdict is Verdict.TEXT:
        site.blocks_lost += len(case.lost)
        site.blocks_gained += len(case.gained)
        site.characters_lost += case.characters_lost
        site.characters_gained += case.characters_gained
    for name, (before, after) in case.fields.items():
        if name in PRECIOUS and before is not None and after is None:
            site.fields_lost[name] = site.fields_lost.get(name, 0) + 1


_CHANGES: Final = pa.list_(pa.struct({"text": pa.string(), "kind": pa.string(), "rule": pa.string()}))
_CASES: Final = pa.schema(
    {name: pa.string() for name in ("site", "url", "verdict", "old_outcome", "outcome", "reason", "headline")}
    | {name: pa.int32() for name in ("pages", "characters", "characters_lost", "characters_gained")}
    | {"similarity": pa.float64(), "lost": _CHANGES, "gained": _CHANGES}
    | {"fields": pa.list_(pa.struct({"name": pa.string(), "before": pa.string(), "after": pa.string()}))}
)


def _row_of(case: Case) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(case, name) for name in _CASES.names}
    for name in ("lost", "gained"):
        row[name] = [{"text": each.text, "kind": each.kind, "rule": each.rule} for each in row[name]]
    row["fields"] = [{"name": name, "before": old, "after": new} for name, (old, new) in case.fields.items()]
    return row


def _case_of(row: dict[str, Any]) -> Case:
    changes = {name: tuple(Change(**each) for each in row[name]) for name in ("lost", "gained")}
    fields = {each["name"]: (each["before"], each["after"]) for each in row["fields"]}
    return Case(**row | changes | {"verdict": Verdict(row["verdict"]), "fields": fields})
