package httpapi

// Parts is for the test of its property.
var Parts = parts

// Routes returns method and path of each route.
func Routes(s *Server) (all [][2]string) {
	for _, r := range s.routes() {
		all = append(all, [2]string{r.method, r.path})
	}
	return all
}

// ProblemTypes returns the type of each problem.
func ProblemTypes() (all []string) {
	for _, p := range problems {
		all = append(all, problemBase+p.slug)
	}
	return all
}
