package etcdapi

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

const (
	// ownStreams is how many watches of a client have a stream of their own. Each stream costs the server
	// some goroutines; a shared one lets its watches wait for each other's traffic.
	ownStreams = 64
	// sharedWatches is how many watches share a stream after that, when they are small.
	sharedWatches = 64
	smallWatch    = 4 // intervals
)

// watchStreams are the streams of a client.
type watchStreams struct {
	mu       sync.Mutex
	streams  map[*stream]struct{}
	progress atomic.Int32 // what is known about the servers' answers to progress requests
}

const (
	progressUnknown = iota
	progressInOrder
	progressEarly // may come before the events that it covers: of no use for positions
)

// openWatch opens a stream to a member that has a leader.
func (c *Client) openWatch(ctx context.Context) (pb.Watch_WatchClient, error) {
	return pb.NewWatchClient(c.v3.ActiveConnection()).Watch(ctx, c.callOpts...)
}

// join gives the watch a stream, and asks for it there.
func (ws *watchStreams) join(c *Client, w *Watch) {
	ws.mu.Lock()
	s := ws.streamFor(c, w)
	s.users++
	ws.mu.Unlock()
	s.flush()
}

func (ws *watchStreams) streamFor(c *Client, w *Watch) *stream {
	share := len(ws.streams) >= ownStreams && len(w.legs) <= smallWatch && w.o.FromRevision == 0
	if share {
		for s := range ws.streams {
			if s.shared && s.users < sharedWatches && s.add(w) {
				return s
			}
		}
	}
	if ws.streams == nil {
		ws.streams = map[*stream]struct{}{}
	}
	s := newStream(c)
	s.shared = share
	s.add(w)
	ws.streams[s] = struct{}{}
	go s.run()
	return s
}

// add makes the watch one of the stream's, unless that has ended.
func (s *stream) add(w *Watch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return false
	}
	w.stream = s
	s.members[w] = struct{}{}
	s.want(w)
	return true
}

// leave closes the watch, and its stream if it was the last one there.
func (ws *watchStreams) leave(w *Watch) {
	s := w.stream
	if w.listing != nil {
		w.listing.cancel()
	}
	ws.mu.Lock()
	if s.remove(w) {
		s.users--
	}
	last := s.users == 0
	if last {
		delete(ws.streams, s)
	}
	ws.mu.Unlock()
	if !last {
		s.flush()
		return
	}
	s.cancel()
	<-s.donec
}

// remove stops the watch on the server and drops what waits for it. It says whether that was still to do.
func (s *stream) remove(w *Watch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.closed {
		return false
	}
	w.closed = true
	s.unwant(w)
	delete(s.members, w)
	w.queue, w.merging.held = nil, nil
	w.merging.stopAsking()
	w.signal()
	return true
}

// learnProgress finds out, once for a client, whether its servers answer progress requests in order.
// Before 3.5.8 the answer could overtake events (etcd's issue 15220). Not to know it, because no status
// is given to this user, only makes positions older.
func (c *Client) learnProgress(ctx context.Context) {
	known := &c.watches.progress
	if known.Load() != progressUnknown {
		return
	}
	ctx, cancel := c.withTimeout(ctx, 0)
	defer cancel()
	for _, endpoint := range c.v3.Endpoints() {
		status, err := c.v3.Status(ctx, endpoint)
		if err != nil {
			return
		}
		if !progressOrdered(status.Version) {
			known.Store(progressEarly)
			return
		}
	}
	known.Store(progressInOrder)
}

func progressOrdered(version string) bool {
	var major, minor, patch int
	if n, _ := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); n != 3 {
		return false
	}
	return major > 3 || major == 3 && (minor > 5 || minor == 5 && patch >= 8)
}
