"""`/.well-known/tdmrep.json`: what an origin reserves of text and data mining, by path (TDM Reservation Protocol,
W3C community group report of 10 May 2024, section 5). Pure.
"""  # noqa: D205

from dataclasses import dataclass
from typing import Any

import msgspec

from spiders.pathpattern import LONGEST, matches

PATH = "/.well-known/tdmrep.json"
MOST_RULES = 1000


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for the paths that begin as `location` says."""

    location: str
    reservation: str  # 1: the rights are reserved, 0: they are not
    policy: str | None


def read(body: bytes) -> tuple[Rule, ...]:
    """Read the rules of a file; those that are none are left out, and a file that is none has none. Never raises."""
    try:
        entries = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()
    if isinstance(entries, dict):  # a single rule without its array is a frequent slip
        entries = [entries]
    if not isinstance(entries, list):
        return ()
    return tuple(rule for entry in entries[:MOST_RULES] if isinstance(entry, dict) and (rule := _rule(entry)))


def said_of(rules: tuple[Rule, ...], path: str) -> dict[str, str]:
    """Return the rights (tdm_reservation, tdm_policy) of a path with its query: the longest location that matches."""
    found = max((rule for rule in rules if matches(rule.location, path)), key=lambda r: len(r.location), default=None)
    if found is None:
        return {}
    said = {"tdm_reservation": found.reservation}
    return said | {"tdm_policy": found.policy} if found.policy else said


def _rule(entry: dict[str, Any]) -> Rule | None:
    location, policy = entry.get("location"), entry.get("tdm-policy")
    reservation = str(entry.get("tdm-reservation")).strip()
    if not isinstance(location, str) or reservation not in {"0", "1"}:
        return None
    location = location if location.startswith(("/", "*")) else f"/{location}"
    return Rule(location[:LONGEST], reservation, policy[:LONGEST] if isinstance(policy, str) and policy else None)
