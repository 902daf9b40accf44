package guard

import "sync"

// Sources keeps the passages that were last read for the citation check: the same few are
// found again and again, and reading one takes longer than checking a sentence against
// it. The zero value is ready; it may be used by many goroutines.
type Sources struct {
	mu         sync.Mutex
	young, old map[sourceKey]source
}

type sourceKey struct{ text, language string }

// maxYoung is how many passages one half holds, of about 15 KB each.
const maxYoung = 256

// source reads a passage, or returns it as it was read before.
func (s *Sources) source(text, language string) source {
	if s == nil {
		return newSource(text, language)
	}
	key := sourceKey{text, language}
	if src, ok := s.get(key); ok {
		return src
	}
	src := newSource(text, language)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.putLocked(key, src)
	return src
}

func (s *Sources) get(key sourceKey) (source, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if src, ok := s.young[key]; ok {
		return src, true
	}
	src, ok := s.old[key]
	if ok {
		s.putLocked(key, src)
	}
	return src, ok
}

// putLocked adds to the young half; when that is full, the older half is forgotten.
func (s *Sources) putLocked(key sourceKey, src source) {
	if s.young == nil || len(s.young) >= maxYoung {
		s.young, s.old = make(map[sourceKey]source, maxYoung), s.young
	}
	s.young[key] = src
}
