package access

// Kept counts the keys in memory.
func (r *Rate) Kept() int { return len(r.fresh) + len(r.old) }
