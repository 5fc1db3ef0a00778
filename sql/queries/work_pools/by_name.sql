SELECT {work_pool} FROM work_pools WHERE name = :name
