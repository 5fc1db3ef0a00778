UPDATE concurrency_limits
SET updated = :now, name = :name, slots = :slots, active = :active, slot_decay_per_second = :decay, taken = :taken, denied = :denied,
    counted_at = :now, avg_slot_occupancy_seconds = :occupancy
WHERE id = :id
