// Package access says who is asking and whether they may: the tokens that open one
// conversation, API keys, signed identities of customers, the origins that a browser may
// call from, the address of a client behind proxies, and how often somebody may do
// something.
//
// It knows neither HTTP routes nor the store. A token or key is shown once to whoever
// gets it and stored as its SHA-256 alone; 256 random bits need no slow hash.
// Start with tokens.go.
package access
