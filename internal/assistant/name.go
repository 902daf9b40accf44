package assistant

import (
	"os"
	"regexp"
)

// NameLike makes an assistant's name of any text, such as a company's.
func NameLike(text string) string { return nameLike(text) }

var nameLine = regexp.MustCompile(`(?m)^name:[ \t]*["']?([a-z0-9-]+)["']?[ \t\r]*(#.*)?$`)

// NameIn returns the name of the assistant in a folder, also where its files have
// mistakes: then it is what the file seems to say, or the folder's.
func NameIn(dir string) string {
	files, _ := OwnFiles(os.DirFS(dir)) // as far as they can be read
	for _, f := range files {
		if m := nameLine.FindSubmatch(f.Data); m != nil && f.Path == File && goodName.Match(m[1]) && len(m[1]) <= maxName {
			return string(m[1])
		}
	}
	return nameLike(folderName(dir))
}
