SELECT schedules.id, deployments.id, deployments.updated
FROM schedules INDEXED BY schedules_active CROSS JOIN deployments ON deployments.id = schedules.deployment_id
WHERE schedules.active = 1 AND schedules.id > :after AND deployments.is_schedule_active = 1
ORDER BY schedules.id LIMIT :limit
