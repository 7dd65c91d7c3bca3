"""RSL licences, written for the tests."""

XML = "application/rsl+xml"
PERMITS = '<permits type="usage">{}</permits>'
PROHIBITS = '<prohibits type="usage">{}</prohibits>'
PAYMENT = '<payment type="{}"/>'


def licence(*contents: str) -> bytes:
    return f'<rsl xmlns="https://rslstandard.org/rsl">{"".join(contents)}</rsl>'.encode()


def content(url: str, *licences: str, more: str = "") -> str:
    return f'<content url="{url}"{more}>{"".join(f"<license>{each}</license>" for each in licences)}</content>'
