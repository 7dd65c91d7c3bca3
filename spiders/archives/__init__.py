"""Old news: pages taken over from WARC files and web archives, by a child process of the spider's protocol."""
