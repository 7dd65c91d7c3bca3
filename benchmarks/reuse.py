"""A labelled set of pairs of texts: copies of each other at several strengths, and pairs that only look like it.

Made from the newsroom's stocks of sentences (English, German, French) and small ones in Japanese and Chinese, by a
seed. A story is composed of paragraphs of many topics, so that two stories have by chance a paragraph's frame in
common, as reports of one paper do. `families(seed, count)` returns families of texts; two texts of a family are copies
or not as the makers of the texts say, two of different families never are.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from newsroom.prose import _Filler, stock

SITES = {"en": "saltmarsh-courier", "de": "lindenauer-bote", "fr": "la-lanterne"}
CALENDAR = {
    "weekday": ["Monday", "Thursday", "Friday", "Tuesday"],
    "month": ["December", "March", "June"],
}
JA = """{p}の{n}で{d}、{k}をめぐる住民説明会が開かれ、約{q}人が参加した。
市の担当者は、工事の費用が当初の見込みより{q}万円増えると説明した。
参加者からは「もっと早く知らせてほしかった」という声が相次いだ。
{n}に住む{w}さんは「祖父の代から{k}と暮らしてきた。なくなるのはさびしい」と話す。
計画によると、{k}は来年の春までに取り壊され、跡地には広場が整備される。
{p}では過去{q}年間に同じような建物が三つ失われている。
専門家は、雨の量が増えたことで地盤がゆるんだ可能性を指摘する。
議会では{d}に採決が行われ、賛成多数で予算案が可決された。
商店街の売り上げは{q}パーセント減り、空き店舗が目立つようになった。
一方で、若い世代が古い家を借りて喫茶店や書店を始める動きも出ている。
{w}さんは昨年、東京から{n}へ移り住み、小さな印刷所を開いた。
「紙の手触りを好む人は必ず残る」と考え、注文は全国から届くという。
夜の間に降った雪で、{p}と{n}を結ぶ列車は始発から運休した。
駅前では職員が朝五時から雪かきを続け、正午過ぎに運転が再開された。
気象台は{d}にかけて再び強い風が吹くとして、船の係留を確かめるよう呼びかけている。
漁業組合によると、{k}の水揚げは例年の半分ほどにとどまっている。
水温が高い状態が続き、魚の群れが沖へ移ったためとみられる。
小学校では{q}人の児童が、海岸で拾ったガラスを使って窓飾りを作った。
作品は{n}の図書館に展示され、冬の間だれでも見ることができる。
{k}の修復には地元の大工{q}人が加わり、釘を使わない工法が用いられた。
完成の祝いには太鼓が鳴り、子どもたちに餅が配られた。
選手は後半に三点を奪い、{p}の高校が十二年ぶりに決勝へ進んだ。
監督は「走り負けなかったことがすべて」と振り返った。
病院の待ち時間を短くするため、{n}では電話での相談が始まる。""".splitlines()
ZH = """{d}上午，{p}市{n}举行了关于{k}改造的听证会，约{q}名居民到场。
负责人表示，工程预算比去年增加了{q}万元，主要用于加固地基。
家住{n}的{w}说，他从小在{k}旁边长大，希望能保留原来的样子。
按照计划，整个工程将在明年春天之前完成，期间公交线路会有调整。
专家认为，连续的降雨使河岸变得松软，需要尽快处理。
市场里的摊主抱怨客人少了{q}成，但也有人开始在网上卖货。
{w}去年从省城回到{p}，把祖父留下的老屋改成了一家书店。
书店晚上九点以后仍然亮着灯，附近的学生常来这里写作业。
昨夜的大风吹倒了{q}棵树，{p}到{n}的列车一度停运。
工人们清晨五点开始清理轨道，中午以前恢复了通车。
气象部门提醒，{d}还会有一次明显的降温，渔船应当回港避风。
今年{k}的产量只有往年的一半，渔民说水温比以前高了。
小学的孩子们用海边捡来的玻璃做成了窗花，挂在{n}的图书馆里。
参加修复的木匠一共{q}人，他们坚持不用一根铁钉。
落成那天锣鼓响了一整个下午，老人们分到了热腾腾的年糕。
{p}的球队在下半场连进三球，时隔十二年再次进入决赛。
教练说，胜利来自每天清晨的跑步，没有别的秘密。
医院从下个月开始接受电话问诊，以减少走廊里的等待。""".splitlines()
WORDS = {
    "ja": {
        "p": "白浜 青峰 川辺 月島 霧原 浅野".split(),
        "n": "港町 上通り 北浦 鐘ヶ坂 柳橋 南浜".split(),
        "k": "旧税関 木の橋 灯台 市場 船着き場 石蔵 時計塔".split(),
        "w": "佐伯京子 森田健 石井春 大西誠 小野寺葵 三浦亮".split(),
        "d": "月曜日 水曜日 金曜日 日曜日".split(),
    },
    "zh": {
        "p": "临江 白沙 云岭 东湾 清水 石桥".split(),
        "n": "码头街 北门 柳巷 钟楼 南堤 盐场".split(),
        "k": "老海关 木桥 灯塔 鱼市 粮仓 渡口".split(),
        "w": "陈立春 王小禾 赵明远 林月 何青山 孙静".split(),
        "d": "星期一 星期三 星期五 星期日".split(),
    },
}
SYNONYMS = {
    "en": dict(
        pair.split("/")
        for pair in (
            "said/told reporters|the/this|a/one|and/as well as|people/residents|was/had been|were/had been|which/that"
            "|with/alongside|from/out of|of/for|to/towards|in/within|has/now has|had/once had|by/through"
            "|for/on behalf of|after/following|before/ahead of|on/upon|at/near|not/never|but/yet"
            "|weeks/days|new/recent|will/is to"
        ).split("|")
    ),
    "de": dict(
        pair.split("/")
        for pair in (
            "und/sowie|die/diese|der/jener|das/dieses|sagte/erklärte|mit/samt|von/aus|ist/sei|war/sei|nicht/kaum"
            "|ein/solch ein|eine/solch eine|in/innerhalb|auf/an|hat/habe|für/zugunsten|im/dort im|zu/bis zu"
        ).split("|")
    ),
    "fr": dict(
        pair.split("/")
        for pair in (
            "et/ainsi que|les/ces|le/ce|la/cette|de/depuis|dans/en|est/reste|pour/afin de|qui/lequel|une/cette|un/ce"
            "|à/vers|avec/aux côtés de|sur/au sujet de|dit/explique|pas/guère|des/de ces"
        ).split("|")
    ),
}
AGENCY = {
    "en": "({}) - Reporting by the Northern Wire; editing by its night desk.",
    "de": "({}) - Mit Material der Nordagentur, redaktionell bearbeitet.",
    "fr": "({}) - Avec les dépêches de l’Agence du Nord, mises en forme par la rédaction.",
    "ja": "（{}、北方通信）写真と本文の無断転載を禁じます。",
    "zh": "（{} 北方社）未经许可不得转载。",
}
CUT = {"first half", "cut and local", "two thirds, rewritten"}
LANGUAGES = ("en", "en", "en", "de", "fr", "ja", "zh")


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a family: what was done to make it, and with which others of the family it is a copy."""

    made_by: str
    paragraphs: tuple[str, ...]

    @property
    def body(self) -> str:
        """The text as a store has it."""
        return "\n\n".join(self.paragraphs)


@dataclass(frozen=True, slots=True)
class Family:
    """Texts that come from one story. `pairs`: places of two of them → whether they are copies."""

    language: str
    texts: tuple[Text, ...]
    pairs: dict[tuple[int, int], bool]


class Writer:
    """Composes stories and changes them, by a seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self._cipher: dict[int, str] = {}
        self._lines = {language: self._stock(site) for language, site in SITES.items()}

    def _stock(self, site: str) -> list[tuple[object, object, str]]:
        source = stock(site)
        return [
            (source, topic, re.sub("^(## |> |[*] )", "", line))
            for topic in source.topics
            for stage, variants in topic.stages
            if stage not in {"headline", "lead"}
            for variant in variants
            for line in variant
            if len(line) > 60
        ]

    def other_matter(self) -> None:
        """Let the next Japanese and Chinese stories be of other things: most of their Chinese characters change.

        The stocks are too small to tell hundreds of stories that have no more in common than stories have.
        """
        words = (word for lists in WORDS.values() for some in lists.values() for word in some)
        ideographs = sorted({sign for text in (*JA, *ZH, *words) for sign in text if "\u4e00" <= sign <= "\u9fff"})
        other = [chr(self.dice.randrange(0x4E00, 0x9FA5)) for _ in ideographs]
        pairs = zip(ideographs, other, strict=True)
        self._cipher = {ord(sign): new for sign, new in pairs if self.dice.random() < 0.7}

    def story(self, language: str, count: int) -> tuple[str, ...]:
        """Return so many paragraphs."""
        if language in WORDS:
            lines = JA if language == "ja" else ZH
            picked = self.dice.sample(lines, min(count, 8))
            return tuple(self._filled(language, line).translate(self._cipher) for line in picked)
        chosen = self.dice.sample(self._lines[language], count)
        number = self.dice.randrange(10**9)
        return tuple(
            _Filler(source.words, CALENDAR, topic, number + place).fill(line)  # type: ignore[attr-defined,arg-type]
            for place, (source, topic, line) in enumerate(chosen)
        )

    def _filled(self, language: str, line: str) -> str:
        words = WORDS[language] | {"q": [str(n) for n in range(3, 90)]}
        return re.sub(r"\{(\w)\}", lambda match: self.dice.choice(words[match[1]]), line)

    def rewritten(self, language: str, text: Sequence[str], share: float) -> tuple[str, ...]:
        """Change that share of the words (pairs of characters where they are not parted) into others, or drop them."""
        return tuple(self._rewritten(language, paragraph, share) for paragraph in text)

    def _rewritten(self, language: str, paragraph: str, share: float) -> str:
        if language in WORDS:  # a word is two characters, more or less
            units, joint, other = (
                re.findall("..?", paragraph),
                "",
                list("是的在有和也就都又个能会要" if language == "zh" else "はがもでにをのとやへ"),
            )
        else:
            units, joint, other = paragraph.split(" "), " ", []
        known = SYNONYMS.get(language, {})
        out = []
        for unit in units:
            if self.dice.random() >= share:
                out.append(unit)
            elif unit in known:
                out.append(known[unit])
            elif self.dice.random() < 0.4:
                out.append(self.dice.choice(other or list(known.values())))
        return joint.join(out)

    def restyled(self, text: Sequence[str]) -> tuple[str, ...]:
        """Other quotation marks, dashes and spaces, as another house sets them."""
        table = str.maketrans(
            {"“": '"', "”": '"', "„": "»", "«": '"', "’": "'", "—": "-", "–": "-", "「": "『", "」": "』"}
        )
        return tuple(paragraph.translate(table).replace("  ", " ") for paragraph in text)


def families(seed: int, count: int) -> list[Family]:
    """Return so many families, each of a story, its copies, and texts that only look like copies."""
    writer = Writer(seed)
    return [family(writer, LANGUAGES[number % len(LANGUAGES)]) for number in range(count)]


def family(writer: Writer, language: str) -> Family:
    """Compose a story and what others make of it."""
    dice = writer.dice
    writer.other_matter()
    count = dice.choice((4, 6, 8, 10, 14))
    story = writer.story(language, count)
    more = writer.story(language, 16)
    writer.other_matter()
    other = writer.story(language, 16)
    half = max(2, round(len(story) * 0.5)) if len(story) > 2 else len(story)
    copies: dict[str, Callable[[], Sequence[str]]] = {
        "verbatim": lambda: story,
        "agency line": lambda: (*story, AGENCY[language].format("NW")),
        "restyled": lambda: writer.restyled(story),
        "corrected": lambda: (*story[:-1], *more[:1]) if len(story) > 5 else writer.rewritten(language, story, 0.03),
        "rewritten 3%": lambda: writer.rewritten(language, story, 0.03),
        "rewritten 6%": lambda: writer.rewritten(language, story, 0.06),
        "rewritten 9%": lambda: writer.rewritten(language, story, 0.09),
        "rewritten 12%": lambda: writer.rewritten(language, story, 0.12),
        "rewritten 15%": lambda: writer.rewritten(language, story, 0.15),
        "reordered": lambda: dice.sample(story, len(story)),
        "first half": lambda: story[:half],
        "cut and local": lambda: (
            (*more[:1], *story[: max(half, 3)]) if len(story) > 3 else (*story, *more[:1])[: len(story) + 1]
        ),
        "two thirds, rewritten": lambda: writer.rewritten(language, story[: max(2, len(story) * 2 // 3)], 0.04),
        "with background": lambda: (*story, *more[: max(len(story) // 2, 1)]),
    }
    part = background(story, 0.35)
    lookalikes: dict[str, Callable[[], Sequence[str]]] = {
        "same frame": lambda: same_frame(writer, language, len(story)),
        "update with background": lambda: (*new_text(other, part), part),
        "update, nearly half background": lambda: (*new_text(other, background(story, 0.27)), background(story, 0.45)),
        "correction notice": lambda: (*other[-3:], background(story, 0.15)),
        "same topic, one quote": lambda: (*new_text(other, part), background(story[:2], 0.35)),
        "same furniture": lambda: (AGENCY[language].format("NW"), *other[: len(story)], AGENCY[language].format("ES")),
        "roundup": lambda: (*other[:10], part),
    }
    texts = [Text("story", story)]
    pairs = {}
    for name in dice.sample(sorted(copies), 3):
        texts.append(Text(name, tuple(copies[name]())))
        pairs[0, len(texts) - 1] = True
    for name in dice.sample(sorted(lookalikes), 3):
        texts.append(Text(name, tuple(lookalikes[name]())))
        for place, text in enumerate(texts[:4]):
            if text.made_by not in CUT:  # what is a small part of the story is a large one of half of it
                pairs[place, len(texts) - 1] = False
    return Family(language, tuple(texts), pairs)


def background(story: Sequence[str], share: float) -> str:
    """Return the last sentences of a story, as many as make up that share of it; at least one, if need be cut."""
    sentences = [part for paragraph in story for part in re.split(r"(?<=[.!?。」])\s*", paragraph) if part]
    most = share * sum(map(len, sentences))
    taken: list[str] = []
    while sentences and sum(map(len, taken)) + len(sentences[-1]) <= most:
        taken.insert(0, sentences.pop())
    return " ".join(taken) or sentences[-1][: int(most)]


def new_text(more: Sequence[str], beside: str) -> tuple[str, ...]:
    """Return as many new paragraphs as make what stands beside them a third of the whole."""
    taken: list[str] = []
    for paragraph in more:
        if sum(map(len, taken)) >= 2 * len(beside):
            break
        taken.append(paragraph)
    return tuple(taken)


def same_frame(writer: Writer, language: str, count: int) -> tuple[str, ...]:
    """A story of the same paper: by chance some frames of its paragraphs are those of others, with other names."""
    return writer.story(language, count)
