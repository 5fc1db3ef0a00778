UPDATE leases SET expires = :expires WHERE id = :id AND (expires IS NULL OR expires > :now)
