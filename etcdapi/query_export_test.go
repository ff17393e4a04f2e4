package etcdapi

import "fmt"

// WithoutRangeStream makes the client believe that its servers are older than 3.7.
func WithoutRangeStream(c *Client) { c.queries.noRangeStream.Store(true) }

// Backlog is what waits for Next, and whether the watch is stopped on the server because of it.
func (w *Watch) Backlog() (events int, bytes int64, paused bool) {
	w.stream.mu.Lock()
	defer w.stream.mu.Unlock()
	return w.events, w.bytes, w.paused
}

// Positions are the received positions of the watch's intervals.
func (w *Watch) Positions() (all []int64) {
	w.stream.mu.Lock()
	defer w.stream.mu.Unlock()
	for _, l := range w.legs {
		all = append(all, l.pos)
	}
	return all
}

// Streams is how many gRPC streams the client's watches have.
func (c *Client) Streams() int {
	c.watches.mu.Lock()
	defer c.watches.mu.Unlock()
	return len(c.watches.streams)
}

// State is everything that decides whether more will come, for the message of a test that waited in vain.
func (w *Watch) State() string {
	s := w.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf("paused %v, closed %v, err %v, %d batches, %d events, merging %+v; rpc %v, wanted %d, pending %d, outbox %d, open %d, last error %v",
		w.paused, w.closed, w.err, len(w.queue), w.events, w.merging.barrier, s.rpc != nil, len(s.wanted), len(s.pending), len(s.outbox), len(s.open), s.lastErr)
	for _, l := range w.legs {
		text += fmt.Sprintf("; leg pos %d id %d want %v opening %v partial %d fragment %v", l.pos, l.id, l.want, l.opening != nil, len(l.partial), l.fragment)
	}
	return text
}
