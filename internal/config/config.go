// Package config reads configuration files strictly and says where each mistake is.
//
// A file is YAML. [Decode] keeps its node tree, so that every error names file, line,
// key path and the nearest valid key, and reports all of them together. What a struct
// demands of its values it says in a method Validate, written with [Between], [OneOf]
// and [At]; Decode finds the lines. The structs themselves belong to the packages that
// are configured. Start with Decode.
package config

import (
	"fmt"
	"log/slog"
)

// Secret is a value that must not be seen: a key, a password, an address with a
// password in it. However it is printed, logged or encoded, it gives "(secret)", or
// nothing when it is empty. Package fmt cannot ask a value in an unexported field, so
// keep secrets in exported ones.
type Secret string

// Reveal returns the value itself.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// Format answers every verb; without it %d would show the value as a wrong argument.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

func (s Secret) LogValue() slog.Value         { return slog.StringValue(s.String()) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
