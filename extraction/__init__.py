"""What is true of a page, without network, database or scheduler. The one door is `extraction.article.extract`."""
