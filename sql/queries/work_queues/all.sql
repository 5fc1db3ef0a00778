SELECT {work_queue} FROM work_queues
