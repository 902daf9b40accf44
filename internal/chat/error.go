package chat

import "errors"

// ErrorKind says what a caller can do about an error. A kind is itself an error, so
// errors.Is(err, chat.NotFound) asks for it.
type ErrorKind string

func (k ErrorKind) Error() string { return string(k) }

const (
	Internal    ErrorKind = "internal"     // nothing; the operator's log has the cause
	Invalid     ErrorKind = "invalid"      // send something else
	TooLarge    ErrorKind = "too large"    // send less
	NotFound    ErrorKind = "not found"    // ask for something else
	Conflict    ErrorKind = "conflict"     // the state does not allow it
	Unknown     ErrorKind = "unauthorized" // say who you are
	Forbidden   ErrorKind = "forbidden"    // ask somebody who may
	TooMany     ErrorKind = "too many"     // wait
	Unavailable ErrorKind = "unavailable"  // try again later
	StorageFull ErrorKind = "storage full" // the operator must make room
	Fenced      ErrorKind = "fenced"       // somebody else has the right to write now
)

// Error is an error that the person who caused it may read. Message says what to
// do; Err, which may be nil, is for the operator's log.
type Error struct {
	Kind    ErrorKind
	Message string
	Err     error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// KindOf returns the kind of err; what has none is Internal.
func KindOf(err error) ErrorKind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var k ErrorKind
	if errors.As(err, &k) {
		return k
	}
	return Internal
}
