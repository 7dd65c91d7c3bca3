-- Which articles has their site deleted since we fetched them?
SELECT a.site, a.headline, a.date_published, u.outcome_at AS gone_since, u.status, a.url
FROM urls u JOIN articles a ON a.requested_key = u.url_key
WHERE u.outcome = 'gone'
ORDER BY gone_since DESC
LIMIT 100;
