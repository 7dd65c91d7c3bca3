-- What was missed in the last run, and why?
SELECT site, outcome, class, urls
FROM run_outcomes
WHERE run_id = (SELECT run_id FROM segments ORDER BY written_at DESC LIMIT 1) AND class <> 'in_store'
ORDER BY urls DESC, site, outcome;
