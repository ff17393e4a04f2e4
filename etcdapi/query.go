package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// sortAllLimit is how many keys an order other than by key may sort without being asked to: the server
// reads the whole interval into memory for it, and answers in one message.
const sortAllLimit = 100_000

// QueryOptions says what a query reads. The zero value reads every key of the interval, in key order,
// as of now.
type QueryOptions struct {
	// Revision is the store revision to read at; 0 is the one at which the first page is read. All
	// pages of one reading are of the same revision.
	Revision int64
	// Limit is the highest number of keys to hand out, after the filters; 0 is all of them.
	Limit int64
	// Order is "" or "key", "version", "create_revision", "mod_revision" or "value", each optionally
	// followed by " desc". By key, the interval is read in pages; any other order is one request.
	Order string
	// SortAll allows an order other than by key over more than 100,000 keys.
	SortAll bool
	// KeysOnly leaves the values out; servers from 3.7 on leave out the lease too.
	KeysOnly bool
	// Serializable allows any member to answer from what it has, without asking the leader.
	Serializable bool
	// PageSize is the number of keys a page; 0 starts with 1,000 and grows by the bytes seen.
	PageSize int64
	// The filters hold both ends, and 0 is no filter. The client applies them to plain pages: the
	// server would read the rest of the interval again for each filtered page.
	MinModRevision, MaxModRevision       int64
	MinCreateRevision, MaxCreateRevision int64
	// Timeout bounds each request, not the whole reading; 0 is the client's.
	Timeout time.Duration
}

// Query is a question about the keys of an interval. It is lazy, holds no connection, can be used any
// number of times, and from any goroutine.
type Query struct {
	c     *Client
	iv    Interval
	o     QueryOptions
	order order
}

// order is a checked QueryOptions.Order.
type order struct {
	target pb.RangeRequest_SortTarget
	desc   bool
}

// byKey says whether pages can be read in this order.
func (o order) byKey() bool { return o.target == pb.RangeRequest_KEY }

func (o order) direction() pb.RangeRequest_SortOrder {
	if o.desc {
		return pb.RangeRequest_DESCEND
	}
	return pb.RangeRequest_ASCEND
}

// orderNames are the words of QueryOptions.Order, in the order in which an error names them.
var orderNames = [...]string{"key", "version", "create_revision", "mod_revision", "value"}

var orderTargets = [...]pb.RangeRequest_SortTarget{pb.RangeRequest_KEY, pb.RangeRequest_VERSION,
	pb.RangeRequest_CREATE, pb.RangeRequest_MOD, pb.RangeRequest_VALUE}

// Query checks the options and returns a query of the interval's keys. It sends nothing.
func (c *Client) Query(iv Interval, o QueryOptions) (*Query, error) {
	ord, err := parseOrder(o.Order)
	if err != nil {
		return nil, invalid("range", iv.From, "%v", err)
	}
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"revision", o.Revision}, {"limit", o.Limit}, {"page_size", o.PageSize}, {"timeout", int64(o.Timeout)},
		{"min_mod_revision", o.MinModRevision}, {"max_mod_revision", o.MaxModRevision},
		{"min_create_revision", o.MinCreateRevision}, {"max_create_revision", o.MaxCreateRevision},
	} {
		if n.value < 0 {
			return nil, invalid("range", iv.From, "%s is %d; it must not be negative", n.name, n.value)
		}
	}
	return &Query{c: c, iv: iv, o: o, order: ord}, nil
}

func parseOrder(s string) (order, error) {
	name, desc := strings.CutSuffix(s, " desc")
	if s == "" {
		name = "key"
	}
	i := slices.Index(orderNames[:], name)
	if i < 0 {
		return order{}, fmt.Errorf("unknown order %q; known are %s, each also with \" desc\"", s, strings.Join(orderNames[:], ", "))
	}
	return order{target: orderTargets[i], desc: desc}, nil
}

// Interval returns the interval that is asked about.
func (q *Query) Interval() Interval { return q.iv }

// Count returns how many keys the query would hand out, and the revision at which it counted. It reads
// no values: the server counts, unless there are revision filters, for which the keys are read in pages.
func (q *Query) Count(ctx context.Context) (count, revision int64, err error) {
	if q.filtered() {
		return q.countPages(ctx)
	}
	count, revision, err = q.countAll(ctx)
	if q.o.Limit > 0 {
		count = min(count, q.o.Limit)
	}
	return count, revision, err
}

// countAll counts the keys of the interval, without limit or filter.
func (q *Query) countAll(ctx context.Context) (count, revision int64, err error) {
	req := q.request(q.iv.key(), q.iv.end(), q.o.Revision, 0)
	req.CountOnly = true
	resp, err := q.send(ctx, req)
	if err != nil {
		return 0, 0, wrap("range", q.iv.From, false, err)
	}
	revision = q.o.Revision
	if revision == 0 {
		revision = resp.Header.Revision
	}
	return resp.Count, revision, nil
}

// countPages counts what passes the filters.
func (q *Query) countPages(ctx context.Context) (count, revision int64, err error) {
	keys := *q
	keys.o.KeysOnly = true
	keys.order = order{target: pb.RangeRequest_KEY}
	p := keys.Pages(ctx)
	defer p.Close()
	for {
		kvs, err := p.Next(ctx)
		if err != nil {
			return 0, 0, err
		}
		if kvs == nil {
			return count, p.Revision(), nil
		}
		count += int64(len(kvs))
	}
}

// request asks for [key, end) at rev.
func (q *Query) request(key, end []byte, rev, limit int64) *pb.RangeRequest {
	return &pb.RangeRequest{Key: key, RangeEnd: end, Revision: rev, Limit: limit,
		KeysOnly: q.o.KeysOnly, Serializable: q.o.Serializable}
}

// send sends a request, within the query's time.
func (q *Query) send(ctx context.Context, req *pb.RangeRequest) (*pb.RangeResponse, error) {
	ctx, cancel := q.c.withTimeout(ctx, q.o.Timeout)
	defer cancel()
	resp, err := q.c.remote.Range(ctx, req, q.c.callOpts...)
	if req.Serializable && req.Revision != q.o.Revision && isFutureRevision(err) {
		// The first page came from a member that is ahead of this one. A linearizable read waits for it.
		req.Serializable = false
		return q.c.remote.Range(ctx, req, q.c.callOpts...)
	}
	return resp, err
}

func isFutureRevision(err error) bool { return errors.Is(rpctypes.Error(err), rpctypes.ErrFutureRev) }

// filtered says whether the query has revision filters.
func (q *Query) filtered() bool {
	o := &q.o
	return o.MinModRevision|o.MaxModRevision|o.MinCreateRevision|o.MaxCreateRevision != 0
}

// keep drops what does not pass the revision filters, in place.
func (q *Query) keep(kvs []*KV) []*KV {
	if !q.filtered() {
		return kvs
	}
	within := func(n, low, high int64) bool { return n >= low && (high == 0 || n <= high) }
	return slices.DeleteFunc(kvs, func(kv *KV) bool {
		return !within(kv.ModRevision, q.o.MinModRevision, q.o.MaxModRevision) ||
			!within(kv.CreateRevision, q.o.MinCreateRevision, q.o.MaxCreateRevision)
	})
}
