"""What is no article is rejected with its class, and what is one stays, in many languages."""

import json

import pytest

from extraction.article import extract
from extraction.records import Article, Rejection

URL = "https://www.daily.example/politics/a-plan-agreed-at-last"

NAV = '<header><nav><ul><li><a href="/">Home</a></li><li><a href="/politics">Politics</a></li><li><a href="/sport">Sport</a></li></ul></nav></header>'
FOOTER = '<footer><p>© Daily Example</p><a href="/imprint">Imprint</a><a href="/privacy">Privacy</a></footer>'

SENTENCES = {
    "en": "The ministers met for the third time this week and agreed on most of the open points of the budget.",
    "de": "Die Minister trafen sich in dieser Woche zum dritten Mal und einigten sich auf die meisten offenen Punkte.",
    "fr": "Les ministres se sont réunis pour la troisième fois cette semaine et ont trouvé un accord sur le budget.",
    "es": "Los ministros se reunieron por tercera vez esta semana y acordaron la mayoría de los puntos pendientes.",
    "it": "I ministri si sono riuniti per la terza volta questa settimana e hanno trovato un accordo sul bilancio.",
    "pl": "Ministrowie spotkali się po raz trzeci w tym tygodniu i uzgodnili większość otwartych punktów budżetu.",
    "ru": "Министры встретились в третий раз на этой неделе и согласовали большинство открытых вопросов бюджета.",
    "tr": "Bakanlar bu hafta üçüncü kez bir araya geldi ve bütçenin açık kalan noktalarının çoğunda anlaştı.",
    "ja": "閣僚は今週三回目の会合を開き、予算案の残された論点の大部分について合意に達したと明らかにした。",
    "ar": "اجتمع الوزراء للمرة الثالثة هذا الأسبوع واتفقوا على معظم النقاط المفتوحة في مشروع الميزانية.",
}
TOPICS = ("Housing", "Rail", "Harbour", "Schools", "Energy", "Farms", "Courts", "Rivers")


def paragraphs(count: int, language: str = "en", sentences: int = 3) -> str:
    return "".join(f"<p>{topic}: {' '.join([SENTENCES[language]] * sentences)}</p>" for topic in (TOPICS * 5)[:count])


def page(body: str, *, title: str = "A plan agreed at last", head: str = "", language: str = "en") -> bytes:
    return (
        f'<!doctype html><html lang="{language}"><head><title>{title}</title>{head}</head>'
        f"<body>{NAV}<main>{body}</main>{FOOTER}</body></html>"
    ).encode()


def ld(kind: str = "NewsArticle", **fields: object) -> str:
    data = {
        "@type": kind,
        "headline": "A plan agreed at last",
        "datePublished": "2026-11-20T10:00:00Z",
        "author": {"name": "Jane Doe"},
        **fields,
    }
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


def outcome(html: bytes, url: str = URL) -> str:
    """The class that a page is rejected with, or "article"."""
    result = extract(html, url).result
    if isinstance(result, Article):
        return "article"
    assert isinstance(result, Rejection)
    assert result.reason
    return str(result.outcome)


@pytest.mark.parametrize("language", SENTENCES)
def test_articles_are_articles(language: str) -> None:
    """With and without data of their own."""
    body = f"<article><h1>A plan agreed at last</h1>{paragraphs(5, language)}</article>"
    assert outcome(page(body, head=ld(), language=language)) == "article"
    assert outcome(page(body, language=language)) == "article"


def test_a_short_news_brief_is_an_article() -> None:
    assert outcome(page(f"<article><h1>A plan agreed at last</h1>{paragraphs(1)}</article>", head=ld())) == "article"


@pytest.mark.parametrize(
    "title",
    [
        "404: how a number became a word",
        "Page not found: the libraries that vanish",
        "We value your privacy, say the firms that sell it",
        "Access denied: life behind the border",
        "Live from the harbour",
        "Login: the end of the password",
    ],
)
def test_articles_about_such_things_stay_articles(title: str) -> None:
    """Words alone reject nothing."""
    text = (
        paragraphs(6)
        + "<p>The page you are looking for, said the minister, was a cookie: subscribe to continue reading, they wrote.</p>"
    )
    assert (
        outcome(page(f"<article><h1>{title}</h1>{text}</article>", title=title, head=ld(headline=title))) == "article"
    )


MISSING = [
    ("en", "Page not found", "Sorry, the page you are looking for does not exist."),
    ("en", "404", "Nothing here."),
    ("de", "Seite nicht gefunden", "Die angeforderte Seite gibt es leider nicht."),
    ("fr", "Page introuvable", "La page que vous cherchez n'existe plus."),
    ("es", "Página no encontrada", "La página que busca no existe."),
    ("it", "Pagina non trovata", "La pagina richiesta non esiste."),
    ("pl", "Strona nie istnieje", "Szukana strona nie istnieje."),
    ("ru", "Страница не найдена", "Запрашиваемая страница не существует."),
    ("tr", "Sayfa bulunamadı", "Aradığınız sayfa bulunamadı."),
    ("ja", "ページが見つかりません", "お探しのページは見つかりませんでした。"),
    ("ar", "الصفحة غير موجودة", "الصفحة التي تبحث عنها غير موجودة."),
]


@pytest.mark.parametrize(("language", "title", "text"), MISSING)
def test_a_missing_page_at_status_200_is_an_error_page(language: str, title: str, text: str) -> None:
    """Soft 404, with the most-read list that such pages show."""
    most_read = (
        "<ul>"
        + "".join(f'<li><a href="/s/{n}">{topic} and what comes next</a></li>' for n, topic in enumerate(TOPICS))
        + "</ul>"
    )
    assert (
        outcome(page(f"<h1>{title}</h1><p>{text}</p>{most_read}", title=f"{title} - Daily Example", language=language))
        == "error_page"
    )


@pytest.mark.parametrize(
    ("title", "body"),
    [
        (
            "Just a moment...",
            "<h1>www.daily.example</h1><p>Checking your browser before you continue. This may take a few seconds.</p>",
        ),
        ("Attention Required!", "<h1>Sorry, you have been blocked</h1><p>You are unable to access this site.</p>"),
        ("Access Denied", "<h1>Access Denied</h1><p>You don't have permission to access this on this server.</p>"),
        ("Are you a robot?", "<h1>Are you a robot?</h1><p>Please confirm that you are human to go on.</p>"),
        (
            "Please enable cookies",
            "<h1>Please enable cookies</h1><p>Your browser refuses cookies, which this site needs.</p>",
        ),
        (
            "Log in",
            "<h1>Log in</h1><form><input name='u'><input type='password' name='p'><button>Go</button></form><p>Forgot your password?</p>",
        ),
        (
            "Anmelden",
            "<h1>Anmelden</h1><form><input name='u'><input type='password' name='p'></form><p>Passwort vergessen? Dann helfen wir gern.</p>",
        ),
        (
            "Down for maintenance",
            "<h1>We'll be back soon</h1><p>Our site is down for scheduled maintenance. Thank you for waiting.</p>",
        ),
        (
            "Wartungsarbeiten",
            "<h1>Wartungsarbeiten</h1><p>Wir sind bald wieder für Sie da. Bitte versuchen Sie es später.</p>",
        ),
        (
            "503 Service Unavailable",
            "<h1>Service unavailable</h1><p>The server is temporarily unable to answer your request.</p>",
        ),
        (
            "daily.example",
            "<h1>daily.example</h1><p>This domain may be for sale. Buy this domain today from its owner.</p>",
        ),
    ],
)
def test_challenges_logins_maintenance_and_parking_are_error_pages(title: str, body: str) -> None:
    assert outcome(page(body, title=title)) == "error_page"


CONSENT = [
    ("en", "We value your privacy", "We and our partners store and access information on your device, such as cookies, for personalised ads. You can accept all or reject all."),
    ("de", "Ihre Privatsphäre", "Wir und unsere Partner verwenden Cookies und ähnliche Techniken. Mit Werbung weiterlesen oder werbefrei im Pur-Abo: alle akzeptieren und weiter."),
    ("fr", "Vos données", "Nous et nos partenaires utilisons des cookies pour la publicité. Vous pouvez tout accepter ou continuer sans accepter."),
    ("es", "Valoramos su privacidad", "Nosotros y nuestros socios utilizamos cookies para mostrar anuncios. Puede aceptar todo o configurar cookies."),
    ("it", "Il rispetto della tua privacy", "Noi e i nostri partner utilizziamo i cookie per gli annunci. Accetta e continua oppure rifiuta e abbonati."),
    ("pl", "Szanujemy Twoją prywatność", "My i nasi partnerzy używamy plików cookie do wyświetlania reklam. Przetwarzanie danych można zaakceptować lub odrzucić."),
]  # fmt: skip


@pytest.mark.parametrize(("language", "title", "text"), CONSENT)
def test_a_page_that_only_asks_for_consent_is_a_consent_wall(language: str, title: str, text: str) -> None:
    body = f"<div class='box'><h1>{title}</h1><p>{text}</p><p>{text}</p><button>OK</button></div>"
    assert outcome(page(body, title=f"Daily Example - {title}", language=language)) == "consent_wall"


def test_a_consent_services_address_is_a_consent_wall() -> None:
    assert (
        outcome(page(f"<h1>Before you continue</h1>{paragraphs(2)}"), "https://consent.daily.example/m?continue=x")
        == "consent_wall"
    )


def test_an_article_with_a_banner_is_an_article() -> None:
    banner = f"<div id='cookie-banner'><h2>{CONSENT[0][1]}</h2><p>{CONSENT[0][2]}</p></div>"
    assert (
        outcome(page(f"{banner}<article><h1>A plan agreed at last</h1>{paragraphs(4)}</article>", head=ld()))
        == "article"
    )


PAYWALLS = [
    ("en", "This article is for subscribers only. Subscribe to continue reading."),
    ("de", "Dieser Artikel ist exklusiv für Abonnenten. Jetzt abonnieren und weiterlesen."),
    ("fr", "Cet article est réservé aux abonnés. Il vous reste 85% de cet article à lire."),
    ("es", "Contenido exclusivo para suscriptores. Suscríbete para seguir leyendo."),
    ("it", "Contenuto riservato agli abbonati. Abbonati per continuare a leggere."),
    ("pl", "Artykuł tylko dla prenumeratorów. Wykup dostęp i czytaj dalej."),
    ("ja", "この記事は有料会員限定です。続きを読むには登録が必要です。"),
]


@pytest.mark.parametrize(("language", "prompt"), PAYWALLS)
def test_a_stub_before_a_paywall_is_a_paywall(language: str, prompt: str) -> None:
    """An opening paragraph and a prompt, with and without the page's own word for it."""
    body = f"<article><h1>A plan agreed at last</h1>{paragraphs(1, language, 1)}<div class='paywall'><p>{prompt}</p></div></article>"
    assert outcome(page(body, head=ld(), language=language)) == "paywall"
    assert outcome(page(body, head=ld(isAccessibleForFree=False), language=language)) == "paywall"


def test_a_stub_that_says_it_is_not_free_is_a_paywall() -> None:
    assert (
        outcome(
            page(
                f"<article><h1>A plan agreed at last</h1>{paragraphs(1, 'en', 1)}</article>",
                head=ld(isAccessibleForFree="False"),
            )
        )
        == "paywall"
    )


def test_a_whole_article_that_is_not_free_stays_an_article() -> None:
    """What is there to be read in full is kept, and marked."""
    result = extract(
        page(f"<article><h1>A plan agreed at last</h1>{paragraphs(6)}</article>", head=ld(isAccessibleForFree=False)),
        URL,
    ).result
    assert isinstance(result, Article)
    assert result.metadata.is_accessible_for_free is False


def test_live_blogs_are_live() -> None:
    """By their own word, and by their address and posts."""
    posts = "".join(
        f"<div class='post'><time datetime='2026-11-22T{h:02}:00Z'>{h}:00</time><h3>{h} o'clock</h3>{paragraphs(1)}</div>"
        for h in range(6, 18)
    )
    assert outcome(page(f"<h1>Live: the vote</h1>{posts}", head=ld("LiveBlogPosting"))) == "live"
    assert (
        outcome(
            page(f"<h1>The vote, as it happens</h1>{posts}"),
            "https://www.daily.example/politics/live/2026/nov/22/the-vote",
        )
        == "live"
    )


def test_galleries_and_videos_are_galleries() -> None:
    figures = "".join(
        f"<figure><img src='/{n}.jpg'><figcaption>{topic}, seen from the air. Photo: J. Doe</figcaption></figure>"
        for n, topic in enumerate(TOPICS * 2)
    )
    assert (
        outcome(
            page(f"<h1>The year in pictures</h1><p>Our photographers' choice.</p>{figures}"),
            "https://www.daily.example/gallery/the-year",
        )
        == "gallery"
    )
    video = "<h1>Watch: the vote</h1><video src='/v.mp4'></video><p>The vote lasted until the early morning.</p>"
    assert outcome(page(video, head='<meta property="og:type" content="video.other">')) == "gallery"


@pytest.mark.parametrize(
    "url", ["https://www.daily.example/", "https://www.daily.example/politics", "https://www.daily.example/tag/harbour"]
)
def test_home_and_section_pages_are_indexes(url: str) -> None:
    teasers = "".join(
        f"<div class='item'><h2><a href='/s/{n}'>{topic}: what the {n}th day brought</a></h2><p>{SENTENCES['en']}</p></div>"
        for n, topic in enumerate(TOPICS * 3)
    )
    assert (
        outcome(
            page(
                f"<h1>Politics</h1>{teasers}",
                title="Politics - Daily Example",
                head='<meta property="og:type" content="website">',
            ),
            url,
        )
        == "index"
    )


@pytest.mark.parametrize(
    ("language", "more"),
    [
        ("en", "Read more"),
        ("de", "Weiterlesen"),
        ("fr", "Lire la suite"),
        ("es", "Leer más"),
        ("it", "Leggi tutto"),
        ("pl", "Czytaj dalej"),
    ],
)
def test_an_opening_that_leads_elsewhere_is_a_teaser(language: str, more: str) -> None:
    body = f"<article><h1>A plan agreed at last</h1><p>{SENTENCES[language][:-1]} […]</p><a href='https://other.example/x'>{more}</a></article>"
    assert outcome(page(body, language=language)) == "teaser"


@pytest.mark.parametrize(
    "html",
    [
        b'<!doctype html><html><head><title>Daily</title></head><body><div id="root"></div><script src="/main.js"></script></body></html>',
        b'<!doctype html><html><head><title>Daily</title></head><body><noscript>You need to enable JavaScript to run this app.</noscript><app></app><script src="a.js"></script></body></html>',
        b"<!doctype html><html lang=de><body><noscript>Bitte aktivieren Sie JavaScript.</noscript><div id=app></div><script>x()</script></body></html>",
        b"<html><body><div id='__next'></div><script id='__NEXT_DATA__' type='application/json'>"
        + b'{"a":"b"}' * 900
        + b"</script></body></html>",
    ],
    ids=["root", "noscript", "german", "next"],
)
def test_a_shell_without_its_scripts_is_script_only(html: bytes) -> None:
    assert outcome(html) == "script_only"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"<html><body></body></html>", "empty"),
        (b"<html><body><img src='a.gif'></body></html>", "empty"),
        (b"%PDF-1.4 ...", "not_html"),
        (b'{"headline": "x"}', "not_html"),
        (b"<?xml version='1.0'?><rss version='2.0'><channel/></rss>", "not_html"),
    ],
)
def test_nothing_and_other_files_are_named(html: bytes, expected: str) -> None:
    assert outcome(html) == expected


ROWS = [
    (f"/a/{n}", f"{topic} and what comes next for it", f"The council has {n} days to answer.")
    for n, topic in enumerate(TOPICS)
]


@pytest.mark.parametrize(
    "body",
    [
        "".join(f'<div><div><a href="{href}">{head}</a></div><div>{text}</div></div>' for href, head, text in ROWS),
        "<ul>"
        + "".join(
            f'<li><span>1{n}:05</span> <a href="{href}">{head}</a></li>' for n, (href, head, _) in enumerate(ROWS)
        )
        + "</ul>",
        "<table>"
        + "".join(f'<tr><td>1 May</td><td><a href="{href}">{head}</a> {text}</td></tr>' for href, head, text in ROWS)
        + "</table>",
    ],
    ids=["boxes", "list", "table"],
)
def test_list_of_articles_is_an_index_in_any_markup(body: str) -> None:
    """Without one heading, and under an address that tells nothing."""
    assert outcome(page(f"<h1>Housing</h1>{body}", title="Housing"), "https://www.daily.example/p/48213") == "index"


@pytest.mark.parametrize("language", ["en", "fr", "ru"])
@pytest.mark.parametrize("form", ["<p><b>{}</b> {}</p>", "<ul><li>{} {}</li></ul>", "<h3>{}</h3><p>{}</p>"])
def test_posts_that_begin_with_a_time_are_a_live_page(form: str, language: str) -> None:
    """Whatever the markup; an article that names three times of day is none."""
    posts = [form.format(f"{20 - n}:{10 + n}", SENTENCES[language]) for n in range(7)]
    address = "https://www.daily.example/p/48214"
    assert (
        outcome(page(f"<article><h1>The storm</h1>{''.join(posts)}</article>", head=ld(), language=language), address)
        == "live"
    )
    few = f"<article><h1>The storm</h1>{paragraphs(5, language)}{''.join(posts[:3])}</article>"
    assert outcome(page(few, head=ld(), language=language), address) == "article"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Not available in your region", "We may not show this site where you are."),
        ("Nicht mehr verfügbar", "Der Beitrag wurde gelöscht."),
        ("Un momento", "Comprobamos que no es un programa."),
        ("Błąd serwera", "Spróbuj za chwilę."),
        ("Bu alan adı satılık", "Teklif verin."),
        ("アクセスが拒否されました", "管理者にお問い合わせください。"),
    ],
)
def test_notices_instead_of_an_article_are_error_pages(title: str, text: str) -> None:
    assert outcome(page(f"<h1>{title}</h1><p>{text}</p>", title=title)) == "error_page"


def test_consent_wall_is_one_though_it_carries_the_articles_data() -> None:
    wall = "<h2>Zustimmen oder zahlen</h2><p>Wir und unsere Partner speichern Informationen auf Ihrem Gerät. Willigen Sie ein oder lesen Sie ohne Tracking im Abo.</p>"
    assert outcome(page(f"<div>{wall}<button>OK</button></div>", head=ld())) == "consent_wall"


def test_a_brief_beside_an_offer_is_an_article_and_one_cut_by_it_is_none() -> None:
    brief = f"<p>{SENTENCES['en']} {SENTENCES['en']}</p><p>{SENTENCES['en']}</p>"
    offer, wall = (
        "<div><p>Try the paper for a month.</p></div>",
        "<div><p>Subscribe to continue reading this article.</p></div>",
    )
    assert outcome(page(f"<article><h1>The storm</h1>{brief}{offer}</article>", head=ld())) == "article"
    assert outcome(page(f"<article><h1>The storm</h1>{brief}{wall}</article>", head=ld())) == "paywall"
