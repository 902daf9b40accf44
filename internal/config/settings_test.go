package config_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/answerable/answerable/internal/config"
)

const openShop = `name: Tidewhistle
open: true
key: hush
forbidden: [a, "b c"]
limits:
  turn: 90s
doors:
  - colour: red
  -
    colour: green
`

func TestSettings(t *testing.T) {
	var s shop
	lines, err := config.DecodeLines("shop.yaml", []byte(openShop), &s)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range config.Settings(s) {
		b, err := json.Marshal(x.Value)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %d", x.Key, b, lines[x.Key]))
	}
	want := []string{`name "Tidewhistle" 1`, `open true 2`, `shelves 0 0`, `width 0 0`, `key "(secret)" 3`, `forbidden ["a","b c"] 4`, `address "" 0`,
		`limits.turn "1m30s" 6`, `limits.messages 0 0`, `limits.provider.between "0s" 0`, `doors[0].colour "red" 8`, `doors[1].colour "green" 10`, `origins [] 0`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("Settings are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSet(t *testing.T) {
	var s shop
	for key, text := range map[string]string{"name": "x", "open": "true", "width": "7", "key": "hush", "address": "10.0.0.1", "limits.turn": "2s", "limits.provider.between": "1s"} {
		if err := config.Set(&s, key, text); err != nil {
			t.Error(err)
		}
	}
	if s.Name != "x" || !s.Open || s.Width != 7 || s.Key.Reveal() != "hush" || s.Address.String() != "10.0.0.1" || s.Limits.Turn != 2e9 || s.Limits.Provider.Between != 1e9 {
		t.Errorf("%+v", s)
	}
	for key, want := range map[string]string{"width": `width: want a number nearer to 0, not "200"`, "limits.turn": `limits.turn: want a duration such as 30s or 5m, not "200"`, "address": "address: "} {
		if err := config.Set(&s, key, "200"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Set %s: %v, want %s", key, err, want)
		}
	}
	s.Limits.Messages, s.Origins = 200, []string{"shop.example"}
	from := map[string]string{"limits.messages": "--messages"}
	err := config.Check(&s, func(key string) string { return from[key] })
	want := `origins[0]: "shop.example" is not an origin such as https://shop.example
--messages: limits.messages: 200 is not between 0 and 100`
	if err == nil || err.Error() != want {
		t.Errorf("Check = %v, want\n%s", err, want)
	}
}
