package etcdapi

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	firstPageKeys = 1000
	// pageBytes is what a page grows to. For each page the server walks over the rest of the interval to
	// count it, so a few large pages are cheap and many small ones are not.
	pageBytes = 1 << 20
	// A page of a stream is as many of its chunks as reach one of these: the server's first chunks hold
	// ten keys.
	streamPageKeys  = 1000
	streamPageBytes = 256 << 10
)

// queryState is what a client has learnt about its servers for queries.
type queryState struct {
	noRangeStream atomic.Bool // a server said that it does not know RangeStream
}

// forward reads the interval in key order. The first page is a plain request, which is all that most
// queries need, and which says the revision; what follows is one RangeStream pinned to it, or, where
// the server has none (before 3.7), pages that grow.
type forward struct {
	q         *Query
	ctx       context.Context // the reading's: a stream outlives the page that opened it
	from, end []byte          // what is still to be read
	rev       int64           // 0 until the first page
	size      int64           // keys of the next plain page
	left      int64           // keys that may still be handed out
	limited   bool
	paged     bool // no stream in this reading

	stream       pb.KV_RangeStreamClient // nil while there is none
	cancelStream context.CancelCauseFunc
}

func newForward(ctx context.Context, q *Query) *forward {
	f := &forward{q: q, ctx: ctx, from: q.iv.key(), end: q.iv.end(), rev: q.o.Revision, size: q.firstPageSize(),
		left: q.o.Limit, limited: q.o.Limit > 0}
	f.paged = q.o.PageSize > 0
	return f
}

func (q *Query) firstPageSize() int64 {
	if q.o.PageSize > 0 {
		return q.o.PageSize
	}
	return firstPageKeys
}

func (f *forward) page(ctx context.Context) page {
	if f.stream != nil {
		return f.chunks()
	}
	return f.plain(ctx)
}

// plain reads a page with a request of its own.
func (f *forward) plain(ctx context.Context) page {
	resp, err := f.q.send(ctx, f.q.request(f.from, f.end, f.rev, f.requestLimit(f.size)))
	if err != nil {
		return page{err: err}
	}
	if f.rev == 0 {
		f.rev = resp.Header.Revision
	}
	f.size = f.q.nextPageSize(f.size, resp.Kvs)
	kvs, end := f.hand(resp.Kvs)
	if !resp.More {
		end = true
	}
	if !end && f.streamable() {
		f.openStream()
	}
	return page{kvs: kvs, rev: f.rev, end: end}
}

// requestLimit is how many of n keys the server shall send: filters may drop any of them.
func (f *forward) requestLimit(n int64) int64 {
	if !f.limited || f.q.filtered() {
		return n
	}
	if n == 0 {
		return f.left
	}
	return min(n, f.left)
}

// hand moves on past kvs and returns what of them is to be handed out, and whether that was the limit.
func (f *forward) hand(kvs []*KV) (out []*KV, end bool) {
	if len(kvs) > 0 {
		last := kvs[len(kvs)-1].Key
		f.from = append(append(make([]byte, 0, len(last)+1), last...), 0)
	}
	kvs = f.q.keep(kvs)
	if !f.limited {
		return kvs, false
	}
	if int64(len(kvs)) > f.left {
		kvs = kvs[:f.left]
	}
	f.left -= int64(len(kvs))
	return kvs, f.left == 0
}

// nextPageSize doubles the page until it holds pageBytes, and shrinks it when it holds more.
func (q *Query) nextPageSize(size int64, kvs []*KV) int64 {
	if q.o.PageSize > 0 || len(kvs) == 0 {
		return size
	}
	fit := pageBytes / max(1, sizeOf(kvs)/int64(len(kvs)))
	return max(1, min(size*2, fit))
}

// kvOverhead is roughly what a key costs beside its bytes, on the wire and in memory.
const kvOverhead = 32

func sizeOf(kvs []*KV) (n int64) {
	for _, kv := range kvs {
		n += int64(len(kv.Key)+len(kv.Value)) + kvOverhead
	}
	return n
}

func (f *forward) streamable() bool {
	return !f.paged && !f.q.c.queries.noRangeStream.Load() && f.requestLimit(f.size+1) > f.size
}

// openStream asks for the rest of the interval at once. A failure is met again by the plain page, which
// is retried and says it better.
func (f *forward) openStream() {
	ctx, cancel := context.WithCancelCause(f.ctx)
	stream, err := f.q.c.remote.RangeStream(ctx, f.q.request(f.from, f.end, f.rev, f.requestLimit(0)), f.q.c.callOpts...)
	if err != nil {
		cancel(err)
		f.paged = true
		return
	}
	f.stream, f.cancelStream = stream, cancel
}

// closeStream frees what the stream holds, here and on the server.
func (f *forward) closeStream() {
	f.cancelStream(context.Canceled)
	f.stream = nil
}

// chunks reads as much of the stream as makes a page, within the time of a request.
func (f *forward) chunks() page {
	late := time.AfterFunc(f.q.c.timeout(f.q.o.Timeout), func() { f.cancelStream(context.DeadlineExceeded) })
	defer late.Stop()
	var kvs []*KV
	for bytes := int64(0); len(kvs) < streamPageKeys && bytes < streamPageBytes; {
		resp, err := f.stream.Recv()
		if err != nil {
			return f.broken(err, kvs)
		}
		out, end := f.hand(resp.RangeResponse.Kvs)
		bytes += sizeOf(out)
		kvs = concat(kvs, out)
		if end || resp.RangeResponse.Header != nil { // only the last message has one
			f.closeStream()
			return page{kvs: kvs, rev: f.rev, end: true}
		}
	}
	return page{kvs: kvs, rev: f.rev}
}

// concat is append, but for the first chunk, which needs no copy.
func concat(kvs, more []*KV) []*KV {
	if len(kvs) == 0 {
		return more
	}
	return append(kvs, more...)
}

// broken goes on with plain pages after a stream that ended early, unless it was we who ended it.
func (f *forward) broken(err error, kvs []*KV) page {
	cause := context.Cause(f.stream.Context())
	f.closeStream()
	f.paged = true
	switch {
	case status.Code(err) == codes.Unimplemented:
		f.q.c.queries.noRangeStream.Store(true)
	case errors.Is(cause, context.DeadlineExceeded) || f.ctx.Err() != nil:
		return page{err: cause}
	}
	return page{kvs: kvs, rev: f.rev}
}
