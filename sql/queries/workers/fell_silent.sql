SELECT 1 FROM workers WHERE online_until >= :since AND online_until < :now
