-- Which states there were of any run, the type and the name of each, and when first and last.
SELECT type, name, min(first) AS first, max(last) AS last
FROM (
    SELECT type, name, min(timestamp) AS first, max(timestamp) AS last
    FROM flow_run_states GROUP BY type, name
    UNION ALL
    SELECT type, name, min(timestamp) AS first, max(timestamp) AS last
    FROM task_run_states GROUP BY type, name
)
GROUP BY type, name
