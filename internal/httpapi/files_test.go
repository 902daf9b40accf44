package httpapi_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/answerable/answerable/internal/assistant"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/httpapi"
)

const png = "\x89PNG\r\n\x1a\n and so on"

// formOf returns a form with one file, and the header that announces it.
func formOf(t testing.TB, name, media, content string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	h := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + name + `"`}}
	if media != "" {
		h.Set("Content-Type", media)
	}
	part, err := w.CreatePart(h)
	must(t, err)
	_, err = io.WriteString(part, content)
	must(t, err)
	must(t, w.Close())
	return b.String(), "Content-Type: " + w.FormDataContentType()
}

func (s *server) upload(path, name, media, content string, headers ...string) reply {
	s.Helper()
	body, contentType := formOf(s.TB, name, media, content)
	return s.post(path+"/files", body, append(headers, contentType)...)
}

func TestFiles(t *testing.T) {
	s := newServer(t, "", takesFiles)
	_, path := s.start()
	f := decode[chat.File](s.upload(path, "Größe.png", "image/png", png).want(201))
	if f.Name != "Größe.png" || f.Type != "image/png" || f.Bytes != int64(len(png)) {
		t.Errorf("uploaded %+v", f)
	}
	note := decode[chat.File](s.upload(path, `C:\me\note.txt`, "text/plain; charset=utf-8", "größer").want(201))
	body := fmt.Sprintf(`{"text":"See these.","client_id":"1","files":[%q,%q]}`, f.ID, note.ID)
	first := decode[acceptedMessage](s.post(path+"/messages", body).want(202))
	if again := decode[acceptedMessage](s.post(path+"/messages", body).want(202)); again != first || first.Turn == "" {
		t.Errorf("sent %+v, again %+v", first, again)
	}
	s.post(path+"/messages", `{"text":"See these.","client_id":"1"}`).problem(409, "conflict", "client_id")
	want := fmt.Sprint([]chat.File{f, {ID: note.ID, Name: "note.txt", Type: "text/plain", Bytes: 8}})
	if e := s.stream("GET", path+"/events", "").until(kind(chat.KindAccepted))[0]; fmt.Sprint(e.Message.Files) != want {
		t.Errorf("the event has %v, want %s", e.Message.Files, want)
	}
	transcript := decode[struct{ Messages []chat.Message }](s.get(path + "/messages").want(200))
	if got := fmt.Sprint(transcript.Messages[0].Files); got != want {
		t.Errorf("the transcript has %s, want %s", got, want)
	}
	for _, c := range []struct {
		file               chat.File
		content, disposed  string
		contentType, named string
	}{
		{f, png, "inline", "image/png", "Größe.png"},
		{note, "größer", "attachment", "text/plain; charset=utf-8", "note.txt"},
	} {
		r := s.get(path + "/files/" + string(c.file.ID)).want(200)
		disposed, params, err := mime.ParseMediaType(r.Header.Get("Content-Disposition"))
		must(t, err)
		if r.body != c.content || disposed != c.disposed || params["filename"] != c.named || r.Header.Get("Content-Type") != c.contentType {
			t.Errorf("got %q with %v", r.body, r.Header)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if cache := r.Header.Get("Cache-Control"); !strings.HasPrefix(cache, "private") || !strings.Contains(strings.Join(r.Header["Vary"], ","), "Authorization") {
			t.Errorf("Cache-Control: %s, Vary: %v", cache, r.Header["Vary"])
		}
	}
	if r := s.request("HEAD", path+"/files/"+string(f.ID), "").want(200); r.Header.Get("Content-Length") != fmt.Sprint(len(png)) || r.body != "" {
		t.Errorf("HEAD gives %v, %q", r.Header, r.body)
	}
}

func TestFilesBelongToTheirConversation(t *testing.T) {
	s := newServer(t, "", takesFiles)
	mine, path := s.start()
	_, other := s.start()
	f := decode[chat.File](s.upload(path, "a.png", "image/png", png).want(201))
	send := fmt.Sprintf(`{"text":"Look.","files":[%q]}`, f.ID)
	s.post(other+"/messages", send).problem(422, "invalid", "upload it again")
	s.get(other+"/files/"+string(f.ID)).problem(404, "not-found", "no file")
	s.get(path+"/files/f0").problem(404, "not-found", "no file")
	s.get(path+"/files/F%2e0").problem(404, "not-found", "no such file")
	s.post(path+"/messages", send).want(202)
	s.post(path+"/messages", send).problem(422, "invalid", "sent before") // played again
	s.post(path+"/messages", `{"text":"Look.","files":["`+strings.Repeat("f", 500)+`"]}`).problem(422, "invalid", "upload it again")
	s.post(path+"/messages", `{"text":"Look.","files":"f0"}`).problem(400, "malformed-request", "files must be a list")
	s.closed()
	s.get(path+"/files/"+string(f.ID)).problem(401, "unauthorized", "token")
	s.upload(path, "a.png", "image/png", png).problem(401, "unauthorized", "token")
	s.get(other+"/files/"+string(f.ID), "Authorization: Bearer "+mine.Token).problem(403, "forbidden", "token")
	s.get(path+"/files/"+string(f.ID), "Authorization: Bearer "+mine.Token).want(200)
}

func TestAMessageOfFilesAlone(t *testing.T) {
	s := newServer(t, "", takesFiles)
	_, path := s.start()
	send := func() string {
		return fmt.Sprintf(`{"text":"","files":[%q]}`, decode[chat.File](s.upload(path, "a.png", "image/png", png).want(201)).ID)
	}
	if got := decode[acceptedMessage](s.post(path+"/messages", send()).want(202)); got.Turn != "" || got.Seq != 1 {
		t.Errorf("accepted as %+v, want no turn", got)
	}
	if alone := s.stream("POST", path+"/messages", send()).rest(); len(alone) != 1 || alone[0].Kind != chat.KindAccepted {
		t.Errorf("the stream is %s, want the acceptance alone", kinds(alone))
	}
	s.post(path+"/messages", `{"text":" ","files":[]}`).problem(422, "invalid", "empty")
}

func TestAnAgentSendsFiles(t *testing.T) {
	s := newServer(t, "", takesFiles)
	c, path := s.start()
	desk := "/api/conversations/" + c.ID
	s.post(desk+"/take", `{"name":"Ada"}`).want(200)
	f := decode[chat.File](s.upload(path, "form.pdf", "application/pdf", "%PDF-1.7").want(201))
	s.post(desk+"/messages", fmt.Sprintf(`{"text":"","files":[%q]}`, f.ID)).want(202)
	if e := last(s.stream("GET", path+"/events", "").until(kind(chat.KindAgent))); len(e.Message.Files) != 1 || e.Message.Files[0] != f {
		t.Errorf("the agent sent %v", e.Message.Files)
	}
}

func TestWhichFilesAreTaken(t *testing.T) {
	zip := func(first, content string) string {
		return "PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + string([]byte{byte(len(content)), 0, 0, 0, byte(len(content)), 0, 0, 0}) +
			string([]byte{byte(len(first)), 0, 0, 0}) + first + content + strings.Repeat("x", 50)
	}
	s := newServer(t, "", takesFiles)
	for _, c := range []struct{ declared, content, taken string }{
		{"image/png", png, "image/png"},
		{"", png, "image/png"},
		{"application/octet-stream", png, "image/png"},
		{"image/jpeg", png, ""},
		{"text/plain", png, ""},
		{"image/png", "GIF89a", ""},
		{"image/gif", "GIF89a", ""}, // not one that the assistant takes
		{"image/png", "<script>alert(1)</script>", ""},
		{"text/plain", "<!DOCTYPE html><script>alert(1)</script>", ""},
		{"text/html", "<!DOCTYPE html><script>alert(1)</script>", "text/html"},
		{"image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "image/svg+xml"},
		{"image/svg+xml", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`, "image/svg+xml"},
		{"text/csv", "a;b\n1;2\n", "text/csv"},
		{"text/plain", "Größe 日本", "text/plain"},
		{"text/plain", "caf\xe9", ""},
		{"text/plain", strings.Repeat("a", 5000) + "\x00", ""},
		{"text/plain", strings.Repeat("a", 4095) + "日本", "text/plain"},
		{"text/plain", strings.Repeat("a", 5000) + "\xe6\x97", ""}, // half a character at the end
		{"text/plain", "\xff\xfea\x00b\x00", ""},
		{"image/heic", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "image/heic"},
		{"application/pdf", "%PDF-1.7\n", "application/pdf"},
		{"application/pdf", "MZ\x90\x00\x03", ""},
		{officeDocument, zip("[Content_Types].xml", "x"), officeDocument},
		{officeDocument, zip("evil.exe", "x"), ""},
		{"application/vnd.oasis.opendocument.text", zip("mimetype", "application/vnd.oasis.opendocument.text"), "application/vnd.oasis.opendocument.text"},
		{"application/vnd.oasis.opendocument.text", zip("mimetype", "application/evil"), ""},
		{"application/msword", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and so on", "application/msword"},
		{"application/zip", "PK\x03\x04", ""},
		{"not a type", png, "image/png"},
	} {
		_, path := s.start()
		r := s.upload(path, "a", c.declared, c.content)
		if c.taken == "" {
			r.problem(415, "unsupported-media-type", "send")
			continue
		}
		f := decode[chat.File](r.want(201))
		if f.Type != c.taken {
			t.Errorf("%s %.20q is taken as %s, want %s", c.declared, c.content, f.Type, c.taken)
		}
		got := s.get(path + "/files/" + string(f.ID)).want(200)
		if got.body != c.content {
			t.Errorf("%.20q came back as %.20q", c.content, got.body)
		}
		if shown := strings.HasPrefix(got.Header.Get("Content-Disposition"), "inline"); shown != (c.taken == "image/png") {
			t.Errorf("%s is shown in place: %t", c.taken, shown)
		}
	}
}

func TestFileNamesAreCleaned(t *testing.T) {
	s := newServer(t, "", takesFiles)
	for sent, want := range map[string]string{
		"../../etc/passwd":                   "passwd",
		`..\\..\\boot.ini`:                   "boot.ini",
		"..":                                 "file",
		"/":                                  "file",
		"  a b .txt ":                        "a b .txt",
		"photo\u202egpj.exe":                 "photogpj.exe",
		"a\u200bb\u2066c\ufeff.txt":          "abc.txt",
		"\u202e":                             "file",
		"a\tb.txt":                           "ab.txt",
		"写真.png":                             "写真.png",
		strings.Repeat("ü", 150) + ".png":    strings.Repeat("ü", 98) + ".png",
		"x." + strings.Repeat("long", 60):    ("x." + strings.Repeat("long", 60))[:200],
		`quoted \" and ; and = and %22x.txt`: `quoted " and ; and = and %22x.txt`,
	} {
		_, path := s.start()
		f := decode[chat.File](s.upload(path, sent, "image/png", png).want(201))
		if f.Name != want {
			t.Errorf("%q is called %q, want %q", sent, f.Name, want)
		}
		_, params, err := mime.ParseMediaType(s.get(path + "/files/" + string(f.ID)).want(200).Header.Get("Content-Disposition"))
		if err != nil || params["filename"] != want {
			t.Errorf("%q comes back as %q, %v", want, params["filename"], err)
		}
	}
}

func TestFormsThatAreNoFiles(t *testing.T) {
	s := newServer(t, "", takesFiles)
	_, path := s.start()
	whole, contentType := formOf(t, "a.png", "image/png", png)
	_, boundary, _ := strings.Cut(contentType, "boundary=")
	post := func(body string, headers ...string) reply { return s.post(path+"/files", body, headers...) }
	for n := range len(whole) - 2 { // what follows the last boundary does not matter
		if r := post(whole[:n], contentType); r.StatusCode/100 != 4 {
			t.Fatalf("%d of %d bytes: %d %s", n, len(whole), r.StatusCode, r.body)
		}
	}
	for _, c := range []struct{ body, what string }{
		{strings.Replace(whole, `name="file"`, `name="other"`, 1), "one part called file"},
		{strings.Replace(whole, `; filename="a.png"`, "", 1), "one part called file"},
		{strings.Replace(whole, "Content-Disposition", "Content-Distraction", 1), "one part called file"},
		{strings.Replace(whole, "--"+boundary+"--", "--"+boundary+"\r\nContent-Disposition: form-data; name=\"more\"\r\n\r\nx\r\n--"+boundary+"--", 1), "each file by itself"},
		{"--" + boundary + "--\r\n", "did not arrive whole"},
		{"--" + boundary + "\r\n" + strings.Repeat("X-Long: "+strings.Repeat("a", 1000)+"\r\n", 40), "did not arrive whole"},
		{strings.Repeat("preamble\r\n", 4000) + whole, "did not arrive whole"},
		{"{}", "did not arrive whole"},
	} {
		post(c.body, contentType).problem(400, "malformed-request", c.what)
	}
	for _, h := range []string{"application/json", "multipart/form-data", "multipart/mixed; boundary=" + boundary, "multipart/form-data; boundary=" + strings.Repeat("b", 71), "text/plain", "; ;"} {
		post(whole, "Content-Type: "+h).problem(415, "unsupported-media-type", "multipart/form-data")
	}
	s.upload(path, "a.txt", "text/plain", "").problem(422, "invalid", "empty")
	if n, err := s.store.DropUnsent(t.Context(), time.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("%d pieces were left, %v", n, err)
	}
}

func TestFilesThatAreTooLarge(t *testing.T) {
	s := newServer(t, "", takesFiles)
	_, path := s.start()
	limit := 3 << 20
	fits := png + strings.Repeat("x", limit-len(png))
	f := decode[chat.File](s.upload(path, "a.png", "image/png", fits).want(201))
	if got := s.get(path + "/files/" + string(f.ID)).want(200); got.body != fits {
		t.Errorf("%d bytes came back, want %d", len(got.body), len(fits))
	}
	s.upload(path, "a.png", "image/png", fits+"x").problem(413, "too-large", "3145728 bytes")
	s.upload(path, "a.png", "image/png", fits+fits).problem(413, "too-large", "3145728 bytes") // as its length says
	// Without a length, and without an end.
	_, contentType := formOf(t, "a.png", "image/png", "")
	whole, _ := formOf(t, "a.png", "image/png", png)
	head, _, _ := strings.Cut(whole, " and so on")
	_, boundary, _ := strings.Cut(contentType, "boundary=")
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+path+"/files", io.MultiReader(strings.NewReader("--"+boundary+head[strings.Index(head, "\r\n"):]), endless{}))
	must(t, err)
	req.Header.Set("Content-Type", strings.TrimPrefix(contentType, "Content-Type: "))
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("an endless file: %d", resp.StatusCode)
	}
	if n, err := s.store.DropUnsent(t.Context(), time.Now().Add(time.Hour)); n != 1 || err != nil { // the one that fits
		t.Errorf("%d files were left, want 1; %v", n, err)
	}
}

// takesFiles has the assistants take files of up to 3 MiB.
func takesFiles(s *httpapi.Server) { s.Assistants = generous{} }

type generous struct{ library }

func (generous) Widget(name string) assistant.Widget {
	w := library{}.Widget(name)
	w.Files = assistant.Files{Bytes: 3 << 20, Types: []string{"image/png", "image/heic", "image/svg+xml", "application/pdf", "text/plain", "text/csv", "text/html",
		officeDocument, "application/vnd.oasis.opendocument.text", "application/msword"}}
	return w
}

const officeDocument = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestAnAssistantThatTakesNoFiles(t *testing.T) {
	s := newServer(t, "")
	_, path := s.start()
	s.upload(path, "a.png", "image/png", png).problem(403, "forbidden", "no files")
}

func TestUploadsCountAsMessages(t *testing.T) {
	s := newServer(t, "", takesFiles, func(s *httpapi.Server) { s.Limits.MessagesPerMinute = 1 })
	_, path := s.start()
	s.upload(path, "a.png", "image/png", png).want(201)
	s.upload(path, "a.png", "image/png", png).problem(429, "too-many-requests", "wait")
}

func TestNoFilesAfterTheEnd(t *testing.T) {
	s := newServer(t, "", takesFiles)
	_, path := s.start()
	s.post(path+"/close", "").want(202)
	s.upload(path, "a.png", "image/png", png).problem(409, "conflict", "POST /v1/conversations")
}

// TestAnUploadThatStallsIsGivenUp sends more than a part of a file and then nothing.
func TestAnUploadThatStallsIsGivenUp(t *testing.T) {
	s := newServer(t, "", takesFiles, func(s *httpapi.Server) { s.Limits.Transfer = 50 * time.Millisecond })
	_, path := s.start()
	body, contentType := formOf(t, "a.png", "image/png", png+strings.Repeat("x", 2<<20))
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	must(t, err)
	defer c.Close()
	_, err = fmt.Fprintf(c, "POST %s/files HTTP/1.1\r\nHost: localhost\r\n%s\r\nContent-Length: %d\r\n\r\n%s", path, contentType, len(body), body[:3<<19])
	must(t, err)
	must(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	b := make([]byte, 12)
	_, err = io.ReadFull(c, b)
	must(t, err)
	if string(b) != "HTTP/1.1 400" {
		t.Errorf("the answer begins %q", b)
	}
	eventually(t, "parts were left", func() bool {
		n, err := s.store.DropUnsent(t.Context(), time.Now().Add(time.Hour))
		return n == 0 && err == nil
	})
}

// deadlines notes what a handler allows its connection.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.read = append(d.read, at)
	return nil
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.write = append(d.write, at)
	return nil
}

// TestAnUploadThatMovesHasTime looks at the deadlines: each piece that arrives moves that
// of the next, up to a limit, and the time for the answer begins when the file is there.
func TestAnUploadThatMovesHasTime(t *testing.T) {
	const transfer = time.Hour
	s := newServer(t, "", takesFiles, func(s *httpapi.Server) { s.Limits.Transfer = transfer })
	_, path := s.start()
	for _, content := range []string{png + strings.Repeat("x", 1<<20), "GIF89a" + strings.Repeat("x", 1<<20)} {
		body, contentType := formOf(t, "a.png", "image/png", content)
		r := httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost"+path+"/files", strings.NewReader(body))
		r.Header.Set("Content-Type", strings.TrimPrefix(contentType, "Content-Type: "))
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		began := time.Now()
		s.api.Handler().ServeHTTP(w, r)
		if w.Code != 201 && w.Code != 415 {
			t.Fatalf("the answer is %d %s", w.Code, w.Body)
		}
		if n := len(w.read); n < 2 || !w.read[n-1].IsZero() || w.read[n-2].Before(began.Add(transfer)) {
			t.Errorf("%d deadlines to read, the last are %v", n, w.read[max(0, n-2):])
		}
		if len(w.write) != 1 || w.write[0].Before(began.Add(transfer)) {
			t.Errorf("the deadlines to answer are %v", w.write)
		}
	}
}

func TestTooManyUploadsAtOnce(t *testing.T) {
	s := newServer(t, "", takesFiles, func(s *httpapi.Server) { s.Access.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	_, path := s.start()
	_, contentType := formOf(t, "a.png", "image/png", png)
	var all []net.Conn
	begin := func(address int) {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		must(t, err)
		t.Cleanup(func() { c.Close() })
		all = append(all, c)
		_, err = fmt.Fprintf(c, "POST %s/files HTTP/1.1\r\nHost: localhost\r\n%s\r\nContent-Length: 1000\r\nX-Forwarded-For: 192.0.2.%d\r\n\r\n", path, contentType, address)
		must(t, err)
	}
	for range 8 {
		begin(1)
	}
	eventually(t, "some have not begun", func() bool { return httpapi.Uploads(s.api) == 8 })
	r := s.upload(path, "a.png", "image/png", png, "X-Forwarded-For: 192.0.2.1")
	r.problem(429, "too-many-requests", "from this address")
	s.upload(path, "a.png", "image/png", png, "X-Forwarded-For: 192.0.2.2").want(201)
	for i := range 56 {
		begin(2 + i/8)
	}
	eventually(t, "some have not begun", func() bool { return httpapi.Uploads(s.api) == 64 })
	if r := s.upload(path, "a.png", "image/png", png, "X-Forwarded-For: 192.0.2.9"); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("one more upload is answered with %d %v", r.StatusCode, r.Header)
	}
	for _, c := range all {
		must(t, c.Close())
	}
	eventually(t, "uploads that broke off are still counted", func() bool { return httpapi.Uploads(s.api) == 0 })
	s.upload(path, "a.png", "image/png", png, "X-Forwarded-For: 192.0.2.1").want(201)
}

// FuzzFile gives the checks of an upload what a stranger might. A type is one of the
// allowed; a name leads nowhere and stays as it is when it is cleaned again; and text is
// text, in whatever pieces it arrives.
func FuzzFile(f *testing.F) {
	f.Add("photo.png", "image/png", []byte("\x89PNG\r\n\x1a\n"))
	f.Add(`..\..\a/\u202egpj.exe`, "text/plain", []byte("a\u00e9\U0001f600"))
	f.Add(strings.Repeat("é", 150)+".tar.gz", "application/zip", []byte("PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'\x00\x00\x00'\x00\x00\x00\x08\x00\x00\x00mimetypeapplication/vnd.oasis.opendocument.text"))
	f.Add(strings.Repeat("a", 199)+" and more", "text/plain", []byte("a\r\n"))
	f.Add(".", "text/csv", []byte("\x00\x00\x00\x18ftypavif"))
	f.Fuzz(func(t *testing.T, sent, declared string, content []byte) {
		allowed := []string{"image/png", "image/jpeg", "text/plain", "text/csv", "application/zip", "image/avif"}
		if media, err := httpapi.FileType(declared, content[:min(len(content), 3<<10)], allowed); err == nil && !slices.Contains(allowed, media) {
			t.Errorf("the type is %q", media)
		}
		name := httpapi.FileName(sent)
		if name == "" || len(name) > 200 || !utf8.ValidString(name) || strings.ContainsAny(name, "/\\\x00\r\n\u202e") || strings.Trim(name, ".") == "" {
			t.Errorf("the name is %q", name)
		}
		if again := httpapi.FileName(name); again != name {
			t.Errorf("the name %q is cleaned to %q", name, again)
		}
		want := utf8.Valid(content) && !bytes.ContainsRune(content, 0)
		for _, pieces := range []io.Reader{bytes.NewReader(content), iotest.OneByteReader(bytes.NewReader(content)), iotest.DataErrReader(bytes.NewReader(content))} {
			if got, err := io.ReadAll(httpapi.TextOf(pieces)); (err == nil) != want || err == nil && !bytes.Equal(got, content) {
				t.Errorf("read as text: %q, %v; want %t", got, err, want)
			}
		}
	})
}
