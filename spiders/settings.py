"""Scrapy's settings for the one spider. What Scrapy does by default and we do not, with the reason beside it."""

from typing import Any

from spiders.job import Job
from spiders.room import room

SETTINGS: dict[str, Any] = {
    # Plain asyncio: the child process owns its loop and its signals.
    "TWISTED_REACTOR_ENABLED": False,
    # file:, ftp:, s3: and data: have no handler: nothing that a page or feed says can read them.
    "DOWNLOAD_HANDLERS": {
        "http": "spiders.wire.WireHandler",
        "https": "spiders.wire.WireHandler",
        "file": None,
        "ftp": None,
        "s3": None,
        "data": None,
    },
    # Redirects, retries, robots.txt and politeness are spiders/crawl.py's: one rule for every request. Decompression,
    # cookies, meta refresh, referers and depth are not wanted: 2.9 of 3.8 ms of CPU a page went into them.
    "DOWNLOADER_MIDDLEWARES_BASE": {},
    "SPIDER_MIDDLEWARES_BASE": {},
    # The telnet console and the remote control open ports; the others log what we tell better.
    "EXTENSIONS_BASE": {},
    "TELNETCONSOLE_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False,
    "ROBOTSTXT_OBEY": False,
    "COOKIES_ENABLED": False,
    "COMPRESSION_ENABLED": False,
    "METAREFRESH_ENABLED": False,
    "REDIRECT_ENABLED": False,
    "RETRY_ENABLED": False,
    # When a host is asked is decided before Scrapy sees the request.
    "SCHEDULER": "spiders.news.Handover",
    "DOWNLOAD_DELAY": 0,
    "DOWNLOAD_DELAY_JITTER": 0,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
    "CONCURRENT_ITEMS": 1,
    "LOG_ENABLED": False,
    "STATS_DUMP": False,
}


def settings(job: Job) -> dict[str, Any]:
    """Return the settings for a job, after its process has taken what room there is for connections."""
    at_once, keep = room(len(job.sites))
    return {
        **SETTINGS,
        "CONCURRENT_REQUESTS": at_once,
        "KEEP_CONNECTIONS": keep,
        "USER_AGENT": job.agent(),
        "DOWNLOAD_TIMEOUT": job.timeout_s,
    }
