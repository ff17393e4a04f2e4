package etcdapi

import (
	"cmp"
	"context"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// mergeWait is how long a watch of several intervals waits for the rest of a revision when the server
	// does not say that there is none: it does not while it reads history.
	mergeWait    = 20 * time.Millisecond
	mergeWaitMax = 5 * time.Second
	// mergeEvents is how many events wait for the rest of their revision at most.
	mergeEvents = 1024
)

// span is an interval [from, to) of keys that is watched; to is "" for no end.
type span struct{ from, to string }

// rangeEnd is the end as the wire has it: none for a single key, "\x00" for no end.
func (s span) rangeEnd() []byte {
	switch s.to {
	case "":
		return []byte{0}
	case s.from + "\x00":
		return nil
	}
	return []byte(s.to)
}

func (s span) empty() bool { return s.to != "" && s.to <= s.from }

// mergeSpans sorts the intervals, joins those that overlap or touch, and drops empty ones.
func mergeSpans(intervals []Interval) []span {
	spans := make([]span, 0, len(intervals))
	for _, iv := range intervals {
		if s := spanOf(iv); !s.empty() {
			spans = append(spans, s)
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	merged := spans[:0]
	for _, s := range spans {
		if n := len(merged); n > 0 && (merged[n-1].to == "" || s.from <= merged[n-1].to) {
			last := &merged[n-1]
			if last.to != "" && (s.to == "" || s.to > last.to) {
				last.to = s.to
			}
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

func spanOf(iv Interval) span { return span{string(iv.key()), iv.To} }

// merging is what a watch of several intervals holds back. The server sends the events of a revision
// interval by interval and does not mark the last. But a progress request is answered after everything
// before it on the stream, so the answer says that what is held is whole: the events go out in revision
// order, one round trip late, as many as came meanwhile.
type merging struct {
	held    []*clientv3.Event
	bytes   int64
	asked   bool // an answer may come
	barrier bool // it was asked for what is held
	timer   *time.Timer
	wait    time.Duration // until it is asked again
}

// hold keeps events until their revision is known to be whole.
func (w *Watch) hold(evs []*clientv3.Event) {
	m := &w.merging
	m.held = append(m.held, evs...)
	var bytes int64
	for _, ev := range evs {
		bytes += eventBytes(ev)
	}
	m.bytes += bytes
	w.events += len(evs)
	w.bytes += bytes
	if len(m.held) >= mergeEvents {
		w.release()
		return
	}
	if !m.barrier {
		m.barrier = true
		w.ask()
	}
}

// ask asks how far the server is.
func (w *Watch) ask() {
	m := &w.merging
	m.asked, m.wait = true, mergeWait
	w.stream.askProgress()
	if m.timer == nil {
		m.timer = time.AfterFunc(m.wait, w.unanswered)
		return
	}
	m.timer.Reset(m.wait)
}

// unanswered hands out what the server does not vouch for, and asks again, less and less often. A server
// answers once all intervals have caught up, and the store is past the revisions that they began at.
func (w *Watch) unanswered() {
	s, m := w.stream, &w.merging
	s.mu.Lock()
	if !m.asked {
		s.mu.Unlock()
		return
	}
	w.release()
	m.barrier = false
	if w.level() || s.c.watches.progress.Load() != progressInOrder {
		m.asked = false
		s.mu.Unlock()
		return
	}
	s.askProgress()
	m.wait = min(2*m.wait, mergeWaitMax)
	m.timer.Reset(m.wait)
	s.mu.Unlock()
	s.flush()
}

// stopAsking forgets that an answer is to come.
func (m *merging) stopAsking() {
	m.asked, m.barrier = false, false
	if m.timer != nil {
		m.timer.Stop()
	}
}

// release hands out what is held, in revision order.
func (w *Watch) release() {
	m := &w.merging
	if len(m.held) == 0 {
		return
	}
	evs, bytes := m.held, m.bytes
	m.held, m.bytes = nil, 0
	w.events -= len(evs)
	w.bytes -= bytes
	slices.SortStableFunc(evs, func(a, b *clientv3.Event) int { return cmp.Compare(a.Kv.ModRevision, b.Kv.ModRevision) })
	w.enqueue(evs, w.position())
}

// position is up to where everything of all intervals was received.
func (w *Watch) position() int64 {
	pos := w.legs[0].pos
	for _, l := range w.legs[1:] {
		pos = min(pos, l.pos)
	}
	return pos
}

// level says whether all intervals are equally far.
func (w *Watch) level() bool {
	for _, l := range w.legs {
		if l.pos != w.legs[0].pos {
			return false
		}
	}
	return true
}

// settle notes a new position without events: with those that wait, or as handed out if none do.
func (w *Watch) settle() {
	switch {
	case len(w.merging.held) > 0:
	case len(w.queue) > 0:
		tail := w.queue[len(w.queue)-1]
		tail.Revision = max(tail.Revision, w.position())
	default:
		w.handed = max(w.handed, w.position())
	}
}

// progressed takes the answer to a progress request: everything up to rev that any watch of the stream
// is to have came before it.
//
// That is: any watch that the server knew when it answered. The news of a new one may overtake answers
// from before, of which such a leg knows nothing. They are of revisions up to that at which it was
// opened, and come before the first that it gets from the watched store itself.
func (s *stream) progressed(rev int64) {
	inOrder := s.c.watches.progress.Load() == progressInOrder
	for w := range s.members {
		for _, l := range w.legs {
			if inOrder && l.id != notOpen && len(l.partial) == 0 && (l.sure || rev > l.floor) {
				l.pos = max(l.pos, rev)
			}
		}
		w.merging.barrier = false
		if !inOrder || w.level() {
			w.merging.stopAsking()
		}
		w.release()
		w.settle()
	}
	close(s.answeredc)
	s.answeredc = make(chan struct{})
}

// catchUp waits, shortly, until the watch's position is known to be at least rev.
func (w *Watch) catchUp(ctx context.Context, rev int64) {
	w.c.learnProgress(ctx)
	s := w.stream
	s.mu.Lock()
	if s.c.watches.progress.Load() != progressInOrder || len(w.queue) > 0 || w.handed >= rev {
		s.mu.Unlock()
		return
	}
	answeredc := s.answeredc
	s.askProgress()
	s.mu.Unlock()
	s.flush()
	select {
	case <-answeredc:
	case <-time.After(progressWait):
	case <-ctx.Done():
	}
}
