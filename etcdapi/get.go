package etcdapi

import (
	"context"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// GetOptions are the options of a read. The zero value reads the newest state, linearizably.
type GetOptions struct {
	Revision     int64         // read as of this revision; 0 is the newest
	Serializable bool          // any member may answer from what it has: quicker, and possibly stale
	Timeout      time.Duration // 0 is Config.CommandTimeout
}

// plain tells that the read may share a request with others.
func (o GetOptions) plain() bool { return o.Revision == 0 && !o.Serializable }

func (o GetOptions) validate(op, key string) error {
	if o.Revision < 0 {
		return invalid(op, key, "revision %d is negative", o.Revision)
	}
	if o.Timeout < 0 {
		return invalid(op, key, "timeout %v is negative", o.Timeout)
	}
	return nil
}

// Get reads one key; nil is a key that does not exist.
func (c *Client) Get(ctx context.Context, key string, o GetOptions) (*KV, error) {
	if err := c.validKey("get", key); err != nil {
		return nil, err
	}
	if err := o.validate("get", key); err != nil {
		return nil, err
	}
	if o.plain() {
		kv, err := c.gets.get(ctx, key, c.timeout(o.Timeout))
		return kv, wrap("get", key, false, err)
	}
	l := newLimit(ctx, c.timeout(o.Timeout))
	defer l.end()
	kv, _, err := c.rangeOne(l.ctx, key, o)
	return kv, wrap("get", key, false, l.explain(err))
}

// rangeOne reads a key with a request of its own, which clientv3 sends again when a connection breaks.
func (c *Client) rangeOne(ctx context.Context, key string, o GetOptions) (*KV, int64, error) {
	resp, err := c.remote.Range(ctx, &pb.RangeRequest{Key: []byte(key), Revision: o.Revision, Serializable: o.Serializable}, c.callOpts...)
	if err != nil {
		return nil, 0, err
	}
	return first(resp), resp.Header.Revision, nil
}

// first is the key of a response to a request for one key.
func first(resp *pb.RangeResponse) *KV {
	if resp == nil || len(resp.Kvs) == 0 {
		return nil
	}
	return resp.Kvs[0]
}

// GetMany reads any number of keys as they were at one revision, which it returns: GetOptions.Revision,
// or else the newest one. kvs is aligned with keys, nil for those that do not exist. Keys may repeat. More keys than fit
// one transaction take several, one after the other; when the revision is compacted between two of
// them, which takes a compaction right at that moment, the error has code compacted. Timeout bounds each.
func (c *Client) GetMany(ctx context.Context, keys []string, o GetOptions) (kvs []*KV, revision int64, err error) {
	if err := o.validate("get_many", ""); err != nil {
		return nil, 0, err
	}
	for _, key := range keys {
		if err := c.validKey("get_many", key); err != nil {
			return nil, 0, err
		}
	}
	kvs = make([]*KV, 0, len(keys))
	if len(keys) == 0 {
		return kvs, o.Revision, nil
	}
	for rest := keys; len(rest) > 0; {
		n := c.fitting(rest)
		if kvs, revision, err = c.getSome(ctx, kvs, rest[:n], o); err != nil {
			return nil, 0, wrap("get_many", rest[0], false, err)
		}
		if o.Revision == 0 {
			o.Revision = revision
		}
		rest = rest[n:]
	}
	return kvs, o.Revision, nil
}

// fitting is how many of keys go into one transaction: as many as the server takes, and at least one.
func (c *Client) fitting(keys []string) int {
	n, size := 0, 0
	for n < len(keys) && n < c.config.MaxTxnOps {
		size += len(keys[n]) + opOverhead
		if n > 0 && size > c.config.MaxRequestBytes {
			break
		}
		n++
	}
	return n
}

// opOverhead is at least what an operation weighs in a request beside its key and value.
const opOverhead = 32

// getSome appends the keys' values to kvs.
func (c *Client) getSome(ctx context.Context, kvs []*KV, keys []string, o GetOptions) ([]*KV, int64, error) {
	l := newLimit(ctx, c.timeout(o.Timeout))
	defer l.end()
	if len(keys) == 1 {
		kv, revision, err := c.rangeOne(l.ctx, keys[0], o)
		return append(kvs, kv), revision, l.explain(err)
	}
	reads := newReads(len(keys))
	for _, key := range keys {
		reads.add([]byte(key)).Serializable = o.Serializable
	}
	for i := range reads.ops {
		reads.ops[i].get.Revision = o.Revision
	}
	resp, err := c.readTxn(l.ctx, reads.request())
	if err != nil {
		return nil, 0, l.explain(err)
	}
	for _, r := range resp.Responses {
		kvs = append(kvs, first(r.GetResponseRange()))
	}
	return kvs, resp.Header.Revision, nil
}

const (
	retryFirst = 25 * time.Millisecond // as clientv3 waits between two attempts of a read
	retryMost  = 400 * time.Millisecond
)

// readTxn sends a transaction that only reads. clientv3 takes every transaction for a write and never
// sends one again; this one may be, until ctx is done.
func (c *Client) readTxn(ctx context.Context, req *pb.TxnRequest) (*pb.TxnResponse, error) {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		resp, err := c.remote.Txn(ctx, req, c.callOpts...)
		if err == nil && len(resp.Responses) != len(req.Success) {
			return nil, fmt.Errorf("etcd gave %d answers to %d reads", len(resp.Responses), len(req.Success))
		}
		if status.Code(err) != codes.Unavailable {
			return resp, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// validKey refuses what etcd would, and what is too large to be sent.
func (c *Client) validKey(op, key string) error {
	if key == "" {
		return invalid(op, key, "the key is empty").hint("etcd has no empty key; every key: etcd.prefix(\"\")")
	}
	if len(key) > c.config.MaxRequestBytes {
		return c.tooLarge(op, key, len(key))
	}
	return nil
}

func (c *Client) tooLarge(op, key string, size int) error {
	return &Error{Op: op, Key: key, Code: CodeRequestTooLarge, Outcome: OutcomeNone,
		Message: fmt.Sprintf("the request has %d bytes and etcd takes %d", size, c.config.MaxRequestBytes),
		Hint:    "store less under one key, or raise the server's --max-request-bytes and this client's limit with it"}
}

// reads builds a transaction of reads: its messages lie in one piece of memory, and can be used again
// once the transaction has been answered.
type reads struct {
	ops  []readOp
	list []*pb.RequestOp
	txn  pb.TxnRequest
	n    int
}

type readOp struct {
	op   pb.RequestOp
	body pb.RequestOp_RequestRange
	get  pb.RangeRequest
}

func newReads(n int) *reads {
	r := &reads{ops: make([]readOp, n), list: make([]*pb.RequestOp, n)}
	for i := range r.ops {
		o := &r.ops[i]
		o.body.RequestRange = &o.get
		o.op.Request = &o.body
		r.list[i] = &o.op
	}
	return r
}

// add adds a read, and returns it for further fields.
func (r *reads) add(key []byte) *pb.RangeRequest {
	get := &r.ops[r.n].get
	get.Key = key
	r.n++
	return get
}

func (r *reads) request() *pb.TxnRequest {
	r.txn.Success = r.list[:r.n]
	return &r.txn
}

func (r *reads) reset() { r.n = 0 }
