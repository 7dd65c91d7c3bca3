"""The hand-written pages: each is here because a crawl can go wrong on it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsroom.houses import House
from newsroom.prose import Block, Draft
from newsroom.stories import Story, compose

AGENCY = "Northwire News Agency"


def _blocks(*lines: str) -> tuple[Block, ...]:
    marks = {"## ": "subhead", "> ": "quote", "* ": "list_item"}
    return tuple(
        next(
            (Block(kind=kind, text=line[len(mark) :]) for mark, kind in marks.items() if line.startswith(mark)),
            Block(kind="paragraph", text=line),
        )
        for line in lines
    )


BRIDGE = Draft(
    headline="Swing bridge to close for six weeks from Monday",
    lead="Engineers will lift the old deck out in one piece. Drivers face a detour, swans a quiet spring.",
    blocks=_blocks(
        "The swing bridge over the Pellow will shut to all traffic on Monday while its deck is lifted out, turned over on a barge and mended from below. It has carried the ring road since 1934 and has been closed for longer than a day only twice.",
        "Lorries will be sent by way of the motorway, cars by the lanes behind Brackwater. The county has widened two corners and cut back eleven hedges, but asks drivers to allow an extra twenty-five minutes and to be kind to the postwoman, who has to reverse.",
        "The work will cost £2.4 million and is expected to take six weeks, the county’s chief engineer, Alma Prentice, said at the tollhouse on Thursday.",
        "> “If you had been painted every second year for ninety years,” said Ms Prentice, “you would be mostly paint as well. We want to see the iron.”",
        "## Boats first",
        "The river will stay open. Skippers should call the bridge on channel twelve, as they always have; for once nobody will have to stop the traffic for them. A ferry for cyclists and people on foot leaves from the rowing club every quarter of an hour until ten at night.",
        "Shops on the far bank are worried about trade. The traders’ association has persuaded the county to pay for the ferry, and the bakery at the tollhouse, cut off from its own customers, will sell its bread from a punt.",
        "The bridge keeper, whose cabin turns with the bridge, has been offered a caravan on the bank. He has declined it. The cabin will be lifted out with the deck, and he intends, he says, to be in it.",
    ),
    caption="The deck of the swing bridge, open for a tug in the last week before the works",
    section="Town Hall",
    tags=("Roads and bridges", "Public money"),
)
BRIDGE_EDIT = (2, "The work will cost £3.1 million, not £2.4 million as first announced, and is now expected to take nine weeks, the county said after divers had found a crack in the central pier. The chief engineer, Alma Prentice, called the crack “old, patient and entirely our problem”.")  # fmt: skip

GALA = Draft(
    headline="Stars and lifeboat crew share the gala at the old picture house",
    lead="The festival ended with a prize for a film about mud, and with nobody entirely dry.",
    blocks=_blocks(
        "The picture house on Beacon Avenue had not seen a queue in eleven years. On Saturday night it went twice round the block, past the chip shop and the chapel, and at the head of it stood four members of the lifeboat crew in dress uniform and wet hair.",
        "They had come straight from a call, they explained, and had been promised seats. The festival’s guest of honour, the actor Leonie Strand, gave up her own and sat on the stairs, from where, she told the audience later, one sees the projectionist’s face, which is the better film.",
        "## A prize for mud",
        "The jury’s prize went to “Slack Water”, a documentary of fifty-two minutes in which a woman of eighty walks across an estuary and comments on it. It was made for less than the cost of the gala’s flowers by two sisters from Sandhythe, who thanked the tide tables and their aunt.",
        "> “We had one camera and one pair of boots that fitted,” said the elder sister, Beatrix Low. “So whoever had the boots held the camera.”",
        "The audience award was shared, after three counts by a retired returning officer, between a comedy about a parking warden and a silent film from 1926 whose makers could no longer be reached.",
        "Takings will mend the roof above the balcony, where a bucket has been a fixture since the spring. The bucket itself was auctioned during the interval and fetched £140, from a collector who refused to say what of.",
        "Next year’s festival has been moved forward by a week, so as not to meet the spring tides again. The organisers have asked anyone who went home in the wrong wellingtons to bring them back to the box office, no questions asked.",
    ),
    caption="The red carpet has been rolled out in front of the picture house, where it floated for part of the evening",
    section="Arts",
    tags=("Film and stage", "Festivals on the coast"),
)

WIRE = Draft(
    headline="Survey ship maps a drowned forest under the North Sea",
    lead="Tree stumps eight thousand years old stand in rows on the sea bed, a new chart shows.",
    blocks=_blocks(
        "A survey ship looking for a cable route has charted the remains of a forest on the floor of the North Sea, with hundreds of stumps still standing where they grew some eight thousand years ago, its owners said on Wednesday.",
        "The trees, most of them oak and hazel, lie at a depth of nineteen metres, under a skin of sand that last winter’s storms stripped away. They belong to Doggerland, the plain that joined Britain to the continent until the sea rose at the end of the last ice age.",
        "“We thought the instrument was broken,” said Ingrid Solheim, the geophysicist in charge of the watch. “Stones are not in rows and they do not have roots.” A remote vehicle sent down the next morning came back with pictures of bark.",
        "## A walk of two days",
        "The chart covers sixty square kilometres and shows a river with three bends, a lake and what may have been a track along its shore. On foot it would have taken two days to cross; the ship needed eleven to measure it.",
        "Archaeologists who have seen the data say that the peat between the roots could hold seeds, insects and traces of the people who gathered there. Only a handful of worked flints have ever been raised from that part of the sea, nearly all of them in fishing nets.",
        "The cable will now be laid four kilometres further south, at a cost that the company would not name. A group of universities has asked for a week of ship’s time in the spring, before the sand comes back.",
        "“It covers and it uncovers,” said Dr Solheim. “We happened to be passing while the door was open.”",
    ),
    caption="A sonar picture of the sea bed, with the stumps as bright points along the lost river",
    section="Weather",
    tags=("Seas and coasts", "Archaeology"),
)

MEMBERS = Draft(
    headline="What the harbour master wrote in his private log",
    lead="For members only: forty years of weather, grudges and cats.",
    blocks=_blocks(
        "The log fills sixty-one school exercise books and was never meant to be read. The harbour master kept it for himself, he says on the first page, because the official one has no column for opinions.",
        "Most entries are two lines long. The wind comes first, then the ships, then whoever had annoyed him, with a mark out of ten. Several families in the town will be relieved to learn how low their grandfathers scored, and that he raised the marks at Christmas.",
        "He retired in the year the cranes went. The last entry gives the wind as south-west, the ships as none, and the mark, for once, to himself: six.",
    ),
    caption="The sixty-one exercise books on the shelf of the reading room",
    section="Harbour",
    tags=("Port authority", "From the archive"),
)

PAID_FULL = Draft(
    headline="Das Gedächtnis der Stadt liegt unter dem Heizungskeller",
    lead="Im Stadtarchiv lagern zwei Kilometer Akten. Ein Besuch bei der Frau, die weiß, wo alles steht.",
    blocks=_blocks(
        "Wer Edeltraud Simon besuchen will, muss an den Rohren vorbei, dann dreimal links und eine Treppe hinab, die in keinem Plan verzeichnet ist. Unten brennt Licht, es riecht nach Leinen, und jemand summt. Das ist die Archivarin, und sie summt, sagt sie, damit die Besucher sie finden.",
        "Zwei Kilometer Akten stehen hier, dazu Karten, Siegel, ein Richtschwert und die Brille eines Bürgermeisters, der sie im Rathaus vergaß, als er floh. Alles ist verzeichnet, das meiste von ihrer Hand, auf Karteikarten in einer Schrift, die aussieht wie gedruckt.",
        "## Was man aufhebt",
        "Die Kunst des Archivs, erklärt Frau Simon, bestehe im Wegwerfen. Von hundert Blatt, die ein Amt im Jahr erzeuge, bleiben vier. Welche vier, das entscheide sie allein und nie vor dem Mittagessen. „Hunger macht streng“, sagt sie.",
        "> „Die Leute kommen und suchen ihren Großvater“, erzählt Edeltraud Simon. „Meistens finden sie einen anderen, als sie gesucht haben. Dann koche ich Tee.“",
        "Im vergangenen Jahr waren es zweihundertvierzig Besucher, darunter eine Erbengemeinschaft aus Brasilien, zwei Doktoranden und ein Junge von elf Jahren, der wissen wollte, ob es unter dem Freibad wirklich einen Gang gibt. Es gibt ihn, er führt zur Brauerei, und der Junge hat jetzt einen eigenen Benutzerausweis.",
        "Im Frühjahr soll das Archiv umziehen, in einen Neubau mit Klimaanlage und Fenstern. Frau Simon geht zur selben Zeit in den Ruhestand. Die Karteikarten werden gescannt, das Summen nicht, und wer künftig etwas sucht, wird eine Maske ausfüllen.",
        "Eine Kiste nimmt sie mit, mit Genehmigung, denn es steht nichts Amtliches darin. Es sind die Zettel, die Besucher in vierzig Jahren auf dem Tisch liegen ließen. Auf dem obersten steht: „Danke, er war kein Held, aber er war da.“",
    ),
    caption="Licht am Ende der Treppe: Regale im alten Magazin unter dem Rathaus",
    section="Kultur",
    tags=("Heimatgeschichte", "Menschen aus der Region"),
)

PAID_STUB = Draft(
    headline="Warum der Wasserpreis im Landkreis dreimal berechnet wurde",
    lead="Drei Gutachten, drei Ergebnisse: Unsere Recherche zeigt, wer davon wusste.",
    blocks=_blocks("Der erste Bescheid kam im März, der zweite im Mai, und als im August der dritte im Briefkasten lag, rief Familie Lüders aus Tiefental beim Zweckverband an."),
    caption="Wasserzähler im Keller eines Mehrfamilienhauses",
    section="Lokales",
    tags=("Rathaus und Verwaltung", "Recherche"),
)  # fmt: skip

WORKING_PAGE = Draft(
    headline="Essai de mise en page, ne pas diffuser",
    lead="Une page de travail de la rédaction, restée en ligne.",
    blocks=_blocks(
        "Ceci est une page d’essai que la rédaction garde en ligne pour régler ses gabarits, et que les moteurs sont priés de ne pas reprendre. Elle contient de vraies phrases, parce que les fausses ne tombent jamais bien.",
        "Le premier paragraphe sert à vérifier la lettrine, le deuxième la césure, et celui-ci, un peu plus long que les autres, à s’assurer que rien ne déborde quand on lit sur un téléphone tenu à bout de bras, dans un train, au soleil.",
        "Le dernier est court. Il sert à finir.",
    ),
    caption="Une épreuve annotée sur la table de la rédaction",
    section="Idées",
    tags=("Coulisses de la revue", "Débats"),
)

LIVE_HEADLINE = "Storm Agatha: the night as it happened"
LIVE_POSTS = (
    ("23:40", "We are closing this page for the night. The pumps are running, the tide has turned and the last of the sandbaggers has been sent home with soup."),
    ("22:15", "High water has passed. The gauge at Sandhythe read 3.61 metres at its highest, nine centimetres below the wall."),
    ("21:30", "The lifeboat has launched to a yacht off the bar. Two people are aboard and both are reported well, if cross."),
    ("20:50", "Power is out on Gull Lane and the lower half of Fishergate. Engineers say an hour; the pub says candles."),
    ("20:05", "The floodgate at Old Quay Road is shut. Residents are asked not to climb on it to look."),
    ("19:20", "The school hall at Brackwater is open for anyone who would rather not be at home. Bring a blanket and, if you have one, a torch."),
    ("18:45", "Good evening. The wind is force nine at the lighthouse and the forecast has not improved since lunch. We will be here until it does."),
)  # fmt: skip

GALLERY_HEADLINE = "Bilder vom Lichterfest auf der Lindenau"
GALLERY_CAPTIONS = (
    "Kinder mit Laternen auf der Fußgängerbrücke",
    "Boote im Schein von tausend Kerzen",
    "Die Stadtkapelle spielt vom Dach des Bootshauses",
    "Zuckerwatte, fast so groß wie die Käuferin",
    "Der Drache aus Kirchbrück, sechs Meter lang",
    "Feuerwehrleute achten auf Funken und auf die Bratwurst",
    "Spiegelung am Wehr, kurz vor Mitternacht",
    "Müde Helden auf dem Heimweg",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The hand-written stories of the three sites, by what they are for."""

    bridge: Story  # edited in the second edition
    gala: Story  # ends in a caption pasted as markup
    wire: Story  # an agency's text …
    wire_copy: Story  # … printed by another site as well
    members: Story  # under a path that robots.txt closes
    paid_full: Story  # not free, and the page holds the text all the same
    paid_stub: Story  # not free, and the page holds its first lines only
    noindex: Story  # asks not to be taken up

    def of(self, house: House) -> list[Story]:
        """Those of one site."""
        everyone = (getattr(self, name) for name in self.__slots__)
        return [story for story in everyone if story.house.name == house.name]


def cast(houses: Sequence[House], anchor: date) -> Cast:
    """Write the specials into the weeks before `anchor`."""
    courier, bote, lanterne = houses
    gala = _written(courier, GALA, anchor, back=9, hour=11)
    wire = _written(courier, WIRE, anchor, back=3, hour=13)
    members = _written(courier, MEMBERS, anchor, back=6, hour=12)
    return Cast(
        bridge=_written(courier, BRIDGE, anchor, back=4, hour=12),
        gala=replace(gala, escaped_caption=gala.caption),
        wire=replace(wire, authors=(), agency=AGENCY),
        wire_copy=replace(
            _written(lanterne, replace(WIRE, section="In English"), anchor, back=3, hour=15, language="en"),
            authors=(),
            agency=AGENCY,
        ),
        members=replace(members, path=f"/members{members.path}", hidden=True),
        paid_full=replace(_written(bote, PAID_FULL, anchor, back=5, hour=10), access="metered"),
        paid_stub=replace(_written(bote, PAID_STUB, anchor, back=7, hour=10), access="closed"),
        noindex=replace(_written(lanterne, WORKING_PAGE, anchor, back=12, hour=16), noindex=True),
    )


def _written(house: House, text: Draft, anchor: date, *, back: int, hour: int, language: str | None = None) -> Story:
    day = anchor - timedelta(days=back)
    dice = random.Random(f"{house.name} {text.headline}")
    moment = datetime.combine(day, time(hour, dice.randrange(60), dice.randrange(60)), ZoneInfo(house.time_zone))
    story = compose(
        house,
        text,
        number=day.toordinal() * 20 + hour,
        moment=moment,
        language=language or house.languages[0],
        dice=dice,
    )
    return replace(story, escaped_caption=None, modified=None)
