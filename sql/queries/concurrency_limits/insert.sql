INSERT INTO concurrency_limits (id, created, updated, name, slots, active, slot_decay_per_second, taken, denied, counted_at)
VALUES (:id, :now, :now, :name, :slots, :active, :decay, :taken, :denied, :now)
