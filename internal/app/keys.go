package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/answerable/answerable/internal/access"
	"github.com/answerable/answerable/internal/chat"
)

// What keys does: through the server that runs on the data directory, or without one. To
// list them, reading the store is enough.

// CreateKey makes an API key like k and returns it with what is known of it. Only its hash
// is stored.
func CreateKey(ctx context.Context, o Options, k chat.APIKey) (key string, made chat.APIKey, err error) {
	if err := k.Check(time.Now()); err != nil {
		return "", k, err
	}
	w, err := openWriting(ctx, o)
	if err != nil {
		return "", k, err
	}
	key, hash := access.NewKey()
	if w.server != nil {
		err = w.server.call(ctx, http.MethodPost, "/api/keys", map[string]any{
			"name": k.Name, "scopes": k.Scopes, "assistants": append([]string{}, k.Assistants...), "expires_at": k.ExpiresAt, "hash": hash}, &k)
	} else {
		k.ID, k.CreatedAt, k.CreatedBy = access.NewKeyID(), chat.Now(), thisMachine
		err = w.app.Store.AddKey(ctx, k, hash)
	}
	return key, k, errors.Join(err, w.close())
}

// Keys returns all API keys, also those that open nothing any more.
func Keys(ctx context.Context, c Config) ([]chat.APIKey, error) {
	s, err := OpenReading(ctx, c)
	if errors.Is(err, chat.NotFound) { // nobody made one yet
		return []chat.APIKey{}, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := s.Keys(ctx)
	return all, errors.Join(err, s.Close())
}

// RevokeKey has the API key with a name or id open nothing from now on, and returns it.
// The last one with the scope admin goes only with force.
func RevokeKey(ctx context.Context, o Options, nameOrID string, force bool) (chat.APIKey, error) {
	all, err := Keys(ctx, o.Config)
	if err != nil {
		return chat.APIKey{}, err
	}
	id := ""
	for _, k := range all {
		if k.ID == nameOrID || k.Name == nameOrID && k.RevokedAt == nil {
			id = k.ID
			break
		}
	}
	if id == "" {
		return chat.APIKey{}, &chat.Error{Kind: chat.NotFound, Message: fmt.Sprintf("there is no key %q to revoke: answerable keys list shows those that there are", nameOrID)}
	}
	w, err := openWriting(ctx, o)
	if err != nil {
		return chat.APIKey{}, err
	}
	var k chat.APIKey
	if w.server != nil {
		err = w.server.call(ctx, http.MethodDelete, fmt.Sprintf("/api/keys/%s?force=%t", url.PathEscape(id), force), nil, &k)
	} else {
		k, err = w.app.Store.RevokeKey(ctx, id, thisMachine, force)
	}
	return k, errors.Join(err, w.close())
}

// noteKeys writes now and then when API keys were last used.
func (a *App) noteKeys(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	note := func(ctx context.Context) {
		if err := a.Store.NoteKeys(ctx); err != nil && ctx.Err() == nil {
			a.Log.Warn("the use of API keys could not be noted", "error", err)
		}
	}
	for {
		select {
		case <-tick.C:
			note(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			note(last)
			return nil
		}
	}
}
