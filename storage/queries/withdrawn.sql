-- Which articles has their site deleted since we fetched them, and when?
SELECT site, headline, date_published, withdrawn_at, status, last_seen_at, url
FROM withdrawals
ORDER BY withdrawn_at DESC
LIMIT 100;
