package etcdapi_test

import (
	"context"
	"sync"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

// counter stands between a client and its connection and counts what is asked.
type counter struct {
	pb.KVClient
	mu           sync.Mutex
	ranges, txns int
	largest      int // operations in one transaction
	writes       int
	before       func(req any) // called before each request, if set
}

func (c *counter) wrap(kv pb.KVClient) pb.KVClient {
	c.KVClient = kv
	return c
}

func (c *counter) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ranges + c.txns + c.writes
}

func (c *counter) counts() (ranges, txns, largest int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ranges, c.txns, c.largest
}

func (c *counter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ranges, c.txns, c.largest, c.writes = 0, 0, 0, 0
}

func (c *counter) note(req any, count func()) {
	c.mu.Lock()
	count()
	before := c.before
	c.mu.Unlock()
	if before != nil {
		before(req)
	}
}

func (c *counter) Range(ctx context.Context, req *pb.RangeRequest, opts ...grpc.CallOption) (*pb.RangeResponse, error) {
	c.note(req, func() { c.ranges++ })
	return c.KVClient.Range(ctx, req, opts...)
}

func (c *counter) Txn(ctx context.Context, req *pb.TxnRequest, opts ...grpc.CallOption) (*pb.TxnResponse, error) {
	c.note(req, func() { c.txns++; c.largest = max(c.largest, len(req.Success)) })
	return c.KVClient.Txn(ctx, req, opts...)
}

func (c *counter) Put(ctx context.Context, req *pb.PutRequest, opts ...grpc.CallOption) (*pb.PutResponse, error) {
	c.note(req, func() { c.writes++ })
	return c.KVClient.Put(ctx, req, opts...)
}

func (c *counter) DeleteRange(ctx context.Context, req *pb.DeleteRangeRequest, opts ...grpc.CallOption) (*pb.DeleteRangeResponse, error) {
	c.note(req, func() { c.writes++ })
	return c.KVClient.DeleteRange(ctx, req, opts...)
}

// failPut is asked for the answer to each Put, which is not sent.
type failPut struct {
	pb.KVClient
	fail func() error
}

func (f failPut) Put(context.Context, *pb.PutRequest, ...grpc.CallOption) (*pb.PutResponse, error) {
	return nil, f.fail()
}

func (c *counter) setBefore(do func(req any)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before = do
}
