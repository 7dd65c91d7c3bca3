-- What boilerplate was removed, and by which rule?
SELECT kind, rule, sum(blocks)::BIGINT AS blocks, count(DISTINCT site) AS sites, arg_max(for_example, blocks)[:60] AS for_example
FROM removed_by_rule
GROUP BY kind, rule
ORDER BY blocks DESC, kind, rule;
