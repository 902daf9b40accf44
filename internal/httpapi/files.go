package httpapi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
)

const (
	mostUploads  = 64       // at once: each holds a mebibyte while it is written
	mostFormHead = 16 << 10 // bytes before a form's file
	formFoot     = 4 << 10  // and what may stand around it
	patience     = 10       // an upload that moves may take so many times Limits.Transfer
	fileAtATime  = 64 << 10 // bytes of a file that are written at once
	mostFileName = 200      // bytes
	enoughToTell = 3 << 10  // bytes that say what a file is
)

// upload stores a file for a message that is to come.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) error {
	id, c, err := s.conversation(r)
	if err != nil {
		return err
	}
	conversation, err := s.Store.Conversation(r.Context(), id)
	if err != nil {
		return err
	}
	taken := s.Assistants.Widget(conversation.Assistant).Files
	if len(taken.Types) == 0 {
		return &chat.Error{Kind: chat.Forbidden, Message: "this assistant takes no files: send text"}
	}
	if err := s.admitMessage(w, c, id); err != nil {
		return err
	}
	from := s.household(r)
	switch ok, full := s.uploads.Take(from); {
	case full:
		w.Header().Set("Retry-After", "5")
		return &chat.Error{Kind: chat.Unavailable, Message: "too many files are on their way: try again in 5 s"}
	case !ok:
		return admitted(w, 5*time.Second, "too many files at once from this address")
	}
	defer s.uploads.Give(from)
	f, err := s.storeFile(w, r, id, taken)
	setReadDeadline(w, time.Time{})
	setWriteDeadline(w, time.Now().Add(or(s.Limits.Transfer, usualTransfer))) // the time for an answer ran while the file came
	if err != nil {
		w.Header().Set("Connection", "close") // do not wait for what nobody reads
		return err
	}
	return write(w, http.StatusCreated, f)
}

// storeFile reads the file of a form, through a reader for each thing that is checked, into
// the store. What looks at contents, such as a scanner, is one more of these readers.
func (s *Server) storeFile(w http.ResponseWriter, r *http.Request, id chat.ConversationID, taken assistant.Files) (chat.File, error) {
	form, err := openForm(w, r, taken.Bytes, or(s.Limits.Transfer, usualTransfer))
	if err != nil {
		return chat.File{}, err
	}
	content := bufio.NewReaderSize(form, enoughToTell)
	head, err := content.Peek(enoughToTell)
	if err != nil && err != io.EOF {
		return chat.File{}, err
	}
	media, err := fileType(form.part.Header.Get("Content-Type"), head, taken.Types)
	if err != nil {
		return chat.File{}, err
	}
	var checked io.Reader = content
	if isText(media) {
		checked = &utf8Reader{r: content}
	}
	return s.Store.Upload(r.Context(), id, fileName(form.part.FileName()), media, checked)
}

// form reads the file that a form consists of, while it arrives. Its errors are for who
// sent it.
type form struct {
	body  *formBody
	parts *multipart.Reader
	part  *multipart.Part
	most  int64 // bytes of the file
	read  int64
	over  error // why there is no more, or nil
}

// openForm reads a form up to its file.
func openForm(w http.ResponseWriter, r *http.Request, most int64, transfer time.Duration) (*form, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if boundary := params["boundary"]; err != nil || media != "multipart/form-data" || boundary == "" || len(boundary) > 70 { // RFC 2046
		return nil, &chat.Error{Kind: unsupported, Message: "send the file with Content-Type: multipart/form-data, as the part called file"}
	}
	body := &formBody{w: w, r: r.Body, left: mostFormHead, transfer: transfer, end: time.Now().Add(patience * transfer)}
	f := &form{body: body, parts: multipart.NewReader(body, params["boundary"]), most: most}
	if r.ContentLength > mostFormHead+most+formFoot {
		return nil, f.tooLarge()
	}
	if f.part, err = f.parts.NextRawPart(); err != nil {
		return nil, f.broken(err)
	}
	if f.part.FormName() != "file" || f.part.FileName() == "" {
		return nil, &chat.Error{Kind: malformed, Message: `the form must consist of one part called file, with a filename`}
	}
	body.left = most + formFoot
	return f, nil
}

func (f *form) Read(b []byte) (int, error) {
	if f.over != nil {
		return 0, f.over
	}
	n, err := f.part.Read(b)
	if f.read += int64(n); f.read > f.most {
		err = f.tooLarge()
	}
	switch err {
	case nil:
	case io.EOF:
		f.over = f.end()
	default:
		f.over = f.broken(err)
	}
	return n, f.over
}

// end returns io.EOF when the form is whole: the file is not before.
func (f *form) end() error {
	switch _, err := f.parts.NextRawPart(); err {
	case io.EOF: // itself: where the body breaks off, there is an error around it
		return io.EOF
	case nil:
		return &chat.Error{Kind: malformed, Message: "the form has more than the part called file: send each file by itself"}
	default:
		return f.broken(err)
	}
}

func (f *form) tooLarge() error {
	return &chat.Error{Kind: chat.TooLarge, Message: fmt.Sprintf("the file is larger than %d bytes: send a smaller one", f.most)}
}

func (f *form) broken(err error) error {
	switch {
	case errors.Is(err, chat.TooLarge):
		return err
	case errors.Is(err, errFormTooLong) && f.part != nil:
		return f.tooLarge()
	}
	return &chat.Error{Kind: malformed, Message: "the form did not arrive whole, or is not one: send it again", Err: err}
}

var errFormTooLong = errors.New("the form is too long")

// formBody reads a body of a bounded length that keeps moving.
type formBody struct {
	w        http.ResponseWriter
	r        io.Reader
	left     int64
	transfer time.Duration // for the next piece to arrive
	end      time.Time     // for the last one
}

func (b *formBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errFormTooLong
	}
	at := time.Now().Add(b.transfer)
	if at.After(b.end) {
		at = b.end
	}
	setReadDeadline(b.w, at)
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// fileName returns the name of a file without what could lead elsewhere or astray: no
// folders, no characters that cannot be seen, which may also turn the direction of text.
func fileName(sent string) string {
	name := path.Base(strings.ReplaceAll(strings.ToValidUTF8(sent, ""), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, name)
	if name = strings.TrimSpace(name); name == "" || strings.Trim(name, "./") == "" {
		return "file"
	}
	if len(name) <= mostFileName {
		return name
	}
	extension := path.Ext(name)
	if len(extension) > 16 {
		extension = ""
	}
	cut := mostFileName - len(extension)
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return strings.TrimSpace(name[:cut]) + extension
}

// shownImages are the types that a browser may show in the place where it finds them. They
// hold no scripts.
var shownImages = []string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"}

// download sends a file.
func (s *Server) download(w http.ResponseWriter, r *http.Request) error {
	id, _, err := s.reading(r)
	if err != nil {
		return err
	}
	c, err := s.Store.Conversation(r.Context(), id)
	if err != nil {
		return err
	}
	file := chat.FileID(r.PathValue("file"))
	if !access.IsID(string(file)) {
		return &chat.Error{Kind: chat.NotFound, Message: "there is no such file in this conversation"}
	}
	f, err := s.Store.File(r.Context(), c, file)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		fileHeaders(w.Header(), f)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	began := false
	for part, err := range s.Store.Content(r.Context(), c, f) {
		if err != nil {
			return err
		}
		if !began { // until here an error can be told
			began = true
			fileHeaders(w.Header(), f)
		}
		for piece := range slices.Chunk(part, fileAtATime) {
			setWriteDeadline(w, time.Now().Add(or(s.Limits.Transfer, usualTransfer)))
			if _, err := w.Write(piece); err != nil {
				return fmt.Errorf("%w: %w", errGone, err)
			}
		}
	}
	return nil
}

// fileHeaders tells a browser to keep what strangers sent apart from the page that shows it.
func fileHeaders(h http.Header, f chat.File) {
	disposition := "attachment"
	if slices.Contains(shownImages, f.Type) {
		disposition = "inline"
	}
	media := f.Type
	if isText(media) {
		media += "; charset=utf-8"
	}
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.FormatInt(f.Bytes, 10))
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=3600")
	h.Add("Vary", "Authorization")
}
