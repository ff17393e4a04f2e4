package etcdapi

import pb "go.etcd.io/etcd/api/v3/etcdserverpb"

// Wrap is the one place of errors, for its test.
var Wrap = wrap

// EtcdErrors tells whether an error of etcd's, by its description, has a meaning.
func EtcdErrors(description string) bool {
	_, ok := etcdErrors[description]
	return ok
}

// Key and End are the fields of a request for an interval.
func (iv Interval) Key() []byte { return iv.key() }
func (iv Interval) End() []byte { return iv.end() }

// WrapKV puts something between the client and its connection; call it before the first request.
func (c *Client) WrapKV(wrap func(pb.KVClient) pb.KVClient) { c.remote = wrap(c.remote) }

// Waiting is how many gets are in the coalescer's queue.
func (c *Client) Waiting() int {
	c.gets.mu.Lock()
	defer c.gets.mu.Unlock()
	return c.gets.queue.n
}

// FreeSlots is how many of the coalescer's slots nobody has.
func (c *Client) FreeSlots() int {
	c.gets.mu.Lock()
	defer c.gets.mu.Unlock()
	return len(c.gets.slots) + len(c.gets.extra)
}

// Alone tells whether a key travels alone.
func (c *Client) Alone(key string) bool {
	c.gets.mu.Lock()
	defer c.gets.mu.Unlock()
	_, ok := c.gets.alone[key]
	return ok
}

// Remember lets a key travel alone.
func (c *Client) Remember(key string) {
	c.gets.mu.Lock()
	defer c.gets.mu.Unlock()
	c.gets.remember(key)
}
