package etcdapi

import (
	"context"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// countedAttempts is how often a counted delete counts again because somebody wrote in between.
const countedAttempts = 10

// QueryDeleteOptions says how the keys of a query are deleted.
type QueryDeleteOptions struct {
	// PrevKV asks for what was deleted. All of it comes in one answer.
	PrevKV bool
	// Max, unless nil, is how many keys may be deleted: with more, nothing is, and the error is guarded.
	Max *int64
	// All is needed when the interval is the whole keyspace.
	All bool
	// Timeout bounds each request; 0 is the client's.
	Timeout time.Duration
}

// Delete deletes the keys of the query's interval, all of them at one revision. A query that reads only
// a part of its interval (limit, revision, filters) is refused with invalid_argument: etcd deletes
// intervals.
//
// With Max the keys are counted first, and the delete is a transaction on the condition that no key of
// the interval was written since, so that what is deleted was counted; an interval that is written to
// all the time ends with conflict.
func (q *Query) Delete(ctx context.Context, o QueryDeleteOptions) (DeleteResult, error) {
	if err := q.deletable(o); err != nil {
		return DeleteResult{}, err
	}
	if o.Max != nil {
		return q.deleteCounted(ctx, o)
	}
	ctx, cancel := q.c.withTimeout(ctx, o.timeout(q))
	defer cancel()
	resp, err := q.c.remote.DeleteRange(ctx, q.deleteRequest(o), q.c.callOpts...)
	if err != nil {
		return DeleteResult{}, wrap("delete", q.iv.From, true, err)
	}
	return deleted(resp, resp.Header), nil
}

// deletable refuses what would delete other keys than the query reads.
func (q *Query) deletable(o QueryDeleteOptions) error {
	if q.o.Limit != 0 || q.o.Revision != 0 || q.filtered() {
		return invalid("delete", q.iv.From, "a query with limit, revision or revision filters cannot be deleted: etcd deletes whole intervals; list it and delete key by key")
	}
	if o.Max != nil && *o.Max < 0 {
		return invalid("delete", q.iv.From, "max is %d; it must not be negative", *o.Max)
	}
	if q.wholeKeyspace() && !o.All {
		return &Error{Op: "delete", Code: CodeGuarded, Outcome: OutcomeNone,
			Message: "this would delete every key of the store",
			Hint:    "name a prefix, or set all when you mean it"}
	}
	return nil
}

// wholeKeyspace says whether no key is outside of the interval.
func (q *Query) wholeKeyspace() bool { return q.iv.From <= "\x00" && q.iv.To == "" }

func (o QueryDeleteOptions) timeout(q *Query) time.Duration {
	if o.Timeout != 0 {
		return o.Timeout
	}
	return q.o.Timeout
}

func (q *Query) deleteRequest(o QueryDeleteOptions) *pb.DeleteRangeRequest {
	return &pb.DeleteRangeRequest{Key: q.iv.key(), RangeEnd: q.iv.end(), PrevKv: o.PrevKV}
}

// deleteCounted deletes at most *o.Max keys, or none.
func (q *Query) deleteCounted(ctx context.Context, o QueryDeleteOptions) (DeleteResult, error) {
	counting := *q
	counting.o.Timeout = o.timeout(q)
	counting.o.Serializable = false // an old count would only cost an attempt
	for range countedAttempts {
		count, rev, err := counting.countAll(ctx)
		if err != nil {
			return DeleteResult{}, err
		}
		if count > *o.Max {
			return DeleteResult{}, &Error{Op: "delete", Key: q.iv.From, Code: CodeGuarded, Outcome: OutcomeNone,
				Message: fmt.Sprintf("%d keys would be deleted, more than the %d allowed; nothing was deleted", count, *o.Max),
				Hint:    "narrow the interval, or raise max"}
		}
		result, done, err := q.deleteUnwritten(ctx, o, rev)
		if done || err != nil {
			return result, err
		}
	}
	return DeleteResult{}, &Error{Op: "delete", Key: q.iv.From, Code: CodeConflict, Outcome: OutcomeNone, Retryable: true,
		Message: fmt.Sprintf("keys of the interval were written between counting and deleting, %d times; nothing was deleted", countedAttempts),
		Hint:    "stop the writers, or delete without max"}
}

// deleteUnwritten deletes the interval if none of its keys was written after rev.
func (q *Query) deleteUnwritten(ctx context.Context, o QueryDeleteOptions, rev int64) (result DeleteResult, done bool, err error) {
	ctx, cancel := q.c.withTimeout(ctx, o.timeout(q))
	defer cancel()
	resp, err := q.c.remote.Txn(ctx, &pb.TxnRequest{
		Compare: []*pb.Compare{{
			Key: q.iv.key(), RangeEnd: q.iv.end(), Target: pb.Compare_MOD, Result: pb.Compare_LESS,
			TargetUnion: &pb.Compare_ModRevision{ModRevision: rev + 1},
		}},
		Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: q.deleteRequest(o)}}},
	}, q.c.callOpts...)
	if err != nil {
		return DeleteResult{}, false, wrap("delete", q.iv.From, true, err)
	}
	if !resp.Succeeded {
		return DeleteResult{}, false, nil
	}
	return deleted(resp.Responses[0].GetResponseDeleteRange(), resp.Header), true, nil
}

func deleted(resp *pb.DeleteRangeResponse, header *pb.ResponseHeader) DeleteResult {
	return DeleteResult{Done: true, Deleted: resp.Deleted, Revision: header.GetRevision(), Prev: resp.PrevKvs}
}
