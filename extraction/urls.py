"""URLs: one canonical form that can be fetched, and one key an article.

`canonicalize` changes only what no server may tell apart (RFC 3986 section 6, URL Standard host parsing) plus tracking
parameters and session ids. `url_key` goes further, to what publishers serve as twins of one article: http and https,
www, AMP, mobile and print variants, the pages of one article, the order of parameters. So the URL of a row can be
fetched as it stands, while its twins meet in one row.
"""

import re
from functools import cache, lru_cache
from hashlib import blake2b
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote_to_bytes, urljoin

from extraction.records import Outcome

if TYPE_CHECKING:
    from tldextract import TLDExtract

#: Longest URL taken, in characters. The sitemap protocol allows 2,048; a slug of a non-Latin script takes nine
#: characters a letter once it is encoded, so longer ones are real.
MAX_URL = 4096


class BadUrlError(ValueError):
    """Raised for text that is no http(s) URL we would fetch; the message says what is wrong and quotes the text."""

    outcome: ClassVar[Outcome] = Outcome.BAD_URL

    def __init__(self, reason: str, url: str) -> None:
        self.reason = reason
        self.url = url
        super().__init__(f"{reason}: {url[:200]!r}{' …' if len(url) > 200 else ''}")


class RefusedSchemeError(BadUrlError):
    """Raised for a well-formed URL of a scheme other than http and https (file:, ftp:, data:, javascript:, …)."""

    outcome: ClassVar[Outcome] = Outcome.REFUSED_SCHEME


# Tracking parameters: names that speak of the visit and never of the page. Names that some site uses to choose its
# content (id, p, ref, source, cid, …) are kept: dropping one of those would merge two articles.
_TRACKING = re.compile(
    r"""(?: utm_\w* | mtm_\w+ | pk_(?:campaign|kwd|keyword|source|medium|content|cid) | (?:piwik|matomo)_\w+
      | (?:f|fb|g|d|y|ys|tw|ttc|tt|msclk|ms)clid | msclkid | gclsrc | [gw]braid | igshid | igsh | li_fat_id | _openstat
      | mc_[ce]id | ml_subscriber(?:_hash)? | mkt_tok | _ga | _gl | _gac | _ke | _hs(?:enc|mi) | __hs\w+
      | hs(?:ctatracking|_amp)
      | vero_(?:id|conv) | oly_(?:anon|enc)_id | rb_clickid | wickedid | s_cid | xtor | xtref | _branch_match_id
      | at_(?:medium|campaign|campaign_type|custom\d|link_\w+|format|ptr_\w+|bbc_team)
      | ns_(?:mchannel|source|campaign|linkname|fee)
      | smid | smtyp | cmpid | ncid | sr_share | guce_referr\w+ | guccounter | fb_(?:action_\w+|source|ref)
      | spm | trk(?:campaign|info) | __twitter_impression | amp_js_v | usqp
      )""",
    re.VERBOSE | re.IGNORECASE,
)
_SESSION = re.compile(
    r"(?:phpsessid|jsessionid|aspsessionid\w*|zenid|sessionid|session_id|cfid|cftoken)", re.IGNORECASE
)
_SESSION_PATH = re.compile(r";jsessionid=[^/;?]*|/\([SFA]\([^()/]{8,}\)\)(?=/)", re.IGNORECASE)

_SHAPE = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LINE_BREAKS = re.compile(r"[\t\r\n]+")
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})*")
_NUMBERS = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}")
_PERCENT = re.compile(r"%(?:[0-9A-Fa-f]{2})?")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_NOT_PATH = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]+")
_NOT_QUERY = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]+")
_DEFAULT_PORT = {"http": "80", "https": "443"}


def canonicalize(url: str, base: str | None = None) -> str:
    """Return the canonical form of an absolute URL, or of one relative to `base`; applying it twice changes nothing.

    Lower case for scheme and host, IDNA (UTS 46) for the host, IPv4 in any spelling as four decimal numbers, no default
    port, no dot segments, percent-encoding normalised (RFC 3986 6.2.2), no fragment, no tracking parameters, no session
    ids, no empty query. Parameters keep their order, for some servers read it. Line breaks and tabs inside are dropped,
    as browsers do (URL Standard).

    Raises:
        RefusedSchemeError: the scheme is not http or https.
        BadUrlError: no host, user information, control characters, a bad port, or longer than MAX_URL.
    """
    text = _LINE_BREAKS.sub(
        "", url.strip("\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x1f \u00a0\ufeff\u200b")
    )
    if not text:
        raise BadUrlError("empty URL", url)
    if len(text) > MAX_URL:
        raise BadUrlError(f"URL of {len(text)} characters, more than {MAX_URL}", url)
    if _CONTROL.search(text):
        raise BadUrlError("control character in URL", url)
    scheme, authority_text, path, query = _split(text, base)
    try:
        place = _authority(scheme, authority_text)
    except BadUrlError as exc:
        raise BadUrlError(exc.reason, url) from exc
    canonical = f"{scheme}://{place}{_path(path)}{_query(query)}"
    if "%00" in canonical:
        raise BadUrlError("NUL in URL", url)
    if len(canonical) > MAX_URL:
        raise BadUrlError(f"URL of {len(canonical)} characters once encoded, more than {MAX_URL}", url)
    return canonical


def _split(text: str, base: str | None) -> tuple[str, str, str, str]:
    """Split into scheme, authority, path and query, made absolute against `base`."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise BadUrlError("unpaired surrogate in URL", text) from exc
    fields = _fields(text)
    if not fields[0] and base is not None:
        try:
            fields = _fields(urljoin(base, _slashes(text)))
        except ValueError as exc:
            raise BadUrlError(f"not to be joined with its base ({exc})", text) from exc
    scheme, authority_text, path, query = fields
    if not scheme:
        raise BadUrlError("URL without a scheme", text)
    if scheme not in _DEFAULT_PORT:
        raise RefusedSchemeError(f"scheme {scheme[:20]!r} is not http or https", text)
    if not authority_text:
        raise BadUrlError("URL without a host", text)
    return scheme, authority_text, path, query


def _fields(text: str) -> tuple[str, str, str, str]:
    match = _SHAPE.fullmatch(_slashes(text) if "\\" in text else text)
    assert match is not None, "every part of the pattern is optional"
    scheme, authority_text, path, query = match.groups(default="")
    return scheme.lower(), authority_text, path, query


def _slashes(text: str) -> str:
    """Turn backslashes before the query into slashes, as browsers do (URL Standard, special schemes)."""
    head, mark, tail = text.partition("?")
    return head.replace("\\", "/") + mark + tail


@lru_cache(maxsize=2048)  # a site's links name few hosts: half of the work
def _authority(scheme: str, text: str) -> str:
    if "@" in text:
        raise BadUrlError("user information in URL", text)
    name, colon, port = text.rpartition(":")
    if not colon or name.startswith("[") != name.endswith("]"):
        name, port = text, ""
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:9]) < 65536):
        raise BadUrlError(f"bad port {port[:20]!r}", text)
    port = port.lstrip("0")
    return _host(name) + (f":{port}" if port and port != _DEFAULT_PORT[scheme] else "")


def _host(name: str) -> str:
    """Return the host as the wire has it: IDNA ASCII, or an address in its one spelling (URL Standard 3.5)."""
    if name.startswith("["):
        return _ipv6(name)
    if "%" in name:
        name = unquote_to_bytes(name).decode("utf-8", "replace")
    name = _idna(name) if not name.isascii() else name.lower()
    name = name.removesuffix(".")
    if not _HOST.fullmatch(name) or len(name) > 253:
        raise BadUrlError("bad host in URL", name)
    last = name.rpartition(".")[2]
    if last.isdigit() or last.startswith("0x"):
        return _ipv4(name)
    return name


def _idna(name: str) -> str:
    import idna  # noqa: PLC0415 - 30 ms, and few hosts need it

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as exc:
        raise BadUrlError("bad host in URL", name) from exc


def _ipv4(name: str) -> str:
    """Read 2130706433, 0x7f.1, 0177.0.0.1 and the like, as inet_aton and every browser do."""
    if not _NUMBERS.fullmatch(name):
        raise BadUrlError("bad host in URL", name)
    try:
        *heads, tail = (_number(part) for part in name.split("."))
    except ValueError as exc:
        raise BadUrlError("bad IPv4 address in URL", name) from exc
    if any(n > 255 for n in heads) or tail >= 256 ** (4 - len(heads)):
        raise BadUrlError("bad IPv4 address in URL", name)
    return str(IPv4Address(sum(n << (24 - 8 * i) for i, n in enumerate(heads)) + tail))


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if len(part) > 1 and part.startswith("0") else int(part)


def _ipv6(name: str) -> str:
    try:
        address = IPv6Address(name.removeprefix("[").removesuffix("]"))
    except AddressValueError as exc:
        raise BadUrlError("bad IPv6 address in URL", name) from exc
    if not name.endswith("]") or address.scope_id is not None:
        raise BadUrlError("bad IPv6 address in URL", name)
    return f"[{address.compressed}]"


def _encoded(text: str, unsafe: re.Pattern[str]) -> str:
    """Encode what may not stand, decode what need not be encoded, upper-case the rest, mend a lone percent sign."""
    if "%" in text:
        text = _PERCENT.sub(_percent, text)
    if unsafe.search(text):
        text = unsafe.sub(lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode()), text)
    return text


def _percent(match: re.Match[str]) -> str:
    code = match[0]
    if len(code) == 1:
        return "%25"
    byte = int(code[1:], 16)
    return chr(byte) if byte in _UNRESERVED else code.upper()


def _path(path: str) -> str:
    path = _encoded(path, _NOT_PATH)
    if ";" in path or "/(" in path:
        path = _SESSION_PATH.sub("", path)
    if "/." in path:
        path = _without_dots(path)
    return path or "/"


def _without_dots(path: str) -> str:
    """Remove dot segments (RFC 3986 5.2.4)."""
    out: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(out) > 1:
                out.pop()
        elif segment != ".":
            out.append(segment)
    if segments[-1] in {".", ".."}:
        out.append("")
    return "/".join(out)


def _query(query: str) -> str:
    kept = [part for part in query.split("&") if part and not _idle(part)] if query else []
    return "?" + _encoded("&".join(kept), _NOT_QUERY) if kept else ""


def _idle(parameter: str) -> bool:
    name = parameter.partition("=")[0]
    return bool(_TRACKING.fullmatch(name) or _SESSION.fullmatch(name))


def host(url: str) -> str:
    """Return the host of a canonical URL, IPv6 without its brackets."""
    name = authority(url)
    return name[1 : name.index("]")] if name.startswith("[") else name.partition(":")[0]


def authority(url: str) -> str:
    """Return host, and port if it is not the scheme's own, of a canonical URL: what robots.txt and politeness go by."""
    return url.split("/", 3)[2].partition("?")[0] if "://" in url else url


@lru_cache(maxsize=8192)
def registrable_domain(url: str) -> str:
    """Return the registrable domain (eTLD+1, private suffixes included) of a canonical URL or a bare host.

    Reads the public suffix list that comes with tldextract, never the network. Addresses, *.localhost and hosts that
    are themselves a suffix are returned as they are.
    """
    name = host(url)
    if ":" in name or name == "localhost" or name.endswith(".localhost") or name.rpartition(".")[2].isdigit():
        return name
    return _suffix_list()(name).top_domain_under_public_suffix or name


@cache
def _suffix_list() -> "TLDExtract":
    from tldextract import TLDExtract  # noqa: PLC0415 - 0.4 s of import, for commands that do not crawl

    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def same_site(a: str, b: str) -> bool:
    """Tell whether two canonical URLs belong to one registrable domain."""
    return host(a) == host(b) or registrable_domain(a) == registrable_domain(b)


# What one article's twins differ in. A rule stands here only if two different articles cannot share the rest.
_TWIN_HOST = re.compile(r"(?:www\d?|m|mobile|amp)\.(?=.*[a-z])")
_TWIN_PARAMETER = re.compile(
    r"(?:(?:amp|amp_markup|isamp|print|printable|mobile)(?:=(?:1|true|yes|y)?)?"
    r"|outputtype=amp|output=(?:amp|print)|view=print|mode=print|layout=amp)",
    re.IGNORECASE,
)
_PAGE_PARAMETER = re.compile(r"(?:page|pageno|seite|pagina)=[12]?[0-9]", re.IGNORECASE)
_TWIN_HEAD = re.compile(r"/(?:amp|print)(?=/.)", re.IGNORECASE)
_TWIN_TAIL = re.compile(r"/(?:(?:amp|print|index|default)(?:\.html?)?)?$|\.amp(?=(?:\.html?)?$)", re.IGNORECASE)
_PAGE_TAIL = re.compile(r"(?<=/)(?:page/)?[12]?[0-9]$", re.IGNORECASE)
_SLUG = re.compile(r"/[^/]*(?:-[^/-]+-|\d{6})[^/]*/?$")  # a last segment that can name an article


def url_key(canonical: str) -> str:
    """Return the 24 hexadecimal digits that name the article at a canonical URL, equal for its twins (see the module).

    BLAKE2b of 12 bytes: at 100 million URLs the chance of any collision is below one in ten trillion.
    """
    return blake2b(_twin_form(canonical).encode(), digest_size=12).hexdigest()


def _twin_form(canonical: str) -> str:
    place = canonical.index("/", len("https://"))
    path, _, query = canonical[place:].partition("?")
    path = _twin_path(path)
    host_form = _twin_host(authority(canonical))
    if not query:
        return f"{host_form}{path}?"
    parameters = sorted(part for part in query.split("&") if not _TWIN_PARAMETER.fullmatch(part))
    unpaged = [part for part in parameters if not _PAGE_PARAMETER.fullmatch(part)]
    if _SLUG.search(path) or any(unpaged):
        parameters = unpaged
    return f"{host_form}{path}?{'&'.join(parameters)}"


@lru_cache(maxsize=2048)
def _twin_host(place: str) -> str:
    """Drop www. and the like, unless it is part of the registrable domain (m.com)."""
    match = _TWIN_HOST.match(place)
    if not match or "." not in (rest := place[match.end() :]):
        return place
    if not match[0].startswith("www") and registrable_domain(place) == host(place):
        return place
    return rest


def _twin_path(path: str) -> str:
    """Drop AMP and print segments, the index file, the number of an article's page and the slash at the end."""
    path = _TWIN_HEAD.sub("", path)
    while match := _TWIN_TAIL.search(path):
        path = path[: match.start()] + path[match.end() :]
    page = _PAGE_TAIL.search(path)
    if page and _SLUG.search(path[: page.start()]):
        return path[: page.start() - 1]
    return path
