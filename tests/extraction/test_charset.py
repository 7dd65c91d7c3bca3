"""The right text whatever was declared, and doubt where it is due."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction.charset import to_utf8

RUSSIAN = "Правительство объявило о новых мерах поддержки, сообщил министр финансов. "
JAPANESE = "首相は記者会見で、政府が支援を継続する方針を示した。カタカナも使う。"
CHINESE = "总理在记者会上表示,政府将继续提供支持,市民表示欢迎。"
KOREAN = "총리는 기자회견에서 정부가 지원을 계속할 것이라고 밝혔다. "
GERMAN = "Der Minister erklärte, höhere Zölle kämen für die Länder nicht in Frage – „nie“. "
POLISH = "Minister oświadczył, że rząd zamierza wesprzeć źródła żywności i łączność. "
GREEK = "Ο πρωθυπουργός δήλωσε ότι η κυβέρνηση θα συνεχίσει τη στήριξη. "


def page(text: str, codec: str, meta: str | None = None) -> bytes:
    head = f'<meta charset="{meta}">' if meta else ""
    return f'<html lang="{language(text)}"><head>{head}<title>t</title></head><body><p>{text * 10}</p></body></html>'.encode(
        codec
    )


def language(text: str) -> str:
    return {RUSSIAN: "ru", JAPANESE: "ja", CHINESE: "zh", KOREAN: "ko", POLISH: "pl", GREEK: "el"}.get(text, "de")


# text, codec of the bytes, meta, header, doubtful
CASES = [
    (GERMAN, "utf-8", None, None, False),
    (GERMAN, "utf-8", "iso-8859-1", "text/html; charset=iso-8859-1", False),
    (GERMAN, "utf-8", "windows-1252", None, False),
    (RUSSIAN, "utf-8", None, "text/html; charset=windows-1251", False),
    (GERMAN, "utf-8-sig", "iso-8859-1", None, False),
    (GERMAN, "utf-16", None, None, False),
    (GERMAN, "utf-16-le", None, None, False),
    (JAPANESE, "utf-16-be", "utf-16", "text/html; charset=utf-16", False),
    (GERMAN, "cp1252", "iso-8859-1", None, False),
    (GERMAN, "cp1252", None, "text/html; charset=ISO-8859-1", False),
    (GERMAN, "cp1252", "utf-8", "text/html; charset=utf-8", True),
    (GERMAN, "cp1252", None, None, True),
    (POLISH, "iso8859-2", "iso-8859-2", None, False),
    (POLISH, "cp1250", "windows-1250", "text/html; charset=utf-8", False),
    (RUSSIAN, "cp1251", "windows-1251", None, False),
    (RUSSIAN, "cp1251", "windows-1251", "text/html; charset=ISO-8859-1", False),
    (RUSSIAN, "cp1251", None, "text/html; charset=iso-8859-1", True),
    (RUSSIAN, "cp1251", "koi8-r", None, True),
    (RUSSIAN, "cp1251", None, None, True),
    (RUSSIAN, "koi8-r", None, "text/html; charset=KOI8-R", False),
    (GREEK, "iso8859-7", "iso-8859-7", None, False),
    (JAPANESE, "shift_jis", "shift_jis", None, False),
    (JAPANESE, "shift_jis", None, "text/html; charset=iso-8859-1", True),
    (JAPANESE, "shift_jis", None, None, True),
    (JAPANESE, "euc_jp", "EUC-JP", None, False),
    (JAPANESE, "iso2022_jp", "iso-2022-jp", None, False),
    (CHINESE, "gb18030", "gb2312", None, False),
    (CHINESE, "gb18030", None, None, True),
    (CHINESE, "gb18030", "GBK", "text/html; charset=utf-8", False),
    (KOREAN, "cp949", "euc-kr", None, False),
    (KOREAN, "cp949", None, "text/html; charset=iso-8859-1", True),
    (GERMAN, "utf-8", "bogus-9", "text/html; charset=also-bogus", False),
    (GERMAN, "cp1252", "bogus-9", None, True),
    (GERMAN, "utf-8", "rot13", "text/html; charset=zlib", False),
]


@pytest.mark.parametrize(("text", "codec", "meta", "header", "doubtful"), CASES)
def test_the_text_is_right_whatever_was_declared(text, codec, meta, header, doubtful) -> None:
    """Bytes decide; a guess is flagged, a lying header over clear bytes is not."""
    utf8, charset = to_utf8(page(text, codec, meta), header)
    assert text * 10 in utf8.decode()
    assert charset.doubtful is doubtful


def test_what_was_declared_is_kept_as_evidence() -> None:
    """Meta and header stay readable beside the charset that was used."""
    _, charset = to_utf8(page(GERMAN, "utf-8", "Windows-1252"), "text/html; charset=ISO-8859-1")
    assert charset.name == "utf-8"
    assert charset.declared == (("meta", "windows-1252"), ("header", "iso-8859-1"))


def test_utf7_is_never_decoded() -> None:
    """Markup smuggled in UTF-7 stays text, and the page is doubted."""
    html = b'<meta charset="utf-7"><p>+ADw-script+AD4-alert(1)+ADw-/script+AD4-</p>'
    utf8, charset = to_utf8(html, "text/html; charset=UTF-7")
    assert utf8 == html
    assert charset.doubtful


def test_stray_bytes_in_utf8_are_mended_and_flagged() -> None:
    """A page that mixes two sources keeps both readable."""
    html = page(RUSSIAN, "utf-8").replace(b"</p>", " – „Zölle“</p>".encode("cp1252"))
    utf8, charset = to_utf8(html)
    assert RUSSIAN in utf8.decode()
    assert "– „Zölle“" in utf8.decode()
    assert (charset.name, charset.doubtful) == ("utf-8", True)


def test_a_page_cut_inside_a_character_stays_utf8() -> None:
    utf8, charset = to_utf8(RUSSIAN.encode() * 20 + "п".encode()[:1])
    assert RUSSIAN * 20 in utf8.decode()
    assert charset.name == "utf-8"


def test_one_torn_character_does_not_lose_a_declared_charset() -> None:
    utf8, charset = to_utf8(page(JAPANESE, "shift_jis", "shift_jis")[:-20] + b"\x82")
    assert JAPANESE in utf8.decode()
    assert charset.doubtful


def test_replacement_characters_in_the_source_are_doubted() -> None:
    assert to_utf8("<p>caf\ufffd</p>".encode())[1].doubtful


@settings(deadline=None)  # other processes share the machine
@given(
    st.binary(max_size=600),
    st.one_of(
        st.none(), st.text(max_size=30), st.sampled_from(["text/html; charset=utf-16", "charset=gbk", "charset=idna"])
    ),
)
def test_any_bytes_become_utf8(html: bytes, header: str | None) -> None:
    """No bytes and no header raise, and the result is always valid UTF-8."""
    utf8, _ = to_utf8(html, header)
    utf8.decode()


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\ufffd\ufeff\x00\x1b"), max_size=400))
def test_utf8_comes_back_unchanged(text: str) -> None:
    """What is valid UTF-8 is not touched."""
    utf8, charset = to_utf8(text.encode())
    assert (utf8.decode(), charset.doubtful) == (text, False)
