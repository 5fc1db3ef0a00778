DELETE FROM automation_work WHERE place = :place
