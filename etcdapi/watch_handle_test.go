package etcdapi

import (
	"fmt"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// handling is a watch that is fed with a server's messages by hand: for orders of them that a real
// server sends only when it is unlucky.
func handling(spans ...span) *Watch {
	c := &Client{}
	c.watches.progress.Store(progressInOrder)
	w := &Watch{c: c, intervals: []string{"/"}, o: WatchOptions{MaxBacklogEvents: 1000, MaxBacklogBytes: 1 << 20},
		readyc: make(chan struct{}, 1), createdc: make(chan error, 1), average: 1}
	w.listed.Store(true)
	for _, sp := range spans {
		w.legs = append(w.legs, &leg{w: w, span: sp, id: notOpen, pos: 10})
	}
	s := newStream(c)
	s.add(w)
	for _, l := range w.legs {
		l.opening = &opening{l}
		s.pending = append(s.pending, l.opening)
	}
	return w
}

func header(rev int64) *pb.ResponseHeader { return &pb.ResponseHeader{Revision: rev} }

func (w *Watch) fed(rs ...*pb.WatchResponse) {
	for _, r := range rs {
		w.stream.handle(r)
	}
}

func events(id int64, revs ...int64) *pb.WatchResponse {
	r := &pb.WatchResponse{Header: header(99), WatchId: id} // an event's header runs ahead
	for _, rev := range revs {
		r.Events = append(r.Events, &mvccpb.Event{Kv: &KV{Key: []byte{'k', byte('0' + id)}, ModRevision: rev}})
	}
	return r
}

func fragment(r *pb.WatchResponse) *pb.WatchResponse {
	r.Fragment = true
	return r
}

// waiting describes the batches that wait: "key@revision …" of each, then the batch's revision.
func (w *Watch) waiting() string {
	var all []string
	for _, b := range w.queue {
		var words []string
		for _, ev := range b.Events {
			words = append(words, fmt.Sprintf("%s@%d", ev.KV.Key, ev.KV.ModRevision))
		}
		all = append(all, fmt.Sprintf("%s to %d", strings.Join(words, " "), b.Revision))
	}
	return strings.Join(all, "; ")
}

func created(id, rev int64) *pb.WatchResponse {
	return &pb.WatchResponse{Header: header(rev), WatchId: id, Created: true}
}

func progress(id, rev int64) *pb.WatchResponse {
	return &pb.WatchResponse{Header: header(rev), WatchId: id}
}

func TestHandleOneInterval(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		pos        int64
		rs         []*pb.WatchResponse
	}{
		{"the header's revision is not a position", "k1@11 k1@12 to 12", 12, []*pb.WatchResponse{events(1, 11, 12)}},
		{"what was received before is dropped", "k1@11 k1@12 k1@12 to 12", 12, []*pb.WatchResponse{events(1, 9, 10, 11), events(1, 11, 12, 12)}},
		{"a piece's last revision waits for the next", "k1@11 k1@12 k1@12 k1@13 to 13", 13, []*pb.WatchResponse{fragment(events(1, 11, 12)), events(1, 12, 13)}},
		{"a piece alone hands out what is whole", "k1@11 to 11", 11, []*pb.WatchResponse{fragment(events(1, 11, 12))}},
		{"a piece of one revision", "", 10, []*pb.WatchResponse{fragment(events(1, 11, 11))}},
		{"progress within pieces is none", "k1@11 to 11", 11, []*pb.WatchResponse{fragment(events(1, 11, 12)), progress(1, 20), progress(-1, 20)}},
		{"progress of its own", "k1@11 to 20", 20, []*pb.WatchResponse{events(1, 11), progress(1, 20)}},
		{"progress of all", "k1@11 to 20", 20, []*pb.WatchResponse{events(1, 11), progress(-1, 20)}},
		{"others' events", "", 10, []*pb.WatchResponse{events(7, 11)}},
	} {
		w := handling(span{"k", "l"})
		w.fed(created(1, 15))
		w.fed(tc.rs...)
		if got := w.waiting(); got != tc.want || w.legs[0].pos != tc.pos {
			t.Errorf("%s: %s, at %d; want %s, at %d", tc.name, got, w.legs[0].pos, tc.want, tc.pos)
		}
	}
}

func TestHandleIntervals(t *testing.T) {
	w := handling(span{"a", "b"}, span{"c", "d"})
	w.fed(created(1, 10), created(2, 10), events(1, 11, 12), events(2, 11, 12), events(2, 13))
	if got := w.waiting(); got != "" {
		t.Errorf("handed out before the revision was known to be whole: %s", got)
	}
	w.fed(progress(-1, 20))
	if got, want := w.waiting(), "k1@11 k2@11 k1@12 k2@12 k2@13 to 20"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	w.stream.remove(w)
}

// The news of a new watch may overtake the answer to a progress request from before it: that answer is
// not about it, and events of older revisions are still to come.
func TestHandleStaleProgress(t *testing.T) {
	for _, tc := range []struct {
		name string
		rs   []*pb.WatchResponse
		pos  int64
	}{
		{"stale", []*pb.WatchResponse{created(1, 50), progress(-1, 50)}, 10},
		{"later than the opening", []*pb.WatchResponse{created(1, 50), progress(-1, 51)}, 51},
		{"after an event of its own", []*pb.WatchResponse{created(1, 50), events(1, 50), progress(-1, 50)}, 50},
		{"after an older event of its own", []*pb.WatchResponse{created(1, 50), events(1, 20), progress(-1, 50)}, 50},
	} {
		w := handling(span{"k", "l"})
		w.stream.asked = true
		w.fed(tc.rs...)
		if pos := w.legs[0].pos; pos != tc.pos {
			t.Errorf("%s: at %d, want %d", tc.name, pos, tc.pos)
		}
	}
	early := handling(span{"k", "l"})
	early.c.watches.progress.Store(progressEarly)
	early.fed(created(1, 15), progress(-1, 20))
	if pos := early.legs[0].pos; pos != 10 {
		t.Errorf("a server before 3.5.8 moved the position to %d", pos)
	}
}

// Large events make the watch ask for large answers in pieces, small ones for whole answers.
func TestHandleSizes(t *testing.T) {
	w := handling(span{"k", "l"})
	l := w.legs[0]
	w.fed(created(1, 10))
	rev := int64(10)
	feed := func(size, n int) {
		for range n {
			if rev++; l.id != notOpen {
				r := events(l.id, rev)
				r.Events[0].Kv.Value = make([]byte, size)
				w.fed(r)
			}
			w.queue, w.events, w.bytes = nil, 0, 0
		}
	}
	for _, tc := range []struct {
		size, n  int
		reopened bool
	}{{10, 100, false}, {20_000, 100, true}, {1000, 200, false}, {10, 200, true}} {
		feed(tc.size, tc.n)
		if reopened := l.id == notOpen; reopened != tc.reopened {
			t.Fatalf("%+v: reopened %v", tc, reopened)
		}
		if !tc.reopened {
			continue
		}
		create := l.request().GetCreateRequest()
		if create.Fragment != (tc.size > 10) || create.StartRevision != l.pos+1 || len(w.stream.outbox) != 1 {
			t.Errorf("%+v: %v", tc, create)
		}
		w.stream.outbox, l.opening = nil, &opening{l}
		w.stream.pending = append(w.stream.pending, l.opening)
		w.fed(created(l.floor+1, rev))
	}
}

// An answer far over the bound is taken in part, and the rest is asked for later.
func TestHandleTooMuch(t *testing.T) {
	w := handling(span{"k", "l"})
	w.o.MaxBacklogEvents = 5
	w.fed(created(1, 10))
	r := events(1)
	for rev := int64(11); rev < 3000; rev++ {
		r.Events = append(r.Events, events(1, rev, rev, rev).Events...)
	}
	w.fed(r)
	if l := w.legs[0]; w.events != 12 || l.pos != 14 || !w.paused || l.want || len(w.stream.outbox) != 1 {
		t.Errorf("%d events, at %d, paused %v", w.events, l.pos, w.paused)
	}
}

func TestProgressOrdered(t *testing.T) {
	for version, want := range map[string]bool{"3.4.27": false, "3.5.7": false, "3.5.8": true, "3.6.0": true, "3.7.3": true, "4.0.0-rc.1": true, "": false} {
		if progressOrdered(version) != want {
			t.Error(version)
		}
	}
}
