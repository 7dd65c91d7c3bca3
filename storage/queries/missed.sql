-- What was missed in the last run, and why?
SET VARIABLE last_run = (SELECT run_id FROM segments ORDER BY written_at DESC LIMIT 1);
SELECT site, outcome, class, urls
FROM run_outcomes
WHERE run_id = getvariable('last_run') AND class <> 'in_store'
ORDER BY urls DESC, site, outcome;
