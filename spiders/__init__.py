"""The crawl: sites, discovery, politeness, the one spider, its captures. Importing this package imports no Scrapy."""
