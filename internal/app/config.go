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

// Config is the server's file. answerable.example.yaml has every key.
type Config struct {
	// Where to listen. On another address than 127.0.0.1 the server asks for API keys.
	Listen string `yaml:"listen"`
	// The folder that holds everything that must survive: database, index, keys.
	Data string `yaml:"data" need:"name the folder in which the data is kept"`
	// postgres://user:password@host:5432/database. Default: SQLite in the data folder.
	Postgres config.Secret `yaml:"postgres"`
	// Sites whose pages may call this server, as in https://shop.example. Default: only the
	// server's own pages.
	AllowedOrigins []string `yaml:"allowed_origins"`
	// Addresses or ranges of the proxies in front of this server: their X-Forwarded-For says
	// who is asking. Default: nobody's does.
	TrustedProxies []Network `yaml:"trusted_proxies"`
	// How customers who are signed in on the company's site are known.
	Identity Identity `yaml:"identity"`
	// The language models, in the order in which they are asked. Default: those whose key or
	// base URL is in the environment.
	Models []ModelConfig `yaml:"models"`
	// What is logged, and how.
	Log Log `yaml:"log"`
	// What the server does at once and how long it waits.
	Limits Limits `yaml:"limits"`
}

// Identity is how customers who are signed in on the company's site are known.
type Identity struct {
	// What the company's server and this one share, at least 32 bytes; several with commas
	// between them. Default: none.
	Secret config.Secret `yaml:"secret"`
	// A PEM file with the public key of the company's server. Default: none.
	PublicKey string `yaml:"public_key"`
}

// Log says what is logged, and how.
type Log struct {
	// The least level that is logged.
	Level string `yaml:"level" oneof:"debug,info,warn,error"`
	// How a line is written.
	Format string `yaml:"format" oneof:"text,json"`
}

// Limits bound what one server does at once and how long it waits.
type Limits struct {
	// Bytes of one message's text.
	MessageBytes int `yaml:"message_bytes" between:"1,1048576"`
	// Bytes of a whole HTTP request, at least those of a message.
	BodyBytes int64 `yaml:"body_bytes" between:"1,67108864"`
	// The whole time of an answer.
	Turn time.Duration `yaml:"turn" between:"1s,1h"`
	// Calls of models that cost, in one turn, retries included.
	Calls int `yaml:"calls" between:"1,1000"`
	// Tokens that these calls may take together, in and out.
	Tokens int `yaml:"tokens" between:"1000,100000000"`
	// How long a model may take before another takes over.
	Provider ProviderLimits `yaml:"provider"`
	// Event streams open at once.
	Streams int `yaml:"streams" between:"1,1000000"`
	// How long running answers may go on when the server stops.
	Stop time.Duration `yaml:"stop" between:"0s,1h"`
	// What visitors who have not signed in may do; 0 is no limit.
	Anonymous AnonymousLimits `yaml:"anonymous"`
}

// ProviderLimits are how long a provider may take before another takes over.
type ProviderLimits struct {
	// To make a connection.
	Connect time.Duration `yaml:"connect" between:"1ms,1h"`
	// Of silence before the first piece of an answer.
	FirstToken time.Duration `yaml:"first_token" between:"1ms,1h"`
	// Of silence between two pieces.
	Between time.Duration `yaml:"between" between:"1ms,1h"`
	// For one whole answer.
	Whole time.Duration `yaml:"whole" between:"1ms,1h"`
	// Whether to ask a second time when a model is slower than 19 times in 20.
	Hedge bool `yaml:"hedge"`
}

// AnonymousLimits hold for visitors who have not signed in; 0 is no limit.
type AnonymousLimits struct {
	// Messages a minute in a conversation.
	MessagesPerMinute int `yaml:"messages_per_minute" between:"0,1000000"`
	// Conversations a minute from an address.
	ConversationsPerMinute int `yaml:"conversations_per_minute" between:"0,1000000"`
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

// Threshold returns the level below which nothing is logged.
func (l Log) Threshold() slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		panic("app: a log level that was not validated: " + l.Level)
	}
	return level
}

// Validate checks what a type alone does not say.
func (l Limits) Validate() error {
	if l.BodyBytes > 0 && l.BodyBytes < int64(l.MessageBytes) {
		return config.At("body_bytes", "%d is less than message_bytes, %d: no such message could be sent", l.BodyBytes, l.MessageBytes)
	}
	return nil
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
