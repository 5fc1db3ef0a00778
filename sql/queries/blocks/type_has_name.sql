SELECT EXISTS (SELECT 1 FROM block_types WHERE name = :name)
