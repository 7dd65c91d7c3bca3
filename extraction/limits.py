"""What the libraries under extraction keep between pages, and how to make them let go of it."""

from trafilatura.meta import reset_caches as reset_libraries

from extraction import urls


def reset_caches() -> None:
    """Empty the caches of trafilatura, htmldate, courlan, charset-normalizer and jusText, and our own by URL.

    They memoise by text: call it every few hundred pages of a worker. No result rests on them, so a page comes out the
    same before and after.
    """
    reset_libraries()
    urls.registrable_domain.cache_clear()
