package terminology

// Kept is what all that is kept weighs.
func (e *Engine) Kept() int { return e.cache.weight }
