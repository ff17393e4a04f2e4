package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// handle takes one message of the server.
func (s *stream) handle(r *pb.WatchResponse) {
	s.mu.Lock()
	switch {
	case r.Created:
		s.created(r)
	case r.Canceled:
		s.cancelled(r)
	case r.WatchId == clientv3.InvalidWatchID:
		s.progressed(r.Header.GetRevision())
	default:
		if l := s.open[r.WatchId]; l != nil { // nil: it was stopped, and this was under way
			l.receive(r)
		}
	}
	send := s.mustSend()
	s.mu.Unlock()
	if send {
		s.flush()
	}
}

// created is the answer to the oldest request that has none.
func (s *stream) created(r *pb.WatchResponse) {
	if len(s.pending) == 0 {
		return
	}
	l := s.pending[0].leg
	s.pending = s.pending[1:]
	if l != nil {
		l.opening = nil
	}
	switch {
	case r.Canceled && l != nil:
		s.refuse(l, r.CancelReason)
	case r.Canceled:
	case l == nil:
		s.cancelID(r.WatchId)
	default:
		s.good, l.refused = true, false
		l.id = r.WatchId
		l.floor, l.sure = r.Header.GetRevision(), !s.asked
		s.open[l.id] = l
		l.w.opened(l, r.Header.GetRevision())
	}
}

// opened notes that the server has made the leg.
func (w *Watch) opened(l *leg, now int64) {
	if l.pos == fromNow {
		for _, l := range w.legs {
			l.pos = now
		}
		w.handed = now
		w.stream.want(w)
	}
	for _, l := range w.legs {
		if l.id == notOpen {
			return
		}
	}
	if !w.level() {
		w.ask() // an interval that nothing came for is as far as the others, which only the server knows
	}
	if !w.made {
		w.made = true
		w.createdc <- nil
	}
}

// cancelled is the server's end of a leg; of one that is not open, the answer to our own cancel.
func (s *stream) cancelled(r *pb.WatchResponse) {
	l := s.open[r.WatchId]
	if l == nil {
		return
	}
	delete(s.open, l.id)
	l.id, l.partial = notOpen, nil
	switch {
	case r.CompactRevision != 0:
		l.w.compacted(l, r.CompactRevision)
	case r.CancelReason == "":
		s.wanted = append(s.wanted, l)
	default:
		s.refuse(l, r.CancelReason)
	}
}

// refuse ends the watch of a leg that the server does not want, but tries a fresh token first if that
// may be why.
func (s *stream) refuse(l *leg, reason string) {
	if _, desc, ok := strings.Cut(reason, " desc = "); ok {
		reason = desc
	}
	err := rpctypes.Error(errors.New(reason))
	if isTokenError(err) && !l.refused {
		l.refused = true
		s.reopen()
		return
	}
	l.w.fail(wrap("watch", l.span.from, false, err))
}

// compacted ends the watch of a leg whose position is gone from the history. It is the one place that
// learns of it: a repair starts here, with the leg's span and position.
func (w *Watch) compacted(l *leg, oldest int64) {
	w.fail(&Error{Op: "watch", Key: l.span.from, Code: CodeCompacted, Outcome: OutcomeNone, Err: rpctypes.ErrCompacted,
		Message: fmt.Sprintf("the watch was to go on at revision %d, but the history before revision %d is compacted", l.pos+1, oldest),
		Hint:    "changes in between may be lost: list the keys again and watch from there (initial does both)"})
}

// fail ends the watch with err, after what was already received.
func (w *Watch) fail(err error) {
	if err == nil || w.err != nil || w.closed {
		return
	}
	w.release()
	w.err = err
	w.merging.stopAsking()
	w.stream.unwant(w)
	if !w.made {
		w.made = true
		w.createdc <- err
	}
	w.signal()
}

// receive takes events, or the news that there were none.
func (l *leg) receive(r *pb.WatchResponse) {
	w, evs := l.w, r.Events
	l.sure = true
	if len(evs) == 0 {
		if len(l.partial) == 0 {
			l.pos = max(l.pos, r.Header.GetRevision())
			w.settle()
		}
		return
	}
	w.measure(evs[0])
	if len(l.partial) > 0 {
		evs = append(l.partial, evs...)
		l.partial = nil
	}
	if r.Fragment {
		evs, l.partial = cutLast(evs)
	}
	for len(evs) > 0 && evs[0].Kv.ModRevision <= l.pos {
		evs = evs[1:] // a resumed member may begin a revision too early
	}
	if len(evs) == 0 {
		return
	}
	evs = evs[:w.fitting(evs)]
	l.pos = evs[len(evs)-1].Kv.ModRevision
	if len(w.legs) == 1 {
		w.enqueue(evs, l.pos)
	} else {
		w.hold(evs)
	}
	l.mind(r)
}

// fitting is how many of the events, in whole revisions and one at least, are taken: an answer may bring
// a hundred thousand. What is over twice the bound is dropped, and asked for again later.
func (w *Watch) fitting(evs []*clientv3.Event) int {
	if len(evs) < batchEvents && int64(len(evs))*w.average < w.o.MaxBacklogBytes {
		return len(evs)
	}
	n, bytes := 0, w.bytes
	for n < len(evs) && w.events+n < 2*w.o.MaxBacklogEvents && bytes < 2*w.o.MaxBacklogBytes {
		bytes += eventBytes(evs[n])
		n++
	}
	return wholeRevisions(evs, max(1, n))
}

// mind looks after what an answer was like: too much of it, or in pieces that do not suit it.
func (l *leg) mind(r *pb.WatchResponse) {
	w, s := l.w, l.w.stream
	small := r.Fragment && len(r.Events) > fragmentEvents
	if small {
		w.average = 1
	}
	full := w.events > w.o.MaxBacklogEvents || w.bytes > w.o.MaxBacklogBytes
	switch {
	case full:
		w.pause()
	case r.Fragment || w.fragments(l.fragment) == l.fragment:
	default: // from here on in the other way
		delete(s.open, l.id)
		s.cancelID(l.id)
		l.id = notOpen
		s.wanted = append(s.wanted, l)
	}
	if small || full && r.Fragment && !s.shared {
		s.reopen() // or the server goes on to cut and send the rest of it
	}
}

const (
	// The server is asked to send large answers in pieces only when events are large: it measures all of
	// a piece again for each event that it adds, so that fifty thousand small ones of a history take it
	// half a minute, where an answer in one message takes no time. An answer holds at most a thousand
	// revisions. Between the two sizes a leg stays as it is.
	smallEvent = 512
	largeEvent = 2048
	// fragmentEvents is how many events in a piece say that they are small, when nothing did before.
	fragmentEvents = 4096
	// sampleKeys is how many keys are looked at for the size of events to come.
	sampleKeys = 32
)

// measure keeps the average size of events.
func (w *Watch) measure(ev *clientv3.Event) {
	n := eventBytes(ev) - eventOverhead
	if w.average > 0 {
		n = (31*w.average + n) / 32
	}
	w.average = max(1, n)
}

// sample guesses the size of the events of a history from the keys that there are now.
func (w *Watch) sample(ctx context.Context, s span) {
	resp, err := w.c.remote.Range(ctx, &pb.RangeRequest{Key: []byte(s.from), RangeEnd: s.rangeEnd(), Limit: sampleKeys}, w.c.callOpts...)
	if err == nil && len(resp.Kvs) > 0 {
		w.average = sizeOf(resp.Kvs)/int64(len(resp.Kvs)) - kvOverhead
	}
}

// fragments says whether answers are to come in pieces, which now they do or not.
func (w *Watch) fragments(now bool) bool {
	switch {
	case w.average == 0 || w.c.config.MaxCallRecvBytes > 0:
		return true
	case now:
		return w.average >= smallEvent
	}
	return w.average >= largeEvent
}

// cutLast cuts the last revision off, which may be incomplete.
func cutLast(evs []*clientv3.Event) (whole, last []*clientv3.Event) {
	rev := evs[len(evs)-1].Kv.ModRevision
	i := len(evs) - 1
	for i > 0 && evs[i-1].Kv.ModRevision == rev {
		i--
	}
	return evs[:i:i], evs[i:]
}

// eventOverhead is roughly what an event costs in memory beside its keys and values.
const eventOverhead = 200

func eventBytes(ev *clientv3.Event) int64 {
	n := len(ev.Kv.Key) + len(ev.Kv.Value) + eventOverhead
	if ev.PrevKv != nil {
		n += len(ev.PrevKv.Key) + len(ev.PrevKv.Value) + eventOverhead
	}
	return int64(n)
}

// enqueue lets events wait for Next, in batches of batchEvents or little more. rev is the watch's
// position with them.
func (w *Watch) enqueue(evs []*clientv3.Event, rev int64) {
	for len(evs) > 0 {
		n := wholeRevisions(evs, batchEvents)
		w.append(evs[:n], min(rev, evs[n-1].Kv.ModRevision))
		evs = evs[n:]
	}
	w.settle()
	w.signal()
}

// wholeRevisions is n, at least 1, or as many more as complete the last of n events' revision.
func wholeRevisions(evs []*clientv3.Event, n int) int {
	if len(evs) <= n {
		return len(evs)
	}
	for n < len(evs) && evs[n].Kv.ModRevision == evs[n-1].Kv.ModRevision {
		n++
	}
	return n
}

// append adds events to the last batch that waits, as long as that stays small, or to a new one.
func (w *Watch) append(evs []*clientv3.Event, rev int64) {
	var b *Batch
	if n := len(w.queue); n > 0 && len(w.queue[n-1].Events)+len(evs) <= batchEvents {
		b = w.queue[n-1]
	} else {
		b = &Batch{Events: make([]Event, 0, len(evs))}
		w.queue = append(w.queue, b)
	}
	before := b.bytes
	for _, ev := range evs {
		b.Events = append(b.Events, eventOf(ev))
		b.bytes += eventBytes(ev)
	}
	b.Revision = max(rev, b.Revision)
	w.events += len(evs)
	w.bytes += b.bytes - before
}

// signal wakes Next.
func (w *Watch) signal() {
	select {
	case w.readyc <- struct{}{}:
	default:
	}
}

// pause stops the watch on the server because its backlog is full.
func (w *Watch) pause() {
	w.release()
	w.paused = true
	w.merging.stopAsking()
	w.stream.unwant(w)
}

// drained says whether half of the backlog was taken.
func (w *Watch) drained() bool {
	return w.events <= w.o.MaxBacklogEvents/2 && w.bytes <= w.o.MaxBacklogBytes/2
}

// unpause goes on where the watch was stopped.
func (w *Watch) unpause() {
	w.paused = false
	w.stream.want(w)
}
