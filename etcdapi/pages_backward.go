package etcdapi

import (
	"context"
	"fmt"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// blockKeys is how many keys are between two bounds of a backward reading.
const blockKeys = 1000

// backward reads the interval in descending key order. etcd cannot page so: it sorts the whole interval
// for each request. So the keys alone are read once, forward, and every thousandth is remembered; then
// each page is a request for a few of those blocks, from the last to the first.
type backward struct {
	q       *Query
	keys    *forward // reads the bounds; nil when they are known
	skip    int      // keys until the next bound
	bounds  [][]byte // the first key of each block, ascending
	end     []byte   // what is still to be read is before it
	size    int64    // keys of the next page
	left    int64
	limited bool
	rev     int64
}

func newBackward(ctx context.Context, q *Query) *backward {
	plain := *q
	plain.order.desc = false
	o := &plain.o
	o.Limit, o.PageSize = 0, 0
	o.MinModRevision, o.MaxModRevision, o.MinCreateRevision, o.MaxCreateRevision = 0, 0, 0, 0
	keys := newForward(ctx, &plain)
	keys.size = q.firstPageSize()
	keys.paged = true // the first page has values, the rest has not
	return &backward{q: q, keys: keys, end: q.iv.end(), size: q.firstPageSize(), left: q.o.Limit, limited: q.o.Limit > 0}
}

func (b *backward) page(ctx context.Context) page {
	if b.keys != nil {
		pg := b.survey(ctx)
		if pg.err != nil || pg.end {
			return pg
		}
	}
	return b.block(ctx)
}

// survey finds the bounds. An interval of one page is answered by it.
func (b *backward) survey(ctx context.Context) page {
	pg := b.keys.page(ctx)
	if pg.err != nil {
		return pg
	}
	b.rev = pg.rev
	if pg.end {
		slices.Reverse(pg.kvs)
		pg.kvs, _ = b.hand(pg.kvs)
		return pg
	}
	b.keys.q.o.KeysOnly = true
	b.keys.paged = false
	for b.mark(pg.kvs); !pg.end; b.mark(pg.kvs) {
		pg = b.keys.page(ctx)
		if pg.err != nil {
			return pg
		}
	}
	b.keys = nil
	return page{}
}

// mark remembers the bounds among the next keys of the interval.
func (b *backward) mark(kvs []*KV) {
	for ; b.skip < len(kvs); b.skip += blockKeys {
		b.bounds = append(b.bounds, kvs[b.skip].Key)
	}
	b.skip -= len(kvs)
}

// block reads the last keys of what is left.
func (b *backward) block(ctx context.Context) page {
	n := b.size
	if b.limited && !b.q.filtered() {
		n = min(n, b.left)
	}
	first := max(0, len(b.bounds)-int((n+blockKeys-1)/blockKeys))
	req := b.q.request(b.bounds[first], b.end, b.rev, n)
	req.SortTarget, req.SortOrder = pb.RangeRequest_KEY, pb.RangeRequest_DESCEND
	resp, err := b.q.send(ctx, req)
	if err != nil {
		return page{err: err}
	}
	b.moveTo(first, resp)
	b.size = b.q.nextPageSize(b.size, resp.Kvs)
	kvs, end := b.hand(resp.Kvs)
	return page{kvs: kvs, rev: b.rev, end: end || len(b.bounds) == 0}
}

// moveTo moves the end down to what was read.
func (b *backward) moveTo(first int, resp *pb.RangeResponse) {
	if !resp.More {
		b.end = b.bounds[first]
		b.bounds = b.bounds[:first]
		return
	}
	b.end = resp.Kvs[len(resp.Kvs)-1].Key
	for len(b.bounds) > 0 && string(b.bounds[len(b.bounds)-1]) >= string(b.end) {
		b.bounds = b.bounds[:len(b.bounds)-1]
	}
}

// hand returns what of kvs is to be handed out, and whether that was the limit.
func (b *backward) hand(kvs []*KV) (out []*KV, end bool) {
	kvs = b.q.keep(kvs)
	if !b.limited {
		return kvs, false
	}
	if int64(len(kvs)) > b.left {
		kvs = kvs[:b.left]
	}
	b.left -= int64(len(kvs))
	return kvs, b.left == 0
}

// sorted reads the interval in an order that only the server can make, in one request.
type sorted struct{ q *Query }

func (s *sorted) page(ctx context.Context) page {
	q, rev := s.q, s.q.o.Revision
	if q.o.Limit == 0 && !q.o.SortAll {
		count, at, err := q.countAll(ctx)
		if err != nil {
			return page{err: err}
		}
		if count > sortAllLimit {
			return page{err: &Error{Op: "range", Key: q.iv.From, Code: CodeLimitExceeded, Outcome: OutcomeNone,
				Message: fmt.Sprintf("%d keys in the order %q: the server would sort them in memory and send them at once; without being asked to, that is done for %d", count, q.o.Order, sortAllLimit),
				Hint:    "set limit, or sort_all, or read in key order"}}
		}
		rev = at
	}
	req := q.request(q.iv.key(), q.iv.end(), rev, q.o.Limit)
	req.SortTarget, req.SortOrder = q.order.target, q.order.direction()
	req.MinModRevision, req.MaxModRevision = q.o.MinModRevision, q.o.MaxModRevision
	req.MinCreateRevision, req.MaxCreateRevision = q.o.MinCreateRevision, q.o.MaxCreateRevision
	resp, err := q.send(ctx, req)
	if err != nil {
		return page{err: err}
	}
	if rev == 0 {
		rev = resp.Header.Revision
	}
	return page{kvs: resp.Kvs, rev: rev, end: true}
}
