-- What one flow run left for people to look at, results apart, with whether it is the latest of its key.
SELECT artifacts.id, artifacts.created, artifacts.key, artifacts.type, artifacts.task_run_id,
       CASE artifacts.type WHEN 'progress' THEN artifacts.data END,
       artifacts.key IS NULL
       OR EXISTS (SELECT 1 FROM artifact_collections WHERE latest_id = artifacts.id)
FROM artifacts
WHERE artifacts.flow_run_id = :id AND artifacts.type <> 'result'
ORDER BY artifacts.created
LIMIT :limit
