package wire

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/answerable/answerable/internal/llm"
)

// Quote returns the beginning of a vendor's words for an error: on one line, and without
// what is secret or looks like it. Vendors like to repeat keys, whole or in part.
func (e *Endpoint) Quote(words string) string {
	const most = 300
	words = cut(words, 16*most) // what is hidden may be long
	words = strings.Join(strings.Fields(strings.ToValidUTF8(words, "\uFFFD")), " ")
	if words = hide(words, e.secrets()); words == "" {
		return "(no text)"
	}
	return cut(words, most)
}

// cut returns at most so many bytes of s, and a mark where there is more.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + " …"
}

// redact hides what is secret in an error that may quote a vendor.
func (e *Endpoint) redact(out *llm.Error) {
	secrets := e.secrets()
	if text := out.Err.Error(); hide(text, secrets) != text {
		out.Err = &redacted{text: hide(text, secrets), err: out.Err}
	}
	out.Advice = hide(out.Advice, secrets)
}

type redacted struct {
	text string
	err  error
}

func (r *redacted) Error() string { return r.text }
func (r *redacted) Unwrap() error { return r.err }

// secrets returns all that is sent and must not be shown.
func (e *Endpoint) secrets() []string {
	all := []string{e.Key.Reveal()}
	h := http.Header{}
	if e.Headers != nil {
		e.Headers(h)
	}
	for name, values := range h {
		if secretName.MatchString(name) {
			_, token, bearer := strings.Cut(values[0], " ")
			if !bearer {
				token = values[0]
			}
			all = append(all, token)
		}
	}
	for name, values := range e.Base.Query() {
		if secretName.MatchString(name) {
			all = append(all, values...)
		}
	}
	password, _ := e.Base.User.Password()
	return append(all, password)
}

var (
	secretName = regexp.MustCompile(`(?i)auth|key|token|secret|password|cookie|sig`)
	word       = regexp.MustCompile("[^\\s\"'`<>(){}\\[\\],;:=&?|\\\\]{4,}")
	// keyLike are the beginnings of the keys of known vendors, of a JWT, and keys that
	// the vendor has masked itself.
	keyLike = regexp.MustCompile(`^(?:sk|pk|rk|gsk|csk|dsk|xai|hf|r8|fw|nvapi|pplx|tgp)[-_].{4}|^AIza|^eyJ.{8}|^ya29\.|\*\*\*|•••`)
)

const mask = "***"

// hide replaces secrets, pieces of them, and words that look like keys.
func hide(s string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) >= 4 {
			s = strings.ReplaceAll(s, secret, mask)
		}
	}
	return word.ReplaceAllStringFunc(s, func(w string) string {
		if keyLike.MatchString(w) {
			return mask
		}
		for _, secret := range secrets {
			if piece(w, secret) {
				return mask
			}
		}
		return w
	})
}

// piece reports whether a word is the beginning or the end of a secret, has both, or has
// eight bytes of it in a row.
func piece(w, secret string) bool {
	const few, many = 4, 8
	if strings.HasPrefix(secret, w) || strings.HasSuffix(secret, w) ||
		strings.HasPrefix(secret, w[:few]) && strings.HasSuffix(secret, w[len(w)-few:]) {
		return true
	}
	for i := 0; i+many <= len(w) && len(secret) >= many; i++ {
		if strings.Contains(secret, w[i:i+many]) {
			return true
		}
	}
	return false
}
