SELECT {automation}
FROM automation_resources AS r
JOIN automations ON automations.id = r.automation_id
WHERE r.resource_id = :resource_id AND r.is_owner >= :is_owner
ORDER BY automations.id
