"""What a faultless crawl of the newsroom ends with: told by those who wrote the pages, not read from them."""

from dataclasses import dataclass
from datetime import date, datetime

from newsroom.edition import DAYS, build
from newsroom.houses import BOTE, COURIER
from newsroom.prose import Block
from newsroom.stories import Story


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedArticle:
    """An article that is to be had. Times are UTC; `date_modified` is None where the page does not say one."""

    url: str
    site: str
    headline: str
    authors: tuple[str, ...]  # persons only: the author of an agency's text is nobody
    date_published: datetime
    date_modified: datetime | None
    lead: str
    lead_shown: bool  # the page shows its lead above the text: it may open the body, or be the description alone
    blocks: tuple[Block, ...]  # the body, whole and in order
    section: str
    language: str  # BCP 47
    is_accessible_for_free: bool
    planted: tuple[tuple[str, str], ...]  # (kind, line) on the page and not of the body; no line occurs in body or lead

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The texts of the body's blocks, in order."""
        return tuple(block.text for block in self.blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """All that the sources name: articles, URLs that end otherwise (in the words of `Outcome`), other names of articles."""

    articles: tuple[ExpectedArticle, ...]
    outcomes: dict[str, str]  # URL -> word
    aliases: dict[str, str]  # URL as a source writes it -> URL of the article that it is

    def article(self, url: str) -> ExpectedArticle:
        """The article at `url`; raises KeyError."""
        found = next((article for article in self.articles if article.url == url), None)
        if found is None:
            raise KeyError(url)
        return found


def expected(anchor: date, edition: int, port: int, *, days: int = DAYS, started: datetime | None = None) -> Truth:
    """Tell what the newsroom of the same date, edition, port and days publishes; see `newsroom.edition.build`."""
    made = build(anchor, edition, port, days=days, started=started)
    return Truth(
        articles=tuple(
            _article(story, made.planted[story.url]) for story in made.stories if story.url not in made.outcomes
        ),
        outcomes=made.outcomes,
        aliases=made.aliases,
    )


def _article(story: Story, planted: tuple[tuple[str, str], ...]) -> ExpectedArticle:
    says_modified = {COURIER: story.modified or story.published, BOTE: story.modified}
    return ExpectedArticle(
        url=story.url,
        site=story.house.name,
        headline=story.headline,
        authors=tuple(author.name for author in story.authors),
        date_published=story.published,
        date_modified=says_modified.get(story.house.name),
        lead=story.lead,
        lead_shown=story.house.name == BOTE,
        blocks=story.blocks,
        section=story.section,
        language=story.language,
        is_accessible_for_free=story.access == "free",
        planted=planted,
    )
