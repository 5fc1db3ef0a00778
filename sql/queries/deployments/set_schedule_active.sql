UPDATE deployments SET is_schedule_active = :active, updated = :now WHERE id = :id
