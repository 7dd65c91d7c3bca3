"""The crawl: sites, discovery, politeness, the one spider, and its captures. Importing this package imports no Scrapy."""
