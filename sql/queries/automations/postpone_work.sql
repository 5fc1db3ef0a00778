UPDATE automation_work SET tries = tries + 1, due = :due, sent = :sent WHERE place = :place
