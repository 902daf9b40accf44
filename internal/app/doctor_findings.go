package app

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/llm"
)

// When a model is worth a warning.
const (
	farModel  = 50 * time.Millisecond  // p50 to connect
	slowStart = 3 * time.Second        // to the first text
	together  = 200 * time.Millisecond // after which a stream that comes at once has waited
)

// label names the model for people.
func (t *trial) label() string { return strings.TrimSpace(t.model.Name + " " + t.asked) }

// works reports whether the model answers customers, as far as it was asked.
func (t *trial) works() bool {
	return t.broken == nil && t.chat.err == nil && !t.lacksKey()
}

// lacksKey reports whether a vendor that wants a key gets none, in no header either.
func (t *trial) lacksKey() bool {
	return t.model.key == "" && t.model.BaseURL == "" && len(t.model.Headers) == 0
}

func (t *trial) area() string { return fmt.Sprintf("model %d (%s)", t.place, t.label()) }

func (t *trial) finding(name string, state State, detail, advice string) Finding {
	return Finding{t.area(), name, state, detail, advice}
}

func (t *trial) failed(name string, err error) Finding { return failed(t.area(), name, err) }

// findings says what came of the trial, in the order in which things fail.
func (t *trial) findings() []Finding {
	if t.broken != nil {
		return []Finding{t.failed("settings", t.broken)}
	}
	found := []Finding{t.address(), t.key()}
	if t.offline {
		return append(found, t.finding("answer", Fine, "not asked (--offline)", ""), t.price())
	}
	found = append(found, t.connection())
	if len(t.network) == 0 {
		return append(found, t.price())
	}
	if f, ok := t.exists(); ok {
		found = append(found, f)
	}
	if t.chat.err == errNoName {
		return append(found, t.price())
	}
	found = append(found, t.answer())
	if t.works() {
		found = append(found, t.streaming(), t.calls(), t.usage())
	}
	return append(found, t.price())
}

// address says where the model is.
func (t *trial) address() Finding {
	f := t.finding("address", Fine, t.url.Scheme+"://"+t.url.Host, "")
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: t.url}); err == nil && proxy != nil {
		f.Detail += " through the proxy " + proxy.Host
	}
	if t.url.Scheme == "http" && t.model.key != "" && !near(t.url.Hostname()) {
		f.State, f.Advice = Warn, "the key and what customers write travel unencrypted: use https:// in "+t.model.baseName
	}
	return f
}

// near reports whether a host is this machine, or in its own network by its address.
func near(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsPrivate())
}

// key says whether there is one, and never which.
func (t *trial) key() Finding {
	name := t.model.keyName
	switch key := t.model.key.Reveal(); {
	case t.lacksKey():
		return t.finding("key", Fails, name+" is not set", "export "+name+"=… with a key of the provider")
	case key == "":
		return t.finding("key", Fine, "none: "+name+" is not set", "")
	case strings.ContainsAny(key, " \t\r\n\"'") || strings.HasPrefix(key, "$"):
		return t.finding("key", Warn, name+" is set, but with a blank, a quotation mark or a $ in it", "set "+name+" to the bare key")
	}
	return t.finding("key", Fine, name+" is set", "")
}

// connection says whether and how fast the provider is reached.
func (t *trial) connection() Finding {
	if len(t.network) == 0 {
		return t.failed("connection", t.unknown)
	}
	var connect, tls, whole []time.Duration
	for _, c := range t.network {
		connect, tls, whole = append(connect, c.connect), append(tls, c.tls), append(whole, c.whole)
	}
	f := t.finding("connection", Fine, readable(middle(connect))+" to connect", "")
	if middle(tls) > 0 {
		f.Detail += ", " + readable(middle(tls)) + " for TLS"
	}
	f.Detail += ", " + readable(middle(whole)) + " for a whole small request"
	if len(whole) > 1 {
		f.Detail += fmt.Sprintf(" (p50 of %d)", len(whole))
	}
	if middle(connect) > farModel {
		f.State, f.Advice = Warn, "it is far away; another region? Run this server nearer to the provider, or choose a nearer endpoint"
	}
	return f
}

// exists says whether there is such a model. Where neither the list nor the model
// answers, the model's own error says more.
func (t *trial) exists() (Finding, bool) {
	switch {
	case t.chat.err == errNoName:
		return t.finding("model", Fails, errNoName.Error(), "load a model on that server, or name one (model in "+ConfigFile+")"), true
	case t.unknown != nil && t.works():
		return t.finding("model", Fine, fmt.Sprintf("%s answers; the list of models cannot be had: %v", t.asked, failed("", "", t.unknown).Detail), ""), true
	case t.unknown != nil:
		return Finding{}, false
	case t.model.Model == "":
		return t.finding("model", Fine, t.asked+", the first of "+count(len(t.names), "model"), ""), true
	case slices.Contains(t.names, t.asked):
		return t.finding("model", Fine, t.asked+", one of "+count(len(t.names), "model"), ""), true
	case t.works():
		return t.finding("model", Fine, t.asked+" answers, though it is not in the list of "+count(len(t.names), "model"), ""), true
	}
	f := t.finding("model", Fails, t.asked+" is not in the list of "+count(len(t.names), "model"), "name one that the provider has (model in "+ConfigFile+", or "+t.modelName()+")")
	if meant := nearest(t.asked, t.names); meant != "" {
		f.Advice = "did you mean " + meant + "? Set it as model in " + ConfigFile + ", or in " + t.modelName()
	}
	return f, true
}

// modelName is the variable that names the model.
func (t *trial) modelName() string {
	i := slices.IndexFunc(vendors, func(v vendor) bool { return v.name == t.model.Provider })
	return vendors[i].prefix + "_MODEL"
}

// answer says how the model answered a short question.
func (t *trial) answer() Finding {
	r := t.chat
	switch {
	case r.err != nil:
		return t.failed("answer", r.err)
	case r.chunks == 0 && r.finish == llm.Length:
		return t.finding("answer", Warn, "256 tokens went into thinking and none into an answer", `ask for less thought, such as extra: '{"reasoning_effort": "low"}' under models, or choose a model that thinks less`)
	case r.chunks == 0:
		return t.finding("answer", Warn, fmt.Sprintf("it came without text (%s)", r.finish), "choose another model")
	}
	f := t.finding("answer", Fine, fmt.Sprintf("first words after %s, whole after %s", readable(r.first), readable(r.whole)), "")
	switch {
	case r.first > t.limits.FirstToken:
		f.State, f.Advice = Warn, fmt.Sprintf("the server waits %s only (limits.provider.first_token) and then asks another: raise it, or choose a faster model", t.limits.FirstToken)
	case r.first > slowStart:
		f.State, f.Advice = Warn, "customers wait long for the first word: choose a faster model or one that thinks less"
	}
	return f
}

// streaming says whether an answer comes bit by bit.
func (t *trial) streaming() Finding {
	r := t.chat
	const advice = "customers see nothing until it is whole; a proxy in between that buffers? Turn buffering off for event streams"
	switch {
	case r.chunks == 0:
		return t.finding("streaming", Warn, "not known without text", "")
	case r.chunks == 1:
		return t.finding("streaming", Warn, "no: everything came at once, in one piece", advice)
	case r.first > together && r.last-r.first < r.first/50:
		return t.finding("streaming", Warn, fmt.Sprintf("no: all %d pieces came at once", r.chunks), advice)
	}
	return t.finding("streaming", Fine, fmt.Sprintf("yes, in %d pieces", r.chunks), "")
}

// calls says whether the model calls tools.
func (t *trial) calls() Finding {
	switch r := t.tool; {
	case r.err != nil:
		f := t.failed("tools", r.err)
		f.State = Warn
		return f
	case !r.called:
		return t.finding("tools", Warn, "it was offered a tool and asked to call it, and did not", "choose a model that calls tools, if your assistants have any")
	}
	return t.finding("tools", Fine, "it called the tool, after "+readable(t.tool.whole), "")
}

// usage says whether the provider counts tokens.
func (t *trial) usage() Finding {
	u := t.chat.usage
	if u == nil || u.Input+u.Output == 0 {
		return t.finding("usage", Warn, "no tokens are reported", "what answers cost is then estimated; of a gateway, turn on usage in streams")
	}
	cached := u.Cached
	if t.tool.usage != nil {
		cached += t.tool.usage.Cached
	}
	f := t.finding("usage", Fine, fmt.Sprintf("%d tokens in, %d out; none from its cache, as usual for short questions", u.Input, u.Output), "")
	if cached > 0 {
		f.Detail = fmt.Sprintf("%d tokens in, %d out; %d from its cache", u.Input, u.Output, cached)
	}
	return f
}

// price says what an average answer costs.
func (t *trial) price() Finding {
	if p := t.model.Price; p.Input.Money > 0 || p.Output.Money > 0 {
		return t.finding("price", Fine, fmt.Sprintf("$%.4f for an average answer (1,500 tokens in, 200 out)", float64(p.of(average))/1e6), "")
	}
	if near(t.url.Hostname()) {
		return t.finding("price", Fine, "none is set, as usual for a server of one's own", "")
	}
	return t.finding("price", Warn, "unknown: answers are on record as free", "set price under models in "+ConfigFile+": answerable.example.yaml shows how")
}

// nearest returns the name that is most like what was written, or "" if none is.
func nearest(written string, names []string) string {
	const longest = 100
	best, least := "", 2+len(written)/3
	for _, name := range names {
		if len(name) > longest || len(written) > longest {
			continue
		}
		if d := editDistance(strings.ToLower(written), strings.ToLower(name)); d < least {
			best, least = name, d
		}
	}
	return best
}

// editDistance is the least number of bytes to insert, delete or replace that makes b of
// a (Levenshtein's).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j+1]+1, row[j]+1, replace)
		}
	}
	return row[len(b)]
}
