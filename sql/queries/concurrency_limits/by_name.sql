SELECT {concurrency_limit} FROM concurrency_limits WHERE name = :name
