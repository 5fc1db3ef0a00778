SELECT {work_pool} FROM work_pools
