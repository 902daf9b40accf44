package httpapi

import (
	"fmt"
	"io"
	"strings"

	"github.com/answerable/answerable/internal/chat"
)

// Parts is for the test of its property.
var Parts = parts

// Excerpt is for its table.
var Excerpt = excerpt

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

// ReadCompletion is for the fuzz test.
func ReadCompletion(body []byte) (history []chat.Message, question chat.Text, ignored string, err error) {
	q, err := readCompletion(body)
	return q.history, q.question, q.ignored, err
}

// ReadUI is for the fuzz test.
func ReadUI(body []byte) (chatID, clientID string, text chat.Text, err error) {
	m, err := readUI(body)
	return m.chat, m.clientID, m.text, err
}

// FileType, FileName and TextOf are for the fuzz test.
var FileType, FileName = fileType, fileName

func TextOf(r io.Reader) io.Reader { return &utf8Reader{r: r} }

// Words returns the words of the page by language and key.
func Words() map[string]map[string]string { return catalogues() }

// Markdown returns an answer as the page shows it, and where its links lead.
func Markdown(text string, citations []chat.Citation) (html string, links []string) {
	var b strings.Builder
	for _, block := range markdown(text, citations) {
		for _, item := range block.Items {
			for _, s := range item {
				if s.URL != "" {
					links = append(links, string(s.URL))
				}
			}
		}
		if err := pageTemplate.ExecuteTemplate(&b, "block", block); err != nil {
			panic(err)
		}
	}
	return b.String(), links
}

// Accents returns the least contrast that a page's accent has on the grounds, in light and
// in dark.
func Accents(accent string) (light, dark float64) {
	of := shadesOf(accent)
	least := func(shade string, grounds []colour) float64 {
		return min(contrast(hexColour(shade), grounds[0]), contrast(hexColour(shade), grounds[1]))
	}
	return least(of.Light, lightGrounds), least(of.Dark, darkGrounds)
}

// Uploads counts the files that are on their way.
func Uploads(s *Server) int { return s.uploads.Taken() }

// PlainText is for its table.
var PlainText = plainText

// Sources lists the documents of citations as "title: marks".
func Sources(cited []chat.Citation) (out []string) {
	for _, s := range sources(cited, "Notice") {
		line := s.Title + ":"
		for _, q := range s.Quotes {
			line += fmt.Sprintf(" %d", q.Mark)
		}
		out = append(out, line)
	}
	return out
}
