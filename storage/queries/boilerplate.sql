-- What boilerplate was removed, and by which rule?
SELECT kind, rule, sum(blocks)::BIGINT AS blocks, sum(articles)::BIGINT AS articles,
    arg_max(most_frequent_text, blocks)[:60] AS for_example
FROM removed_by_rule
GROUP BY kind, rule
ORDER BY blocks DESC, kind, rule;
