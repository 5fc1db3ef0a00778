SELECT {block_schema} FROM block_schemas
WHERE checksum = :checksum AND (:version IS NULL OR version = :version)
ORDER BY created DESC LIMIT 1
