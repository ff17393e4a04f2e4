package etcdapi

import (
	"context"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// DeleteOptions are the options of a delete.
type DeleteOptions struct {
	PrevKV        bool          // return what was deleted
	IfModRevision *int64        // only if the key was last changed at this revision; 0 is a key that does not exist
	IfValue       *string       // only if it has this value
	Timeout       time.Duration // 0 is Config.CommandTimeout
}

// DeleteResult is what became of a delete.
type DeleteResult struct {
	Done     bool  // false: a condition was not met, nothing was changed
	Deleted  int64 // how many keys were deleted; 0 when there was none
	Revision int64 // of the store after the delete, or when the condition was looked at
	Prev     []*KV // with PrevKV: what was deleted
	Current  *KV   // when not Done: what is there; nil if nothing is
}

func (o *DeleteOptions) conditions() conditions {
	return conditions{modRevision: o.IfModRevision, value: o.IfValue}
}

// Delete deletes one key. A key that does not exist is Done with Deleted 0.
func (c *Client) Delete(ctx context.Context, key string, o DeleteOptions) (DeleteResult, error) {
	if err := c.validKey("delete", key); err != nil {
		return DeleteResult{}, err
	}
	if o.Timeout < 0 {
		return DeleteResult{}, invalid("delete", key, "timeout %v is negative", o.Timeout)
	}
	if err := o.conditions().validate("delete", key); err != nil {
		return DeleteResult{}, err
	}
	if o.IfValue != nil && len(key)+len(*o.IfValue) > c.config.MaxRequestBytes {
		return DeleteResult{}, c.tooLarge("delete", key, len(key)+len(*o.IfValue))
	}
	l := newLimit(ctx, c.timeout(o.Timeout))
	defer l.end()
	if err := l.ctx.Err(); err != nil {
		return DeleteResult{}, wrap("delete", key, false, l.explain(err)) // nothing was sent
	}
	result, err := c.delete(l.ctx, key, o)
	return result, wrap("delete", key, true, l.explain(err))
}

func (c *Client) delete(ctx context.Context, key string, o DeleteOptions) (DeleteResult, error) {
	req := &pb.DeleteRangeRequest{Key: []byte(key), PrevKv: o.PrevKV}
	if !o.conditions().any() {
		resp, err := c.remote.DeleteRange(ctx, req, c.callOpts...)
		return deleteResult(resp, err)
	}
	op := &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: req}}
	resp, err := c.remote.Txn(ctx, o.conditions().txn(key, op), c.callOpts...)
	if err != nil {
		return DeleteResult{}, err
	}
	if !resp.Succeeded {
		return DeleteResult{Revision: resp.Header.Revision, Current: first(resp.Responses[0].GetResponseRange())}, nil
	}
	result, err := deleteResult(resp.Responses[0].GetResponseDeleteRange(), nil)
	result.Revision = resp.Header.Revision
	return result, err
}

func deleteResult(resp *pb.DeleteRangeResponse, err error) (DeleteResult, error) {
	if err != nil {
		return DeleteResult{}, err
	}
	return DeleteResult{Done: true, Deleted: resp.Deleted, Revision: resp.GetHeader().GetRevision(), Prev: resp.PrevKvs}, nil
}
