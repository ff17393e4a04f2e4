package etcdapi

import (
	"context"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

const (
	defaultBacklogEvents = 10_000
	defaultBacklogBytes  = 16 << 20
	// batchEvents is how many events are handed out together at most, but for the rest of a revision.
	batchEvents = 1024
	// progressWait bounds how long Lag waits for the server to say how far an idle watch is.
	progressWait = 250 * time.Millisecond
)

// WatchOptions says what a watch hands out.
type WatchOptions struct {
	// Prefixes are the intervals to watch, at least one. Those that overlap or touch are merged, so that
	// an event comes once.
	Prefixes []Interval
	// FromRevision is the first revision to hand out; 0 is the first after the watch was made.
	FromRevision int64
	// PrevKV asks for the state before each change; it is absent once compacted.
	PrevKV bool
	// Filter is "", "put" or "delete": only events of that type.
	Filter string
	// Initial hands out the existing keys first, as put events with Initial set, as of one revision,
	// then the changes after it.
	Initial bool
	// MaxBacklogEvents and MaxBacklogBytes bound what waits for Next; 0 is 10,000 and 16 MiB. Past
	// either the watch stops on the server and goes on from there once half was taken.
	MaxBacklogEvents int
	MaxBacklogBytes  int64
}

// EventType says what happened to a key.
type EventType uint8

// The types of an event.
const (
	EventPut EventType = iota
	EventDelete
)

// String returns "put" or "delete".
func (t EventType) String() string {
	if t == EventDelete {
		return "delete"
	}
	return "put"
}

// Event is a change of a key, or, with Initial, a key that was there. A deleted one's KV has the key and
// the revision of the deletion. Events are shared with nobody else, but KV and Prev must not be changed.
type Event struct {
	Type    EventType
	Initial bool
	KV      *KV
	Prev    *KV
}

// Batch is a piece of a watch: whole revisions, in order.
type Batch struct {
	Events []Event
	// Revision: everything up to it in the watched intervals is in this or an earlier batch. It is 0
	// while the existing keys are handed out.
	Revision int64
	// Synced marks the batch that ends the existing keys; it may have no events.
	Synced bool

	bytes int64
}

// Watch hands out the changes of some intervals: each interval's in revision order, whole revisions,
// each once. A lost connection, a changed leader or a restarted member are resumed without loss.
//
// It does not end by itself, other than by a failure: a compacted position, permissions taken away, the
// client closed. Whoever makes it closes it. One goroutine at a time may call Next; the other methods
// may be called from any.
type Watch struct {
	c         *Client
	intervals []string // for messages
	o         WatchOptions
	listing   *listing    // the existing keys; nil without Initial
	listed    atomic.Bool // they were all handed out
	stream    *stream     // never changes
	readyc    chan struct{}
	createdc  chan error // one value: made, or why not

	// What follows belongs to stream.mu.
	legs    []*leg
	made    bool // the server has made all of it, once
	paused  bool // the backlog was full: stopped on the server
	closed  bool
	err     error
	queue   []*Batch
	events  int   // in queue and held
	bytes   int64 // in queue and held
	handed  int64 // Revision
	out     bool  // the batch that was handed out last has not been finished
	done    int64 // Handled, while one is out
	average int64 // bytes of an event; 0 while unknown
	merging merging
}

// Watch starts a watch and returns when the server has made it: a write that is made after that is
// handed out. ctx and the client's time bound the making only; Close ends the watch.
func (c *Client) Watch(ctx context.Context, o WatchOptions) (*Watch, error) {
	spans, err := c.checkWatch(&o)
	if err != nil {
		return nil, err
	}
	w := &Watch{c: c, o: o, readyc: make(chan struct{}, 1), createdc: make(chan error, 1)}
	for _, iv := range o.Prefixes {
		w.intervals = append(w.intervals, iv.From)
	}
	ctx, cancel := c.withTimeout(ctx, 0)
	defer cancel()
	from := o.FromRevision
	if o.Initial {
		if w.listing, err = startListing(ctx, c, spans, o.Filter); err != nil {
			return nil, err
		}
		from = w.listing.revision + 1
	}
	w.listed.Store(!o.Initial)
	for _, s := range spans {
		w.legs = append(w.legs, &leg{w: w, span: s, id: notOpen, pos: from - 1})
	}
	w.handed = max(0, from-1)
	w.average = 1
	if from > 0 {
		w.average = 0
		w.sample(ctx, spans[0])
	}
	if len(w.legs) > 1 {
		c.learnProgress(ctx) // how far each interval is shall be known from the start
	}
	c.watches.join(c, w)
	select {
	case err = <-w.createdc:
	case <-ctx.Done():
		err = w.notMade(ctx)
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// checkWatch fills in the defaults and returns the intervals to watch.
func (c *Client) checkWatch(o *WatchOptions) ([]span, error) {
	first := ""
	if len(o.Prefixes) > 0 {
		first = o.Prefixes[0].From
	}
	switch {
	case len(o.Prefixes) == 0:
		return nil, invalid("watch", "", "nothing to watch: name at least one prefix or key")
	case o.FromRevision < 0:
		return nil, invalid("watch", first, "from_revision is %d; it must not be negative", o.FromRevision)
	case o.Initial && o.FromRevision > 0:
		return nil, invalid("watch", first, "initial and from_revision exclude each other: one starts from the keys as they are, the other from history")
	case o.Filter != "" && o.Filter != "put" && o.Filter != "delete":
		return nil, invalid("watch", first, "unknown filter %q; known are \"put\" and \"delete\"", o.Filter)
	case o.MaxBacklogEvents < 0 || o.MaxBacklogBytes < 0:
		return nil, invalid("watch", first, "max_backlog must not be negative")
	}
	if o.MaxBacklogEvents == 0 {
		o.MaxBacklogEvents = defaultBacklogEvents
	}
	if o.MaxBacklogBytes == 0 {
		o.MaxBacklogBytes = defaultBacklogBytes
	}
	spans := mergeSpans(o.Prefixes)
	if len(spans) == 0 {
		return nil, invalid("watch", first, "nothing to watch: every interval is empty")
	}
	return spans, nil
}

// notMade says why a watch was not made in its time.
func (w *Watch) notMade(ctx context.Context) error {
	w.stream.mu.Lock()
	last := w.stream.lastErr
	w.stream.mu.Unlock()
	if last != nil && context.Cause(ctx) == context.DeadlineExceeded {
		return wrap("watch", w.intervals[0], false, last)
	}
	return wrap("watch", w.intervals[0], false, context.Cause(ctx))
}

// Next waits for changes and hands out those that are there. After Close it returns code closed; after a
// failure, and when everything that came before was handed out, that failure, from then on. An error of
// ctx ends only this call.
func (w *Watch) Next(ctx context.Context) (*Batch, error) {
	if !w.listed.Load() {
		return w.nextListed(ctx)
	}
	for {
		b, err := w.take()
		if b != nil || err != nil {
			return b, err
		}
		select {
		case <-w.readyc:
		case <-ctx.Done():
			return nil, wrap("watch", w.intervals[0], false, context.Cause(ctx))
		}
	}
}

// take takes the first batch that waits, if one does.
func (w *Watch) take() (*Batch, error) {
	s := w.stream
	s.mu.Lock()
	if w.closed {
		s.mu.Unlock()
		return nil, w.closedError()
	}
	w.out = false // asking for the next one says that the last one was finished
	if len(w.queue) == 0 {
		err := w.err
		s.mu.Unlock()
		return nil, err
	}
	w.out, w.done = true, w.handed
	b := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	w.events -= len(b.Events)
	w.bytes -= b.bytes
	w.handed = max(w.handed, b.Revision)
	resume := w.paused && w.drained()
	if resume {
		w.unpause()
	}
	s.mu.Unlock()
	if resume {
		s.flush()
	}
	return b, nil
}

// nextListed hands out existing keys.
func (w *Watch) nextListed(ctx context.Context) (*Batch, error) {
	w.stream.mu.Lock()
	closed := w.closed
	w.stream.mu.Unlock()
	if closed {
		return nil, w.closedError()
	}
	b, err := w.listing.next(ctx)
	if err != nil {
		return nil, err
	}
	w.listed.Store(b.Synced)
	return b, nil
}

// Close ends the watch, on the server too, and waits until what it started has ended. It may be called
// again.
func (w *Watch) Close() {
	w.c.watches.leave(w)
}

// Revision returns up to which revision everything was handed out, over all intervals; 0 while the
// existing keys are handed out.
func (w *Watch) Revision() int64 {
	w.stream.mu.Lock()
	defer w.stream.mu.Unlock()
	if !w.listed.Load() {
		return 0
	}
	return w.handed
}

// Handled returns up to which revision the caller has finished everything: Revision, without the batch
// that was handed out last until the next one is asked for.
func (w *Watch) Handled() int64 {
	w.stream.mu.Lock()
	defer w.stream.mu.Unlock()
	switch {
	case !w.listed.Load():
		return 0
	case w.out:
		return w.done
	}
	return w.handed
}

// Lag returns how many revisions of the store are after Revision. It asks the store for its revision,
// and the watch's stream how far it is when nothing has come for it.
func (w *Watch) Lag(ctx context.Context) (int64, error) {
	ctx, cancel := w.c.withTimeout(ctx, 0)
	defer cancel()
	resp, err := w.c.remote.Range(ctx, &pb.RangeRequest{Key: []byte(w.legs[0].span.from), KeysOnly: true}, w.c.callOpts...)
	if err != nil {
		return 0, wrap("watch", w.intervals[0], false, err)
	}
	now := resp.Header.Revision
	if w.Revision() < now {
		w.catchUp(ctx, now)
	}
	return max(0, now-w.Revision()), nil
}

func (w *Watch) closedError() error {
	return &Error{Op: "watch", Key: w.intervals[0], Code: CodeClosed, Outcome: OutcomeNone, Message: "the watch was closed"}
}

// eventOf is the event as the server sent it, as ours.
func eventOf(ev *mvccpb.Event) Event {
	return Event{Type: EventType(ev.Type), KV: ev.Kv, Prev: ev.PrevKv}
}
