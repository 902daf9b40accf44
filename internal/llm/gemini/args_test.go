package gemini

import (
	"fmt"
	"strings"
	"testing"
)

func TestPaths(t *testing.T) {
	for _, tt := range []struct{ path, want string }{
		{"$.a", "[{a -1}]"},
		{"$.a[0].b c", "[{a -1} { 0} {b c -1}]"},
		{"$['a.b'][\"c]\"]", "[{a.b -1} {c] -1}]"},
		{"$..", "[{ -1} { -1}]"},
		{"", ""}, {"$", ""}, {"a", ""}, {"$a", ""}, {"$.a]", "[{a] -1}]"}, {"$[", ""}, {"$[0", ""},
		{"$[-1]", ""}, {"$[x]", ""}, {"$['a", ""}, {"$['", ""}, {"$[']", ""}, {"$['']", "[{ -1}]"},
		{"$" + strings.Repeat("[0]", maxPath+1), ""},
	} {
		steps, err := parsePath(tt.path)
		got := fmt.Sprint(steps)
		if err != nil {
			got = ""
		}
		if got != tt.want {
			t.Errorf("parsePath(%.20q) = %s, %v, want %s", tt.path, got, err, tt.want)
		}
	}
}
