package httpapi

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"github.com/answerable/answerable/internal/console"
)

//go:embed page/words/*.json
var wordFiles embed.FS

// catalogues are the words of our page by language: those of its script, which takes over
// what is there word for word, and plain.… for what is said only without script.
var catalogues = sync.OnceValue(func() map[string]map[string]string {
	files, err := wordFiles.ReadDir("page/words")
	if err != nil {
		panic("httpapi: an embedded folder cannot be read: " + err.Error())
	}
	out := map[string]map[string]string{}
	for _, f := range files {
		data, err := wordFiles.ReadFile("page/words/" + f.Name())
		var words map[string]string
		if err == nil {
			err = json.Unmarshal(data, &words)
		}
		if err != nil {
			panic("httpapi: the words in " + f.Name() + " cannot be read: " + err.Error())
		}
		language := strings.TrimSuffix(f.Name(), ".json")
		said, err := console.Built().Words(language)
		if err != nil || said == nil {
			panic(fmt.Sprintf("httpapi: the page's script has no words in %s: %v", language, err))
		}
		maps.Copy(words, said)
		out[language] = words
	}
	return out
})

// wordsFor returns the words for a locale, in English where there are none.
func wordsFor(locale string) map[string]string {
	base, _ := language.Make(locale).Base()
	if words := catalogues()[base.String()]; words != nil {
		return words
	}
	return catalogues()["en"]
}

// direction is the one in which a locale is written.
func direction(locale string) string {
	switch script, _ := language.Make(locale).Script(); script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm":
		return "rtl"
	}
	return "ltr"
}
