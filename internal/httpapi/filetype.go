package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/chat"
)

// fileType returns the media type of a file: what its first bytes say, and where they
// leave that open, what its sender says. The type must be an allowed one.
func fileType(declared string, head []byte, allowed []string) (string, error) {
	found := sniff(head)
	media, _, err := mime.ParseMediaType(declared)
	if err != nil || media == "application/octet-stream" {
		media = found
	}
	if same := otherNames[media]; same != "" {
		media = same
	}
	if media != found && !slices.Contains(mayBe[found], media) {
		return "", &chat.Error{Kind: unsupported, Message: fmt.Sprintf("the file is not %.64s but %s: send it as what it is", media, found)}
	}
	if !slices.Contains(allowed, media) {
		return "", &chat.Error{Kind: unsupported, Message: fmt.Sprintf("files of type %.64s are not taken: send %s", media, strings.Join(allowed, ", "))}
	}
	return media, nil
}

// otherNames are names that some browsers have for types.
var otherNames = map[string]string{
	"image/jpg":                    "image/jpeg",
	"image/pjpeg":                  "image/jpeg",
	"audio/x-wav":                  "audio/wav",
	"audio/wave":                   "audio/wav",
	"audio/mp3":                    "audio/mpeg",
	"application/x-zip-compressed": "application/zip",
	"application/x-pdf":            "application/pdf",
}

// mayBe says what else a file may be whose first bytes say only this much. It has no type
// that a browser would run, but for SVG, which is never shown in place.
var mayBe = map[string][]string{
	"text/plain":        {"text/csv", "text/markdown", "text/tab-separated-values", "application/json", "image/svg+xml"},
	"text/xml":          {"application/xml", "image/svg+xml"},
	"image/heic":        {"image/heif", "image/heic-sequence"},
	"image/heif":        {"image/heic", "image/heif-sequence"},
	"video/mp4":         {"audio/mp4", "audio/x-m4a", "video/quicktime"},
	"video/webm":        {"audio/webm"},
	"application/ogg":   {"audio/ogg", "video/ogg"},
	officeFile:          {officeFile + ".wordprocessingml.document", officeFile + ".spreadsheetml.sheet", officeFile + ".presentationml.presentation"},
	"application/x-cfb": {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"},
}

// officeFile is a file of Word, Excel or PowerPoint. Which of them, its beginning does not
// say in every case.
const officeFile = "application/vnd.openxmlformats-officedocument"

// sniff returns the media type that a file's first bytes tell.
func sniff(head []byte) string {
	if brand, ok := ftyp(head); ok {
		switch brand {
		case "heic", "heix", "heim", "heis", "hevc":
			return "image/heic"
		case "mif1", "msf1":
			return "image/heif"
		case "avif", "avis":
			return "image/avif"
		}
		return "video/mp4"
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")):
		return "application/x-cfb"
	case bytes.HasPrefix(head, []byte("II*\x00")), bytes.HasPrefix(head, []byte("MM\x00*")):
		return "image/tiff"
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return zipped(head)
	}
	media, _, _ := strings.Cut(http.DetectContentType(head), ";")
	if same := otherNames[media]; same != "" {
		return same
	}
	return media
}

// ftyp returns the major brand of a file in ISO's base format (ISO/IEC 14496-12).
func ftyp(head []byte) (string, bool) {
	if len(head) < 12 || string(head[4:8]) != "ftyp" {
		return "", false
	}
	return string(head[8:12]), true
}

// zipped returns the type of a ZIP archive by the name of its first entry, which the
// formats built on it prescribe or their programs write (APPNOTE.TXT, 4.3.7).
func zipped(head []byte) string {
	const names = 30
	if len(head) < names {
		return "application/zip"
	}
	size, extra := int(head[26])|int(head[27])<<8, int(head[28])|int(head[29])<<8
	if len(head) < names+size {
		return "application/zip"
	}
	name, rest := string(head[names:names+size]), head[names+size:]
	if name == "mimetype" && extra <= len(rest) { // OpenDocument and EPUB have their type there, not compressed
		rest = rest[extra:]
		length := int(head[18]) | int(head[19])<<8
		if kind := string(rest[:min(length, len(rest))]); strings.HasPrefix(kind, "application/vnd.oasis.opendocument.") || kind == "application/epub+zip" {
			return kind
		}
	}
	for _, part := range []string{"[Content_Types].xml", "_rels/", "docProps/", "word/", "xl/", "ppt/", "customXml/"} {
		if strings.HasPrefix(name, part) {
			return officeFile
		}
	}
	return "application/zip"
}

func isText(media string) bool {
	return strings.HasPrefix(media, "text/") || media == "application/json" || media == "application/xml" || media == "image/svg+xml"
}

// utf8Reader lets only text through: UTF-8 without NUL.
type utf8Reader struct {
	r    io.Reader
	tail []byte // the beginning of a character that goes on
}

func (u *utf8Reader) Read(b []byte) (int, error) {
	n, err := u.r.Read(b)
	text := append(u.tail, b[:n]...)
	whole := len(text)
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if at := len(text) - i; utf8.RuneStart(text[at]) {
			if !utf8.FullRune(text[at:]) {
				whole = at
			}
			break
		}
	}
	if !utf8.Valid(text[:whole]) || bytes.IndexByte(text, 0) >= 0 || err == io.EOF && whole < len(text) {
		return 0, &chat.Error{Kind: unsupported, Message: "the file is not text in UTF-8: save it as UTF-8, or send it as what it is"}
	}
	u.tail = append([]byte(nil), text[whole:]...)
	return n, err
}
