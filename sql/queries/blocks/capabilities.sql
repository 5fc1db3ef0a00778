SELECT DISTINCT value FROM block_schemas, json_each(block_schemas.capabilities) ORDER BY value LIMIT :limit
