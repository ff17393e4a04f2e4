package etcdapi

import (
	"context"
	goruntime "runtime"
	"sync/atomic"
)

// Pages is one reading of a query, page by page, all at one revision. One goroutine at a time may call
// Next; the other methods may be called from any.
//
// Close it when it is not read to its end. One that is dropped instead frees what it holds when the
// garbage collector finds it.
type Pages struct{ r *reading }

// reading is what Pages owns. It is apart from its handle so that a page that is being fetched does not
// keep alive the handle that nobody holds any more.
type reading struct {
	q      *Query
	pager  pager
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	nextc chan page // the page that is being fetched; nil when none is
	last  string    // the last key handed out
	err   error     // what ended the reading
	done  bool

	revision atomic.Int64
	closed   atomic.Bool
}

// page is one answer of a pager: keys, or the error instead of them.
type page struct {
	kvs []*KV
	rev int64 // the revision of the reading
	end bool  // nothing follows
	err error
}

// pager reads a query's keys in one of the ways in which that can be done. page is called again until
// it returns an end or an error, never twice at a time, and may return pages without keys.
type pager interface {
	page(ctx context.Context) page
}

// Pages starts a reading. It sends nothing; ctx, when it ends, ends the reading.
func (q *Query) Pages(ctx context.Context) *Pages {
	r := &reading{q: q}
	r.ctx, r.cancel = context.WithCancel(ctx)
	switch {
	case !q.order.byKey():
		r.pager = &sorted{q: q}
	case q.order.desc:
		r.pager = newBackward(r.ctx, q)
	default:
		r.pager = newForward(r.ctx, q)
	}
	p := &Pages{r: r}
	goruntime.AddCleanup(p, func(r *reading) { r.cancel() }, r)
	return p
}

// Next waits for the next page and returns its keys, at least one; nil and no error at the end. While
// the caller works on them the page after is fetched. An error of the reading is returned again by
// every later call; an error of ctx is not: the page comes with the next call.
//
// A revision that is compacted on the way ends the reading with code compacted; Key is the last key
// that was read.
func (p *Pages) Next(ctx context.Context) ([]*KV, error) {
	defer goruntime.KeepAlive(p)
	r := p.r
	if r.closed.Load() && !r.done {
		return nil, r.closedError()
	}
	if r.done || r.err != nil {
		return nil, r.err
	}
	if r.nextc == nil {
		r.fetch()
	}
	select {
	case pg := <-r.nextc:
		return r.take(pg)
	case <-ctx.Done():
		return nil, wrap("range", r.q.iv.From, false, context.Cause(ctx))
	}
}

// Revision returns the revision that is read, once the first page was; 0 before.
func (p *Pages) Revision() int64 { return p.r.revision.Load() }

// Close ends the reading and frees what it holds. It waits for nothing, and may be called again.
func (p *Pages) Close() {
	p.r.closed.Store(true)
	p.r.cancel()
}

// fetch gets the next page on a goroutine of its own, which ends by itself whether or not anybody
// waits for the page.
func (r *reading) fetch() {
	nextc := make(chan page, 1)
	r.nextc = nextc
	pager, ctx, q := r.pager, r.ctx, r.q
	go func() { nextc <- fetchPage(ctx, q, pager) }()
}

// fetchPage reads on until there is something to hand out.
func fetchPage(ctx context.Context, q *Query, from pager) page {
	for {
		pg := from.page(ctx)
		if len(pg.kvs) > 0 || pg.end || pg.err != nil {
			return pg
		}
	}
}

// take hands out a page that has come and starts to fetch the next.
func (r *reading) take(pg page) ([]*KV, error) {
	r.nextc = nil
	if pg.err != nil {
		r.err = r.explain(pg.err)
		r.cancel()
		return nil, r.err
	}
	r.revision.Store(pg.rev)
	if pg.end {
		r.done = true
		r.cancel()
	} else {
		r.fetch()
	}
	if len(pg.kvs) == 0 {
		return nil, nil
	}
	r.last = string(pg.kvs[len(pg.kvs)-1].Key)
	return pg.kvs, nil
}

// explain says where in the interval a reading ended.
func (r *reading) explain(err error) error {
	if r.closed.Load() {
		return r.closedError()
	}
	key := r.last
	if key == "" {
		key = r.q.iv.From
	}
	return wrap("range", key, false, err)
}

func (r *reading) closedError() error {
	return &Error{Op: "range", Key: r.last, Code: CodeClosed, Outcome: OutcomeNone, Message: "the reading was closed"}
}
