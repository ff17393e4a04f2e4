package etcdapi

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// PutOptions are the options of a write. At most one of Lease, TTL and KeepLease, and conditions that
// can be true together; else the error has code invalid_argument.
type PutOptions struct {
	Lease     LeaseID // the key lives as long as this lease
	TTL       int64   // seconds: the key gets a lease of its own, which nobody keeps alive
	KeepLease bool    // keep the key's present lease; the key must exist
	KeepValue bool    // keep the key's present value ("touch"): value must be empty, and the key exist
	PrevKV    bool    // return what was there before

	IfAbsent      bool    // only if the key does not exist
	IfExists      bool    // only if it does
	IfModRevision *int64  // only if it was last changed at this revision; 0 is a key that does not exist
	IfValue       *string // only if it has this value

	Timeout time.Duration // 0 is Config.CommandTimeout
}

// PutResult is what became of a write.
type PutResult struct {
	Done     bool    // false: a condition was not met, nothing was changed
	Revision int64   // of the store after the write, or when the condition was looked at
	Prev     *KV     // with PrevKV: what was there before; nil if nothing was
	Current  *KV     // when not Done: what is there; nil if nothing is
	Lease    LeaseID // the lease that the key has been given, if any
}

func (o *PutOptions) conditions() conditions {
	return conditions{absent: o.IfAbsent, exists: o.IfExists, modRevision: o.IfModRevision, value: o.IfValue}
}

func (o *PutOptions) validate(key, value string) error {
	switch {
	case o.TTL < 0:
		return invalid("set", key, "ttl %d is negative", o.TTL)
	case o.TTL > clientv3.MaxLeaseTTL:
		return invalid("set", key, "ttl %d is over etcd's maximum of %d seconds", o.TTL, int64(clientv3.MaxLeaseTTL))
	case o.TTL > 0 && (o.Lease != 0 || o.KeepLease), o.Lease != 0 && o.KeepLease:
		return invalid("set", key, "lease, ttl and keep_lease exclude each other")
	case o.KeepValue && value != "":
		return invalid("set", key, "keep_value keeps the present value, and a value is given as well")
	case o.Timeout < 0:
		return invalid("set", key, "timeout %v is negative", o.Timeout)
	case o.IfAbsent && (o.KeepLease || o.KeepValue):
		return invalid("set", key, "if_absent, and a value or lease of the present key to keep: that can never be")
	}
	return o.conditions().validate("set", key)
}

// Put writes a key. Without conditions it is always Done, or an error. A TTL's lease is revoked again
// when the key was certainly not written; when that is not known (OutcomeUnknown) it is left to expire,
// for revoking it would delete the key.
func (c *Client) Put(ctx context.Context, key, value string, o PutOptions) (PutResult, error) {
	if err := c.validKey("set", key); err != nil {
		return PutResult{}, err
	}
	if err := o.validate(key, value); err != nil {
		return PutResult{}, err
	}
	req := &pb.PutRequest{Key: []byte(key), Value: []byte(value), Lease: int64(o.Lease), PrevKv: o.PrevKV,
		IgnoreLease: o.KeepLease, IgnoreValue: o.KeepValue}
	if err := c.checkSize("set", key, value, o.IfValue, req); err != nil {
		return PutResult{}, err
	}
	l := newLimit(ctx, c.timeout(o.Timeout))
	defer l.end()
	if o.TTL > 0 {
		return c.putWithTTL(l, key, req, o)
	}
	return c.put(l, key, req, o)
}

// checkSize refuses what the server would refuse. Only a request near the limit is measured.
func (c *Client) checkSize(op, key, value string, ifValue *string, req *pb.PutRequest) error {
	size := len(key) + len(value)
	if ifValue != nil {
		size += len(*ifValue)
	}
	if size+opOverhead*4 < c.config.MaxRequestBytes {
		return nil
	}
	if ifValue != nil {
		size += 2*len(key) + opOverhead
	} else {
		size = proto.Size(req)
	}
	if size > c.config.MaxRequestBytes {
		return c.tooLarge(op, key, size)
	}
	return nil
}

func (c *Client) put(l limit, key string, req *pb.PutRequest, o PutOptions) (PutResult, error) {
	if err := l.ctx.Err(); err != nil {
		return PutResult{}, wrap("set", key, false, l.explain(err)) // nothing was sent
	}
	if !o.conditions().any() {
		resp, err := c.remote.Put(l.ctx, req, c.callOpts...)
		if err != nil {
			return PutResult{}, wrap("set", key, true, l.explain(err))
		}
		return PutResult{Done: true, Revision: resp.Header.Revision, Prev: resp.PrevKv, Lease: LeaseID(req.Lease)}, nil
	}
	resp, err := c.remote.Txn(l.ctx, o.conditions().txn(key, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: req}}), c.callOpts...)
	if err != nil {
		return PutResult{}, wrap("set", key, true, l.explain(err))
	}
	if !resp.Succeeded {
		return PutResult{Revision: resp.Header.Revision, Current: first(resp.Responses[0].GetResponseRange())}, nil
	}
	return PutResult{Done: true, Revision: resp.Header.Revision, Prev: resp.Responses[0].GetResponsePut().GetPrevKv(), Lease: LeaseID(req.Lease)}, nil
}

// putWithTTL grants a lease for the key alone, and takes it back when the key did not get it.
func (c *Client) putWithTTL(l limit, key string, req *pb.PutRequest, o PutOptions) (result PutResult, err error) {
	if err := l.ctx.Err(); err != nil {
		return PutResult{}, wrap("set", key, false, l.explain(err))
	}
	// The id is ours, so that a lease whose grant was not answered can be revoked all the same. Of 63
	// bits at random none has been used before.
	id := LeaseID(1 + rand.Int64N(math.MaxInt64))
	defer func() {
		switch {
		case result.Done || unknownOutcome(err):
		case l.ctx.Err() != nil:
			c.cleanups.run(func() { c.revoke(l.ctx, id) }) // the caller does not wait any more
		default:
			c.revoke(l.ctx, id)
		}
	}()
	if _, err := clientv3.RetryLeaseClient(c.v3).LeaseGrant(l.ctx, &pb.LeaseGrantRequest{ID: int64(id), TTL: o.TTL}, c.callOpts...); err != nil {
		return PutResult{}, wrap("set", key, false, l.explain(err)) // the key was not written, whatever became of the lease
	}
	req.Lease = int64(id)
	return c.put(l, key, req, o)
}

func unknownOutcome(err error) bool {
	e, ok := err.(*Error)
	return ok && e.Outcome == OutcomeUnknown
}

// revoke takes a lease back, on a context that a cancelled caller does not end. A failure is only
// logged: the lease ends by itself.
func (c *Client) revoke(ctx context.Context, id LeaseID) {
	ctx, cancel := c.withTimeout(context.WithoutCancel(ctx), 0)
	defer cancel()
	_, err := clientv3.RetryLeaseClient(c.v3).LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: int64(id)}, c.callOpts...)
	if err = wrap("revoke", "", true, err); err != nil && CodeOf(err) != CodeLeaseNotFound {
		c.config.Logger.Warn("a lease that is not needed stays until it expires", "lease", id.String(), "error", err)
	}
}

// conditions are what a write of one key may depend on.
type conditions struct {
	absent, exists bool
	modRevision    *int64
	value          *string
}

func (w conditions) any() bool {
	return w.absent || w.exists || w.modRevision != nil || w.value != nil
}

// validate refuses conditions that can never be true together.
func (w conditions) validate(op, key string) error {
	switch {
	case w.modRevision != nil && *w.modRevision < 0:
		return invalid(op, key, "if_mod_revision %d is negative", *w.modRevision)
	case !w.absent && (w.modRevision == nil || *w.modRevision != 0):
		return nil
	case w.exists, w.value != nil, w.absent && w.modRevision != nil && *w.modRevision != 0:
		return invalid(op, key, "the conditions say both that the key exists and that it does not")
	}
	return nil
}

// txn is If(conditions) Then(op) Else(get the key).
func (w conditions) txn(key string, op *pb.RequestOp) *pb.TxnRequest {
	k := []byte(key)
	get := &pb.RangeRequest{Key: k}
	return &pb.TxnRequest{
		Compare: w.compares(k),
		Success: []*pb.RequestOp{op},
		Failure: []*pb.RequestOp{{Request: &pb.RequestOp_RequestRange{RequestRange: get}}},
	}
}

func (w conditions) compares(key []byte) (list []*pb.Compare) {
	if w.absent || w.exists {
		result := pb.Compare_EQUAL
		if w.exists {
			result = pb.Compare_GREATER
		}
		list = append(list, &pb.Compare{Key: key, Target: pb.Compare_CREATE, Result: result, TargetUnion: &pb.Compare_CreateRevision{}})
	}
	if w.modRevision != nil {
		list = append(list, &pb.Compare{Key: key, Target: pb.Compare_MOD, Result: pb.Compare_EQUAL, TargetUnion: &pb.Compare_ModRevision{ModRevision: *w.modRevision}})
	}
	if w.value != nil {
		list = append(list, &pb.Compare{Key: key, Target: pb.Compare_VALUE, Result: pb.Compare_EQUAL, TargetUnion: &pb.Compare_Value{Value: []byte(*w.value)}})
	}
	return list
}
