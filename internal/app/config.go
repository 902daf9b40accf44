package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
	"github.com/answerable/answerable/internal/config"
)

// ConfigFile is the server's file in the working directory.
const ConfigFile = "answerable.yaml"

// Config is the server's file. answerable.example.yaml explains each key.
type Config struct {
	Listen         string        `yaml:"listen"`          // 127.0.0.1:8080
	Data           string        `yaml:"data"`            // ./data
	Postgres       config.Secret `yaml:"postgres"`        // none: SQLite in Data
	AllowedOrigins []string      `yaml:"allowed_origins"` // none: our own
	TrustedProxies []Network     `yaml:"trusted_proxies"` // none
	Identity       Identity      `yaml:"identity"`
	Models         []ModelConfig `yaml:"models"` // those of the environment
	Log            Log           `yaml:"log"`
	Limits         Limits        `yaml:"limits"`
}

// Identity is how customers who are signed in on the company's site are known.
type Identity struct {
	Secret    config.Secret `yaml:"secret"`     // none; several with commas between them
	PublicKey string        `yaml:"public_key"` // none; a file
}

// Log says what is logged, and how.
type Log struct {
	Level  string `yaml:"level"`  // info
	Format string `yaml:"format"` // text
}

// Limits bound what one server does at once and how long it waits.
type Limits struct {
	MessageBytes int             `yaml:"message_bytes"` // 32768
	BodyBytes    int64           `yaml:"body_bytes"`    // 262144
	Turn         time.Duration   `yaml:"turn"`          // 60s
	Calls        int             `yaml:"calls"`         // 8; of models that cost, in a turn
	Tokens       int             `yaml:"tokens"`        // 100000; of all these calls together
	Provider     ProviderLimits  `yaml:"provider"`
	Streams      int             `yaml:"streams"` // 10000
	Stop         time.Duration   `yaml:"stop"`    // 10s
	Anonymous    AnonymousLimits `yaml:"anonymous"`
}

// ProviderLimits are how long a provider may take before another takes over.
type ProviderLimits struct {
	Connect    time.Duration `yaml:"connect"`     // 5s
	FirstToken time.Duration `yaml:"first_token"` // 20s
	Between    time.Duration `yaml:"between"`     // 20s
	Whole      time.Duration `yaml:"whole"`       // 2m
	Hedge      bool          `yaml:"hedge"`       // false
}

// AnonymousLimits hold for visitors who have not signed in; 0 is no limit.
type AnonymousLimits struct {
	MessagesPerMinute      int `yaml:"messages_per_minute"`      // 30, in a conversation
	ConversationsPerMinute int `yaml:"conversations_per_minute"` // 120, from an address
}

// DefaultConfig is what holds where the file says nothing.
func DefaultConfig() Config {
	return Config{
		Listen: "127.0.0.1:8080",
		Data:   "./data",
		Log:    Log{Level: "info", Format: "text"},
		Limits: Limits{
			MessageBytes: 32 << 10,
			BodyBytes:    256 << 10, // a message of which JSON escapes every byte, and more
			Turn:         time.Minute,
			Calls:        8,
			Tokens:       100_000,
			Provider:     ProviderLimits{Connect: 5 * time.Second, FirstToken: 20 * time.Second, Between: 20 * time.Second, Whole: 2 * time.Minute},
			Streams:      10_000,
			Stop:         10 * time.Second,
			Anonymous:    AnonymousLimits{MessagesPerMinute: 30, ConversationsPerMinute: 120},
		},
	}
}

// Validate checks what a type alone does not say.
func (c Config) Validate() error {
	errs := []error{checkListen(c.Listen), config.Origins("allowed_origins", c.AllowedOrigins)}
	for i, m := range c.Models {
		for _, before := range c.Models[:i] {
			if m.is(before) {
				errs = append(errs, config.At(fmt.Sprintf("models[%d]", i), "this model is in the list already: remove one, or give it a name of its own"))
				break
			}
		}
	}
	if c.Data == "" {
		errs = append(errs, config.At("data", "is empty; name the folder in which the data is kept"))
	}
	if p := c.Postgres.Reveal(); p != "" && !strings.HasPrefix(p, "postgres://") && !strings.HasPrefix(p, "postgresql://") {
		errs = append(errs, config.At("postgres", "want a URL such as postgres://user:password@host:5432/database"))
	}
	if _, err := access.ParseSecrets(c.Identity.Secret.Reveal()); err != nil {
		errs = append(errs, config.At("identity.secret", "%w", err))
	}
	return errors.Join(errs...)
}

func checkListen(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return config.At("listen", "want an address with a port, such as 127.0.0.1:8080, not %q", address)
	}
	return nil
}

// set reports whether anything is to verify signed identities.
func (i Identity) set() bool { return i.Secret.Reveal() != "" || i.PublicKey != "" }

// open returns what verifies signed identities.
func (i Identity) open() (access.Identities, error) {
	secrets, err := access.ParseSecrets(i.Secret.Reveal())
	if err != nil {
		return access.Identities{}, fmt.Errorf("identity.secret: %w", err)
	}
	ids := access.Identities{Secrets: secrets}
	if i.PublicKey == "" {
		return ids, nil
	}
	file, err := os.ReadFile(i.PublicKey)
	if err != nil {
		return ids, &chat.Error{Kind: chat.NotFound, Message: "the file that identity.public_key names cannot be read", Err: err}
	}
	if ids.Keys, err = access.ParsePublicKeys(file); err != nil {
		return ids, fmt.Errorf("identity.public_key: %s: %w", i.PublicKey, err)
	}
	return ids, nil
}

func (l Log) Validate() error {
	return errors.Join(
		config.OneOf("level", l.Level, "debug", "info", "warn", "error"),
		config.OneOf("format", l.Format, "text", "json"),
	)
}

// Threshold returns the level below which nothing is logged.
func (l Log) Threshold() slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		panic("app: a log level that was not validated: " + l.Level)
	}
	return level
}

func (l Limits) Validate() error {
	return errors.Join(
		config.Between("message_bytes", l.MessageBytes, 1, 1<<20),
		config.Between("body_bytes", l.BodyBytes, int64(l.MessageBytes), 64<<20),
		config.Between("turn", l.Turn, time.Second, time.Hour),
		config.Between("calls", l.Calls, 1, 1000),
		config.Between("tokens", l.Tokens, 1000, 100_000_000),
		config.Between("provider.connect", l.Provider.Connect, time.Millisecond, time.Hour),
		config.Between("provider.whole", l.Provider.Whole, time.Millisecond, time.Hour),
		config.Between("provider.first_token", l.Provider.FirstToken, time.Millisecond, time.Hour),
		config.Between("provider.between", l.Provider.Between, time.Millisecond, time.Hour),
		config.Between("streams", l.Streams, 1, 1_000_000),
		config.Between("stop", l.Stop, 0, time.Hour),
		config.Between("anonymous.messages_per_minute", l.Anonymous.MessagesPerMinute, 0, 1_000_000),
		config.Between("anonymous.conversations_per_minute", l.Anonymous.ConversationsPerMinute, 0, 1_000_000),
	)
}

// Network is one address or a range of them, as in 10.0.0.1 or 10.0.0.0/8.
type Network struct{ netip.Prefix }

func (n *Network) UnmarshalText(text []byte) error {
	if a, err := netip.ParseAddr(string(text)); err == nil {
		a = a.Unmap().WithZone("")
		n.Prefix = netip.PrefixFrom(a, a.BitLen())
		return nil
	}
	p, err := netip.ParsePrefix(string(text))
	if err != nil {
		return fmt.Errorf("want an address or a range such as 10.0.0.0/8, not %q", text)
	}
	n.Prefix = p.Masked()
	return nil
}
