package assistant

// NameLike makes an assistant's name of any text, such as a company's.
func NameLike(text string) string { return nameLike(text) }
