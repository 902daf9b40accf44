package knowledge

// FileName returns the name of the file of the generation with this id.
func FileName(id string) string { return id + segmentSuffix }
